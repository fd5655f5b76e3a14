// The frames of a stream that wait for a verdict, in their order of arrival. They leave from the head, many
// in one write.
import type { Frame } from './framing.js'

/** A frame that waits. Mutable, and flat: there are as many of them as the model makes tokens. */
export interface Held {
  readonly frame: Frame
  /**
   * The choice with text in this frame, and the position in that choice's text that must be judged first.
   * None: position 0.
   */
  choice: number
  position: number
  /** The same for further choices. */
  others: Map<number, number> | undefined
}

export class HeldFrames {
  readonly #queue: Held[] = []
  /** Where those begin that have not left. */
  #head = 0

  get empty(): boolean {
    return this.#head === this.#queue.length
  }

  /** Keeps them all, then reads them: should one be unreadable and pass all the same, the rest must follow it. */
  add(frames: readonly Frame[], read: (held: Held) => void): void {
    const first = this.#queue.length
    for (const frame of frames) this.#queue.push({ frame, choice: 0, position: 0, others: undefined })
    for (let at = first; at < this.#queue.length; at++) read(this.#queue[at]!)
  }

  /**
   * Takes those at the head that may leave: their bytes, for one write, as each write costs more than a copy.
   * Undefined when the first may not. They are gone from here before anything is written: a write that comes
   * back to the hold must not find them again.
   */
  take(mayLeave: (held: Held) => boolean, tell: (frame: Frame) => void): Buffer | undefined {
    const queue = this.#queue
    let to = this.#head
    while (to < queue.length && mayLeave(queue[to]!)) to++
    if (to === this.#head) return undefined
    const bytes = joined(queue, this.#head, to)
    for (let at = this.#head; at < to; at++) tell(queue[at]!.frame)
    this.#head = to
    // Once half of them have left: each is moved once at most, and what has left is soon forgotten.
    if (to * 2 >= queue.length) {
      queue.splice(0, to)
      this.#head = 0
    }
    return bytes
  }

  /** What is still here, as it came. */
  frames(): readonly Frame[] {
    return this.#queue.slice(this.#head).map(({ frame }) => frame)
  }

  clear(): void {
    this.#queue.length = 0
    this.#head = 0
  }
}

/** The bytes of some frames in order. What came as one chunk is still one, and needs no copy. */
function joined(queue: readonly Held[], from: number, to: number): Buffer {
  const { bytes, start } = queue[from]!.frame
  let end = start
  let length = 0
  for (let at = from; at < to; at++) {
    const { frame } = queue[at]!
    length += frame.end - frame.start
    if (frame.bytes === bytes && frame.start === end) end = frame.end
  }
  if (length === end - start) return length === bytes.length ? bytes : bytes.subarray(start, end)
  const all = Buffer.allocUnsafe(length)
  let filled = 0
  for (let at = from; at < to; at++) {
    const { frame } = queue[at]!
    filled += frame.bytes.copy(all, filled, frame.start, frame.end)
  }
  return all
}
