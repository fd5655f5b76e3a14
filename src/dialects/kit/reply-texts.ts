// Gathers the text of each choice of a whole reply, and of what stands beside the choices.
// Shared by every dialect, so that all of them join pieces the same way.
import { isObject } from '../../utils/json.js'
import type { ReplyChoice } from '../dialect.js'

/** `text` of an item of a list. */
const PART_TEXT = /(?:^|\.)\d+\.text$/

/** Pieces per choice, in the order they were found. */
export class ChoiceTexts {
  readonly #pieces = new Map<number, string[]>()
  /** Texts of parts, which many clients show without anything between them. */
  readonly #parts = new Map<number, string[]>()

  /** Makes the choice known even if it has no text. */
  open(index: number): string[] {
    let pieces = this.#pieces.get(index)
    if (pieces === undefined) {
      pieces = []
      this.#pieces.set(index, pieces)
    }
    return pieces
  }

  /** `path`: where the text stands, for readers that join the texts of parts. */
  add(index: number, text: string, path = ''): void {
    this.open(index).push(text)
    if (!PART_TEXT.test(path)) return
    const parts = this.#parts.get(index)
    if (parts === undefined) this.#parts.set(index, [text])
    else parts.push(text)
  }

  /** Text outside any choice reaches every reader of the reply: it is judged with the first choice. */
  addOutside(text: string): void {
    this.add(this.first(), text)
  }

  first(): number {
    for (const index of this.#pieces.keys()) return index
    return 0
  }

  list(): readonly ReplyChoice[] {
    return [...this.#pieces].map(([index, pieces]) => {
      const parts = this.#parts.get(index) ?? []
      return { index, text: [...pieces, ...(parts.length > 1 ? [parts.join('')] : [])].join('\n') }
    })
  }
}

/** Interleaved list items say which one they are; their place in one event says nothing. */
export function itemIndex(item: unknown, position: number): number {
  const index = isObject(item) ? item.index : undefined
  return Number.isSafeInteger(index) && (index as number) >= 0 ? (index as number) : position
}
