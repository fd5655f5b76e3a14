// Texts of the parts of one message in one event, which many clients show without anything between them.

const PART_TEXT = /^(.*\.)?\d+\.text$/

/** One per event. */
export class PartTexts {
  readonly #lists = new Map<string, string[]>()

  add(path: string, text: string): void {
    const found = PART_TEXT.exec(path)
    if (found === null) return
    const [, list = ''] = found
    const texts = this.#lists.get(list)
    if (texts === undefined) this.#lists.set(list, [text])
    else texts.push(text)
  }

  /** The joined text of each list with several parts, by the place of the list. */
  joined(): readonly (readonly [list: string, text: string])[] {
    return [...this.#lists].flatMap(([list, texts]) => (texts.length > 1 ? [[list, texts.join('')] as const] : []))
  }
}
