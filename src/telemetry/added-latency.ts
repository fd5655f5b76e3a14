// Measures what the guard adds to one request: the wait before its handler, and the time its reply is held.
import type { AddedLatency } from '../types.js'

export class AddedLatencyClock {
  #input: number | undefined
  #firstGiven: number | undefined
  #firstLeft: number | undefined
  #lastGiven: number | undefined
  #lastLeft: number | undefined

  /** Measures how long an answer takes. */
  async waitsFor<T>(answer: Promise<T>): Promise<T> {
    const started = performance.now()
    try {
      return await answer
    } finally {
      this.#input = performance.now() - started
    }
  }

  /** The handler has written to a reply that is held. */
  gave(last: boolean): void {
    if (this.#firstGiven !== undefined && !last) return
    const now = performance.now()
    this.#firstGiven ??= now
    if (last) this.#lastGiven = now
  }

  /** Bytes of the handler have left. */
  left(last: boolean): void {
    if (this.#firstLeft !== undefined && !last) return
    const now = performance.now()
    this.#firstLeft ??= now
    if (last) this.#lastLeft = now
  }

  get added(): AddedLatency {
    const firstByte = between(this.#firstGiven, this.#firstLeft)
    const lastByte = between(this.#lastGiven, this.#lastLeft)
    return {
      ...(this.#input !== undefined && { input: rounded(this.#input) }),
      ...(firstByte !== undefined && { firstByte }),
      ...(lastByte !== undefined && { lastByte }),
    }
  }
}

function between(from: number | undefined, to: number | undefined): number | undefined {
  return from === undefined || to === undefined ? undefined : rounded(to - from)
}

function rounded(ms: number): number {
  return Math.round(ms * 10) / 10
}
