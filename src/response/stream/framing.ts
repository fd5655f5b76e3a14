// Cuts a byte stream into frames (SSE events or NDJSON lines), keeping each frame's raw bytes beside its
// decoded text.
// Not a library's parser: those (eventsource-parser, the SDKs' decoders) drop comments, unknown fields, BOM
// and line ends, and what is allowed must leave byte for byte.
import type { StreamEvent } from '../../dialects/dialect.js'
import { splitLines } from './lines.js'

/** A frame as it came, and what it says. The raw bytes of all frames in order are the stream. */
export class Frame {
  /** Where its bytes are: from `start` to `end`, exclusive. */
  readonly bytes: Buffer
  readonly start: number
  readonly end: number
  readonly event: StreamEvent

  constructor(bytes: Buffer, start: number, end: number, event: StreamEvent) {
    this.bytes = bytes
    this.start = start
    this.end = end
    this.event = event
  }

  get raw(): Buffer {
    return this.bytes.subarray(this.start, this.end)
  }
}

export interface Framer {
  push(chunk: Buffer): Frame[]
  /** What is left without its end: lenient clients read it too. */
  finish(): Frame[]
}

/** Server-sent events, WHATWG HTML section 9.2.6, with nothing dropped. */
export function sseFramer(): Framer {
  let frames: Frame[] = []
  const raw = new Bytes()
  const fields = new EventFields()
  const close = (): void => void frames.push(raw.take(fields.take()))
  const lines = splitLines({
    line(text, bytes, start, end) {
      raw.add(bytes, start, end)
      if (text === '') close()
      else fields.read(text)
    },
    // The LF of a CRLF that was cut in two: it may open the next frame's bytes, but it says nothing.
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
      if (rest.text !== '') fields.read(rest.text)
      if (!raw.empty) close()
      return take()
    },
  }
}

/** The bytes of a frame: one piece of the chunk they came in, where they came in one. */
class Bytes {
  #earlier: Buffer[] = []
  #from: Buffer | undefined
  #start = 0
  #end = 0

  get empty(): boolean {
    return this.#from === undefined
  }

  add(bytes: Buffer, start: number, end: number): void {
    if (this.#from === bytes && this.#end === start) {
      this.#end = end
      return
    }
    if (this.#from !== undefined) this.#earlier.push(this.#from.subarray(this.#start, this.#end))
    this.#from = bytes
    this.#start = start
    this.#end = end
  }

  take(event: StreamEvent): Frame {
    const from = this.#from!
    this.#from = undefined
    if (this.#earlier.length === 0) return new Frame(from, this.#start, this.#end, event)
    const all = Buffer.concat([...this.#earlier, from.subarray(this.#start, this.#end)])
    this.#earlier = []
    return new Frame(all, 0, all.length, event)
  }
}

/** One JSON value a line, as Ollama streams. */
export function ndjsonFramer(): Framer {
  let frames: Frame[] = []
  const add = (text: string, bytes: Buffer, start: number, end: number): void => {
    frames.push(new Frame(bytes, start, end, text.trim() === '' ? {} : { data: text }))
  }
  const lines = splitLines({ line: add, lineEnd: (bytes, start, end) => add('', bytes, start, end) })
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
      if (rest.bytes.length > 0) add(rest.text, rest.bytes, 0, rest.bytes.length)
      return take()
    },
  }
}

// Counters and hashes say nothing; any other id is a place to write to.
const SILENT_ID = /^[0-9a-f-]{0,64}$/i

const SPACE = 0x20

class EventFields {
  #name: string | undefined
  #data: string | undefined
  #other: string | undefined

  read(line: string): void {
    const colon = line.indexOf(':')
    if (colon === 4 && this.#data === undefined && line.startsWith('data')) {
      this.#data = line.slice(line.charCodeAt(5) === SPACE ? 6 : 5)
      return
    }
    const field = colon === -1 ? line : line.slice(0, colon)
    const value = colon === -1 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (field === 'data') this.#data = this.#data === undefined ? value : `${this.#data}\n${value}`
    else if (field === 'event') this.#name = value
    else if (field === '') this.#note(value)
    else if (field === 'id' || field === 'retry') {
      if (!SILENT_ID.test(value)) this.#note(value)
    } else this.#note(line)
  }

  /** What was read since the last time. */
  take(): StreamEvent {
    const name = this.#name
    const data = this.#data
    const other = this.#other
    this.#name = undefined
    this.#data = undefined
    this.#other = undefined
    if (name === undefined && other === undefined) return data === undefined ? {} : { data }
    return {
      ...(name !== undefined && { event: name }),
      ...(data !== undefined && { data }),
      ...(other !== undefined && { other }),
    }
  }

  #note(text: string): void {
    if (text.trim() !== '') this.#other = this.#other === undefined ? text : `${this.#other}\n${text}`
  }
}
