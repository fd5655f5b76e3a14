// Streams of one word an event (`data: word`, `{"token":"word"}`) leave the blanks to their readers. Joined as they
// come, a guard reads nothing in them. While no text of a channel begins or ends with a blank, a second channel
// has the texts with a blank between words, as such a reader shows them; both are judged, because a model may write
// pieces of words without a blank among them. Languages that write no blanks between words stay whole.
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

/** Needs one instance per stream. */
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
