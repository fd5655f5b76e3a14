// What one choice of a stream has said so far, and how much of it a safe verdict has seen.

/**
 * The most text one check of a stream reads beside what is new: enough context, and cost that stays linear in
 * the reply.
 */
export const SPAN_CHARS = 8000
/** Text already judged that a check reads again when the span moves on, so that nothing hides on the cut. */
export const OVERLAP_CHARS = 1000

interface Channel {
  /**
   * From where the span of the next check starts. That moves in leaps, so that the prompt's prefix stays the
   * same from check to check.
   */
  text: string
  /** Characters of `text` that a safe verdict has seen. */
  judged: number
}

/** A check's text, and what to remember when it comes back safe. */
export interface Snapshot {
  readonly text: string
  /** Position in the transcript's whole length that the snapshot covers. */
  readonly covers: number
  readonly lengths: ReadonlyMap<string, number>
}

/**
 * Text by channel (content, reasoning, each tool call's arguments), so that words which arrive interleaved
 * are judged as they will be read. Positions count all channels' characters in order of arrival.
 */
export class Transcript {
  readonly #channels = new Map<string, Channel>()
  #length = 0
  #judged = 0

  /** Characters in all. */
  get length(): number {
    return this.#length
  }

  /** Everything before this position has been seen by a safe verdict. */
  get judged(): number {
    return this.#judged
  }

  /** A new channel begins with what `from` has said so far: it is the same text, read in another way. */
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

  /** Everything, where nothing has been forgotten. */
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

  /** A safe verdict saw this snapshot. */
  accept({ covers, lengths }: Snapshot): void {
    this.#judged = covers
    for (const [name, length] of lengths) this.#channels.get(name)!.judged = length
  }
}

/** Names of forks begin with the name of their reading and a bar. */
function isFork(name: string): boolean {
  return /^[a-z]+\|/.test(name)
}

/** Forgets what no check will read again: a stream may be endless, and must not cost more the longer it gets. */
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
