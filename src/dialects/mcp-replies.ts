// What a server of the Model Context Protocol answers: notifications, questions to the client, and the answer of each
// call, a JSON-RPC message or a list of them an event. And what a call gets for an answer when the server's own may not
// leave: an error, or a result in which the tool, prompt or resource declines.
import type { LlamaGuardError } from '../types/errors.js'
import type { Decision } from '../types.js'
import { isObject } from '../utils/json.js'
import type { Media, Refusal, RpcCall, StreamReader } from './dialect.js'
import { eventReader, type EventTexts, shortText } from './kit/event-reader.js'
import { blockMessage, blockNote, refusalDetails, sse, streamFailure } from './kit/refusals.js'
import { type ReplyFields, server, words } from './kit/reply-fields.js'

const ICON: ReplyFields = { ...server('mimeType sizes theme'), ...words('src') }
const ANNOTATIONS: ReplyFields = {
  ...server('audience priority lastModified readOnlyHint destructiveHint idempotentHint openWorldHint'),
  ...words('title'),
}
const RESOURCE: ReplyFields = {
  ...server('mimeType size'),
  ...words('uri uriTemplate name title description text blob'),
  annotations: ANNOTATIONS,
  icons: ICON,
}
const PART: ReplyFields = {
  ...RESOURCE,
  ...server('type id toolUseId isError'),
  ...words('data'),
  input: 'json',
  structuredContent: 'json',
  resource: RESOURCE,
  content: { ...RESOURCE, ...server('type'), ...words('data'), resource: RESOURCE },
}
const SPEECH: ReplyFields = { ...server('role'), content: PART }
const TOOL: ReplyFields = {
  ...RESOURCE,
  ...server('execution'),
  inputSchema: 'json',
  outputSchema: 'json',
  arguments: { ...server('required'), ...words('name title description') },
}
/** What a server and a client say of themselves and of one message. */
const META: ReplyFields = server(
  ['protocolVersion', 'clientCapabilities', 'subscriptionId', 'logLevel']
    .map((name) => `io.modelcontextprotocol/${name}`)
    .join(' '),
)
const BODY: ReplyFields = {
  _meta: META,
  // Of the revision of July 2026.
  ...server('resultType supportedVersions ttlMs cacheScope'),
  notifications: {
    ...server('toolsListChanged promptsListChanged resourcesListChanged'),
    ...words('resourceSubscriptions taskIds'),
  },
  requestState: 'sealed',
  ...server('protocolVersion capabilities nextCursor isError progressToken progress total requestId taskId ttl'),
  ...server('elicitationId status createdAt lastUpdatedAt pollInterval level mode role model stopReason'),
  ...server('includeContext maxTokens temperature toolChoice'),
  ...words('instructions description message reason statusMessage logger systemPrompt stopSequences url uri data'),
  content: PART,
  contents: RESOURCE,
  messages: SPEECH,
  tools: TOOL,
  prompts: TOOL,
  resources: RESOURCE,
  resourceTemplates: RESOURCE,
  roots: RESOURCE,
  completion: { ...words('values'), ...server('total hasMore') },
  serverInfo: { ...server('version'), ...words('name title description websiteUrl'), icons: ICON },
  structuredContent: 'json',
  requestedSchema: 'json',
}
export const MCP_REPLY: ReplyFields = {
  ...server('jsonrpc id method'),
  result: { ...BODY, inputRequests: { '*': { ...server('method'), params: BODY } } },
  params: BODY,
  error: { ...server('code'), ...words('message data') },
}

/** The ids of the calls whose answers have left. */
type Answered = readonly RpcCall['id'][]

