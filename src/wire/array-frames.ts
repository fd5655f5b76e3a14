// Splits a JSON array into its elements, with or without line breaks (Gemini's stream without `alt=sse`). Each frame
// ends with an element.
import { type Frame, type Grammar, unreadable } from './frame.js'

type State = 'start' | 'between' | 'element' | 'after' | 'other'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const OPEN = new Set([0x5b, 0x7b])
const CLOSE = new Set([0x5d, 0x7d])
/** White space, and the bytes of a byte order mark. */
const BLANK = new Set([0x20, 0x09, 0x0a, 0x0d, 0xef, 0xbb, 0xbf])
/** First characters of JSON values: brackets, a quote, digits, minus, `true`, `false`, `null`. */
const BEGINS = new Set(Buffer.from('{["-0123456789tfn'))

/** How deep a JSON text is in objects and lists, byte by byte. */
export class Nesting {
  #depth = 0
  #inString = false
  #escaped = false

  get inString(): boolean {
    return this.#inString
  }

  /** True inside an object, a list or a string. */
  get open(): boolean {
    return this.#depth > 0 || this.#inString
  }

  read(byte: number): void {
    if (this.#escaped) this.#escaped = false
    else if (this.#inString) {
      if (byte === BACKSLASH) this.#escaped = true
      else if (byte === QUOTE) this.#inString = false
    } else if (byte === QUOTE) this.#inString = true
    else if (OPEN.has(byte)) this.#depth += 1
    else if (CLOSE.has(byte)) this.#depth -= 1
  }
}

export class ArrayGrammar implements Grammar {
  #open: Buffer[] = []
  #state: State = 'start'
  /** The number of bytes in the frame before its element. */
  #lead = 0
  #nesting = new Nesting()
  #scalar = false

  get open(): readonly Buffer[] {
    return this.#open
  }

  push(chunk: Buffer, frames: Frame[]): void {
    let from = 0
    const close = (end: number): void => {
      frames.push(this.#frame(chunk.subarray(from, end)))
      from = end
      this.#state = 'between'
    }
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at]!
      if (this.#state === 'element') {
        const end = this.#inElement(byte)
        if (end === 'ended') close(at + 1)
        if (end !== 'ahead') continue
        close(at)
      }
      this.#state = this.#outside(byte)
      if (this.#state === 'other') {
        this.#open.push(chunk.subarray(from))
        throw unreadable('begins as a JSON array and is none')
      }
      if (this.#state === 'element') {
        this.#nesting = new Nesting()
        this.#scalar = !OPEN.has(byte) && byte !== QUOTE
        this.#inElement(byte)
      } else this.#lead += 1
    }
    if (from < chunk.length) this.#open.push(from === 0 ? chunk : chunk.subarray(from))
  }

  finish(frames: Frame[]): void {
    if (this.#state === 'element') frames.push(this.#frame(NO_BYTES))
    else if (this.#open.length > 0) {
      const bytes = Buffer.concat(this.#open)
      frames.push({ bytes, start: 0, end: bytes.length, kind: 'lines', events: [] })
    }
    this.#open = []
  }

  #frame(last: Buffer): Frame {
    const bytes = this.#open.length === 0 ? last : Buffer.concat([...this.#open, last])
    this.#open = []
    const data = bytes.toString('utf8', this.#lead)
    this.#lead = 0
    return { bytes, start: 0, end: bytes.length, kind: 'lines', events: [{ data, json: true, element: true }] }
  }

  /**
   * Reads one byte inside an element. Returns `ended` when the element ends with this byte and `ahead` when it ended
   * before it.
   */
  #inElement(byte: number): 'ended' | 'ahead' | undefined {
    const nesting = this.#nesting
    const { inString, open } = nesting
    if (this.#scalar && !open && (byte === COMMA || CLOSE.has(byte) || BLANK.has(byte))) return 'ahead'
    nesting.read(byte)
    return !nesting.open && (inString || !this.#scalar) ? 'ended' : undefined
  }

  /** The state after a byte outside of elements. */
  #outside(byte: number): State {
    if (BLANK.has(byte)) return this.#state
    if (this.#state === 'start') return byte === 0x5b ? 'between' : 'other'
    if (this.#state === 'after') return 'other'
    if (byte === COMMA) return 'between'
    if (byte === 0x5d) return 'after'
    return BEGINS.has(byte) ? 'element' : 'other'
  }
}
const NO_BYTES = Buffer.alloc(0)

/** A reply that is one JSON value, over as many lines as it likes. It is read at its end. */
export class ValueGrammar implements Grammar {
  readonly open: Buffer[] = []

  push(chunk: Buffer): void {
    this.open.push(chunk)
  }

  finish(frames: Frame[]): void {
    const bytes = Buffer.concat(this.open)
    this.open.length = 0
    const events = [{ data: bytes.toString(), json: true }]
    frames.push({ bytes, start: 0, end: bytes.length, kind: 'lines', events })
  }
}

/** The texts of the elements of a JSON array; undefined for any other text. */
export function arrayElements(text: string): readonly string[] | undefined {
  const frames: Frame[] = []
  try {
    const grammar = new ArrayGrammar()
    grammar.push(Buffer.from(text.trim()), frames)
    grammar.finish(frames)
  } catch {
    return undefined
  }
  const elements = frames.flatMap(({ events }) => events[0]?.data ?? [])
  return elements.length === 0 ? undefined : elements
}
