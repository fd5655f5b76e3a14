// What a stream holds: the frames that wait for a verdict, which leave from the front, many in one write; and the text
// of one choice so far, and how much of it a safe verdict has seen.
import { lastSentenceEnd, wholeCharacter } from '../../utils/sentences.js'
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

/**
 * The most judged text that one check of a stream reads again beside the new text, in bytes of UTF-8, because text
 * outside ASCII takes more tokens. It gives enough context and keeps the cost linear in the length of the reply.
 */
export const SPAN_BYTES = 6000
/** Bytes of judged text that a check reads again when the span moves on, so that nothing can hide at the cut. */
export const OVERLAP_BYTES = 1000
/** The share of them that is read again before them to begin with a sentence. */
const SENTENCE = 0.25

interface Channel {
  /**
   * The text from the start of the next check's span. The start moves in large steps, so that the prompt's prefix
   * stays the same from check to check.
   */
  text: string
  /** Bytes of `text`. */
  bytes: number
  /** Characters of `text` that a safe verdict has seen. */
  judged: number
}

/** The text of one check, and the data to record when its verdict is safe. */
interface Snapshot {
  readonly text: string
  /** The position in the whole transcript that the snapshot covers. */
  readonly covers: number
  readonly lengths: ReadonlyMap<string, number>
}

/**
 * Text by channel (content, reasoning, the arguments of each tool call), so that interleaved words are judged as the
 * client will read them. Positions count the characters of all channels in order of arrival.
 */
export class Transcript {
  readonly #channels = new Map<string, Channel>()
  #length = 0
  #judged = 0

  /** The number of characters in all channels. */
  get length(): number {
    return this.#length
  }

  /** A safe verdict has seen everything before this position. */
  get judged(): number {
    return this.#judged
  }

  /**
   * Adds text to a channel. A new channel begins with a copy of the channel `from`, because it is the same text read
   * in another way.
   */
  add(channel: string, text: string, from?: string): void {
    const known = this.#channels.get(channel)
    if (known === undefined) {
      const before = from === undefined ? undefined : this.#channels.get(from)
      const all = (before?.text ?? '') + text
      this.#channels.set(channel, { text: all, bytes: Buffer.byteLength(all), judged: before?.judged ?? 0 })
    } else {
      known.text += text
      known.bytes += Buffer.byteLength(text)
    }
    this.#length += text.length
  }

  /** The whole text, or what is left of it after the span has moved on. */
  text(): string {
    return [...this.#channels.values()].flatMap(({ text }) => (text === '' ? [] : [text])).join('\n')
  }

  snapshot(): Snapshot {
    const channels = [...this.#channels.values()]
    if (channels.reduce((sum, { bytes }) => sum + bytes, 0) > SPAN_BYTES) leap(channels)
    return {
      text: this.text(),
      covers: this.#length,
      lengths: new Map([...this.#channels].map(([name, { text }]) => [name, text.length])),
    }
  }

  /** Records that a safe verdict saw this snapshot. */
  accept({ covers, lengths }: Snapshot): void {
    // A later snapshot, which covers this one, may have been faster.
    if (covers <= this.#judged) return
    this.#judged = covers
    for (const [name, length] of lengths) this.#channels.get(name)!.judged = length
  }
}

/**
 * Drops text that no check will read again. A stream may be endless, and its cost must not grow with its length. Nor
 * may it grow with the number of its parts: those that do not grow share one overlap.
 */
function leap(channels: readonly Channel[]): void {
  const growing = channels.filter(({ text, judged }) => judged < text.length)
  const others = channels.filter(({ text, judged }) => text !== '' && judged === text.length)
  for (const channel of growing) drop(channel, Math.min(OVERLAP_BYTES, SPAN_BYTES / growing.length))
  for (const channel of others) drop(channel, OVERLAP_BYTES / others.length)
}

function drop(channel: Channel, keep: number): void {
  const overlap = before(channel.text, channel.judged, keep)
  const start = lastSentenceEnd(channel.text, overlap - Math.floor(keep * SENTENCE), overlap) ?? overlap
  channel.text = channel.text.slice(start)
  channel.bytes = Buffer.byteLength(channel.text)
  channel.judged -= start
}

/** The index so many bytes before another one, at a whole character. */
function before(text: string, index: number, bytes: number): number {
  let start = index
  for (let left = bytes; start > 0 && left > 0; start--) {
    const code = text.charCodeAt(start - 1)
    left -= code < 0x80 ? 1 : code < 0x800 ? 2 : 3
  }
  return wholeCharacter(text, start)
}
