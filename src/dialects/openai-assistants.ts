// OpenAI's Assistants: threads, their messages, and runs that are streamed or polled. Azure has a path of its own for
// them. The words of a polled run leave in a GET, so requests without a body belong to it too.
import { isObject } from '../utils/json.js'
import type { Dialect, ReplyChoice } from './dialect.js'
import { readRequest, type RequestFacts } from './kit/read-request.js'
import { openaiRefusal } from './kit/refusals.js'
import { oneChoice } from './kit/whole-reply.js'
import { ASSISTANTS_REPLY, assistantsStream, OBJECT, partPath } from './openai-assistants-stream.js'

const PATHS = ['/v1/threads', '/v1/threads/*', '/openai/threads', '/openai/threads/*']
const FACTS: RequestFacts = {
  fields: { messages: 'messages', thread: 'holder', additional_messages: 'messages', tool_outputs: 'tool' },
}
/** A request has one of these. */
const FIELDS = ['role', ...Object.keys(FACTS.fields), 'assistant_id', 'tool_resources']
const hasOnlyMetadata = (body: object): boolean => Object.keys(body).join() === 'metadata'

export const openaiAssistants: Dialect = {
  name: 'openai-assistants',
  paths: PATHS,
  framing: 'sse',
  bodiless: /\/(?:v1|openai)\/threads\/thread_[^/]+(?:\/.*)?$/,
  // A run of LangGraph Server has an input or a command.
  // A run of LangGraph Server has an input or a command.
  claims: (body) =>
    !('input' in body || 'command' in body) && (FIELDS.some((key) => key in body) || hasOnlyMetadata(body)),
  answers: (data) => isObject(data) && typeof data.object === 'string' && OBJECT.test(data.object),
  request: (body) => readRequest(FACTS, 'role' in body && !('messages' in body) ? asList(body) : body),
  reply: readReply,
  stream: assistantsStream,
  refusal: (refusal) => openaiRefusal(refusal, { input: 'messages', output: 'content' }),
  // What a client polls is no reply of the model. Streams decline.
  decline: () => undefined,
}

/** A message alone, beside its settings. */
function asList({ role, content, attachments, ...rest }: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return { ...rest, messages: [{ role, content, attachments }] }
}

/** A thread, a message, a run, a step, or a list of them. */
function readReply(body: unknown): readonly ReplyChoice[] | undefined {
  if (!isObject(body) || typeof body.object !== 'string') return undefined
  return oneChoice(body, ASSISTANTS_REPLY, undefined, partPath)
}
