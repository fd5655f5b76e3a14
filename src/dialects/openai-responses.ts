// OpenAI Responses: `/responses`, a text or a list of items in, a list of output items out. Its stream has named
// events, with text as deltas and again as snapshots when a part, an item and the response are done.
// https://platform.openai.com/docs/api-reference/responses
import { unreadableResponse } from '../types/errors.js'
import type { Decision } from '../types.js'
import { isObject, textOf } from '../utils/json.js'
import type { Declined, Dialect, Media, ReplyChoice, StreamReader } from './dialect.js'
import { SaidTexts } from './kit/stream-memory.js'
import { type EventData, eventReader, type EventTexts, shortText } from './kit/event-reader.js'
import { claiming, readRequest } from './kit/read-request.js'
import { blockMessage, blockNote, openaiRefusal, streamFailure, typedEvents } from './kit/refusals.js'
import { itemIndex, type ReplyFields, server, TextWalker, words } from './kit/reply-fields.js'

const TOKEN: ReplyFields = { token: 'tokens', ...server('logprob bytes') }
const PART: ReplyFields = {
  ...server('type'),
  ...words('text refusal'),
  annotations: { ...server('type file_id container_id index start_index end_index'), ...words('filename url title') },
  logprobs: { ...TOKEN, top_logprobs: TOKEN },
}
const TOOL: ReplyFields = {
  ...server('type strict server_label search_context_size user_location filters vector_store_ids max_num_results'),
  ...server('ranking_options require_approval allowed_tools server_url connector_id container defer_loading'),
  ...server('environment display_width display_height background quality size output_format output_compression'),
  ...server('model moderation partial_images input_fidelity annotations'),
  ...words('name description'),
  parameters: 'json',
  input_schema: 'json',
}
const ACTION: ReplyFields = {
  ...server('type button x y scroll_x scroll_y timeout_ms'),
  ...words('query queries url pattern text command commands env working_directory keys'),
  path: server('x y'),
  sources: { ...server('type'), ...words('url') },
}
/** The fields of every kind of item: an id, a type and a state, and what the kind says. */
const ITEM: ReplyFields = {
  ...server(
    'id type role status phase call_id approval_request_id server_label container_id execution encrypted_content',
  ),
  ...server('created_by parent_id caller namespace'),
  ...words('name arguments input output error code result queries'),
  content: PART,
  summary: PART,
  encrypted_content: 'sealed',
  action: ACTION,
  actions: ACTION,
  results: { ...server('file_id score'), ...words('filename text attributes') },
  outputs: { ...server('type'), ...words('logs url') },
  tools: TOOL,
  pending_safety_checks: { ...server('id code'), ...words('message') },
}
const RESPONSE: ReplyFields = {
  ...server('id object created_at completed_at model status service_tier background parallel_tool_calls temperature'),
  ...server('top_p top_logprobs max_output_tokens max_tool_calls previous_response_id truncation user verbosity store'),
  ...server(
    'safety_identifier prompt_cache_key prompt_cache_retention usage reasoning conversation billing tool_choice',
  ),
  ...server('incomplete_details frequency_penalty presence_penalty prompt_cache_options moderation'),
  ...words('instructions output_text metadata'),
  prompt: { ...server('id version'), ...words('variables') },
  text: { ...server('verbosity'), format: { ...server('type strict'), ...words('name description'), schema: 'json' } },
  error: { ...server('code type param'), ...words('message') },
  tools: TOOL,
  output: ITEM,
}
const RESPONSES_REPLY: ReplyFields = {
  ...RESPONSE,
  // Events.
  ...server('type sequence_number output_index content_index summary_index annotation_index item_id obfuscation'),
  ...server('code param partial_image_index input_tokens'),
  ...words('delta refusal arguments input code message name'),
  // Events of Mistral's conversations.
  ...server('role conversation_id agent_id'),
  ...words('content'),
  response: RESPONSE,
  item: ITEM,
  part: PART,
  annotation: PART.annotations!,
  logprobs: PART.logprobs!,
}

