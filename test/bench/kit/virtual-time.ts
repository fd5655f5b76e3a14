// A clock for simulations. Timers fire in order of time, and the clock jumps to each of them, so that a reply of ten
// minutes takes as long as its work, and every run gives the same numbers.
import { setImmediate as nextTurn } from 'node:timers/promises'

interface Timer {
  readonly at: number
  readonly call: () => void
}

/** Turns of the real event loop after which nothing moves any more without a timer. */
const TURNS = 4

/** Replaces `setTimeout`, `clearTimeout` and `performance.now` of this process. */
export class VirtualTime {
  #now = 0
  #made = 0
  readonly #timers = new Map<number, Timer>()

  install(): this {
    const set = (call: (...args: unknown[]) => void, ms = 0, ...args: unknown[]): unknown => {
      const id = ++this.#made
      this.#timers.set(id, { at: this.#now + Math.max(0, ms), call: () => call(...args) })
      return { id, unref: () => undefined, ref: () => undefined, [Symbol.toPrimitive]: () => id }
    }
    const clear = (timer: unknown): void => void this.#timers.delete(Number(timer))
    Object.assign(globalThis, { setTimeout: set, clearTimeout: clear })
    performance.now = () => this.#now
    return this
  }

  get now(): number {
    return this.#now
  }

  sleep(ms: number): Promise<void> {
    return new Promise((wake) => void setTimeout(wake, ms))
  }

  /** Fires timers until `work` has settled. */
  async run<T>(work: Promise<T>): Promise<T> {
    let settled = false
    const over = (): void => void (settled = true)
    work.then(over, over)
    for (;;) {
      for (let turn = 0; turn < TURNS; turn++) await nextTurn()
      if (settled) return work
      const [id, next] = this.#earliest()
      this.#timers.delete(id)
      this.#now = Math.max(this.#now, next.at)
      next.call()
    }
  }

  #earliest(): [number, Timer] {
    let first: [number, Timer] | undefined
    for (const entry of this.#timers) if (first === undefined || entry[1].at < first[1].at) first = entry
    if (first === undefined) throw new Error('Nothing is due, and the work has not settled.')
    return first
  }
}
