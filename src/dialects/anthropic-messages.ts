// Anthropic Messages: `/messages`, content blocks in and out, its own error envelope.
// https://docs.claude.com/en/api/messages
import { isObject, textOf } from '../utils/json.js'
import type { Dialect, Media, StreamReader } from './dialect.js'
import { eventReader } from './kit/event-reader.js'
import { claiming, readRequest } from './kit/read-request.js'
import { blockMessage, blockNote, failureType, refusalDetails, typedEvents } from './kit/refusals.js'
import { itemIndex, type ReplyFields, server, words, reading } from './kit/reply-fields.js'
import { type BlockStep, blocksAfter, NO_BLOCKS } from './kit/stream-memory.js'

const CITATION: ReplyFields = {
  ...server('type document_index start_char_index end_char_index start_page_number end_page_number file_id'),
  ...server('start_block_index end_block_index search_result_index'),
  ...words('cited_text document_title url title source'),
  encrypted_index: 'sealed',
}
const RESULT: ReplyFields = {
  ...server('type tool_name error_code retrieved_at page_age return_code file_id media_type file_type citations'),
  ...server('num_lines start_line total_lines is_file_update new_lines new_start old_lines old_start'),
  ...words('title url text stdout stderr error_message lines'),
  tool_references: { ...server('type'), ...words('tool_name') },
  encrypted_content: 'sealed',
  encrypted_stdout: 'sealed',
}
/** A block, its beginning or a piece of it. */
const BLOCK: ReplyFields = {
  ...server('type id tool_use_id server_name toolset_name caller is_error stop_reason stop_sequence container'),
  ...server('estimated_tokens'),
  ...words('text thinking partial_json name'),
  signature: 'sealed',
  data: 'sealed',
  encrypted_content: 'sealed',
  input: 'json',
  citations: CITATION,
  citation: CITATION,
  content: { ...RESULT, content: { ...RESULT, source: { ...server('type media_type'), ...words('data') } } },
  stop_details: {
    ...server('type category fallback_credit_token fallback_has_prefill_claim recommended_model'),
    ...words('explanation'),
  },
}
const MESSAGE: ReplyFields = {
  ...server('id type role model stop_reason stop_sequence usage container context_management diagnostics'),
  ...server('input_transformations'),
  content: BLOCK,
  stop_details: BLOCK.stop_details!,
}
const ANTHROPIC_REPLY: ReplyFields = {
  ...MESSAGE,
  // Events.
  ...server('index request_id amazon-bedrock-invocationMetrics'),
  message: MESSAGE,
  content_block: BLOCK,
  delta: BLOCK,
  error: { ...server('type'), ...words('message') },
}

const STEPS: Readonly<Record<string, BlockStep>> = {
  message_start: 'start',
  content_block_start: 'open',
  content_block_stop: 'close',
  message_stop: 'end',
}

function anthropicStream(_calls?: unknown, media?: Media): StreamReader {
  return eventReader({
    fields: ANTHROPIC_REPLY,
    options: { media },
    repeats: /^content\.\d+\.(?:text|thinking)$/,
    read(texts, data) {
      if (!('index' in data)) return texts.walk(data)
      const index = itemIndex(data)
      // The start of a block and its deltas form one text: `content_block.text`, then `delta.text`.
      const channel = (path: string): string => `content.${index}.${path.replace(/^(?:content_block|delta)\./, '')}`
      texts.walk(data, { channel, grows: true })
    },
    start: NO_BLOCKS,
    after: (state, data, event) =>
      blocksAfter(state, STEPS[textOf('type' in data ? data.type : event.event)], itemIndex(data)),
    block({ started, open, next }, decision, words) {
      const frames: object[] = []
      if (!started) frames.push({ type: 'message_start', message: emptyMessage() })
      for (const index of open) frames.push({ type: 'content_block_stop', index })
      if (words !== undefined) frames.push(...textBlock(next, words))
      const stop = { type: 'refusal', category: null, explanation: blockMessage(decision) }
      const delta = { stop_reason: 'refusal', stop_sequence: null, stop_details: stop }
      frames.push(
        { type: 'message_delta', delta, usage: { output_tokens: 0 }, llama_guard: blockNote(decision) },
        { type: 'message_stop' },
      )
      return typedEvents(frames)
    },
    fail: (_state, error) =>
      typedEvents([{ type: 'error', error: { type: failureType(error), message: error.message, code: error.code } }]),
  })
}

function textBlock(index: number, text: string): object[] {
  return [
    { type: 'content_block_start', index, content_block: { type: 'text', text: '' } },
    { type: 'content_block_delta', index, delta: { type: 'text_delta', text } },
    { type: 'content_block_stop', index },
  ]
}

function emptyMessage(): Record<string, unknown> {
  const rest = { stop_reason: null, stop_sequence: null, usage: { input_tokens: 0, output_tokens: 0 } }
  return { id: 'msg_llama_guard', type: 'message', role: 'assistant', content: [], model: 'unknown', ...rest }
}

export const anthropicMessages: Dialect = {
  name: 'anthropic-messages',
  paths: ['/v1/messages', '/v1/messages/count_tokens'],
  claims: claiming({ messages: 'value' }),
  answers: (data) => isObject(data) && data.type === 'message_start',
  request: (body) => readRequest({ fields: { system: 'system', messages: 'messages' } }, body),
  reply: reading(ANTHROPIC_REPLY, { type: /^message$/, content: 'list' }),
  stream: anthropicStream,
  refusal(refusal) {
    const { message, type, code, requestId } = refusal
    const param = refusal.code === 'content_filter' ? { param: refusal.stage === 'input' ? 'messages' : 'content' } : {}
    return {
      type: 'error',
      error: { type, message, code, ...param, ...refusalDetails(refusal) },
      request_id: requestId,
    }
  },
  decline: ({ words, model, decision }) => ({
    ...emptyMessage(),
    model: model ?? 'unknown',
    content: [{ type: 'text', text: words }],
    stop_reason: 'refusal',
    stop_details: { type: 'refusal', category: null, explanation: blockMessage(decision) },
    llama_guard: blockNote(decision),
  }),
}
