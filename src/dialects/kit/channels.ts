// What a stream says in two ways: words without blanks between them, which readers show with blanks, and texts that come
// in pieces and again as a whole.
import { GrowingText } from '../../utils/growing-text.js'
import type { StreamDelta } from '../dialect.js'

/** Texts after which the second channel begins. Models write a blank with one of their first tokens. */
const FIRST_TEXTS = 4
/** The most characters that are kept for a second channel that may still begin. */
const MAX_CHARS = 1000
const MAX_CHANNELS = 64
const WORD_ENDS = /[\p{L}\p{M}\p{N}.,;:!?%)\]"'’”]$/u
const WORD_BEGINS = /^[\p{L}\p{N}([“"‘]/u
const WITHOUT_BLANKS =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u

interface Words {
  texts: number
  last: string
  /** The texts so far, with blanks. Undefined once they have been added to the second channel. */
  spaced: string | undefined
  differs: boolean
}

/**
 * Streams of one word an event (`data: word`, `{"token":"word"}`) leave the blanks to their readers. Joined as they
 * come, a guard reads nothing in them. While no text of a channel begins or ends with a blank, a second channel
 * has the texts with a blank between words, as such a reader shows them; both are judged, because a model may write
 * pieces of words without a blank among them. Languages that write no blanks between words stay whole. Needs one
 * instance per stream.
 */
export class SpacedWords {
  readonly #channels = new Map<string, Words | 'blanks'>()

  /** Call it for each text of a channel that has been added to `deltas`. */
  add(deltas: StreamDelta[], choice: number, channel: string, text: string): void {
    const key = `${choice} ${channel}`
    const words = this.#channels.get(key)
    if (words === 'blanks' || text === '') return
    // An app that splits a text at its blanks leaves the line breaks, and the model chooses those.
    if (/^ | $/.test(text)) return this.#end(key)
    if (words === undefined) {
      if (this.#channels.size < MAX_CHANNELS)
        this.#channels.set(key, { texts: 1, last: text, spaced: text, differs: false })
      return
    }
    const between = blankBetween(words.last, text)
    words.last = text
    words.texts += 1
    words.differs ||= between !== ''
    const added = between + text
    if (words.spaced === undefined) return void deltas.push({ choice, channel: `${channel} words`, text: added })
    words.spaced += added
    const { spaced } = words
    if (words.differs && (words.texts >= FIRST_TEXTS || spaced.length > MAX_CHARS)) {
      deltas.push({ choice, channel: `${channel} words`, text: spaced })
      words.spaced = undefined
      // What does not differ is judged in the first channel.
    } else if (spaced.length > MAX_CHARS) words.spaced = spaced.slice(-MAX_CHARS / 2)
  }

  #end(key: string): void {
    if (this.#channels.has(key) || this.#channels.size < MAX_CHANNELS) this.#channels.set(key, 'blanks')
  }
}

function blankBetween(before: string, after: string): string {
  const [end, start] = [before.slice(-2), after.slice(0, 2)]
  return WORD_ENDS.test(end) && WORD_BEGINS.test(start) && !WITHOUT_BLANKS.test(end) && !WITHOUT_BLANKS.test(start)
    ? ' '
    : ''
}

/** A shorter text may be a part of a word, even in an event that repeats what came before. */
export const REPEATED_LENGTH = 24

/** Characters that are remembered of a stream, and what a text costs beside its own. */
const MOST_SAID = 4_000_000
const TEXT_COST = 64

/**
 * What a stream has said, in pieces and as a whole, so that the same text said again as a whole is judged once. What is
 * not remembered is judged again.
 */
export class SaidTexts {
  readonly #pieces = new Map<string, GrowingText>()
  /** The channel on which each whole text was first seen. */
  readonly #wholes = new Map<string, string>()
  #room = MOST_SAID

  append(channel: string, text: string): void {
    const said = this.#pieces.get(channel) ?? new GrowingText()
    if (!this.#takes(text.length + (said.length === 0 ? TEXT_COST : 0))) return void this.#pieces.delete(channel)
    said.add(text)
    this.#pieces.set(channel, said)
  }

  /** True the first time that this text comes, and whenever a short text comes again at the same place. */
  isNew(channel: string, text: string): boolean {
    if (this.#isWhole(text)) return false
    const first = this.#wholes.get(text)
    if (first === undefined && this.#takes(text.length + TEXT_COST)) this.#wholes.set(text, channel)
    return first === undefined || (first === channel && text.length < REPEATED_LENGTH)
  }

  holds(text: string): boolean {
    return this.#isWhole(text) || (text.length >= REPEATED_LENGTH && this.#wholes.has(text))
  }

  #takes(characters: number): boolean {
    const fits = characters <= this.#room
    if (fits) this.#room -= characters
    return fits
  }

  #isWhole(text: string): boolean {
    for (const said of this.#pieces.values()) if (said.length === text.length && said.toString() === text) return true
    return false
  }
}
