// Cohere's Chat API, version 2: `/v2/chat`, typed server-sent events, errors as a message.
// https://docs.cohere.com/reference/chat
import { isObject } from '../utils/json.js'
import type { Dialect, ReplyChoice, StreamReader } from './dialect.js'
import { eventReader } from './kit/event-reader.js'
import { JoinedParts } from './kit/part-channels.js'
import { readRequest } from './kit/read-request.js'
import { blockMessage, blockNote, failureType, refusalDetails, sse } from './kit/refusals.js'
import { type ReplyFields, server, words } from './kit/reply-fields.js'
import { isDone } from './kit/stream-events.js'
import { oneChoice } from './kit/whole-reply.js'

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
export const COHERE_REPLY: ReplyFields = {
  ...server('id finish_reason usage meta'),
  message: MESSAGE,
  logprobs: LOGPROBS,
  // Events.
  ...server('type index'),
  delta: { ...server('finish_reason usage'), ...words('error'), message: MESSAGE },
}

const EVENT = /^(?:message-(?:start|end)|content-(?:start|delta|end)|tool-(?:plan-delta|call-(?:start|delta|end)))$/

export const cohereChat: Dialect = {
  name: 'cohere-chat',
  paths: ['/v2/chat'],
  framing: 'sse',
  claims: ({ messages }) => messages !== undefined && messages !== null,
  answers: (data) => isObject(data) && typeof data.type === 'string' && EVENT.test(data.type),
  request: (body) => readRequest({ fields: { messages: 'messages' } }, body),
  reply: readReply,
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
    finish_reason: 'COMPLETE',
    llama_guard: blockNote(decision),
  }),
}

function readReply(body: unknown): readonly ReplyChoice[] | undefined {
  if (!isObject(body) || !isObject(body.message)) return undefined
  const { content, tool_calls: calls } = body.message
  if (!Array.isArray(content) && !Array.isArray(calls)) return undefined
  return oneChoice(body, COHERE_REPLY)
}

interface Fact {
  readonly type: string
  readonly index: number | undefined
  readonly done: boolean
}

function indexOf(data: Record<string, unknown>): number | undefined {
  return Number.isSafeInteger(data.index) ? (data.index as number) : undefined
}

export function cohereStream(): StreamReader {
  const joined = new JoinedParts()
  const wire = { started: false, over: false, next: 0, open: new Set<number>() }

  return eventReader<Fact>({
    fields: COHERE_REPLY,
    factOf: (data, event) => ({
      type: isObject(data) && typeof data.type === 'string' ? data.type : '',
      index: isObject(data) ? indexOf(data) : undefined,
      done: isDone(event),
    }),
    over: () => wire.over,
    read(events, data, deltas) {
      const index = isObject(data) ? indexOf(data) : undefined
      if (index === undefined) events.readBeside(deltas, data)
      else
        // Parts and calls are told apart by their index alone.
        events.walker.walk(data, (path, text, aside) => {
          const channel = `${index}.${path}`
          if (aside) return events.beside(deltas, channel, text, true)
          deltas.push({ choice: 0, channel, text })
          if (path === 'delta.message.content.text') joined.add(deltas, 0, channel, text)
        })
    },
    sent({ type, index, done }) {
      if (type === 'message-start') wire.started = true
      if (type === 'content-start' && index !== undefined) {
        wire.open.add(index)
        wire.next = Math.max(wire.next, index + 1)
      } else if (type === 'content-end' && index !== undefined) wire.open.delete(index)
      wire.over ||= done || type === 'message-end'
    },
    block(decision, words) {
      const frames: Record<string, unknown>[] = wire.started ? [] : [START]
      for (const index of wire.open) frames.push({ type: 'content-end', index })
      if (words !== undefined) frames.push(...textPart(wire.next, words))
      const delta =
        words === undefined ? { finish_reason: 'ERROR', error: blockMessage(decision) } : { finish_reason: 'COMPLETE' }
      frames.push({ type: 'message-end', delta, llama_guard: blockNote(decision) })
      return `${frames.map((frame) => sse(frame, String(frame.type))).join('')}data: [DONE]\n\n`
    },
    fail(error) {
      const delta = { finish_reason: 'ERROR', error: error.message }
      const note = { type: failureType(error), code: error.code }
      return sse({ type: 'message-end', delta, error: note }, 'message-end')
    },
  })
}

const START = {
  type: 'message-start',
  id: 'llama-guard',
  delta: { message: { role: 'assistant', content: [], tool_plan: '', tool_calls: [], citations: [] } },
}

function textPart(index: number, text: string): Record<string, unknown>[] {
  return [
    { type: 'content-start', index, delta: { message: { content: { type: 'text', text: '' } } } },
    { type: 'content-delta', index, delta: { message: { content: { text } } } },
    { type: 'content-end', index },
  ]
}
