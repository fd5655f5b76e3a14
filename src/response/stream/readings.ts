// Reads a stream in every way in which a client may read it. A further reading starts where it first differs from the
// main one. It begins with a copy of the text so far, and has channels of its own.
import { replyReader } from '../../dialects/reply-reader.js'
import type { Dialect, RpcCall, StreamDelta, StreamEvent, StreamReader } from '../../dialects/dialect.js'
import { parseLoosely } from '../../utils/loose-json.js'
import type { Frame } from './framing.js'
import type { LooseLine } from './loose-line.js'

const LIST = /^\s*\[/

type EventsOf = (frame: Frame) => readonly StreamEvent[]

interface Reading {
  readonly prefix: string
  readonly reader: StreamReader
  readonly eventsOf: EventsOf
}

const linesOf = ({ event, kind, lines }: Frame): readonly LooseLine[] =>
  lines ?? [{ kind: kind === 'json' ? 'json' : 'data', event }]
const ofKind =
  (kind: LooseLine['kind']): EventsOf =>
  (frame) =>
    linesOf(frame).flatMap((line) => (line.kind === kind ? line.event : []))

/** Reads every line by itself. */
const LINES: EventsOf = (frame) => linesOf(frame).flatMap(({ event }) => elements(event))
/** Reads `data:` lines joined to one event, those after blanks and byte order marks included. */
const JOINED: EventsOf = (frame) => {
  const data = ofKind('data')(frame).flatMap((event) => event.data ?? [])
  return data.length === 0 ? [] : [{ data: data.join('\n') }]
}
/** Reads server-sent events only, as the standard says. */
const FIELDS: EventsOf = ({ kind, event }) => (kind === 'field' ? [event] : [])

export class Readings {
  /** Reads each frame by its form. Only this reader is told which events were sent. */
  readonly main: StreamReader
  readonly #dialect: Dialect
  readonly #fork: (prefix: string) => void
  readonly #others: Reading[] = []
  #json = false
  #fields = false
  #lines = false

  /** `fork` gives every channel a copy under this prefix. */
  constructor(dialect: Dialect, fork: (prefix: string) => void, calls?: readonly RpcCall[]) {
    this.main = replyReader(dialect, calls)
    this.#dialect = dialect
    this.#fork = fork
  }

  read(frame: Frame): readonly StreamDelta[] {
    this.#notice(frame)
    const deltas = this.main.read(frame.event)
    return this.#others.length === 0 ? deltas : [...deltas, ...this.#others.flatMap((other) => readAs(other, frame))]
  }

  #notice(frame: Frame): void {
    const { event, kind, lines } = frame
    if (event.data === undefined && lines === undefined) return
    if (kind === 'json') this.#json = true
    else if (event.data !== undefined) this.#fields = true
    if (lines !== undefined || isList(event)) {
      this.#json ||= lines?.some((line) => line.kind === 'json') === true
      this.#fields ||= lines?.some((line) => line.kind === 'data') === true
      this.#lines = true
    }
    if (this.#lines) this.#start('lines', LINES)
    if (lines !== undefined && kind === 'field' && JOINED(frame)[0]?.data !== event.data) this.#start('joined', JOINED)
    if (this.#json && this.#fields) {
      this.#start('fields', FIELDS)
      this.#start('json', ofKind('json'))
      if (this.#lines) this.#start('data', ofKind('data'))
    }
  }

  #start(name: string, eventsOf: EventsOf): void {
    const prefix = `${name}|`
    if (this.#others.some((other) => other.prefix === prefix)) return
    this.#fork(prefix)
    this.#others.push({ prefix, reader: replyReader(this.#dialect), eventsOf })
  }
}

function readAs({ prefix, reader, eventsOf }: Reading, frame: Frame): StreamDelta[] {
  return eventsOf(frame).flatMap((event) => {
    const deltas = reader.read(event)
    // This reader never writes to the client, so it may forget at once what it keeps for sent events.
    reader.sent(event)
    return deltas.map((delta) => ({
      ...delta,
      channel: prefix + delta.channel,
      ...(delta.from !== undefined && { from: prefix + delta.from }),
    }))
  })
}

function isList({ data }: StreamEvent): boolean {
  return data !== undefined && LIST.test(data) && data.trimEnd().endsWith(']') && data.trim() !== '[DONE]'
}

/** The elements of a list of objects. Clients read each element like an event. */
function elements(event: StreamEvent): readonly StreamEvent[] {
  const list = isList(event) ? parseLoosely(event.data!)?.value : undefined
  return Array.isArray(list) ? list.map((element) => ({ ...event, data: JSON.stringify(element) })) : [event]
}
