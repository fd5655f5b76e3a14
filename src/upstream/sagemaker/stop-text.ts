// Removes the stop sequence at the end of an answer: containers leave it in, Chat Completions leaves it out.

/** Passes text on as it comes, but holds back an end that may become a stop sequence. */
export class StopText {
  readonly #stops: readonly string[]
  #held = ''

  constructor(stops: readonly string[]) {
    this.#stops = stops
  }

  /** The text that can be sent now. */
  push(text: string): string {
    this.#held += text
    const keep = this.#possible()
    const out = this.#held.slice(0, this.#held.length - keep)
    this.#held = this.#held.slice(out.length)
    return out
  }

  /** The text that was held back, without a stop sequence at its end. */
  end(): string {
    const stop = this.#stops.find((sequence) => this.#held.endsWith(sequence))
    const out = stop === undefined ? this.#held : this.#held.slice(0, -stop.length)
    this.#held = ''
    return out
  }

  // The length of the longest end that begins or is a stop sequence.
  #possible(): number {
    let longest = 0
    for (const stop of this.#stops) {
      for (let length = Math.min(stop.length, this.#held.length); length > longest; length -= 1) {
        if (stop.startsWith(this.#held.slice(-length))) longest = length
      }
    }
    return longest
  }
}
