// The end of a handler's reply: the arguments of its `end()`, the calls that come after it, and the last bytes while a
// middleware before us keeps them.
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { bytesOf, callbackOf, sending, type Callback, type Queue } from './arguments.js'
import type { Backpressure } from './callbacks.js'
import type { Layers } from './layers.js'
import { writeAfterEnd } from './node-errors.js'

type LateCall = readonly [method: 'write' | 'end', args: readonly unknown[]]

const NO_BYTES = Buffer.alloc(0)
const NO_ARGS: readonly unknown[] = []
const NO_CALLS: LateCall[] = []
/** The most calls after the handler's end that are kept. Further calls get their error at once. */
const MAX_LATE_CALLS = 16
/** The most bytes before the end that are known again. */
const MAX_PASSED_BYTES = 4 * 1024 * 1024

export class HandlerEnd {
  readonly #res: ServerResponse
  readonly #layers: Layers
  #came = false
  /**
   * The arguments of end() without its chunk, in their positions: compression takes a callback in the first position
   * for a chunk.
   */
  #args = NO_ARGS
  #late = NO_CALLS
  /** What was passed on before the end, as long as none of it has reached Node. */
  #passed: Buffer[] = []
  #passedBytes = 0
  /**
   * The last bytes, while a middleware mounted before us keeps them, for example to save a session before the
   * response ends. They are all of the reply when it has kept all.
   */
  #lastBytes: Buffer | undefined

  constructor(res: ServerResponse, layers: Layers) {
    this.#res = res
    this.#layers = layers
  }

  /** True when the handler has called `end()`. */
  get came(): boolean {
    return this.#came
  }

  /** The real value of `res.writableEnded`, not the one that the handler sees. */
  get hasLeft(): boolean {
    return this.#layers.leave(() => this.#res.writableEnded)
  }

  /** Notes the handler's end. The bytes of its chunk are the hold's. */
  note(args: readonly unknown[], hasChunk: boolean): void {
    this.#came = true
    this.#args = typeof args[0] === 'function' ? [null, args[0]] : [hasChunk ? null : args[0], ...args.slice(1)]
  }

  /**
   * Has Node call the handler's callback on 'finish', before those who begin to listen for it after the handler's end.
   * It is passed on with the end instead where a middleware below may drop it, and where Node calls it before all who
   * listen.
   */
  callOnFinish(writes: Backpressure): void {
    const callback = this.#layers.lowest ? callbackOf(this.#args) : undefined
    if (callback === undefined || !listensWithCallback()) return
    this.#args = this.#args.map((each) => (each === callback ? undefined : each))
    this.#res.once('finish', this.#afterWrites(callback, writes))
  }

  /** Notes bytes before the end that were passed to the functions below. */
  notePassed(bytes: Buffer): void {
    if (this.#layers.lowest) return
    this.#passedBytes += bytes.length
    if (this.#reachedNode || this.#passedBytes > MAX_PASSED_BYTES) this.#passed = []
    else this.#passed.push(bytes)
  }

  get #reachedNode(): boolean {
    const res = this.#res
    // On HTTP/1 `headersSent` is true for a head that waits for its first byte. From Node 24 on, a corked response
    // keeps its head and bytes.
    const { _headerSent: left } = res as Queue
    if (left === undefined) return this.#layers.leave(() => res.headersSent)
    return left || res.writableLength > (res.socket?.writableLength ?? 0)
  }

  /** Keeps a call after the handler's end, for {@link callLate}. False when there are too many. */
  addLate(method: 'write' | 'end', args: readonly unknown[]): boolean {
    if (this.#late.length >= MAX_LATE_CALLS) return false
    if (this.#late === NO_CALLS) this.#late = []
    this.#late.push([method, args])
    return true
  }

  /** Makes the calls that came after the handler's end. */
  callLate(): void {
    const late = this.#late
    this.#late = NO_CALLS
    for (const [method, args] of late) {
      const callback = callbackOf(args)
      if (this.hasLeft) this.#layers.callBelow(method, args)
      // On the next tick, when the methods of the response are ours again.
      else if (callback !== undefined) process.nextTick(callback, writeAfterEnd())
    }
  }

  /** Calls the callbacks of the late calls, which come to nothing. */
  dropLate(): void {
    for (const [, args] of this.#late) callbackOf(args)?.()
  }

  /** Ends the response. `chunk` is bytes, because the handler's encoding is passed on beside it. */
  send(chunk: Buffer = NO_BYTES, writes: Backpressure): void {
    const [given, ...rest] = this.#args
    this.#args = NO_ARGS
    let callback = callbackOf(rest)
    // A middleware below us has ended the response already. A second end would be an error.
    if (this.hasLeft) return void (callback && this.#res.once('finish', callback))
    if (callback !== undefined || writes.areWaiting) callback = this.#afterWrites(callback, writes)
    const first = chunk.length > 0 ? chunk : given
    const args = [first, ...rest.map((each) => (typeof each === 'function' ? callback : each))]
    if (chunk.length > 0) {
      const [data, encoding] = sending(this.#res, chunk)
      if (data !== chunk) args.splice(0, typeof args[1] === 'function' ? 1 : 2, data, encoding)
    }
    if (args.length === 1 && first === undefined) args.length = 0
    this.#layers.callBelow('end', args)
    if (!this.hasLeft) this.#lastBytes = Buffer.concat([...this.#passed, chunk])
    this.#passed = []
  }

  /**
   * The callback of the end. Those of the writes run before it, also when a middleware below drops it. They are the
   * handler's code, for which the methods of the response are ours.
   */
  #afterWrites(callback: Callback | undefined, writes: Backpressure): Callback {
    const callWrites = (): void => this.#layers.comeBack(() => writes.callAll((each) => each()))
    this.#res.once('finish', callWrites)
    return (error) => {
      callWrites()
      this.#layers.comeBack(() => callback?.(error))
    }
  }

  /**
   * True for the last bytes that a middleware below has kept and now passes to `res.write` or `res.end` instead of to
   * the functions that it has saved. Only exactly these bytes pass, in their order or from some place to their end,
   * because the handler's own bytes come too late.
   */
  takesLastBytes([chunk, encoding]: readonly unknown[]): boolean {
    const last = this.#lastBytes
    if (last === undefined || this.hasLeft) return false
    if (chunk === undefined || chunk === null || typeof chunk === 'function') return true
    const bytes = bytesOf([chunk, encoding])
    if (bytes.length === 0) return true
    if (last.subarray(0, bytes.length).equals(bytes)) this.#lastBytes = last.subarray(bytes.length)
    else if (last.subarray(-bytes.length).equals(bytes)) this.#lastBytes = NO_BYTES
    else return false
    return true
  }
}

let listens: boolean | undefined

/** True when Node adds the callback of `end()` to the listeners of 'finish'. From 24.22 on it calls it before them. */
function listensWithCallback(): boolean {
  if (listens === undefined) {
    const unsent = new ServerResponse(new IncomingMessage(new Socket()))
    unsent.end(() => undefined)
    listens = unsent.listenerCount('finish') > 0
  }
  return listens
}
