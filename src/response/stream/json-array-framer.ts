// Splits a JSON array into its elements, with or without line breaks (Gemini's stream without `alt=sse`). Each frame
// ends with an element. A reply that turns out to be no array is read as events and lines.
import { ndjsonFramer } from './event-framer.js'
import { Bytes, Frame, type Framer } from './framing.js'
import { looseLine } from './loose-line.js'

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

export function jsonArrayFramer(): Framer {
  const raw = new Bytes()
  const other = ndjsonFramer()
  let state: State = 'start'
  /** The number of bytes in the frame before its element. */
  let lead = 0
  let depth = 0
  let inString = false
  let escaped = false
  let scalar = false

  /**
   * Reads one byte inside an element. Returns `ended` when the element ends with this byte and `ahead` when it ended
   * before it.
   */
  const inElement = (byte: number): 'ended' | 'ahead' | undefined => {
    if (inString) {
      if (escaped) escaped = false
      else if (byte === BACKSLASH) escaped = true
      else if (byte === QUOTE) inString = false
      return !inString && depth === 0 ? 'ended' : undefined
    }
    if (byte === QUOTE) inString = true
    else if (OPEN.has(byte)) depth += 1
    else if (scalar && depth === 0 && (byte === COMMA || CLOSE.has(byte) || BLANK.has(byte))) return 'ahead'
    else if (CLOSE.has(byte)) depth -= 1
    return depth === 0 && !inString && !scalar ? 'ended' : undefined
  }
  /** The state after a byte outside of elements. */
  const outside = (byte: number): State => {
    if (BLANK.has(byte)) return state
    if (state === 'start') return byte === 0x5b ? 'between' : 'other'
    if (state === 'after') return 'other'
    if (byte === COMMA) return 'between'
    if (byte === 0x5d) return 'after'
    return BEGINS.has(byte) ? 'element' : 'other'
  }
  const elementFrame = (): Frame => {
    const frame = raw.take({}, 'json')
    const text = frame.bytes.toString('utf8', frame.start + lead, frame.end)
    // Only text that is no JSON can hold event fields in its lines.
    const lines = text.includes('data:') ? text.split('\n').flatMap((line) => looseLine(line) ?? []) : []
    lead = 0
    const { bytes, start, end } = frame
    const odd = lines.some(({ kind }) => kind === 'data')
    return new Frame(bytes, start, end, { data: text, element: true }, 'json', odd ? lines : undefined)
  }

  return {
    push(chunk) {
      if (state === 'other') return other.push(chunk)
      const frames: Frame[] = []
      let from = 0
      const close = (end: number): void => {
        raw.add(chunk, from, end)
        from = end
        frames.push(elementFrame())
        state = 'between'
      }
      for (let at = 0; at < chunk.length; at++) {
        const byte = chunk[at]!
        if (state === 'element') {
          const end = inElement(byte)
          if (end === 'ended') close(at + 1)
          if (end !== 'ahead') continue
          close(at)
        }
        state = outside(byte)
        if (state === 'other') {
          raw.add(chunk, from, at)
          const before = raw.empty ? Buffer.alloc(0) : raw.take({}).raw
          return [...frames, ...other.push(before), ...other.push(chunk.subarray(at))]
        }
        if (state === 'element') {
          depth = 0
          scalar = !OPEN.has(byte) && byte !== QUOTE
          inElement(byte)
        } else lead += 1
      }
      if (from < chunk.length) raw.add(chunk, from, chunk.length)
      return frames
    },
    finish() {
      if (state === 'other') return other.finish()
      if (raw.empty) return []
      return state === 'element' ? [elementFrame()] : [raw.take({}, 'json')]
    },
  }
}
