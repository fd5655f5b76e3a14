// The text of one choice of a stream so far, and how much of it a safe verdict has seen.

/**
 * The most judged text that one check of a stream reads again beside the new text. It gives enough context and keeps
 * the cost linear in the length of the reply.
 */
export const SPAN_CHARS = 8000
/** Characters of judged text that a check reads again when the span moves on, so that nothing can hide at the cut. */
export const OVERLAP_CHARS = 1000

interface Channel {
  /**
   * The text from the start of the next check's span. The start moves in large steps, so that the prompt's prefix
   * stays the same from check to check.
   */
  text: string
  /** Characters of `text` that a safe verdict has seen. */
  judged: number
}

/** The text of one check, and the data to record when its verdict is safe. */
export interface Snapshot {
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
      this.#channels.set(channel, { text: (before?.text ?? '') + text, judged: before?.judged ?? 0 })
    } else known.text += text
    this.#length += text.length
  }

  /** Gives every channel a copy, whose name begins with `prefix`. */
  fork(prefix: string): void {
    for (const [name, channel] of [...this.#channels])
      if (!isFork(name)) this.#channels.set(prefix + name, { ...channel })
  }

  /** The whole text, or what is left of it after the span has moved on. */
  text(): string {
    return [...this.#channels.values()].flatMap(({ text }) => (text === '' ? [] : [text])).join('\n')
  }

  snapshot(): Snapshot {
    const channels = [...this.#channels.values()]
    if (channels.reduce((sum, { text }) => sum + text.length, 0) > SPAN_CHARS) channels.forEach(leap)
    return {
      text: this.text(),
      covers: this.#length,
      lengths: new Map([...this.#channels].map(([name, { text }]) => [name, text.length])),
    }
  }

  /** Records that a safe verdict saw this snapshot. */
  accept({ covers, lengths }: Snapshot): void {
    this.#judged = covers
    for (const [name, length] of lengths) this.#channels.get(name)!.judged = length
  }
}

/** True for the name of a fork, which begins with the name of its reading and a bar. */
function isFork(name: string): boolean {
  return /^[a-z]+\|/.test(name)
}

/** Drops text that no check will read again. A stream may be endless, and its cost must not grow with its length. */
function leap(channel: Channel): void {
  const start = wholeCharacter(channel.text, Math.max(0, channel.judged - OVERLAP_CHARS))
  channel.text = channel.text.slice(start)
  channel.judged -= start
}

/** Moves an index that points between the halves of a surrogate pair to the pair's start. */
function wholeCharacter(text: string, index: number): number {
  const code = text.charCodeAt(index)
  return index > 0 && code >= 0xdc00 && code <= 0xdfff ? index - 1 : index
}
