// Collects the text of each choice of a whole reply, and the text beside the choices. Every dialect uses it, so that
// all join pieces in the same way.
import { isObject } from '../../utils/json.js'
import type { ReplyChoice } from '../dialect.js'

/** The path of `text` of an item of a list. */
const PART_TEXT = /(?:^|\.)\d+\.text$/

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

/** An index in a string, which is the same to clients that keep items in an array. */
const INDEX = /^(?:0|[1-9]\d{0,8})$/

/**
 * The index that an interleaved list item names for itself. Its position in one event does not tell which item it is.
 */
export function itemIndex(item: unknown, position: number): number {
  const index = isObject(item) ? item.index : undefined
  if (typeof index === 'string' && INDEX.test(index)) return Number(index)
  return Number.isSafeInteger(index) && (index as number) >= 0 ? (index as number) : position
}
