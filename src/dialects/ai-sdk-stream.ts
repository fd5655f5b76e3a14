// The three streams that the AI SDK's clients read: UI message events, the data stream of version 4, and bare text.
// https://ai-sdk.dev/docs/ai-sdk-ui/stream-protocol
import { LlamaGuardError } from '../errors.js'
import type { Decision } from '../types.js'
import { isObject } from '../utils/json.js'
import type { StreamDelta, StreamReader } from './dialect.js'
import { JoinedParts } from './kit/part-channels.js'
import { blockNote, sse } from './kit/refusals.js'
import { type ReplyFields, server, words } from './kit/reply-fields.js'
import { EventText, isDone, SentEvents, shortText } from './kit/stream-events.js'

const PROVIDER: ReplyFields = {
  ...server('itemId responseId id'),
  reasoningEncryptedContent: 'sealed',
  signature: 'sealed',
  thoughtSignature: 'sealed',
  redactedData: 'sealed',
}
/** What a provider adds to a part, by its name. */
const PROVIDERS: ReplyFields = {
  openai: PROVIDER,
  azure: PROVIDER,
  anthropic: PROVIDER,
  bedrock: PROVIDER,
  google: PROVIDER,
  vertex: PROVIDER,
  '*': PROVIDER,
}
const PART: ReplyFields = {
  ...server(
    'type id state messageId toolCallId approvalId sourceId mediaType finishReason inputEncoding providerExecuted',
  ),
  ...server('dynamic transient preliminary isContinued usage'),
  ...words('delta inputTextDelta text toolName errorText reason title filename url output argsTextDelta result data'),
  signature: 'sealed',
  input: 'json',
  args: 'json',
  providerMetadata: PROVIDERS,
  callProviderMetadata: PROVIDERS,
  resultProviderMetadata: PROVIDERS,
}
export const AI_SDK_REPLY: ReplyFields = {
  ...PART,
  ...server('role'),
  ...words('messageMetadata metadata'),
  parts: PART,
}

interface Fact {
  readonly type: string
  readonly id: string | undefined
  readonly done: boolean
  readonly form: Form
}

/** UI message events, lines of the data stream of version 4, or bare text. */
type Form = 'events' | 'lines' | 'text'

export function uiMessageStream(): StreamReader {
  const events = new EventText(AI_SDK_REPLY)
  const facts = new SentEvents<Fact>((data, event) => ({
    type: isObject(data) && typeof data.type === 'string' ? data.type : '',
    id: isObject(data) ? shortText(data.id) : undefined,
    done: isDone(event) || event.part === 'd' || event.part === '3',
    form: event.part !== undefined ? 'lines' : event.plain === true ? 'text' : 'events',
  }))
  const joined = new JoinedParts()
  const wire = { started: false, inStep: false, over: false, form: 'events' as Form, open: new Map<string, Part>() }

  return {
    read(event) {
      const deltas: StreamDelta[] = []
      const data = events.open(event, deltas)
      if (isObject(data)) readEvent(events, joined, data, deltas)
      else if (data !== undefined)
        events.walker.walk(data, (path, text) => deltas.push({ choice: 0, channel: path, text }))
      facts.note(event, data)
      return deltas
    },
    sent(event) {
      const { type, id, done, form } = facts.take(event)
      wire.form = form
      const [, kind, step] = /^(text|reasoning)-(start|end)$/.exec(type) ?? []
      if (type !== '') wire.started = true
      if (type === 'start-step') wire.inStep = true
      // The client drops the parts of a step that ends or is taken back.
      if (type === 'finish-step' || type === 'reset-step') wire.open.clear()
      if (type === 'finish-step') wire.inStep = false
      if (id !== undefined && kind !== undefined) {
        if (step === 'start') wire.open.set(`${kind} ${id}`, { kind, id })
        else wire.open.delete(`${kind} ${id}`)
      }
      wire.over ||= done || type === 'finish' || type === 'abort'
    },
    block(decision, words) {
      if (wire.over) return ''
      if (wire.form === 'events') return lastEvents(wire, decision, words)
      return wire.form === 'lines' ? lastLines(decision, words) : lastText(words)
    },
    fail(error) {
      // No [DONE] after it: a client that skips the error must not take the reply for a whole one.
      if (wire.over) return ''
      if (wire.form === 'events') return sse({ type: 'error', errorText: error.message })
      return wire.form === 'lines' ? `3:${JSON.stringify(error.message)}\n` : lastText(undefined)
    },
  }
}

