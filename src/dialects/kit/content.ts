// Collects what one message says: its words, its pictures, and what stands beside them.
import type { Image } from '../../types.js'
import type { Sink } from './media.js'

/** What one message says. Its text parts are one text, as a model reads them; everything else is a line of its own. */
export class Content implements Sink {
  readonly images: Image[] = []
  /** True when something in it is not a tool's result. */
  human = false
  readonly #mine: boolean
  readonly #pieces: string[] = []
  /** The text parts since the last piece, and what stands beside their words. */
  #run: string | undefined
  #beside: string[] = []
  readonly #runs: string[] = []

  /** `mine`: its words are a human's own. */
  constructor(mine: boolean) {
    this.#mine = mine
  }

  /** The words of a text part: they go on where the ones before ended, whatever pictures stand between. */
  say(words: string): void {
    if (words === '') return
    this.#run = (this.#run ?? '') + words
    this.human ||= this.#mine
  }

  /** A string beside the words. */
  text(text: string): void {
    if (text === '') return
    if (this.#run === undefined) this.#pieces.push(text)
    else this.#beside.push(text)
    this.human ||= this.#mine
  }

  picture(image: Image): void {
    this.images.push(image)
    this.human ||= this.#mine
  }

  /** A part that is no text ends the text before it. */
  breakOff(): void {
    if (this.#run === undefined) return
    this.#runs.push(this.#run)
    this.#pieces.push(this.#run)
    for (const piece of this.#beside) this.#pieces.push(piece)
    this.#run = undefined
    this.#beside = []
  }

  /** Content within this one, for example of a tool's result. */
  take(inner: Content): void {
    this.breakOff()
    const text = inner.toString()
    if (text !== '') this.#pieces.push(text)
    for (const image of inner.images) this.images.push(image)
    this.human ||= inner.human
  }

  /**
   * A handler that picks the text parts out joins them over what stood between, so a word that was split there
   * is also read whole.
   */
  toString(): string {
    this.breakOff()
    const split = this.#runs.some((run, at) => at > 0 && isWordAt(this.#runs[at - 1]!, -1) && isWordAt(run, 0))
    return (split ? [...this.#pieces, this.#runs.join('')] : this.#pieces).join('\n')
  }
}

function isWordAt(text: string, at: number): boolean {
  return /[\p{L}\p{N}\p{M}_]/u.test(text.at(at) ?? '')
}
