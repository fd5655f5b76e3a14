// The events with which a server of the Model Context Protocol answers: notifications, questions to the client, and
// the answer of each call, a JSON-RPC message or a list of them an event.
import { isObject } from '../utils/json.js'
import type { RpcCall, StreamDelta, StreamReader } from './dialect.js'
import { PartTexts } from './kit/part-texts.js'
import { sse } from './kit/refusals.js'
import { type ReplyFields, server, words } from './kit/reply-fields.js'
import { EventText, SentEvents, shortText } from './kit/stream-events.js'
import type { WalkerOptions } from './kit/text-walker.js'
import { answerOf, blockedError, failedError, MOST_CALLS, rpcId } from './mcp-answers.js'

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

/** `calls` wait for an answer in this stream. A stream of the server's own has none, or answers of earlier calls. */
export function mcpStream(calls: readonly RpcCall[] = [], options?: WalkerOptions): StreamReader {
  const events = new EventText(MCP_REPLY, options)
  const facts = new SentEvents((data) => answersIn(data).map(({ id }) => id))
  const open = new Map(calls.map((call) => [call.id, call]))
  let answered = false

  const readMessage = (message: Record<string, unknown>, deltas: StreamDelta[]): void => {
    const name = channelOf(message)
    const parts = new PartTexts()
    events.walker.walk(message, (path, text, aside) => {
      events.beside(deltas, `${name} ${path}`, text, aside)
      parts.add(path, text)
    })
    for (const [list, text] of parts.joined()) events.beside(deltas, `${name} ${list}parts`, text)
  }
  const end = (frameOf: (call: RpcCall) => object, other: object): string => {
    const frames = open.size === 0 && !answered ? [other] : [...open.values()].map(frameOf)
    return frames.map((frame) => sse(frame, 'message')).join('')
  }

  return {
    read(event) {
      const deltas: StreamDelta[] = []
      const data = events.open(event, deltas)
      const messages = Array.isArray(data) ? data : [data]
      for (const message of messages)
        if (isObject(message)) readMessage(message, deltas)
        else if (message !== undefined) events.readBeside(deltas, [message])
      for (const call of answersIn(data)) if (open.size < MOST_CALLS && !open.has(call.id)) open.set(call.id, call)
      facts.note(event, data)
      return deltas
    },
    sent(event) {
      for (const id of facts.take(event)) {
        open.delete(id)
        answered = true
      }
    },
    block: (decision, words) => end((call) => answerOf(call, decision, words), blockedError(undefined, decision)),
    fail: (error) => end(({ id }) => failedError(id, error), failedError(undefined, error)),
  }
}

/** Pieces of one text come in messages of one method, with one token or by one logger. */
function channelOf({ method, id, params }: Readonly<Record<string, unknown>>): string {
  const { progressToken, logger } = isObject(params) ? params : {}
  const token = typeof progressToken === 'number' ? progressToken : (shortText(progressToken) ?? shortText(logger))
  return method === undefined ? `result ${rpcId(id) ?? ''}` : `${shortText(method) ?? 'method'} ${token ?? ''}`
}

/** The calls that a message or a list of them answers. */
function answersIn(data: unknown): RpcCall[] {
  const messages: readonly unknown[] = Array.isArray(data) ? data : [data]
  return messages.flatMap((message) => {
    if (!isObject(message) || message.method !== undefined || !('result' in message || 'error' in message)) return []
    const id = rpcId(message.id)
    return id === undefined ? [] : [{ id, method: '' }]
  })
}
