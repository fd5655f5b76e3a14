// The events with which a server of the Model Context Protocol answers: notifications, questions to the client, and
// the answer of each call, a JSON-RPC message or a list of them an event.
import { Buffer, isUtf8 } from 'node:buffer'
import { LlamaGuardError } from '../errors.js'
import { isObject } from '../utils/json.js'
import type { RpcCall, StreamDelta, StreamReader } from './dialect.js'
import { PartTexts } from './kit/part-texts.js'
import { sse } from './kit/refusals.js'
import { type ReplyFields, server, words } from './kit/reply-fields.js'
import { EventText, SentEvents, shortText } from './kit/stream-events.js'
import type { Emit } from './kit/text-walker.js'
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
const BODY: ReplyFields = {
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
  result: BODY,
  params: BODY,
  error: { ...server('code'), ...words('message data') },
}

const BLOB = /(?:^|\.)blob$/
/** A shorter text may be base64 by chance. */
const SHORT = 64

/** Data of a resource is judged as the text it holds. */
export function withBlobsRead(emit: Emit): Emit {
  return (path, text, metadata) => {
    if (!BLOB.test(path)) return emit(path, text, metadata)
    const bytes = Buffer.from(text, 'base64')
    if (!isUtf8(bytes) || bytes.includes(0))
      throw new LlamaGuardError(
        'unreadable_response',
        'A resource carries data that is no text, which the guard cannot read; send text.',
      )
    emit(path, bytes.toString('utf8'), metadata)
    // A client may show the data as it came.
    if (text.length < SHORT || bytes.toString('base64').length + 2 < text.length) emit(`${path}.data`, text, metadata)
  }
}

/** `calls` wait for an answer in this stream. A stream of the server's own has none, or answers of earlier calls. */
export function mcpStream(calls: readonly RpcCall[] = []): StreamReader {
  const events = new EventText(MCP_REPLY)
  const facts = new SentEvents((data) => answersIn(data).map(({ id }) => id))
  const open = new Map(calls.map((call) => [call.id, call]))
  let answered = false

  const readMessage = (message: Record<string, unknown>, deltas: StreamDelta[]): void => {
    const name = channelOf(message)
    const parts = new PartTexts()
    const emit = withBlobsRead((path, text, metadata) => {
      events.beside(deltas, `${name} ${path}`, text, metadata)
      parts.add(path, text)
    })
    events.walker.walk(message, emit)
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
