// The callbacks of writes that are held. A producer that waits for them goes at the pace of guard and client.
import type { Callback } from './arguments.js'

const NONE: Callback[] = []

/** Callbacks in the order of their writes. At most one hold's worth of writes, when the producer waits for them. */
export class WriteCallbacks {
  #waiting = NONE

  /** Calls it soon, or with the others when there is no room for more now. */
  add(callback: Callback | undefined, room: boolean): void {
    if (callback === undefined) return
    if (room && this.#waiting.length === 0) return process.nextTick(callback)
    if (this.#waiting === NONE) this.#waiting = []
    this.#waiting.push(callback)
  }

  get empty(): boolean {
    return this.#waiting.length === 0
  }

  /** There is room again, or nobody will ever wait for any. */
  callAll(call: (callback: Callback) => void = (callback) => process.nextTick(callback)): void {
    const waiting = this.#waiting
    this.#waiting = NONE
    for (const callback of waiting) call(callback)
  }
}
