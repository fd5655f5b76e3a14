// The Model Context Protocol over streamable HTTP: JSON-RPC messages, one or a list of them in a body, answered with
// JSON or with events. A model reads what a server says of its tools, and what they answer.
// https://modelcontextprotocol.io/specification/2026-07-28
import { isObject, textOf } from '../utils/json.js'
import type { Dialect, Media, ReplyChoice, RpcCall } from './dialect.js'
import { readContent, tell } from './kit/messages.js'
import { unreadable } from './kit/media.js'
import { claiming, fits, type Shape } from './kit/read-request.js'
import { Content, RequestBuilder, Walker } from './kit/request-texts.js'
import { oneChoice } from './kit/reply-fields.js'
import { answerOf, MCP_REPLY, mcpStream, MOST_CALLS, rpcId, rpcRefusal } from './mcp-replies.js'

type Fields = Readonly<Record<string, unknown>>

/** The parts of a message whose fields are its words. */
const SAYING = new Set(['params', 'result', 'error'])
/** Fields that a client sends the same with every request. */
const BESIDE = new Set(['_meta', 'clientInfo', 'capabilities', 'protocolVersion', 'cursor', 'progressToken'])

/** The methods of the protocol. Other services speak JSON-RPC too. */
const METHOD =
  /^(?:initialize|ping|(?:completion|elicitation|logging|notifications|prompts|resources|roots|sampling|server|subscriptions|tasks|tools)\/.{1,64})$/

const ANSWERS: readonly Shape[] = [
  { '~jsonrpc': 'given', '~result': 'given' },
  { '~jsonrpc': 'given', '~error': 'given' },
]
const isRpc = (value: unknown): boolean =>
  [...ANSWERS, { '~jsonrpc': 'given', '~method': 'given' } as const].some((shape) => fits(value, shape))

export const mcp: Dialect = {
  name: 'mcp',
  paths: [],
  batches: true,
  early: true,
  distinct: true,
  // The clients of no other service send answers.
  claims: claiming(...ANSWERS, { '~jsonrpc': 'given', '~method': METHOD }),
  // Every request after the first has one of these, and with sessions a server answers no other.
  opens: (headers) => headers['mcp-session-id'] !== undefined || headers['mcp-protocol-version'] !== undefined,
  answers: (data) => (Array.isArray(data) ? data.some(isRpc) : isRpc(data)),
  request(body) {
    const builder = new RequestBuilder()
    const walker = new Walker(body, true, { ids: builder.ids })
    const said = new Content(true)
    const messages = messagesOf(body)
    for (const message of messages) readMessage(message, said, walker, builder)
    tell(builder, 'user', said)
    builder.unseen('binary', walker.sealed)
    // A ping has no words, and its answer has none.
    return { ...builder.build(false), calls: callsOf(messages), toolCalls: messages.flatMap(toolCallsOf) }
  },
  reply: readReply,
  stream: mcpStream,
  refusal: rpcRefusal,
  decline({ words, decision, calls = [] }) {
    const answers = calls.map((call) => answerOf(call, decision, words))
    return answers.length > 1 ? answers : answers[0]
  },
}

function messagesOf(body: unknown): readonly unknown[] {
  return Array.isArray(body) ? body : [body]
}

/** Whoever said a word first, the client sends it, so all of them are the user's. */
function readMessage(message: unknown, said: Content, walker: Walker, builder: RequestBuilder): void {
  if (!isObject(message)) return walker.read(message, said)
  const beside = { text: (text: string) => builder.extra(text), picture: said.picture.bind(said) }
  for (const [key, value] of Object.entries(message))
    if (!SAYING.has(key) || !isObject(value)) walker.read(value, beside, { key })
    else
      for (const [name, words] of Object.entries(value))
        // The answer of a form has an object of its fields as content.
        if (name === 'content' && 'action' in value && !('role' in value))
          walker.read(words, said, { key: 'arguments', json: true })
        else if (BESIDE.has(name)) walker.read(words, beside, { key: name })
        else readField(name, words, said, walker)
}

/** Content is a part or a list of parts, and messages have content. Everything else is arguments. */
function readField(name: string, value: unknown, said: Content, walker: Walker): void {
  if (name === 'content') return readParts(value, said, walker)
  if (name !== 'messages' || !Array.isArray(value)) return walker.read(value, said, { key: name, json: true })
  for (const message of value as unknown[])
    if (isObject(message))
      for (const [key, inner] of Object.entries(message))
        if (key === 'content') readParts(inner, said, walker)
        else walker.read(inner, said, { key, json: true })
    else walker.read(message, said)
}

function readParts(value: unknown, said: Content, walker: Walker): void {
  const parts: readonly unknown[] = Array.isArray(value) ? value : [value]
  for (const part of parts)
    if (isObject(part) && typeof part.type === 'string') said.take(readContent(walker, part))
    else walker.read(part, said, { json: true })
}

/** @throws LlamaGuardError `unreadable_request` for more calls than any client sends at once. */
function callsOf(messages: readonly unknown[]): readonly RpcCall[] {
  const calls = messages.flatMap((message): RpcCall[] => {
    if (!isObject(message) || typeof message.method !== 'string') return []
    const id = rpcId(message.id)
    return id === undefined ? [] : [{ id, method: message.method }]
  })
  if (calls.length > MOST_CALLS) throw unreadable(`A list of messages has more than ${MOST_CALLS} calls`)
  return calls
}

/** Names in any case are names of the call to servers in Go. */
function toolCallsOf(message: unknown): readonly { name: string; arguments: unknown }[] {
  const field = (of: unknown, name: RegExp): unknown => {
    const found = isObject(of) ? Object.entries(of).filter(([key]) => name.test(key)) : []
    if (found.length > 1) throw unreadable(`A message names ${found[0]![0]} twice, in another case`)
    return found[0]?.[1]
  }
  if (field(message, /^method$/iu) !== 'tools/call') return []
  const params = field(message, /^params$/iu)
  return [{ name: textOf(field(params, /^name$/iu)), arguments: field(params, /^arguments$/iu) ?? {} }]
}

function readReply(body: unknown, media?: Media): readonly ReplyChoice[] | undefined {
  const messages = messagesOf(body)
  // An error alone is read as the errors of other APIs are.
  if (!messages.some((message) => isRpc(message) && !('error' in (message as Fields)))) return undefined
  return oneChoice(body, MCP_REPLY, { media })
}
