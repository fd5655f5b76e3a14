// Takes the stop sequence off the end of an answer: containers leave it in, Chat Completions leaves it out.

/** Passes text on as it comes, but keeps back an end that may turn out to be a stop sequence. */
export class StopText {
  readonly #stops: readonly string[]
  #held = ''

  constructor(stops: readonly string[]) {
    this.#stops = stops
  }

  /** What can go out now. */
  push(text: string): string {
    this.#held += text
    const keep = this.#possible()
    const out = this.#held.slice(0, this.#held.length - keep)
    this.#held = this.#held.slice(out.length)
    return out
  }

  /** What was held back, less a stop sequence at its very end. */
  end(): string {
    const stop = this.#stops.find((sequence) => this.#held.endsWith(sequence))
    const out = stop === undefined ? this.#held : this.#held.slice(0, -stop.length)
    this.#held = ''
    return out
  }

  // The longest end that begins a stop sequence, or is one.
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
