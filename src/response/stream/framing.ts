// The frames that every framer makes: the raw bytes and the decoded event of each. The package has its own parser,
// because libraries (eventsource-parser, the decoders of the SDKs) drop comments, unknown fields, the BOM and line
// ends, and an allowed stream must leave byte for byte.
import type { StreamEvent } from '../../dialects/dialect.js'
import type { LooseLine } from './loose-line.js'

/** `field`: server-sent event fields. `json`: a JSON value, or bare text, in lines of its own. */
export type FrameKind = 'field' | 'json'

/** A frame: its raw bytes and its decoded event. The raw bytes of all frames in order are the stream. */
export class Frame {
  /** The buffer that holds the frame's bytes, from `start` to `end`, exclusive. */
  readonly bytes: Buffer
  readonly start: number
  readonly end: number
  readonly event: StreamEvent
  readonly kind: FrameKind
  /** What a client reads that takes each line for an event. Undefined when it is the same as `event`. */
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
  /** Returns what is left without its end, because lenient clients read it too. */
  finish(): Frame[]
}

/**
 * Collects the bytes of a frame. When they came in one chunk, the frame points into that chunk and nothing is copied.
 */
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
