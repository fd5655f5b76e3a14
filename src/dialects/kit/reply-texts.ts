// Collects the text of each choice of a whole reply, and the text beside the choices. Every dialect uses it, so that
// all join pieces in the same way.
import type { ReplyChoice } from '../dialect.js'
import { type ReplyFields, TextWalker, type WalkerOptions } from './reply-fields.js'

/** The path of the text of an item of a list: of its `text`, or of `text.value`. */
export const PART_TEXT = /^(.*\.)?\d+\.text(?:\.value)?$/

/** The pieces of each choice, in the order in which they were found. */
export class ChoiceTexts {
  readonly #pieces = new Map<number, string[]>()
  /** The texts of parts, which many clients show without a separator. */
  readonly #parts = new Map<number, string[]>()

  /** Makes a choice known even when it has no text. */
  open(index: number): string[] {
    let pieces = this.#pieces.get(index)
    if (pieces === undefined) {
      pieces = []
      this.#pieces.set(index, pieces)
    }
    return pieces
  }

  /** `path` is the place of the text. Clients may join the texts of parts. */
  add(index: number, text: string, path = ''): void {
    this.open(index).push(text)
    if (!PART_TEXT.test(path)) return
    const parts = this.#parts.get(index)
    if (parts === undefined) this.#parts.set(index, [text])
    else parts.push(text)
  }

  /** Adds text outside any choice. Every client may read it, so it is judged with the first choice. */
  addOutside(text: string): void {
    const [first = 0] = this.#pieces.keys()
    this.add(first, text)
  }

  list(): readonly ReplyChoice[] {
    return [...this.#pieces].map(([index, pieces]) => {
      const parts = this.#parts.get(index) ?? []
      return { index, text: [...pieces, ...(parts.length > 1 ? [parts.join('')] : [])].join('\n') }
    })
  }
}

/** All text of the reply as one choice, by what the API says of its fields. */
export function oneChoice(body: unknown, fields: ReplyFields, options?: WalkerOptions): readonly ReplyChoice[] {
  const texts = new ChoiceTexts()
  texts.open(0)
  new TextWalker(fields, options).walk(body, (path, text) => texts.add(0, text, options?.named ? '' : path))
  return texts.list()
}

const PROBE = 64
const MAX_PLACES = 4
/** The most characters that all searches of one body may read. */
const MAX_SCANNED = 4 * 1024 * 1024

/**
 * Remembers texts that were found in a body, so that the rest of it is judged only once. A plain `includes` for each
 * string would take time quadratic in the size of the body.
 */
export class Said {
  readonly #whole: ReadonlySet<string>
  readonly #joined: string
  #scanned = 0

  constructor(texts: readonly string[]) {
    this.#whole = new Set(texts)
    this.#joined = texts.join('\n')
  }

  /**
   * True when the text is among those found. After many searches, or for a text that begins like many others, it
   * returns false, and the text is judged once more.
   */
  has(text: string): boolean {
    if (this.#whole.has(text)) return true
    if (text.length > this.#joined.length || this.#scanned >= MAX_SCANNED) return false
    const probe = text.slice(0, PROBE)
    let at = -1
    for (let places = 0; places < MAX_PLACES; places += 1) {
      this.#scanned += this.#joined.length - at
      at = this.#joined.indexOf(probe, at + 1)
      if (at === -1) return false
      this.#scanned += text.length
      if (this.#joined.startsWith(text, at)) return true
    }
    return false
  }
}
