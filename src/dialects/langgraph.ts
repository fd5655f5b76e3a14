// LangGraph Server: runs of a graph, streamed, waited for or started, with the state of the graph in and out.
// https://docs.langchain.com/langgraph-platform/streaming
import { isObject } from '../utils/json.js'
import type { Dialect, ReplyChoice } from './dialect.js'
import { Content } from './kit/content.js'
import { readMessage, tell } from './kit/messages.js'
import { readParameters } from './kit/parameters.js'
import { openaiRefusal } from './kit/refusals.js'
import { RequestBuilder } from './kit/request-builder.js'
import { RequestWalker } from './kit/request-walker.js'
import { oneChoice } from './kit/whole-reply.js'
import { LANGGRAPH_REPLY, langGraphStream } from './langgraph-stream.js'

type Fields = Readonly<Record<string, unknown>>

const READ = new Set(['input', 'command'])
const ROLES = new Map<unknown, string>([
  ['human', 'user'],
  ['user', 'user'],
  ['ai', 'assistant'],
  ['AIMessageChunk', 'assistant'],
  ['assistant', 'assistant'],
  ['system', 'system'],
  ['developer', 'developer'],
  ['tool', 'tool'],
  ['function', 'function'],
])

export const langGraph: Dialect = {
  name: 'langgraph',
  paths: ['/runs/stream', '/runs/wait'],
  // A run in the background is joined, and its state read.
  bodiless: ['/threads/*/state', '/threads/*/state/*', '/threads/*/history', '/threads/*/join', '/threads/*/stream'],
  framing: 'sse',
  claims: ({ assistant_id: assistant, input, command }) =>
    typeof assistant === 'string' && (input !== undefined || isObject(command)),
  answers: (event) =>
    isObject(event) && typeof event.run_id === 'string' && ('attempt' in event || typeof event.thread_id === 'string'),
  request(body) {
    const walker = new RequestWalker(body)
    const builder = new RequestBuilder()
    readState(body.input, walker, builder)
    if (isObject(body.command)) {
      const { update, ...command } = body.command
      readState(update, walker, builder)
      readState(command, walker, builder)
    } else readState(body.command, walker, builder)
    readParameters(body, READ, walker, builder)
    // A run may go on from a checkpoint without a word.
    return builder.build(true, undefined, true)
  },
  reply: readReply,
  stream: langGraphStream,
  refusal: (refusal) => openaiRefusal(refusal, { input: 'input', output: 'messages' }),
}

/** A state of the graph. Its messages are said by whom they name, and everything else in it by the user. */
function readState(state: unknown, walker: RequestWalker, builder: RequestBuilder): void {
  const { messages, ...rest } = isObject(state) ? state : {}
  const said = new Content(true)
  if (!isObject(state)) walker.read(state, said)
  for (const [key, value] of Object.entries(rest)) walker.read(value, said, { key })
  tell(builder, 'user', said)
  const list: readonly unknown[] = Array.isArray(messages) ? messages : [messages]
  for (const message of list) readOne(message, walker, builder)
}

/** `["user", "hello"]`. */
function isPair(value: unknown): value is readonly [string, string] {
  return Array.isArray(value) && value.length === 2 && ROLES.has(value[0]) && typeof value[1] === 'string'
}

/** A message in one of the forms that LangChain makes messages of. Without a speaker, it is the user's. */
function readOne(message: unknown, walker: RequestWalker, builder: RequestBuilder): void {
  if (message === undefined || message === null) return
  if (isPair(message)) {
    const [speaker, content] = message
    return readMessage({ role: ROLES.get(speaker), content }, walker, builder)
  }
  const chat = isObject(message) ? toChatMessage(message) : undefined
  if (chat !== undefined) return readMessage(chat, walker, builder)
  const said = new Content(true)
  walker.read(message, said, { json: true })
  tell(builder, 'user', said)
}

/** A message of Chat Completions. Undefined where nobody we know speaks. */
function toChatMessage(message: Fields): Fields | undefined {
  const { role, type, ...rest } = message
  if (role !== undefined) {
    const speaker = ROLES.get(role)
    return speaker === undefined ? undefined : { ...message, role: speaker }
  }
  const speaker = ROLES.get(type)
  return speaker === undefined ? undefined : { ...rest, role: speaker }
}

/** The state at the end of a run, or a run that has been started. */
function readReply(body: unknown): readonly ReplyChoice[] | undefined {
  if (!isObject(body)) return undefined
  return oneChoice(body, LANGGRAPH_REPLY)
}
