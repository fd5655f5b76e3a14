// Finds text that is spelt in numbers of fields of their own, one character each: `[{"x":104},{"x":105}]`.

/** From this many numbers on, those of one field may be a text. */
const TEXT_OF_A_FIELD = 8
/** From this many on, those of all fields may be one, a letter in each field in turn. Settings are fewer. */
const TEXT_IN_ALL = 16
const NUMBER = /^\d{2,7}$/
const FIRST_VISIBLE = 0x20
const LAST_CODE = 0x10ffff

/** Keeps the numbers of one request that go unjudged and may be codes of characters. */
export class CharacterCodes {
  /** The numbers of each field; undefined for a field whose numbers are judged. */
  readonly #unjudged = new Map<string, string[] | undefined>()
  #count = 0

  /** What must be judged now that this number has come: nothing while numbers are few, then all of them. */
  judged(number: string, key: string): readonly string[] {
    if (!NUMBER.test(number) || Number(number) < FIRST_VISIBLE || Number(number) > LAST_CODE) return []
    const kept = this.#unjudged.has(key) ? this.#unjudged.get(key) : []
    if (kept === undefined) return [number]
    kept.push(number)
    this.#unjudged.set(key, kept)
    this.#count += 1
    if (this.#count >= TEXT_IN_ALL) return [...this.#unjudged.keys()].flatMap((each) => this.#taken(each))
    return kept.length < TEXT_OF_A_FIELD ? [] : this.#taken(key)
  }

  #taken(key: string): readonly string[] {
    const kept = this.#unjudged.get(key) ?? []
    this.#unjudged.set(key, undefined)
    return kept
  }
}
