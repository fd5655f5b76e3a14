// Vercel AI SDK: what `useChat` and `useCompletion` of versions 4 to 7 send, and the three streams that they read: UI
// message events, the data stream of version 4, and bare text. Also a UI message as JSON.
// https://ai-sdk.dev/docs/ai-sdk-ui/stream-protocol
import type { Decision } from '../types.js'
import { isObject } from '../utils/json.js'
import type { Declined, Dialect, Media, ReplyChoice, StreamReader } from './dialect.js'
import { eventReader, isDone, shortText } from './kit/event-reader.js'
import { claiming, fits, readRequest, type RequestFacts } from './kit/read-request.js'
import { blockNote, openaiRefusal, sse } from './kit/refusals.js'
import { type ReplyFields, server, words, oneChoice } from './kit/reply-fields.js'

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
  ...server('dynamic transient preliminary isContinued usage isAutomatic approved'),
  ...words('delta inputTextDelta text toolName errorText reason title filename url output argsTextDelta result data'),
  signature: 'sealed',
  input: 'json',
  args: 'json',
  providerMetadata: PROVIDERS,
  callProviderMetadata: PROVIDERS,
  resultProviderMetadata: PROVIDERS,
}
const AI_SDK_REPLY: ReplyFields = { ...PART, ...server('role'), ...words('messageMetadata metadata'), parts: PART }

const UI_MESSAGE = { parts: 'list' } as const
const FACTS: RequestFacts = {
  fields: { messages: 'messages', message: 'messages', prompt: 'prompt' },
  streams: () => true,
}

export const aiSdk: Dialect = {
  name: 'ai-sdk',
  paths: ['/api/use-chat'],
  // A stream that goes on is asked for by the id of its chat, in the form of the SDK's own ids or a UUID.
  bodiless: /\/api\/chat\/(?:[0-9a-z]{16}|[0-9a-f-]{36})\/stream$/,
  // Text streams, and the data stream of version 4, are plain text to their label.
  framing: 'text',
  marks: { 'x-vercel-ai-ui-message-stream': 'text', 'x-vercel-ai-data-stream': 'data-stream' },
  headers: { 'x-vercel-ai-ui-message-stream': 'v1' },
  distinct: true,
  claims: claiming({ messages: [UI_MESSAGE] }, { message: UI_MESSAGE }),
  answers: (event) => isObject(event) && typeof event.type === 'string' && UI_EVENT.test(event.type),
  // `useChat` sends all messages or, with a history kept by the server, the newest alone; `useCompletion` a prompt.
  request: (body) => readRequest(FACTS, body),
  reply: readReply,
  stream: uiMessageStream,
  refusal: (refusal) => openaiRefusal(refusal, { input: 'messages', output: 'parts' }),
  decline: ({ words, decision }: Declined) => ({
    id: 'msg-llama-guard',
    role: 'assistant',
    parts: [{ type: 'text', text: words, state: 'done' }],
    metadata: { llama_guard: blockNote(decision) },
  }),
}

/** `useCompletion`: a prompt alone, on the path that is the hook's default. */
export const aiSdkCompletion: Dialect = {
  ...aiSdk,
  name: 'ai-sdk-completion',
  paths: ['/api/completion'],
  distinct: false,
  claims: claiming({ prompt: 'text' }),
}

const UI_EVENT =
  /^(?:start|start-step|finish-step|reset-step|message-metadata|(?:text|reasoning)-(?:start|delta|end)|tool-(?:input|output)-[a-z]{1,20}|data-[\w-]{1,64})$/

const METADATA = /^(?:start|message-metadata)$/

/** A UI message as JSON, alone or in a list. */
function readReply(body: unknown, media?: Media): readonly ReplyChoice[] | undefined {
  const list: readonly unknown[] = Array.isArray(body) ? body : [body]
  if (list.length === 0 || !list.every((message) => fits(message, UI_MESSAGE))) return undefined
  return oneChoice(body, AI_SDK_REPLY, { media })
}

interface StreamState {
  readonly started: boolean
  readonly inStep: boolean
  readonly over: boolean
  /** True for the data stream of version 4. */
  readonly lines: boolean
  /** The events that end open parts. */
  readonly open: ReadonlyMap<string, object>
}

const NOTHING: StreamState['open'] = new Map()
const START: StreamState = { started: false, inStep: false, over: false, lines: false, open: NOTHING }

function uiMessageStream(_calls?: unknown, media?: Media): StreamReader {
  return eventReader({
    fields: AI_SDK_REPLY,
    options: { media },
    repeats: /^(?:text|reasoning)-delta /,
    read(texts, data) {
      const type = typeof data.type === 'string' ? data.type : ''
      const [, name] = /^data-(.+)/.exec(type) ?? []
      // The name of a data part is the app's own, or the model's.
      if (name !== undefined) texts.beside('data', name)
      const id = typeof data.id === 'string' ? data.id : typeof data.toolCallId === 'string' ? data.toolCallId : ''
      const field = type === 'tool-input-delta' ? 'inputTextDelta' : 'delta'
      if (!type.endsWith('-delta') || typeof data[field] !== 'string')
        // The first event has the app's metadata, which are no words to begin with.
        return texts.walk(data, { under: `${type} ${id} `, ...(METADATA.test(type) && { aside: true }) })
      // Text and reasoning grow by part: the parts of a stream may interleave.
      const channel = (path: string): string => (path === field ? `${type} ${id}` : path)
      texts.walk(data, { channel, grows: /^(?:delta|inputTextDelta)$/ })
    },
    start: START,
    after(state, { type: given, id: named }, event) {
      const type = typeof given === 'string' ? given : ''
      const id = shortText(named)
      const { part } = event
      const ends = isDone(event) || part === 'd' || part === '3' || type === 'finish' || type === 'abort'
      // The client drops the parts of a step that ends or is taken back.
      let open = type === 'finish-step' || type === 'reset-step' ? NOTHING : state.open
      const [, kind, step] = /^(text|reasoning)-(start|end)$/.exec(type) ?? []
      if (id !== undefined && kind !== undefined) {
        const others = [...open].filter(([key]) => key !== `${kind} ${id}`)
        open = new Map(step === 'start' ? [...others, [`${kind} ${id}`, { type: `${kind}-end`, id }]] : others)
      }
      return {
        started: state.started || type !== '',
        inStep: type === 'start-step' || (state.inStep && type !== 'finish-step'),
        over: state.over || ends,
        lines: part !== undefined,
        open,
      }
    },
    block: (state, decision, words) => (state.lines ? lastLines(decision, words) : lastEvents(state, decision, words)),
    // No [DONE] after it: a client that skips the error must not take the reply for a whole one.
    fail: ({ lines }, { message }) =>
      lines ? `3:${JSON.stringify(message)}\n` : sse({ type: 'error', errorText: message }),
  })
}

/** What closes every open part, step and message as the SDK itself would, with the block as metadata of the message. */
function lastEvents(wire: StreamState, decision: Decision, words: string | undefined): string {
  const frames: object[] = [...(wire.started ? [] : [{ type: 'start' }]), ...wire.open.values()]
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
