// AG-UI 1.0: a run of an agent, asked for with all messages and answered with events; CopilotKit's single endpoint
// puts such a request into an envelope.
// https://docs.ag-ui.com/concepts/events
import { isObject } from '../utils/json.js'
import { agUiStream } from './ag-ui-stream.js'
import type { Dialect } from './dialect.js'
import { Content } from './kit/content.js'
import { unreadable } from './kit/media.js'
import { readMessage, tell } from './kit/messages.js'
import { readParameters } from './kit/parameters.js'
import { blockNote, openaiRefusal } from './kit/refusals.js'
import { RequestBuilder } from './kit/request-builder.js'
import { RequestWalker } from './kit/request-walker.js'

type Fields = Readonly<Record<string, unknown>>

const MESSAGES = new Set(['messages'])
const ENVELOPE = new Set(['body'])
const EVENT =
  /^(?:RUN_(?:STARTED|FINISHED|ERROR)|STEP_(?:STARTED|FINISHED)|(?:TEXT_MESSAGE|REASONING_MESSAGE)_(?:START|CONTENT|END|CHUNK)|TOOL_CALL_(?:START|ARGS|END|CHUNK|RESULT)|REASONING_(?:START|END)|STATE_(?:SNAPSHOT|DELTA)|MESSAGES_SNAPSHOT|ACTIVITY_(?:SNAPSHOT|DELTA)|SUBAGENT_STARTED)$/

export const agUi: Dialect = {
  name: 'ag-ui',
  paths: [],
  framing: 'sse',
  claims: (body) => isRun(body) || isEnvelope(body),
  answers: (event) => isObject(event) && typeof event.type === 'string' && EVENT.test(event.type),
  request(body) {
    const walker = new RequestWalker(body)
    const builder = new RequestBuilder()
    const run = isEnvelope(body) ? body.body : body
    if (!Array.isArray(run.messages) || run.messages.length === 0)
      throw unreadable('`messages` is not a list with at least one message')
    for (const message of run.messages as unknown[]) readOne(message, walker, builder)
    readParameters(run, MESSAGES, walker, builder)
    if (run !== body) readParameters(body, ENVELOPE, walker, builder)
    return builder.build(true, undefined)
  },
  // A run is answered with events. Other JSON is judged string by string.
  reply: () => undefined,
  stream: agUiStream,
  refusal: (refusal) => openaiRefusal(refusal, { input: 'messages', output: 'delta' }),
  decline: ({ words, decision }) => ({
    id: 'llama-guard',
    role: 'assistant',
    content: words,
    metadata: { llama_guard: blockNote(decision) },
  }),
}

function isRun({ threadId, runId, messages }: Fields): boolean {
  return typeof threadId === 'string' && typeof runId === 'string' && Array.isArray(messages)
}

function isEnvelope(body: Fields): body is Fields & { readonly body: Fields } {
  return (
    typeof body.method === 'string' &&
    body.method.startsWith('agent/') &&
    isObject(body.body) &&
    Array.isArray(body.body.messages)
  )
}

/** Messages are those of Chat Completions but for two roles, the parts and the encrypted values. */
function readOne(message: unknown, walker: RequestWalker, builder: RequestBuilder): void {
  if (!isObject(message)) throw unreadable('A message is not an object')
  if (message.role === 'activity') return readActivity(message, walker, builder)
  readMessage(toChatMessage(message), walker, builder)
}

function toChatMessage(message: Fields): Fields {
  const { role, content, encryptedValue, ...rest } = message
  return {
    ...rest,
    role: role === 'reasoning' ? 'assistant' : role,
    content: Array.isArray(content) ? (content as unknown[]).map(toChatPart) : content,
    ...(encryptedValue !== undefined && {
      encryptedValue: { type: 'reasoning', encrypted_content: encryptedValue },
    }),
  }
}

/** What a page shows of the agent's work. */
function readActivity(message: Fields, walker: RequestWalker, builder: RequestBuilder): void {
  const said = new Content(false)
  for (const [key, value] of Object.entries(message)) if (key !== 'role') walker.read(value, said, { key, json: true })
  tell(builder, 'assistant', said)
}

/** A part whose data or URL stands in `source.value`, or a `binary` one of versions before 1.0. */
function toChatPart(part: unknown): unknown {
  if (!isObject(part)) return part
  if (part.type === 'binary') return { ...part, type: 'file' }
  const { source, ...rest } = part
  if (!isObject(source) || typeof source.value !== 'string') return part
  const { type, value, ...beside } = source
  const holder = type === 'data' ? 'data' : type === 'url' ? 'url' : undefined
  if (holder === undefined) return part
  if (part.type === 'image' && !(holder in beside)) return { ...rest, source: { ...beside, [holder]: value } }
  const taken = ['data', 'url', 'mimeType', 'file'].some((key) => key in rest)
  if (part.type !== 'document' || taken) return part
  const { mimeType, ...others } = beside
  return { ...rest, type: 'file', mimeType, [holder]: value, source: others }
}
