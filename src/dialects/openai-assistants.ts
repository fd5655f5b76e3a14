// OpenAI's Assistants: threads, their messages, and runs that are streamed or polled. Azure has a path of its own for
// them. The words of a polled run leave in a GET, so requests without a body belong to it too.
import { isObject } from '../utils/json.js'
import type { Dialect, ReplyChoice } from './dialect.js'
import { Content } from './kit/content.js'
import { unreadable } from './kit/media.js'
import { readMessage, tell } from './kit/messages.js'
import { readParameters } from './kit/parameters.js'
import { openaiRefusal } from './kit/refusals.js'
import { RequestBuilder, wantsStream } from './kit/request-builder.js'
import { RequestWalker } from './kit/request-walker.js'
import { oneChoice } from './kit/whole-reply.js'
import { ASSISTANTS_REPLY, assistantsStream, OBJECT, partPath } from './openai-assistants-stream.js'

type Fields = Readonly<Record<string, unknown>>

const PATHS = ['/v1/threads', '/v1/threads/*', '/openai/threads', '/openai/threads/*']
/** The fields that hold messages. A request has one of them, because a handler reads the one of its path alone. */
const HOLDERS = ['role', 'messages', 'thread', 'additional_messages', 'tool_outputs'] as const
const MESSAGE = new Set(['role', 'content', 'attachments'])
const READ = new Set<string>(HOLDERS)
/** Fields of requests without messages. */
const OTHERS = ['assistant_id', 'metadata', 'tool_resources']

export const openaiAssistants: Dialect = {
  name: 'openai-assistants',
  paths: PATHS,
  framing: 'sse',
  bodiless: PATHS,
  // A run of LangGraph Server has an input or a command.
  claims: (body) =>
    !('input' in body || 'command' in body) &&
    (Object.keys(body).length === 0 || [...HOLDERS, ...OTHERS].some((key) => key in body)),
  answers: (data) => isObject(data) && typeof data.object === 'string' && OBJECT.test(data.object),
  request(body) {
    const walker = new RequestWalker(body)
    const builder = new RequestBuilder()
    const held = HOLDERS.filter((key) => body[key] !== undefined && body[key] !== null)
    if (held.length > 1) throw unreadable('The body has messages in two places')
    const { thread, tool_outputs: outputs } = body
    if (held[0] === 'role') readOne(pick(body, MESSAGE), walker, builder)
    else if (isObject(thread)) {
      readList(thread.messages, walker, builder)
      const beside = new Content(true)
      for (const [key, value] of Object.entries(thread)) if (key !== 'messages') walker.read(value, beside, { key })
      builder.extra(beside.toString())
      builder.say({ role: 'User', text: '', images: beside.images, human: true })
    } else if (held[0] === 'tool_outputs') readOutputs(outputs, walker, builder)
    else if (held[0] !== undefined) readList(body[held[0]], walker, builder)
    readParameters(body, held[0] === 'role' ? MESSAGE : READ, walker, builder)
    // A run reads the messages of a thread that the vendor keeps.
    if (body.assistant_id !== undefined && thread === undefined) builder.unseen('stored-history', 1)
    return builder.build(wantsStream(body.stream), body.model, true)
  },
  reply: readReply,
  stream: assistantsStream,
  refusal: (refusal) => openaiRefusal(refusal, { input: 'messages', output: 'content' }),
  // What a client polls is no reply of the model. Streams decline.
  decline: () => undefined,
}

function pick(body: Fields, keys: ReadonlySet<string>): Fields {
  return Object.fromEntries(Object.entries(body).filter(([key]) => keys.has(key)))
}

function readList(list: unknown, walker: RequestWalker, builder: RequestBuilder): void {
  if (list === undefined || list === null) return
  if (!Array.isArray(list)) throw unreadable('The messages are not a list')
  for (const message of list as unknown[]) readOne(message, walker, builder)
}

function readOne(message: unknown, walker: RequestWalker, builder: RequestBuilder): void {
  if (!isObject(message)) throw unreadable('A message is not an object')
  const { content } = message
  readMessage(
    Array.isArray(content) ? { ...message, content: (content as unknown[]).map(toPart) } : message,
    walker,
    builder,
  )
}

/** An image that the vendor keeps is a file that is not in the message. */
function toPart(part: unknown): unknown {
  return isObject(part) && part.type === 'image_file' ? { type: 'file', details: part } : part
}

function readOutputs(outputs: unknown, walker: RequestWalker, builder: RequestBuilder): void {
  const said = new Content(false)
  walker.read(outputs, said, { key: 'tool_outputs' })
  tell(builder, 'tool', said)
}

/** A thread, a message, a run, a step, or a list of them. */
function readReply(body: unknown): readonly ReplyChoice[] | undefined {
  if (!isObject(body) || typeof body.object !== 'string') return undefined
  return oneChoice(body, ASSISTANTS_REPLY, undefined, partPath)
}
