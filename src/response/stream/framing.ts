// What every framer makes: frames, which keep their raw bytes beside what they say.
// Not a library's parser: those (eventsource-parser, the SDKs' decoders) drop comments, unknown fields, BOM
// and line ends, and what is allowed must leave byte for byte.
import type { StreamEvent } from '../../dialects/dialect.js'
import type { LooseLine } from './loose-line.js'

/** `field`: server-sent event fields. `json`: a JSON value, or bare text, in lines of its own. */
export type FrameKind = 'field' | 'json'

/** A frame as it came, and what it says. The raw bytes of all frames in order are the stream. */
export class Frame {
  /** Where its bytes are: from `start` to `end`, exclusive. */
  readonly bytes: Buffer
  readonly start: number
  readonly end: number
  readonly event: StreamEvent
  readonly kind: FrameKind
  /** What a client reads that takes every line for itself. Undefined: the same as `event`. */
  readonly lines: readonly LooseLine[] | undefined

  constructor(
    bytes: Buffer,
    start: number,
    end: number,
    event: StreamEvent,
    kind: FrameKind = 'field',
    lines?: readonly LooseLine[],
  ) {
    this.bytes = bytes
    this.start = start
    this.end = end
    this.event = event
    this.kind = kind
    this.lines = lines
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

/** The bytes of a frame: one piece of the chunk they came in, where they came in one. */
export class Bytes {
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

  take(event: StreamEvent, kind?: FrameKind, lines?: readonly LooseLine[]): Frame {
    const from = this.#from!
    this.#from = undefined
    if (this.#earlier.length === 0) return new Frame(from, this.#start, this.#end, event, kind, lines)
    const all = Buffer.concat([...this.#earlier, from.subarray(this.#start, this.#end)])
    this.#earlier = []
    return new Frame(all, 0, all.length, event, kind, lines)
  }
}
