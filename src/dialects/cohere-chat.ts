// Cohere's Chat API, version 2: `/v2/chat`, typed server-sent events, errors as a message.
// https://docs.cohere.com/reference/chat
import { isObject, textOf } from '../utils/json.js'
import type { Dialect, Media, StreamReader } from './dialect.js'
import { eventReader, isDone } from './kit/event-reader.js'
import { claiming, readRequest } from './kit/read-request.js'
import { blockMessage, blockNote, failureType, refusalDetails, typedEvents } from './kit/refusals.js'
import { type ReplyFields, server, words, reading } from './kit/reply-fields.js'
import { type BlockStep, blocksAfter, NO_BLOCKS } from './kit/stream-memory.js'

const MESSAGE: ReplyFields = {
  ...server('role'),
  ...words('tool_plan'),
  content: { ...server('type'), ...words('text thinking') },
  tool_calls: { ...server('id type'), function: words('name arguments') },
  citations: {
    ...server('type start end content_index'),
    ...words('text'),
    sources: { ...server('type id'), ...words('tool_output document') },
  },
}
const LOGPROBS: ReplyFields = { text: 'tokens', ...server('token_ids logprobs') }
const COHERE_REPLY: ReplyFields = {
  ...server('id finish_reason usage meta'),
  message: MESSAGE,
  logprobs: LOGPROBS,
  // Events.
  ...server('type index'),
  delta: { ...server('finish_reason usage'), ...words('error'), message: MESSAGE },
}

const EVENT = /^(?:message-(?:start|end)|content-(?:start|delta|end)|tool-(?:plan-delta|call-(?:start|delta|end)))$/

/** The AI SDK takes no end of a reply without the usage. */
const COMPLETE = { finish_reason: 'COMPLETE', usage: { tokens: { input_tokens: 0, output_tokens: 0 } } }

export const cohereChat: Dialect = {
  name: 'cohere-chat',
  paths: ['/v2/chat'],
  claims: claiming({ messages: 'value' }),
  answers: (data) => isObject(data) && typeof data.type === 'string' && EVENT.test(data.type),
  request: (body) => readRequest({ fields: { messages: 'messages' } }, body),
  reply: reading(COHERE_REPLY, { message: { content: 'list' } }, { message: { tool_calls: 'list' } }),
  stream: cohereStream,
  refusal: (refusal) => ({
    id: refusal.requestId,
    message: refusal.message,
    type: refusal.type,
    code: refusal.code,
    ...refusalDetails(refusal),
  }),
  decline: ({ words, decision }) => ({
    id: 'llama-guard',
    message: { role: 'assistant', content: [{ type: 'text', text: words }] },
    ...COMPLETE,
    llama_guard: blockNote(decision),
  }),
}

const STEPS: Readonly<Record<string, BlockStep>> = {
  'message-start': 'start',
  'content-start': 'open',
  'content-end': 'close',
  'message-end': 'end',
}

function cohereStream(_calls?: unknown, media?: Media): StreamReader {
  return eventReader({
    fields: COHERE_REPLY,
    options: { media },
    repeats: /\.delta\.message\.content\.text$/,
    read(texts, data) {
      const index = indexOf(data)
      if (index === undefined) return texts.walk(data)
      // Parts and calls are told apart by their index alone.
      texts.walk(data, { under: `${index}.`, grows: true })
    },
    start: NO_BLOCKS,
    after: (state, data, event) => blocksAfter(state, isDone(event) ? 'end' : STEPS[textOf(data.type)], indexOf(data)),
    block({ started, open, next }, decision, words) {
      const frames: object[] = started ? [] : [START]
      for (const index of open) frames.push({ type: 'content-end', index })
      if (words !== undefined) frames.push(...textPart(next, words))
      const delta = words === undefined ? { finish_reason: 'ERROR', error: blockMessage(decision) } : COMPLETE
      frames.push({ type: 'message-end', delta, llama_guard: blockNote(decision) })
      return `${typedEvents(frames)}data: [DONE]\n\n`
    },
    fail(_state, error) {
      const delta = { finish_reason: 'ERROR', error: error.message }
      const note = { type: failureType(error), code: error.code }
      return typedEvents([{ type: 'message-end', delta, error: note }])
    },
  })
}

function indexOf({ index }: Readonly<Record<string, unknown>>): number | undefined {
  return Number.isSafeInteger(index) ? (index as number) : undefined
}

const START = {
  type: 'message-start',
  id: 'llama-guard',
  delta: { message: { role: 'assistant', content: [], tool_plan: '', tool_calls: [], citations: [] } },
}

function textPart(index: number, text: string): object[] {
  return [
    { type: 'content-start', index, delta: { message: { content: { type: 'text', text: '' } } } },
    { type: 'content-delta', index, delta: { message: { content: { text } } } },
    { type: 'content-end', index },
  ]
}