export const openaiResponses: Dialect = {
  name: 'openai-responses',
  paths: [
    ...['/v1/responses', '/openai/responses', '/v1/responses/compact', '/v1/responses/input_tokens'],
    ...['/v1/conversations', '/v1/conversations/*/items', '/v1/conversations/conv_*'],
  ],
  // A response in the background is polled, and the items of a conversation are listed.
  bodiless: /\/(?:v1|openai)\/(?:responses\/resp_[^/]+(?:\/\w+)?|conversations\/conv_[^/]+\/items(?:\/[^/]+)?)$/,
  answers: (data) => isObject(data) && data.type === 'response.created',
  claims: claiming(
    { '~input': 'words' },
    { inputs: 'words' },
    { items: 'list' },
    { prompt: 'object' },
    // What the vendor keeps may be asked on with nothing but instructions.
    { instructions: 'text' },
    { previous_response_id: 'text' },
  ),
  // A conversation is made of items; Mistral's has inputs.
  request: (body) => readRequest({ fields: { input: 'messages', items: 'messages', inputs: 'messages' } }, body),
  reply: readReply,
  stream: responsesStream,
  refusal: (refusal) => openaiRefusal(refusal, { input: 'input', output: 'output' }),
  decline: declinedResponse,
}

/** All items are one choice: a client reads them as one answer, and long research has hundreds of them. */
function readReply(body: unknown, media?: Media): readonly ReplyChoice[] | undefined {
  if (!isObject(body) || !Array.isArray(body.output)) return undefined
  const walker = new TextWalker(RESPONSES_REPLY, { media })
  const texts: string[] = []
  const judged = new Set<string>()
  for (const item of body.output as unknown[]) {
    const first = texts.length
    walker.walk(item, (_path, text) => texts.push(text), { fields: ITEM })
    judged.add(texts.slice(first).join('\n'))
  }
  const { output: _, ...outside } = body
  // The SDK's field `output_text` repeats the words of the items.
  walker.walk(outside, (_path, text) => void (judged.has(text) || texts.push(text)))
  return [{ index: 0, text: texts.join('\n') }]
}

const AUDIO = /^response\.(?:output_)?audio\.delta$/
/** These events repeat the request: instructions, tools and settings. */
const FIRST = /^response\.(?:created|in_progress|queued)$/
/** These events repeat text that came in deltas. In any other event, equal words are new words. */
const SNAPSHOT = /\.(?:added|done)$/
const LAST = /^(?:response\.(?:completed|incomplete|failed|cancelled)|conversation\.response\.(?:done|error))$/

/** What the client has got: the highest numbers, what names the response, and whether it is one of Mistral's. */
const START = {
  created: false,
  mistral: false,
  over: false,
  sequence: -1,
  next: 0,
  head: {} as Record<string, unknown>,
}

function responsesStream(_calls?: unknown, media?: Media): StreamReader {
  const said = new SaidTexts()

  /** The events with the whole response: a snapshot of each item, and what the response repeats. */
  const readResponse = (texts: EventTexts, { response, ...outside }: EventData): void => {
    const { output, ...rest } = response as EventData
    for (const [position, entry] of (Array.isArray(output) ? (output as unknown[]) : [output]).entries()) {
      const index = itemIndex(entry, position)
      texts.walk(entry, { fields: ITEM, under: `${index}.item.`, said })
    }
    texts.walk(
      { ...outside, response: rest },
      {
        said,
        // The field `output_text` repeats the words of all items.
        skip: (text) => said.holds(text),
        ...(FIRST.test(textOf(outside.type)) && { aside: true }),
      },
    )
  }

  return eventReader({
    fields: RESPONSES_REPLY,
    options: { media },
    read(texts, data) {
      const index = natural(data.output_index)
      const type = shortText(data.type) ?? ''
      if (AUDIO.test(type))
        throw unreadableResponse('The stream carries audio, which the guard cannot read; ask the model for text.')
      if (isObject(data.response)) return readResponse(texts, data)
      if (SNAPSHOT.test(type)) return texts.walk(data, { under: `${index}.${type}.`, said })
      if (!type.endsWith('.delta')) return texts.walk(data, { under: `${index}.${type}.`, grows: true })
      const name = type.replace(/^response\.|\.delta$/g, '')
      const part = `${index}.${name}.${natural(data.content_index ?? data.summary_index)}`
      const channel = (path: string): string => (path === 'delta' ? part : `${part}.${path}`)
      texts.walk(data, { channel, grows: true, said })
    },
    start: START,
    after: (state, { type, response, sequence_number: sequence, output_index: index }) => ({
      created: state.created || type === 'response.created',
      mistral: state.mistral || type === 'conversation.response.started',
      over: state.over || LAST.test(textOf(type)),
      sequence: typeof sequence === 'number' ? Math.max(state.sequence, sequence) : state.sequence,
      next: typeof index === 'number' ? Math.max(state.next, index + 1) : state.next,
      head: isObject(response) ? { ...state.head, ...headOf(response) } : state.head,
    }),
    block({ created, mistral, head, next, sequence }, decision, words) {
      if (mistral) return typedEvents(conversationEnd(next, decision, words))
      const base = emptyResponse(head)
      const item = words === undefined ? undefined : refusalItem(words)
      const response = {
        ...base,
        status: 'incomplete',
        incomplete_details: { reason: 'content_filter' },
        output: item === undefined ? [] : [item],
      }
      const frames = [
        ...(created ? [] : [{ type: 'response.created', response: { ...base, status: 'in_progress' } }]),
        ...(item === undefined ? [] : refusalEvents(item, next)),
        { type: 'response.incomplete', response, llama_guard: blockNote(decision) },
      ]
      return typedEvents(frames.map((frame, at) => ({ ...frame, sequence_number: sequence + 1 + at })))
    },
    fail({ mistral, sequence }, error) {
      const { code, message } = error
      if (mistral) return typedEvents([{ ...conversationError(503, message), error: streamFailure(error) }])
      const rest = { code, message, param: null, sequence_number: sequence + 1 }
      // The SDK raises an error for an event with the field `error`. The fields beside it form the API's own error
      // event.
      return typedEvents([{ type: 'error', ...rest, error: streamFailure(error) }])
    },
  })
}

