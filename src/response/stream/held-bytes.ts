// The bytes of a stream that wait for a verdict, in few buffers.
import { type Frame, unpinned } from '../../wire/frame.js'

/** One buffer of its own memory: a small one from Node's pool keeps 8 kB. */
export function joined(buffers: readonly Buffer[]): Buffer {
  const all = Buffer.allocUnsafeSlow(buffers.reduce((sum, { length }) => sum + length, 0))
  let filled = 0
  for (const buffer of buffers) filled += buffer.copy(all, filled)
  return all
}

/** Small buffers that are kept apart. A buffer costs 200 bytes beside its own, or keeps 8 kB of Node's pool. */
const MOST_SMALL = 16
/** A buffer of that many bytes is not joined with others. */
const LARGE = 16 * 1024

/** The bytes of frames, in few buffers. */
export class HeldBytes {
  #buffers: Buffer[] = []
  /** Buffers at the end that have not been joined. */
  #small = 0

  add(frames: readonly Frame[]): void {
    for (let at = 0; at < frames.length;) {
      const { bytes, start, end: first } = frames[at++]!
      let end = first
      // Frames that came as one chunk need no copy.
      for (; at < frames.length && frames[at]!.bytes === bytes && frames[at]!.start === end; at++) end = frames[at]!.end
      this.#buffers.push(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end))
      if (++this.#small === MOST_SMALL) this.#join()
    }
  }

  take(length: number): Buffer {
    const buffers = this.#buffers
    let count = 0
    let left = length
    while (count < buffers.length && buffers[count]!.length <= left) left -= buffers[count++]!.length
    const taken = buffers.splice(0, count)
    const [next] = buffers
    if (left > 0 && next !== undefined) {
      taken.push(next.subarray(0, left))
      buffers[0] = unpinned(next.subarray(left))
    }
    this.#small = Math.min(this.#small, buffers.length)
    return taken.length === 1 ? taken[0]! : Buffer.concat(taken, length)
  }

  all(): readonly Buffer[] {
    return this.#buffers
  }

  clear(): void {
    this.#buffers = []
    this.#small = 0
  }

  /** Joins the small buffers, and earlier ones that are not much larger, so that each byte is copied few times. */
  #join(): void {
    const buffers = this.#buffers
    let from = buffers.length - MOST_SMALL
    let size = buffers.slice(from).reduce((sum, { length }) => sum + length, 0)
    while (from > 0 && buffers[from - 1]!.length < Math.min(2 * size, LARGE)) size += buffers[--from]!.length
    buffers.push(joined(buffers.splice(from)))
    this.#small = 0
  }
}
