// Texts of parts that clients show one after the other, although each part grows by itself.
import type { StreamDelta } from '../dialect.js'

/**
 * The text of all parts in order of arrival, for clients that do not tell parts apart. Needs one instance per stream.
 */
export class JoinedParts {
  readonly #first = new Map<number, string>()
  readonly #several = new Set<number>()

  /** Adds nothing while only one part has text, because its own channel is then the whole text. */
  add(deltas: StreamDelta[], choice: number, channel: string, text: string): void {
    const first = this.#first.get(choice)
    if (first === undefined) this.#first.set(choice, channel)
    if (first === undefined || (first === channel && !this.#several.has(choice))) return
    if (!this.#several.has(choice)) {
      this.#several.add(choice)
      deltas.push({ choice, channel: 'parts', text: '', from: first })
    }
    deltas.push({ choice, channel: 'parts', text })
  }
}
