// The values in metadata fields of a reply that go unjudged: fixed values, a bounded number of ids, random padding.
import { isPadding } from './identifiers.js'
import { isFixedInReply, isIdInReply } from './reply-vocabulary.js'

// Many ids with one word each would spell a sentence, so only this many different ones go unjudged.
const FREE_VALUES = 128
/** Ids from here on may not have even a short word among their characters. */
const LOOSE_VALUES = 16
const PADDING_KEPT = 256

/** Decides for one reply or stream, because the ids are counted over all of it. */
export class UnjudgedMetadata {
  readonly #ids = new Set<string>()
  #padding = ''

  /** True for a value that may go unjudged. */
  has(value: string, key: string): boolean {
    if (isFixedInReply(value)) return true
    if (this.#ids.has(value)) return true
    if (this.#ids.size >= FREE_VALUES || !isIdInReply(key, value, this.#ids.size >= LOOSE_VALUES)) return false
    this.#ids.add(value)
    return true
  }

  /**
   * What is judged of the padding of an event. Padding hides the length of the event: it is random, and other in every
   * event. Words may come in pieces, so the padding of earlier events is judged with it. Undefined for random padding.
   */
  wordsOfPadding(text: string): string | undefined {
    const all = this.#padding + text
    this.#padding = all.slice(-PADDING_KEPT)
    if (isPadding(this.#padding, text)) return undefined
    this.#padding = ''
    return isPadding('', text) ? all : text
  }
}
