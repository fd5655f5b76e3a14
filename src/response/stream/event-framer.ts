// Splits a stream into server-sent events and JSON lines. It decides line by line and not by the content-type,
// because a stream may be labelled as one and written as the other, and clients read what is written.
import { Bytes, type Frame, type Framer } from './framing.js'
import { EventFields } from './event-fields.js'
import { bare, isField, jsonLine, type LooseLine, looseLine, opening, pythonLines } from './loose-line.js'
import { OpenValue } from './open-value.js'
import { splitLines } from './lines.js'

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
  let open: OpenValue | undefined

  const closeFields = (): void => {
    const { event, lines } = fields.take()
    frames.push(raw.take(event, 'field', lines))
  }
  const closeValue = (value: OpenValue): void => {
    open = undefined
    const { text, broken } = value.take()
    frames.push(raw.take({ data: text }, 'json', broken ? looseLines(text) : undefined))
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
    if (event !== undefined) return frames.push(raw.take(event, 'json', some(pythonLines(line)))) > 0
    const value = opening(text)
    if (value !== undefined) {
      open = OpenValue.begin(value)
      if (open !== undefined) return true
    }
    if (!bareLines || isField(text)) return false
    return frames.push(raw.take(text === '' ? {} : { data: line }, 'json', some(pythonLines(line)))) > 0
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
  const lines = splitLines({
    line(text, bytes, start, end) {
      raw.add(bytes, start, end)
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
      if (rest.text !== '') read(rest.text)
      if (open !== undefined) closeValue(open)
      if (!raw.empty) closeFields()
      return take()
    },
  }
}

function looseLines(text: string): readonly LooseLine[] | undefined {
  return some(text.split('\n').flatMap((line) => looseLine(line) ?? []))
}

function some(lines: readonly LooseLine[]): readonly LooseLine[] | undefined {
  return lines.length === 0 ? undefined : lines
}
