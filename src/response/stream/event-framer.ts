// Splits a stream into server-sent events and JSON lines. It decides line by line and not by the content-type,
// because a stream may be labelled as one and written as the other, and clients read what is written.
import type { StreamEvent } from '../../dialects/dialect.js'
import { Bytes, type Frame, type FrameKind, type Framer } from './framing.js'
import { EventFields } from './event-fields.js'
import { bare, isField, jsonLine, type LooseLine, looseLine, opening, pythonLines } from './loose-line.js'
import { OpenValue } from './open-value.js'
import { splitLines } from './lines.js'
import { SpanningValues, valuesIn } from './spanning-values.js'

const CR = 0x0d
const NONE: readonly string[] = []

/** Reads server-sent events, and JSON values in lines of their own. */
export function sseFramer(): Framer {
  return eventFramer(false)
}

/** Reads JSON lines and bare lines, each as a frame of its own, and server-sent events. */
export function ndjsonFramer(): Framer {
  return eventFramer(true)
}

function eventFramer(bareLines: boolean): Framer {
  let frames: Frame[] = []
  const raw = new Bytes()
  const fields = new EventFields()
  const spanning = new SpanningValues()
  let open: OpenValue | undefined
  /** Values that end in the frame that comes next. */
  let spanned: readonly string[] = NONE

  const close = (event: StreamEvent, kind: FrameKind, lines?: readonly LooseLine[]): void => {
    const values = spanned.filter((data) => data !== event.data)
    spanned = NONE
    frames.push(raw.take(event, kind, values.length === 0 ? lines : withValues(values, event, kind, lines)))
  }
  const closeFields = (): void => {
    const { event, lines } = fields.take()
    close(event, 'field', lines)
  }
  const closeValue = (value: OpenValue): void => {
    open = undefined
    const { text, broken } = value.take()
    if (broken) spanned = valuesIn(value.lines())
    close({ data: text }, 'json', broken ? looseLines(text) : undefined)
  }
  /** True when the line belongs to a JSON value, or is a frame of its own. */
  const readValue = (line: string): boolean => {
    const text = bare(line)
    if (open !== undefined) {
      if (!isField(text)) {
        open.add(line)
        if (open.closed) closeValue(open)
        return true
      }
      // The lines are no JSON value after all. They are read as unknown fields of an event.
      for (const earlier of open.lines()) fields.read(earlier)
      open = undefined
      return false
    }
    const event = jsonLine(text)
    if (event !== undefined) {
      close(event, 'json', some(pythonLines(line)))
      return true
    }
    const value = opening(text)
    if (value !== undefined) {
      open = OpenValue.begin(value)
      if (open !== undefined) return true
    }
    if (!bareLines || isField(text)) return false
    close(text === '' ? {} : { data: line }, 'json', some(pythonLines(line)))
    return true
  }
  const read = (line: string): void => {
    // The common case: a field at the beginning of an event, or the blank line at its end.
    if (open === undefined && (line === '' || !fields.empty || line.startsWith('data:'))) {
      if (line === '') closeFields()
      else fields.read(line)
    } else if (!readValue(line)) {
      if (line === '') closeFields()
      else fields.read(line)
    }
  }
  /** `onCr`: some clients do not end the line there. */
  const span = (line: string, onCr: boolean): void => {
    if (open !== undefined || (line === '' && !onCr)) return spanning.end()
    const values = spanning.read(line, !onCr)
    if (values.length > 0) spanned = [...spanned, ...values]
  }
  const lines = splitLines({
    line(text, bytes, start, end) {
      raw.add(bytes, start, end)
      span(text, bytes[end - 1] === CR || bytes[end - 2] === CR)
      read(text)
    },
    // The LF of a CRLF that was split between two chunks. It belongs to the next frame's bytes and carries no words.
    lineEnd: (bytes, start, end) => raw.add(bytes, start, end),
  })
  const take = (): Frame[] => {
    const taken = frames
    frames = []
    return taken
  }
  return {
    push(chunk) {
      lines.push(chunk)
      return take()
    },
    finish() {
      const rest = lines.finish()
      if (rest.bytes.length > 0) raw.add(rest.bytes, 0, rest.bytes.length)
      if (rest.text !== '') {
        span(rest.text, true)
        read(rest.text)
      }
      if (open !== undefined) closeValue(open)
      if (!raw.empty) closeFields()
      return take()
    },
  }
}

/** The frame's lines, and each value as one of them. */
function withValues(
  values: readonly string[],
  event: StreamEvent,
  kind: FrameKind,
  lines: readonly LooseLine[] = event.data === undefined ? [] : [{ kind: kind === 'json' ? 'json' : 'data', event }],
): readonly LooseLine[] {
  const name = event.event === undefined ? {} : { event: event.event }
  return [...lines, ...values.map((data): LooseLine => ({ kind: 'value', event: { ...name, data } }))]
}

function looseLines(text: string): readonly LooseLine[] | undefined {
  return some(text.split('\n').flatMap((line) => looseLine(line) ?? []))
}

function some(lines: readonly LooseLine[]): readonly LooseLine[] | undefined {
  return lines.length === 0 ? undefined : lines
}
