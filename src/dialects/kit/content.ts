// Collects the content of one message: its words, its images, and the text beside them.
import type { Image } from '../../types.js'
import type { Sink } from './media.js'

/**
 * The content of one message. Its text parts are joined to one text, as a model reads them. Every other string is a
 * line of its own.
 */
export class Content implements Sink {
  readonly images: Image[] = []
  /** True when some of the content is not a tool's result. */
  human = false
  readonly #mine: boolean
  readonly #pieces: string[] = []
  /** The text parts since the last other part, and the text beside them. */
  #run: string | undefined
  #beside: string[] = []
  readonly #runs: string[] = []

  /** `mine` is true when the words are a human's own. */
  constructor(mine: boolean) {
    this.#mine = mine
  }

  /** Adds the words of a text part. They continue the part before, even when images stand between the two. */
  say(words: string): void {
    if (words === '') return
    this.#run = (this.#run ?? '') + words
    this.human ||= this.#mine
  }

  /** Adds a string that is no text part. */
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

  /** Ends the current text, because a part of another kind follows. */
  breakOff(): void {
    if (this.#run === undefined) return
    this.#runs.push(this.#run)
    this.#pieces.push(this.#run)
    for (const piece of this.#beside) this.#pieces.push(piece)
    this.#run = undefined
    this.#beside = []
  }

  /** Adds the content of an inner part, for example of a tool's result. */
  take(inner: Content): void {
    this.breakOff()
    const text = inner.toString()
    if (text !== '') this.#pieces.push(text)
    for (const image of inner.images) this.images.push(image)
    this.human ||= inner.human
  }

  /**
   * All lines. A handler may join only the text parts and leave out what stands between them, so a word that was
   * split there is also read joined.
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
