// Gathers the text of each choice of a whole reply, and of what stands beside the choices.
// Shared by every dialect, so that all of them join pieces the same way.
import { isObject } from '../../utils/json.js'
import type { ReplyChoice } from '../dialect.js'

/** Pieces per choice, in the order they were found. */
export class ChoiceTexts {
  readonly #pieces = new Map<number, string[]>()

  /** Makes the choice known even if it has no text. */
  open(index: number): string[] {
    let pieces = this.#pieces.get(index)
    if (pieces === undefined) {
      pieces = []
      this.#pieces.set(index, pieces)
    }
    return pieces
  }

  add(index: number, text: string): void {
    this.open(index).push(text)
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
    return [...this.#pieces].map(([index, pieces]) => ({ index, text: pieces.join('\n') }))
  }
}

/** Interleaved list items say which one they are; their place in one event says nothing. */
export function itemIndex(item: unknown, position: number): number {
  const index = isObject(item) ? item.index : undefined
  return Number.isSafeInteger(index) && (index as number) >= 0 ? (index as number) : position
}
