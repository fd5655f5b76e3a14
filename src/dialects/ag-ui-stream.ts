// The events of an AG-UI run: messages, reasoning and tool calls grow by id, and may interleave.
import { randomUUID } from 'node:crypto'
import type { Decision } from '../types.js'
import { isObject } from '../utils/json.js'
import type { StreamDelta, StreamReader } from './dialect.js'
import { JoinedParts } from './kit/part-channels.js'
import { PartTexts } from './kit/part-texts.js'
import { blockMessage, blockNote, sse } from './kit/refusals.js'
import { type ReplyFields, server, words } from './kit/reply-fields.js'
import { EventText, SentEvents, shortText } from './kit/stream-events.js'

const MESSAGE: ReplyFields = {
  ...server('id role toolCallId activityType subagentRunId'),
  ...words('name error'),
  content: {
    ...server('type mimeType'),
    ...words('text'),
    source: { ...server('type mimeType'), ...words('value') },
  },
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

const GROWING = /^(TEXT_MESSAGE|REASONING_MESSAGE|TOOL_CALL)_(?:CONTENT|ARGS|CHUNK)$/
const EDGE = /^(TEXT_MESSAGE|REASONING_MESSAGE|REASONING|TOOL_CALL|STEP|SUBAGENT)_(START|STARTED|END|FINISHED|ERROR)$/

type Frame = Readonly<Record<string, unknown>> & { readonly type: string }

const NAMED_BY = new Map<string | undefined, string>([
  ['STEP', 'stepName'],
  ['SUBAGENT', 'subagentRunId'],
  ['TOOL_CALL', 'toolCallId'],
])

interface Fact {
  readonly type: string
  readonly threadId: string | undefined
  readonly runId: string | undefined
  /** The fields by which its end names what an event begins. */
  readonly at: Readonly<Record<string, string>>
}

interface Wire {
  started: boolean
  over: boolean
  threadId: string
  runId: string
  /** What has begun and not ended. Maps keep their order, and the last to begin is the first to be ended. */
  readonly open: Map<string, { readonly kind: string; readonly at: Fact['at'] }>
}

export function agUiStream(): StreamReader {
  const events = new EventText(AG_UI_REPLY)
  const facts = new SentEvents(factOf)
  const joined = new JoinedParts()
  const last = new Map<string, string>()
  const wire: Wire = { started: false, over: false, threadId: 'llama-guard', runId: 'llama-guard', open: new Map() }

  const readEvent = (data: Record<string, unknown>, deltas: StreamDelta[]): void => {
    const type = typeof data.type === 'string' ? data.type : ''
    const kind = GROWING.exec(type)?.[1]
    const named = kind === 'TOOL_CALL' ? data.toolCallId : (data.messageId ?? data.toolCallId)
    const { delta } = data
    if (kind === undefined || typeof delta !== 'string') {
      const id = typeof named === 'string' ? named : ''
      // The first event may repeat the whole request.
      const parts = new PartTexts()
      events.walker.walk(data, (path, text, metadata) => {
        events.beside(deltas, `${type} ${id} ${path}`, text, metadata || type === 'RUN_STARTED')
        parts.add(path, text)
      })
      for (const [list, text] of parts.joined()) events.beside(deltas, `${type} ${id} ${list}parts`, text)
      return
    }
    // A chunk without an id goes on with the one before it.
    const id = typeof named === 'string' ? named : (last.get(kind) ?? '')
    last.set(kind, id)
    const channel = `${kind} ${id}`
    deltas.push({ choice: 0, channel, text: delta })
    if (kind === 'TEXT_MESSAGE') joined.add(deltas, 0, channel, delta)
    events.walker.walk(data, (path, text, metadata) => events.beside(deltas, `${type} ${path}`, text, metadata), {
      without: 'delta',
    })
  }

  return {
    read(event) {
      const deltas: StreamDelta[] = []
      const data = events.open(event, deltas)
      if (isObject(data)) readEvent(data, deltas)
      else if (data !== undefined) events.readBeside(deltas, data)
      facts.note(event, data)
      return deltas
    },
    sent: (event) => note(wire, facts.take(event)),
    block: (decision, words) => (wire.over ? '' : lastEvents(wire, decision, words).map(frame).join('')),
    fail(error) {
      if (wire.over) return ''
      return [...ends(wire), { type: 'RUN_ERROR', message: error.message, code: error.code }].map(frame).join('')
    },
  }
}

function factOf(data: unknown): Fact {
  if (!isObject(data) || typeof data.type !== 'string')
    return { type: '', threadId: undefined, runId: undefined, at: {} }
  const kind = EDGE.exec(data.type)?.[1]
  const field = NAMED_BY.get(kind) ?? 'messageId'
  const id = shortText(data[field])
  const run = shortText(data.subagentRunId)
  return {
    type: data.type,
    threadId: shortText(data.threadId),
    runId: shortText(data.runId),
    at: kind === undefined || id === undefined ? {} : { [field]: id, ...(run !== undefined && { subagentRunId: run }) },
  }
}

function note(wire: Wire, { type, threadId, runId, at }: Fact): void {
  if (type === '') return
  wire.started = true
  if (type === 'RUN_STARTED') {
    wire.open.clear()
    wire.threadId = threadId ?? wire.threadId
    wire.runId = runId ?? wire.runId
  }
  wire.over = type === 'RUN_FINISHED' || type === 'RUN_ERROR'
  const [, kind, edge] = EDGE.exec(type) ?? []
  if (kind === undefined || Object.keys(at).length === 0) return
  const key = `${kind} ${JSON.stringify(kind === 'STEP' ? at : Object.values(at)[0])}`
  if (edge === 'START' || edge === 'STARTED') wire.open.set(key, { kind, at })
  else wire.open.delete(key)
}

/**
 * The ends of messages and reasoning. A tool call is left open, for a client may run one that has ended, whatever is
 * left of its arguments.
 */
function ends({ open }: Wire, kinds = /^(?:TEXT_MESSAGE|REASONING)/): Frame[] {
  return [...open.values()]
    .reverse()
    .flatMap(({ kind, at }) =>
      kinds.test(kind) ? [{ type: `${kind}_${kind === 'STEP' ? 'FINISHED' : 'END'}`, ...at }] : [],
    )
}

/** With words, they are the last message of a run that has finished; else, or where that cannot be, the run fails. */
function lastEvents(wire: Wire, decision: Decision, words: string | undefined): Frame[] {
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

function frame(event: Frame): string {
  return sse(event)
}
