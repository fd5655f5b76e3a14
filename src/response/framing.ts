// Cuts a byte stream into frames (SSE events or NDJSON lines), keeping each frame's raw bytes beside its decoded text.
// Not a library's parser: those (eventsource-parser, the SDKs' decoders) drop comments, unknown fields, BOM and line ends,
// and what is allowed must leave byte for byte.
import type { StreamEvent } from '../types.js'
import { splitLines } from './lines.js'

/** A frame as it came, and what it says. The raw bytes of all frames in order are the stream. */
export interface Frame {
  readonly raw: Buffer
  readonly event: StreamEvent
}

export interface Framer {
  push(chunk: Buffer): Frame[]
  /** What is left without its end: lenient clients read it too. */
  finish(): Frame[]
}

/** Server-sent events, WHATWG HTML section 9.2.6, with nothing dropped. */
export function sseFramer(): Framer {
  let frames: Frame[] = []
  let raw: Buffer[] = []
  let fields = new EventFields()
  const close = (): void => {
    frames.push({ raw: raw.length === 1 ? raw[0]! : Buffer.concat(raw), event: fields.event() })
    raw = []
    fields = new EventFields()
  }
  const lines = splitLines({
    line(text, bytes) {
      raw.push(bytes)
      if (text === '') close()
      else fields.read(text)
    },
    // The LF of a CRLF that was cut in two: it may open the next frame's bytes, but it says nothing.
    lineEnd(bytes) {
      raw.push(bytes)
    },
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
      if (rest.bytes.length > 0) raw.push(rest.bytes)
      if (rest.text !== '') fields.read(rest.text)
      if (raw.length > 0) close()
      return take()
    },
  }
}

/** One JSON value a line, as Ollama streams. */
export function ndjsonFramer(): Framer {
  let frames: Frame[] = []
  const add = (text: string, bytes: Buffer): void => {
    frames.push({ raw: bytes, event: text.trim() === '' ? {} : { data: text } })
  }
  const lines = splitLines({ line: add, lineEnd: (byte) => add('', byte) })
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
      if (rest.bytes.length > 0) add(rest.text, rest.bytes)
      return take()
    },
  }
}

// Counters and hashes say nothing; any other id is a place to write to.
const SILENT_ID = /^[0-9a-f-]{0,64}$/i

class EventFields {
  #name: string | undefined
  #data: string | undefined
  #other: string | undefined

  read(line: string): void {
    const colon = line.indexOf(':')
    const field = colon === -1 ? line : line.slice(0, colon)
    const value = colon === -1 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (field === 'data') this.#data = this.#data === undefined ? value : `${this.#data}\n${value}`
    else if (field === 'event') this.#name = value
    else if (field === '') this.#note(value)
    else if (field === 'id' || field === 'retry') {
      if (!SILENT_ID.test(value)) this.#note(value)
    } else this.#note(line)
  }

  event(): StreamEvent {
    const event: { -readonly [K in keyof StreamEvent]: StreamEvent[K] } = {}
    if (this.#name !== undefined) event.event = this.#name
    if (this.#data !== undefined) event.data = this.#data
    if (this.#other !== undefined) event.other = this.#other
    return event
  }

  #note(text: string): void {
    if (text.trim() !== '') this.#other = this.#other === undefined ? text : `${this.#other}\n${text}`
  }
}
