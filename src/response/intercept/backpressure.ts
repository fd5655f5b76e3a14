// The callbacks of held writes, and what a handler was told about waiting. A producer that waits for its callbacks or
// for 'drain' writes only as fast as guard and client can take it.
import type { ServerResponse } from 'node:http'
import { writeAfterDestroy, type Callback } from './arguments.js'

export class Backpressure {
  readonly #res: ServerResponse
  /** The waiting callbacks, in the order of their writes. They add at most one hold's worth. */
  #waiting: Callback[] = []
  /**
   * When a middleware before us has replaced res.on, our 'drain' event reaches nobody. The handler is then not told to
   * wait, and only the byte bound limits the hold.
   */
  readonly #drainIsHeard: boolean
  /** The client reads too slowly. Node emits 'drain' when it reads again. */
  #slowClient = false
  /** The handler waits for a 'drain' that only we can emit. */
  #toldFull = false

  constructor(res: ServerResponse) {
    this.#res = res
    this.#drainIsHeard = !Object.hasOwn(res, 'on')
  }

  get slowClient(): boolean {
    return this.#slowClient
  }

  /** Takes the callback of a write that is held. Returns what the write returns: false tells the handler to wait. */
  add(callback: Callback | undefined, full: boolean): boolean {
    if (callback !== undefined) {
      if (full || this.#slowClient || this.#waiting.length > 0) this.#waiting.push(callback)
      else process.nextTick(callback)
    }
    this.#toldFull = full && this.#drainIsHeard
    return !this.#slowClient && !this.#toldFull
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
    this.callAll()
    if (this.#toldFull || this.#slowClient) process.nextTick(() => this.#res.emit('drain'))
    this.#toldFull = false
  }

  /** Calls all who wait. `gone`: the client has left. */
  callAll(gone = false): void {
    const waiting = this.#waiting
    if (waiting.length === 0) return
    this.#waiting = []
    for (const callback of waiting) {
      if (gone) writeAfterDestroy(callback)
      else process.nextTick(callback)
    }
  }
}
