// Most events of a stream differ from the one before them in the words of one string alone. Such an event is
// not parsed again:
// what was found in the first one, and what was not, holds for all of them.
import type { StreamDelta, StreamEvent } from '../dialect.js'
import { looksLikeMedia } from './text-walker.js'

/** Characters that end a JSON string, begin an escape, or may not stand in one, and a few more control characters. */
const NOT_PLAIN = /["\\\p{Cc}]/u

/** Remembers the last event that was read in full. One per stream. */
export class RepeatedEvent<Fact> {
  #before: string | undefined
  #after = ''
  #said: StreamDelta | undefined
  #fact: Fact | undefined

  /** The fact that was learnt with the event. Only after {@link read} has recognised one. */
  get fact(): Fact {
    return this.#fact as Fact
  }

  /**
   * Learns from an event that was read in full. `deltas` is all that it said; it serves as a pattern if that
   * is one string on `channel`, spelt without an escape anywhere in the event, and standing in one place
   * only: then it is known which characters are its words.
   */
  learn(
    { event, other, part, plain, data }: StreamEvent,
    deltas: readonly StreamDelta[],
    channel: string,
    fact: Fact,
  ): void {
    this.#before = undefined
    const [said] = deltas
    if (
      said === undefined ||
      deltas.length > 1 ||
      said.channel !== channel ||
      event !== undefined ||
      other !== undefined ||
      part !== undefined ||
      plain !== undefined ||
      data === undefined
    )
      return
    const literal = `"${said.text}"`
    const at = data.indexOf(literal)
    if (at === -1 || data.indexOf(literal, at + 1) !== -1 || data.includes('\\')) return
    this.#before = data.slice(0, at + 1)
    this.#after = data.slice(at + literal.length - 1)
    this.#said = said
    this.#fact = fact
  }

  /** What an event says that is like the one learnt in all but its words. Undefined: read it in full. */
  read({ event, other, part, plain, data }: StreamEvent): StreamDelta | undefined {
    const before = this.#before
    if (before === undefined || data === undefined || event !== undefined || other !== undefined) return undefined
    if (part !== undefined || plain !== undefined) return undefined
    const end = data.length - this.#after.length
    if (end <= before.length || data.slice(0, before.length) !== before || data.slice(end) !== this.#after)
      return undefined
    const text = data.slice(before.length, end)
    if (NOT_PLAIN.test(text) || looksLikeMedia(text)) return undefined
    return { choice: this.#said!.choice, channel: this.#said!.channel, text }
  }
}
