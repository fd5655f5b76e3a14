// The frames of a stream that wait for a verdict, in order of arrival. They leave from the front, many in one write.
import type { Frame } from './framing.js'

/** A frame that waits. The object is mutable and flat, because there are as many of them as the model makes tokens. */
export interface Held {
  readonly frame: Frame
  /**
   * The choice with text in this frame, and the position in that choice's text that must be judged before the frame
   * may leave. Position 0 means that the frame has no text.
   */
  choice: number
  position: number
  /** Positions of further choices with text in this frame. */
  others: Map<number, number> | undefined
}

export class HeldFrames {
  readonly #queue: Held[] = []
  /** The index of the first frame that has not left. */
  #head = 0

  get empty(): boolean {
    return this.#head === this.#queue.length
  }

  /**
   * Keeps all frames, then reads them. When one cannot be read and the stream passes all the same, the frames after
   * it must still be there.
   */
  add(frames: readonly Frame[], read: (held: Held) => void): void {
    const first = this.#queue.length
    for (const frame of frames) this.#queue.push({ frame, choice: 0, position: 0, others: undefined })
    for (let at = first; at < this.#queue.length; at++) read(this.#queue[at]!)
  }

  /**
   * Removes the frames at the front that may leave, and returns their bytes as one buffer, because a write costs more
   * than a copy. Undefined when the first frame may not leave. The frames are removed before anything is written: a
   * write that calls back into the hold must not find them again.
   */
  take(mayLeave: (held: Held) => boolean, tell: (frame: Frame) => void): Buffer | undefined {
    const queue = this.#queue
    let to = this.#head
    while (to < queue.length && mayLeave(queue[to]!)) to++
    if (to === this.#head) return undefined
    const bytes = joined(queue, this.#head, to)
    for (let at = this.#head; at < to; at++) tell(queue[at]!.frame)
    this.#head = to
    // The array is compacted only when half of it has left. Each frame is then moved at most once, and released
    // frames are soon freed.
    if (to * 2 >= queue.length) {
      queue.splice(0, to)
      this.#head = 0
    }
    return bytes
  }

  /** The frames that are still held, in order. */
  frames(): readonly Frame[] {
    return this.#queue.slice(this.#head).map(({ frame }) => frame)
  }

  clear(): void {
    this.#queue.length = 0
    this.#head = 0
  }
}

/** The bytes of some frames in order. Frames that came as one chunk need no copy. */
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
