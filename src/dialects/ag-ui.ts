// AG-UI 1.0: a run of an agent, asked for with all messages and answered with events, in which messages, reasoning and
// tool calls grow by id, and may interleave. CopilotKit's single endpoint puts such a request into an envelope.
// https://docs.ag-ui.com/concepts/events
import { randomUUID } from 'node:crypto'
import type { Decision } from '../types.js'
import { isObject } from '../utils/json.js'
import type { Dialect, Media, StreamReader } from './dialect.js'
import { eventReader, shortText } from './kit/event-reader.js'
import { claiming, fits, readRequest } from './kit/read-request.js'
import { blockMessage, blockNote, openaiRefusal, sse } from './kit/refusals.js'
import { type ReplyFields, server, words } from './kit/reply-fields.js'

const MESSAGE: ReplyFields = {
  ...server('id role toolCallId activityType subagentRunId'),
  ...words('name error'),
  content: { ...server('type mimeType'), ...words('text'), source: { ...server('type mimeType'), ...words('value') } },
  toolCalls: { ...server('id type'), function: words('name arguments') },
  encryptedValue: 'sealed',
}
const AG_UI_REPLY: ReplyFields = {
  ...server('type timestamp messageId toolCallId parentMessageId parentToolCallId threadId runId parentRunId role'),
  ...server(
    'subagentRunId parentSubagentRunId activityType entityId subtype protocolVersion usage code replace stepName',
  ),
  ...words('name toolCallName description message result value snapshot source rawEvent event metadata'),
  encryptedValue: 'sealed',
  content: MESSAGE.content!,
  delta: { ...server('op'), ...words('path from value') },
  patch: { ...server('op'), ...words('path from value') },
  messages: MESSAGE,
  input: {
    ...server('threadId runId parentRunId protocolVersion'),
    ...words('state context forwardedProps'),
    messages: MESSAGE,
    tools: { ...words('name description'), parameters: 'json' },
  },
  outcome: {
    ...server('type interruptIds pendingToolCallIds'),
    ...words('message'),
    interrupts: { ...server('id reason toolCallId expiresAt'), ...words('message') },
  },
}