interface Part {
  readonly kind: string
  readonly id: string
}

/** Text and reasoning grow by part: the parts of a stream may interleave. */
function readEvent(events: EventText, joined: JoinedParts, data: Record<string, unknown>, deltas: StreamDelta[]): void {
  const { type } = data
  // The name of a data part is the app's own, or the model's.
  const name = typeof type === 'string' ? /^data-(.+)/.exec(type)?.[1] : undefined
  if (name !== undefined) events.beside(deltas, 'data', name)
  const id = typeof data.id === 'string' ? data.id : typeof data.toolCallId === 'string' ? data.toolCallId : ''
  const field = type === 'tool-input-delta' ? 'inputTextDelta' : 'delta'
  const text = data[field]
  if (typeof type === 'string' && type.endsWith('-delta') && typeof text === 'string') {
    const channel = `${type} ${id}`
    deltas.push({ choice: 0, channel, text })
    // Pages show the texts of a message side by side.
    if (type === 'text-delta') joined.add(deltas, 0, channel, text)
    events.walker.walk(data, (path, said, metadata) => events.beside(deltas, path, said, metadata), { without: field })
    return
  }
  events.walker.walk(data, (path, said, metadata) =>
    events.beside(deltas, `${String(type)} ${id} ${path}`, said, metadata),
  )
}

/** What closes every open part, step and message as the SDK itself would, with the block as metadata of the message. */
function lastEvents(
  wire: { readonly started: boolean; readonly inStep: boolean; readonly open: ReadonlyMap<string, Part> },
  decision: Decision,
  words: string | undefined,
): string {
  const frames: Record<string, unknown>[] = wire.started ? [] : [{ type: 'start' }]
  for (const { kind, id } of wire.open.values()) frames.push({ type: `${kind}-end`, id })
  const inStep = wire.inStep || words !== undefined
  if (words !== undefined) {
    if (!wire.inStep) frames.push({ type: 'start-step' })
    const id = 'llama-guard'
    frames.push({ type: 'text-start', id }, { type: 'text-delta', id, delta: words }, { type: 'text-end', id })
  }
  if (inStep) frames.push({ type: 'finish-step' })
  const messageMetadata = { llama_guard: blockNote(decision) }
  frames.push({ type: 'finish', finishReason: 'content-filter', messageMetadata })
  return `${frames.map((frame) => sse(frame)).join('')}data: [DONE]\n\n`
}

/** The same for the data stream of version 4: a text, an annotation, the end of the step and of the message. */
function lastLines(decision: Decision, words: string | undefined): string {
  const usage = { promptTokens: 0, completionTokens: 0 }
  const end = { finishReason: 'content-filter', usage }
  const lines: [string, unknown][] = [
    ['8', [{ llama_guard: blockNote(decision) }]],
    ['e', { ...end, isContinued: false }],
    ['d', end],
  ]
  if (words !== undefined) lines.unshift(['0', words])
  return lines.map(([code, value]) => `${code}:${JSON.stringify(value)}\n`).join('')
}

/** Bare text has no form for an end that is not the model's, but the words of a refusal. */
function lastText(words: string | undefined): string {
  if (words !== undefined) return `\n\n${words}`
  throw new LlamaGuardError('unreadable_response', 'A stream of bare text cannot say that it was cut short.')
}
