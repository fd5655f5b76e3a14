// AG-UI 1.0: a run of an agent, asked for with all messages and answered with events; CopilotKit's single endpoint
// puts such a request into an envelope.
// https://docs.ag-ui.com/concepts/events
import { isObject } from '../utils/json.js'
import { agUiStream } from './ag-ui-stream.js'
import type { Dialect } from './dialect.js'
import { readRequest } from './kit/read-request.js'
import { blockNote, openaiRefusal } from './kit/refusals.js'

type Fields = Readonly<Record<string, unknown>>

const RUN = { messages: 'messages' } as const
const EVENT =
  /^(?:RUN_(?:STARTED|FINISHED|ERROR)|STEP_(?:STARTED|FINISHED)|(?:TEXT_MESSAGE|REASONING_MESSAGE)_(?:START|CONTENT|END|CHUNK)|TOOL_CALL_(?:START|ARGS|END|CHUNK|RESULT)|REASONING_(?:START|END)|STATE_(?:SNAPSHOT|DELTA)|MESSAGES_SNAPSHOT|ACTIVITY_(?:SNAPSHOT|DELTA)|SUBAGENT_STARTED)$/

export const agUi: Dialect = {
  name: 'ag-ui',
  paths: [],
  framing: 'sse',
  distinct: true,
  claims: (body) => isRun(body) || isEnvelope(body),
  answers: (event) => isObject(event) && typeof event.type === 'string' && EVENT.test(event.type),
  request: (body) =>
    readRequest({ fields: isEnvelope(body) ? { body: 'holder', ...RUN } : RUN, streams: () => true }, body),
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
