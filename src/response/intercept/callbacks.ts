// The callbacks of held writes. A producer that waits for its callbacks writes only as fast as guard and client can
// take it.
import type { Callback } from './arguments.js'

const NONE: Callback[] = []

/**
 * The waiting callbacks, in the order of their writes. A producer that waits for them adds at most one hold's worth.
 */
export class WriteCallbacks {
  #waiting = NONE

  /** Calls the callback on the next tick when there is room. Otherwise it waits for {@link callAll}. */
  add(callback: Callback | undefined, room: boolean): void {
    if (callback === undefined) return
    if (room && this.#waiting.length === 0) return process.nextTick(callback)
    if (this.#waiting === NONE) this.#waiting = []
    this.#waiting.push(callback)
  }

  get empty(): boolean {
    return this.#waiting.length === 0
  }

  /** Call it when there is room again, or when there never will be. */
  callAll(call: (callback: Callback) => void = (callback) => process.nextTick(callback)): void {
    const waiting = this.#waiting
    this.#waiting = NONE
    for (const callback of waiting) call(callback)
  }
}