/** Mistral's client knows no other events, and a status as the code. */
const conversationError = (code: number, message: string): object => ({
  type: 'conversation.response.error',
  message,
  code,
})

function conversationEnd(index: number, decision: Decision, words: string | undefined): object[] {
  const note = { llama_guard: blockNote(decision) }
  if (words === undefined) return [{ ...conversationError(451, blockMessage(decision)), ...note }]
  const at = { output_index: index, content_index: 0, id: 'msg_llama_guard' }
  const usage = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 }
  return [
    { type: 'message.output.delta', ...at, role: 'assistant', content: words },
    { type: 'conversation.response.done', usage, ...note },
  ]
}

function headOf({ id, created_at: createdAt, model }: EventData): Record<string, unknown> {
  return {
    ...(shortText(id) !== undefined && { id }),
    ...(typeof createdAt === 'number' && { created_at: createdAt }),
    ...(shortText(model) !== undefined && { model }),
  }
}

function natural(value: unknown): number {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : 0
}

/** A whole response in which the model declines. */
function declinedResponse({ words, model, decision }: Declined): Record<string, unknown> {
  const head = { ...emptyResponse({}), ...(model !== undefined && { model }) }
  return { ...head, status: 'completed', output: [refusalItem(words)], llama_guard: blockNote(decision) }
}

interface RefusalItem {
  readonly type: 'message'
  readonly id: string
  readonly status: 'completed'
  readonly role: 'assistant'
  readonly content: readonly [{ readonly type: 'refusal'; readonly refusal: string }]
}

/** A message of the model that declines, in the form of the API. */
function refusalItem(refusal: string): RefusalItem {
  const content = [{ type: 'refusal', refusal }] as const
  return { type: 'message', id: 'msg_llama_guard', status: 'completed', role: 'assistant', content }
}

/** The events that carry such a message. */
function refusalEvents(item: RefusalItem, index: number): readonly object[] {
  const [part] = item.content
  const at = { output_index: index, item_id: item.id, content_index: 0 }
  return [
    { type: 'response.output_item.added', output_index: index, item: { ...item, status: 'in_progress', content: [] } },
    { type: 'response.content_part.added', ...at, part: { type: 'refusal', refusal: '' } },
    { type: 'response.refusal.delta', ...at, delta: part.refusal },
    { type: 'response.refusal.done', ...at, refusal: part.refusal },
    { type: 'response.content_part.done', ...at, part },
    { type: 'response.output_item.done', output_index: index, item },
  ]
}

function emptyResponse(head: Record<string, unknown>): Record<string, unknown> {
  const settings = {
    instructions: null,
    metadata: {},
    parallel_tool_calls: true,
    temperature: null,
    tool_choice: 'auto',
    tools: [],
    top_p: null,
  }
  const base = {
    id: 'resp_llama_guard',
    object: 'response',
    created_at: Math.floor(Date.now() / 1000),
    model: 'unknown',
    ...head,
  }
  return { ...base, error: null, incomplete_details: null, output: [], usage: null, ...settings }
}