/** `calls` wait for an answer in this stream. A stream of the server's own has none, or answers of earlier calls. */
export function mcpStream(calls: readonly RpcCall[] = [], media?: Media): StreamReader {
  const known = new Map(calls.map((call) => [call.id, call]))

  const readMessage = (texts: EventTexts, message: unknown): void => {
    if (!isObject(message)) return texts.walk([message])
    texts.walk(message, { under: `${channelOf(message)} ` })
    const id = answeredBy(message)
    if (id !== undefined && known.size < MOST_CALLS && !known.has(id)) known.set(id, { id, method: '' })
  }
  const end = (answered: Answered, frameOf: (call: RpcCall) => object, other: object): string => {
    const open = [...known.values()].filter(({ id }) => !answered.includes(id))
    const frames = open.length === 0 && answered.length === 0 ? [other] : open.map(frameOf)
    return frames.map((frame) => sse(frame, 'message')).join('')
  }
  return eventReader({
    fields: MCP_REPLY,
    options: { media },
    read: readMessage,
    readList: (texts, list) => list.forEach((message) => readMessage(texts, message)),
    start: { answered: [] as Answered, over: false },
    after({ answered }, data, _event, list = [data]) {
      const ids = list.map(answeredBy).filter((id) => id !== undefined && known.has(id) && !answered.includes(id))
      return { answered: ids.length === 0 ? answered : [...answered, ...(ids as Answered)], over: false }
    },
    block: ({ answered }, decision, words) =>
      end(answered, (call) => answerOf(call, decision, words), blockedError(undefined, decision)),
    fail: ({ answered }, error) => end(answered, ({ id }) => failedError(id, error), failedError(undefined, error)),
  })
}

/** Pieces of one text come in messages of one method, with one token or by one logger. */
function channelOf({ method, id, params }: Readonly<Record<string, unknown>>): string {
  const { progressToken, logger } = isObject(params) ? params : {}
  const token = typeof progressToken === 'number' ? progressToken : (shortText(progressToken) ?? shortText(logger))
  return method === undefined ? `result ${rpcId(id) ?? ''}` : `${shortText(method) ?? 'method'} ${token ?? ''}`
}

/** The id of the call that a message answers. */
function answeredBy(message: unknown): RpcCall['id'] | undefined {
  const isAnswer = isObject(message) && message.method === undefined && ('result' in message || 'error' in message)
  return isAnswer ? rpcId(message.id) : undefined
}

/** Of a list of calls, each gets an answer of its own. Servers of the SDK take no longer list. */
export const MOST_CALLS = 128

/** An id that our own answer may repeat: a number or an identifier. */
export function rpcId(id: unknown): string | number | undefined {
  return typeof id === 'number' ? id : shortText(id)
}

/** The code of an error is the status it has, or would have, over HTTP. It is outside of the codes of JSON-RPC. */
function rpcError(id: RpcCall['id'] | undefined | null, code: number, message: string, data: object): object {
  return { jsonrpc: '2.0', ...(id !== undefined && { id }), error: { code, message, data } }
}

/** With words, a result that declines, if the method has one; else an error. */
export function answerOf({ id, method }: RpcCall, decision: Decision, words: string | undefined): object {
  const result = words === undefined ? undefined : resultOf(method, words)
  return result === undefined
    ? blockedError(id, decision)
    : { jsonrpc: '2.0', id, result: { ...result, _meta: { llama_guard: blockNote(decision) } } }
}

function blockedError(id: RpcCall['id'] | undefined, decision: Decision): object {
  const data = { type: 'content_policy_violation', code: 'content_filter', ...blockNote(decision) }
  return rpcError(id, 451, blockMessage(decision), data)
}

function failedError(id: RpcCall['id'] | undefined, error: LlamaGuardError): object {
  const { message: _, ...data } = streamFailure(error)
  return rpcError(id, error.status, error.message, data)
}

export function rpcRefusal(refusal: Refusal): object {
  const { status, message, type, code, calls = [] } = refusal
  return rpcError(calls.length === 1 ? calls[0]!.id : null, status, message, { type, code, ...refusalDetails(refusal) })
}

function resultOf(method: string, text: string): object | undefined {
  switch (method) {
    case 'tools/call':
      return { content: [{ type: 'text', text }], isError: true }
    case 'prompts/get':
      return { messages: [{ role: 'assistant', content: { type: 'text', text } }] }
    case 'resources/read':
      return { contents: [{ uri: 'llama-guard:refusal', mimeType: 'text/plain', text }] }
    default:
      return undefined
  }
}
