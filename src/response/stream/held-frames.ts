// The frames of a stream that wait for a verdict, in order of arrival. They leave from the front, many in one write.
import type { Frame } from '../../wire/frame.js'

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
  /** True when a call of a tool begins in this frame. */
  calls: boolean
}

export class HeldFrames {
  readonly #queue: Held[] = []

  get empty(): boolean {
    return this.#queue.length === 0
  }

  /**
   * Keeps all frames, then reads them. When one cannot be read and the stream passes all the same, the frames after
   * it must still be there.
   */
  add(frames: readonly Frame[], read: (held: Held) => void): void {
    const first = this.#queue.length
    for (const frame of frames) this.#queue.push({ frame, choice: 0, position: 0, others: undefined, calls: false })
    for (let at = first; at < this.#queue.length; at++) read(this.#queue[at]!)
  }

  /**
   * Removes the frames at the front that may leave, and returns their bytes as one buffer, because a write costs more
   * than a copy. Undefined when the first frame may not leave. The frames are removed before anything is written: a
   * write that calls back into the hold must not find them again. No reference to them is kept, so that a long stream
   * costs no more memory than what it holds.
   */
  take(mayLeave: (held: Held) => boolean, tell: (frame: Frame) => void): Buffer | undefined {
    const queue = this.#queue
    let to = 0
    while (to < queue.length && mayLeave(queue[to]!)) to++
    if (to === 0) return undefined
    const left = queue.splice(0, to)
    for (const { frame } of left) tell(frame)
    return joined(left)
  }

  /** The frames that are still held, in order. */
  frames(): readonly Frame[] {
    return this.#queue.map(({ frame }) => frame)
  }

  clear(): void {
    this.#queue.length = 0
  }
}

/** The bytes of some frames in order. Frames that came as one chunk need no copy. */
function joined(held: readonly Held[]): Buffer {
  const { bytes, start } = held[0]!.frame
  let end = start
  let length = 0
  for (const { frame } of held) {
    length += frame.end - frame.start
    if (frame.bytes === bytes && frame.start === end) end = frame.end
  }
  if (length === end - start) return length === bytes.length ? bytes : bytes.subarray(start, end)
  const all = Buffer.allocUnsafe(length)
  let filled = 0
  for (const { frame } of held) filled += frame.bytes.copy(all, filled, frame.start, frame.end)
  return all
}
