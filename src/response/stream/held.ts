// What a stream holds: the bytes that wait for a verdict, which leave from the front, many in one write; and the text
// of one choice so far, and how much of it a safe verdict has seen.
import { GrowingText } from '../../dialects/kit/stream-memory.js'
import { lastSentenceEnd, wholeCharacter } from '../../utils/sentences.js'
import type { Frame, FrameKind } from '../../wire/frame.js'
import { HeldBytes } from './held-bytes.js'

/** Frames that wait for the same verdict. Only bytes are kept, or a held stream would cost four times its bytes. */
export interface Held {
  bytes: number
  /** The kind of the last frame with data. */
  kind: FrameKind | undefined
  /**
   * The choice with text in these frames, and the position in that choice's text that must be judged before they may
   * leave. Position 0 means that they have no text.
   */
  choice: number
  position: number
  /** Positions of further choices with text in a frame. */
  others: Map<number, number> | undefined
  /** True when a call of a tool begins in a frame. */
  calls: boolean
  /** To be called when they leave. */
  leaves: (() => void) | undefined
}

export class HeldFrames {
  readonly #bytes = new HeldBytes()
  readonly #queue: Held[] = []
  readonly #read: (frame: Frame, held: Held) => void
  readonly #isAsked: (held: Held) => boolean

  /**
   * `read` notes what it finds in a frame. `isAsked`: true once a check has begun that covers these frames, so that
   * later ones may have to wait longer.
   */
  constructor(read: (frame: Frame, held: Held) => void, isAsked: (held: Held) => boolean) {
    this.#read = read
    this.#isAsked = isAsked
  }

  get empty(): boolean {
    return this.#queue.length === 0
  }

  /**
   * Keeps the bytes of all frames, then reads them. When one cannot be read and the stream passes all the same, those
   * of the frames after it must still be there.
   */
  add(frames: readonly Frame[]): void {
    this.#bytes.add(frames)
    for (const frame of frames) {
      const { start, end, events } = frame
      const kind = events[0]?.data === undefined ? undefined : frame.kind
      const held: Held = {
        bytes: end - start,
        kind,
        choice: 0,
        position: 0,
        others: undefined,
        calls: false,
        leaves: undefined,
      }
      this.#read(frame, held)
      const last = this.#queue.at(-1)
      if (last !== undefined && this.#goesWith(last, held)) join(last, held)
      else this.#queue.push(held)
    }
  }

  /** True when frames may leave exactly when those before them do. */
  #goesWith(last: Held, { choice, position, others, calls }: Held): boolean {
    if (calls && !last.calls) return false
    if (position === 0) return true
    const isOne = last.position > 0 && last.choice === choice && last.others === undefined && others === undefined
    return isOne && !this.#isAsked(last)
  }

  /**
   * Removes the frames at the front that may leave, and returns their bytes as one buffer, because a write costs more
   * than a copy. Undefined when the first frame may not leave. The frames are removed before anything is written: a
   * write that calls back into the hold must not find them again.
   */
  take(mayLeave: (held: Held) => boolean, tell: (held: Held) => void): Buffer | undefined {
    const queue = this.#queue
    let to = 0
    while (to < queue.length && mayLeave(queue[to]!)) to++
    if (to === 0) return undefined
    const left = queue.splice(0, to)
    for (const held of left) tell(held)
    return this.#bytes.take(left.reduce((sum, { bytes }) => sum + bytes, 0))
  }

  /** The bytes that are still held, in order. */
  bytes(): readonly Buffer[] {
    return this.#bytes.all()
  }

  clear(): void {
    this.#queue.length = 0
    this.#bytes.clear()
  }
}

function join(last: Held, { bytes, kind, choice, position, leaves }: Held): void {
  last.bytes += bytes
  last.kind = kind ?? last.kind
  if (position > 0) [last.choice, last.position] = [choice, position]
  last.leaves = leaves ?? last.leaves
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
  text: GrowingText
  /** Characters of `text` that a safe verdict has seen. */
  judged: number
}

/** The text of one check, and the data to record when its verdict is safe. */
interface Snapshot {
  readonly text: string
  /** The position in the whole transcript that the snapshot covers. */
  readonly covers: number
  readonly lengths: ReadonlyMap<Channel, number>
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

  add(channel: string, text: string): void {
    let known = this.#channels.get(channel)
    if (known === undefined) this.#channels.set(channel, (known = { text: new GrowingText(), judged: 0 }))
    known.text.add(text)
    this.#length += text.length
  }

  /** The whole text, or what is left of it after the span has moved on. */
  text(): string {
    return [...this.#channels.values()].flatMap(({ text }) => (text.length === 0 ? [] : [text.toString()])).join('\n')
  }

  snapshot(): Snapshot {
    const channels = [...this.#channels.values()]
    if (channels.reduce((sum, { text }) => sum + Buffer.byteLength(text.toString()), 0) > SPAN_BYTES) {
      leap(channels)
      for (const [name, { text }] of this.#channels) if (text.length === 0) this.#channels.delete(name)
    }
    return {
      text: this.text(),
      covers: this.#length,
      lengths: new Map(Array.from(this.#channels.values(), (channel) => [channel, channel.text.length])),
    }
  }

  /** Records that a safe verdict saw this snapshot. */
  accept({ covers, lengths }: Snapshot): void {
    // A later snapshot, which covers this one, may have been faster.
    if (covers <= this.#judged) return
    this.#judged = covers
    for (const [channel, length] of lengths) channel.judged = length
  }
}

/**
 * Drops text that no check will read again. A stream may be endless, and its cost must not grow with its length. Nor
 * may it grow with the number of its parts: those that do not grow share one overlap.
 */
function leap(channels: readonly Channel[]): void {
  const growing = channels.filter(({ text, judged }) => judged < text.length)
  const others = channels.filter(({ text, judged }) => text.length > 0 && judged === text.length)
  for (const channel of growing) drop(channel, Math.min(OVERLAP_BYTES, SPAN_BYTES / growing.length))
  for (const channel of others) drop(channel, Math.floor(OVERLAP_BYTES / others.length))
}

function drop(channel: Channel, keep: number): void {
  const text = channel.text.toString()
  const overlap = before(text, channel.judged, keep)
  const start =
    lastSentenceEnd(text, overlap - Math.floor(keep * SENTENCE), overlap) ??
    (keep < PERIOD ? overlap : inStep(text, overlap))
  channel.text = new GrowingText(text.slice(start))
  channel.judged -= start
}

/** Bytes in base64, base32 or hex, or in two of them, begin anew after so many signs. */
const PERIOD = 96
const ENCODED = /[\w+/-]/

/** The last index before another one from where an encoded text, or a word, is read as from its beginning. */
function inStep(text: string, index: number): number {
  let start = index
  while (start > 0 && ENCODED.test(text[start - 1]!)) start--
  return index - ((index - start) % PERIOD)
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
