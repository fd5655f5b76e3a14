// LangGraph Server: runs of a graph, streamed, waited for or started, with the state of the graph in and out.
// https://docs.langchain.com/langgraph-platform/streaming
import { isObject } from '../utils/json.js'
import type { Dialect, ReplyChoice } from './dialect.js'
import { readRequest } from './kit/read-request.js'
import { openaiRefusal } from './kit/refusals.js'
import { oneChoice } from './kit/whole-reply.js'
import { LANGGRAPH_REPLY, langGraphStream } from './langgraph-stream.js'

/** What a command changes is a state too. */
const FIELDS = { input: 'state', command: 'holder', update: 'state', resume: 'state' } as const

export const langGraph: Dialect = {
  name: 'langgraph',
  paths: ['/runs/stream', '/runs/wait'],
  // A run in the background is joined, and its state read.
  bodiless: /\/threads\/[0-9a-f-]{36}\/(?:runs\/[0-9a-f-]{36}\/)?(?:state(?:\/[^/]+)?|history|join|stream)$/,
  framing: 'sse',
  distinct: true,
  claims: ({ assistant_id: assistant, input, command }) =>
    typeof assistant === 'string' && (input !== undefined || isObject(command)),
  answers: (event) =>
    isObject(event) && typeof event.run_id === 'string' && ('attempt' in event || typeof event.thread_id === 'string'),
  request: (body) => readRequest({ fields: FIELDS, streams: () => true }, body),
  reply: readReply,
  stream: langGraphStream,
  refusal: (refusal) => openaiRefusal(refusal, { input: 'input', output: 'messages' }),
}

/** The state at the end of a run, or a run that has been started. */
function readReply(body: unknown): readonly ReplyChoice[] | undefined {
  if (!isObject(body)) return undefined
  return oneChoice(body, LANGGRAPH_REPLY)
}