const RUN = { messages: 'messages' } as const
const ENVELOPE = { method: /^agent\//, body: { messages: 'list' } } as const
const EVENT =
  /^(?:RUN_(?:STARTED|FINISHED|ERROR)|STEP_(?:STARTED|FINISHED)|(?:TEXT_MESSAGE|REASONING_MESSAGE)_(?:START|CONTENT|END|CHUNK)|TOOL_CALL_(?:START|ARGS|END|CHUNK|RESULT)|REASONING_(?:START|END)|STATE_(?:SNAPSHOT|DELTA)|MESSAGES_SNAPSHOT|ACTIVITY_(?:SNAPSHOT|DELTA)|SUBAGENT_STARTED)$/

export const agUi: Dialect = {
  name: 'ag-ui',
  paths: [],
  distinct: true,
  claims: claiming({ threadId: 'text', runId: 'text', messages: 'list' }, ENVELOPE),
  answers: (event) => isObject(event) && typeof event.type === 'string' && EVENT.test(event.type),
  request: (body) =>
    readRequest({ fields: fits(body, ENVELOPE) ? { body: 'holder', ...RUN } : RUN, streams: () => true }, body),
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

const GROWING = /^(TEXT_MESSAGE|REASONING_MESSAGE|TOOL_CALL)_(?:CONTENT|ARGS|CHUNK)$/
const EDGE = /^(TEXT_MESSAGE|REASONING_MESSAGE|REASONING|TOOL_CALL|STEP|SUBAGENT)_(START|STARTED|END|FINISHED|ERROR)$/

const NAMED_BY = new Map<string | undefined, string>([
  ['STEP', 'stepName'],
  ['SUBAGENT', 'subagentRunId'],
  ['TOOL_CALL', 'toolCallId'],
])

interface Wire {
  readonly started: boolean
  readonly over: boolean
  readonly threadId: string
  readonly runId: string
  /**
   * What has begun and not ended, and the fields by which its end names it. Maps keep their order, and the last to
   * begin is the first to be ended.
   */
  readonly open: ReadonlyMap<string, { readonly kind: string; readonly at: Readonly<Record<string, string>> }>
}

const START: Wire = { started: false, over: false, threadId: 'llama-guard', runId: 'llama-guard', open: new Map() }

function agUiStream(_calls?: unknown, media?: Media): StreamReader {
  const last = new Map<string, string>()
  return eventReader({
    fields: AG_UI_REPLY,
    options: { media },
    read(texts, data) {
      const type = typeof data.type === 'string' ? data.type : ''
      const kind = GROWING.exec(type)?.[1]
      const named = kind === 'TOOL_CALL' ? data.toolCallId : (data.messageId ?? data.toolCallId)
      if (kind === undefined || typeof data.delta !== 'string') {
        const id = typeof named === 'string' ? named : ''
        // The first event may repeat the whole request.
        return texts.walk(data, { under: `${type} ${id} `, ...(type === 'RUN_STARTED' && { aside: true }) })
      }
      // A chunk without an id goes on with the one before it.
      const id = typeof named === 'string' ? named : (last.get(kind) ?? '')
      last.set(kind, id)
      const channel = (path: string): string => (path === 'delta' ? `${kind} ${id}` : `${type} ${path}`)
      texts.walk(data, { channel, grows: /^delta$/ })
    },
    start: START,
    after(wire, data) {
      const { type } = data
      if (typeof type !== 'string') return wire
      const [threadId, runId, subagentRunId] = [data.threadId, data.runId, data.subagentRunId].map(shortText)
      const starts = type === 'RUN_STARTED'
      const [, kind, edge = ''] = EDGE.exec(type) ?? []
      const field = NAMED_BY.get(kind) ?? 'messageId'
      const id = shortText(data[field])
      let open = starts ? START.open : wire.open
      if (kind !== undefined && id !== undefined) {
        const at = { [field]: id, ...(subagentRunId !== undefined && { subagentRunId }) }
        const key = `${kind} ${kind === 'STEP' ? JSON.stringify(at) : id}`
        const others = [...open].filter(([each]) => each !== key)
        open = new Map(edge.startsWith('START') ? [...others, [key, { kind, at }]] : others)
      }
      return {
        started: true,
        over: type === 'RUN_FINISHED' || type === 'RUN_ERROR',
        threadId: (starts ? threadId : undefined) ?? wire.threadId,
        runId: (starts ? runId : undefined) ?? wire.runId,
        open,
      }
    },
    block: (wire, decision, words) =>
      lastEvents(wire, decision, words)
        .map((event) => sse(event))
        .join(''),
    fail: (wire, { message, code }) =>
      [...ends(wire), { type: 'RUN_ERROR', message, code }].map((event) => sse(event)).join(''),
  })
}

/**
 * The ends of messages and reasoning. A tool call is left open, for a client may run one that has ended, whatever is
 * left of its arguments.
 */
function ends({ open }: Wire, kinds = /^(?:TEXT_MESSAGE|REASONING)/): object[] {
  return [...open.values()]
    .reverse()
    .flatMap(({ kind, at }) =>
      kinds.test(kind) ? [{ type: `${kind}_${kind === 'STEP' ? 'FINISHED' : 'END'}`, ...at }] : [],
    )
}

/** With words, they are the last message of a run that has finished; else, or where that cannot be, the run fails. */
function lastEvents(wire: Wire, decision: Decision, words: string | undefined): object[] {
  const { threadId, runId } = wire
  const run = { threadId, runId }
  const metadata = { llama_guard: blockNote(decision) }
  const error = { type: 'RUN_ERROR', message: blockMessage(decision), code: 'content_filter', metadata }
  if (words === undefined) return [...ends(wire), error]
  const messageId = `llama-guard-${randomUUID()}`
  const finishes = ![...wire.open.values()].some(({ kind }) => kind === 'TOOL_CALL' || kind === 'SUBAGENT')
  return [
    ...(wire.started ? [] : [{ type: 'RUN_STARTED', ...run }]),
    ...ends(wire),
    { type: 'TEXT_MESSAGE_START', messageId, role: 'assistant' },
    { type: 'TEXT_MESSAGE_CONTENT', messageId, delta: words },
    { type: 'TEXT_MESSAGE_END', messageId, metadata },
    ...(finishes ? [...ends(wire, /^STEP$/), { type: 'RUN_FINISHED', ...run }] : [error]),
  ]
}
