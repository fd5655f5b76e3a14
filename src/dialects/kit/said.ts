// Knows again the texts that were found in a body.

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
