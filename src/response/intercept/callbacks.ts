// The callbacks of held writes, and what a handler was told about waiting. A producer that waits for its callbacks or
// for 'drain' writes only as fast as guard and client can take it.
import type { ServerResponse } from 'node:http'
import type { Callback } from './arguments.js'

const NONE: Callback[] = []

export class Backpressure {
  readonly #res: ServerResponse
  /** The waiting callbacks, in the order of their writes. They add at most one hold's worth. */
  #waiting = NONE
  /**
   * When a middleware before us has replaced res.on, our 'drain' event reaches nobody. The handler is then not told to
   * wait, and only the byte bound limits the hold.
   */
  readonly #drainIsHeard: boolean
  #slowClient = false
  #toldFull = false
  #toldToWait = false

  constructor(res: ServerResponse) {
    this.#res = res
    this.#drainIsHeard = !Object.hasOwn(res, 'on')
  }

  /** True while the client reads too slowly. */
  get slowClient(): boolean {
    return this.#slowClient
  }

  get areWaiting(): boolean {
    return this.#waiting.length > 0
  }

  /** Notes what a write to the functions below has returned. */
  noteSent(fits: unknown): void {
    // A wrapped write() may return undefined. Node's own flag then tells whether the client is slow.
    if (fits === false || (fits === undefined && this.#res.writableNeedDrain)) this.#slowClient = true
  }

  /** The client reads again. `full`: the hold wants no more bytes. */
  noteDrain(full: boolean): void {
    this.#slowClient = false
    if (!full) this.callAll()
  }

  /** A pipe that is told false waits for a 'drain', which {@link letGoOn} emits. */
  noteTooLate(): false {
    this.#toldToWait = true
    return false
  }

  /**
   * Takes the callback of a write that is held, and returns what the write returns. The callback runs on the next tick
   * when there is room. Otherwise it waits for {@link callAll}.
   */
  add(callback: Callback | undefined, full: boolean): boolean {
    if (callback !== undefined) {
      if (!full && !this.#slowClient && this.#waiting.length === 0) process.nextTick(callback)
      else if (this.#waiting === NONE) this.#waiting = [callback]
      else this.#waiting.push(callback)
    }
    this.#toldFull = full && this.#drainIsHeard
    this.#toldToWait = this.#slowClient || this.#toldFull
    return !this.#toldToWait
  }

  /** The hold has room again. */
  noteRoom(): void {
    if (this.#slowClient) return
    this.callAll()
    if (!this.#toldFull) return
    this.#toldFull = false
    this.#res.emit('drain')
  }

  /** Lets a handler go on whose client has another answer, so that it does not wait for ever. */
  letGoOn(): void {
    if (this.#toldToWait) process.nextTick(() => this.#res.emit('drain'))
    this.#toldToWait = false
  }

  /** Call it when there is room again, or when there never will be. */
  callAll(call: (callback: Callback) => void = (callback) => process.nextTick(callback)): void {
    const waiting = this.#waiting
    this.#waiting = NONE
    for (const callback of waiting) call(callback)
  }
}
