// The names of fields in a reply: which of them a path may show, and how often an unknown one is judged.
import { isReplyKey } from './reply-vocabulary.js'

/** The most different names whose state is kept for one reply. */
const SHOWN_KEYS = 512
/** A name shorter than this is judged as often as it comes, for it may be a part of a word. */
const SHORT_KEY = 4
const KEY_COPIES = 2

const IDENTIFIER = /^[\w.:/+=@-]{0,128}$/

/** True for a string that cannot be prose: short and without white space. */
export function isIdentifier(text: string, maxLength = 128): boolean {
  return text.length <= maxLength && IDENTIFIER.test(text)
}

/** The names of one reply or stream. */
export class ReplyNames {
  readonly #metadata: ReadonlySet<string>
  readonly #shown = new Set<string>()
  /** How many times each unknown name has been judged. */
  readonly #told = new Map<string, number>()

  constructor(metadata: ReadonlySet<string>) {
    this.#metadata = metadata
  }

  /** True for a name of an API's reference. */
  isKnown(name: string): boolean {
    return isReplyKey(name) || this.#metadata.has(name)
  }

  /** True for a name that a path may show: a known one, or one of the first that cannot be prose. */
  isShown(name: string): boolean {
    if (this.isKnown(name) || this.#shown.has(name)) return true
    if (!isIdentifier(name) || this.#shown.size >= SHOWN_KEYS) return false
    this.#shown.add(name)
    return true
  }

  /** Counts an unknown name. False for a long one that has been judged often enough. */
  mayTell(name: string): boolean {
    const times = this.#told.get(name) ?? 0
    if (name.length >= SHORT_KEY && times >= KEY_COPIES) return false
    if (times > 0 || this.#told.size < SHOWN_KEYS) this.#told.set(name, times + 1)
    return true
  }
}
