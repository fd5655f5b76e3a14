// One intercepted response: what each call of its handler does, and what its hold sends. This folder knows HTTP but not
// what the bytes mean. The state of a response is one of five:
//
//   hold -> open       nobody holds; the handler writes to the client again
//        -> finished   the handler has ended, and its whole reply has been passed to the functions below
//        -> refused    the guard's answer, or the last bytes of a cut stream, have been passed to them
//        -> gone       the client has left or the connection is broken
//
// Calls of a handler in the last three do nothing.
import { strict as assert } from 'node:assert'
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { Writable } from 'node:stream'
import type { Hold, ReplyClock, ResponseController } from '../context.js'
import { Chain, type Interceptor, type Method } from './chain.js'
import { dropTrailers, headersSent, HeldHead, isHttp2 } from './head.js'
import { Backpressure, bytesOf, callbackOf, hasChunk, keepConnection, onFinish, tooLate } from './writes.js'

type State = 'hold' | 'open' | 'finished' | 'refused' | 'gone'
/** Returns the hold of a reply, or undefined to let the reply through unchanged. */
type Choose = (controller: ResponseController) => Hold | undefined

const NO_BYTES: Buffer = Buffer.alloc(0)

class Interception implements ResponseController, Interceptor {
  readonly res: ServerResponse
  readonly #chain: Chain
  readonly #head: HeldHead
  readonly #writes: Backpressure
  readonly #clock: ReplyClock | undefined
  readonly #http2: boolean
  readonly #expectsHandler: boolean
  #choose: Choose | undefined
  #hold: Hold | undefined
  #state: State = 'hold'
  /** True when the handler has called `end()`. */
  #ended = false
  #letConnectionGo: (() => void) | undefined

  constructor(res: ServerResponse, choose: Choose | undefined, clock: ReplyClock | undefined) {
    this.res = res
    this.#choose = choose
    this.#clock = clock
    this.#expectsHandler = choose !== undefined
    this.#http2 = isHttp2(res)
    const mountHeaders = res.getHeaders()
    this.#writes = new Backpressure(res)
    this.#chain = new Chain(res, this, this.#http2)
    this.#head = new HeldHead(res, this.#chain, mountHeaders, () => this.#chooseHold())
    // Registered before the handler's own listeners, because those write again.
    res.on('drain', () => this.#writes.noteDrain(this.#hold?.full === true))
    res.on('close', () => this.#onClose())
  }

  get headTaken(): boolean {
    return this.#head.committed && (this.#state === 'hold' || this.#state === 'gone')
  }

  get endTaken(): boolean {
    return this.#ended && (this.#state === 'hold' || this.#state === 'gone')
  }

  get holdsHead(): boolean {
    return this.#state === 'hold' && !this.#head.left
  }

  get closed(): boolean {
    return this.#state !== 'hold' && this.#state !== 'open'
  }

  // What a handler calls.

  call(method: Method, args: unknown[]): unknown {
    // Node's end() calls res.write on HTTP/2, which is a wrapper of ours when somebody has defined one.
    if (this.#state === 'open' || this.#chain.sending) return this.#chain.callBelow(method, args)
    switch (method) {
      case 'write':
        return this.#onWrite(args)
      case 'end':
        return this.#onEnd(args)
      case 'writeHead':
        return this.#onWriteHead(args)
      case 'flushHeaders':
        if (this.#state === 'hold' && !this.#head.committed) this.res.writeHead(this.res.statusCode)
        return undefined
      default:
        return this.#onHeader(method, args)
    }
  }

  #onWrite(args: unknown[]): unknown {
    const bytes = bytesOf(args)
    const callback = callbackOf(args)
    if (this.closed && this.#chain.passesAgain(bytes, this.#ended)) return this.#chain.callBelow('write', args)
    if (this.#isGone) return tooLate(callback, 'destroyed')
    if (this.#ended) return tooLate(callback, 'ended')
    if (this.#state === 'refused') {
      if (callback !== undefined) process.nextTick(callback)
      // True, so that a pipe reads to its end. It would wait for ever for a 'drain' that nobody emits.
      return true
    }
    this.#head.commitBy('write')
    if (this.#state !== 'hold') return this.call('write', args)
    this.#clock?.gave(false)
    this.#hold?.write(bytes)
    return this.#writes.add(callback, this.#state === 'hold' && this.#hold?.full === true)
  }

  #onEnd(args: unknown[]): unknown {
    const { res } = this
    const bytes = hasChunk(args) ? bytesOf(args) : NO_BYTES
    const callback = callbackOf(args)
    if (this.closed && this.#chain.passesAgain(bytes, this.#ended)) return this.#chain.callBelow('end', args)
    const comes = !this.#ended && !this.closed && !this.#isGone
    if (comes) this.#head.commitBy('end')
    if (comes && this.#state === 'open') return this.call('end', args)
    if (this.#ended && bytes.length > 0) tooLate(callback, 'ended')
    else if (callback !== undefined) {
      // Not passed on with the end, because sessions and compression drop it.
      if (res.writableFinished) process.nextTick(callback)
      else onFinish(this.#stream ?? res, callback)
    }
    this.#ended = true
    if (!comes || this.#state !== 'hold') return res
    this.#clock?.gave(true)
    if (!this.#http2) this.#letConnectionGo = keepConnection(res)
    this.#hold?.end(bytes.length > 0 ? bytes : undefined)
    return res
  }

  #onWriteHead(args: unknown[]): unknown {
    const { res } = this
    // A middleware below us has kept the first bytes, and Node now asks for their head.
    if (this.#head.left && !this.#chain.real('headersSent')) return this.#chain.callBelow('writeHead', args)
    if (this.closed) return res
    if (!this.#head.committed) {
      this.#head.commit(args)
      // Nobody holds this reply, so its head leaves now. An implicit head leaves with the write or end that caused it.
      const leaves = this.#state === 'open' && this.#head.committer === 'writeHead'
      return leaves ? this.#chain.callBelow('writeHead', [res.statusCode]) : res
    }
    // Sessions call for an implicit head when they find none of Node's.
    if (args.length > 1 || args[0] !== res.statusCode) throw headersSent(this.#http2)
    return res
  }

  #onHeader(method: Method, args: unknown[]): unknown {
    // The handler does not know that the guard has already answered. On Express 4, Node's error for a late header
    // would be an unhandled rejection in an async handler.
    if (this.#state === 'refused') return method === 'removeHeader' ? undefined : this.res
    if (this.headTaken) throw headersSent(this.#http2)
    return this.#chain.callBelow(method, args)
  }

  /** The handler has committed its head: who keeps the body is decided now. */
  #chooseHold(): void {
    const hold = this.#chain.send(() => this.#choose?.(this))
    if (this.#state !== 'hold') return
    if (hold === undefined) this.#leaveHold('open')
    else this.#hold = hold
  }

  // The methods below are those that a hold calls.

  release(chunk: Buffer): boolean {
    if (this.closed) return false
    const fits = this.#send(() => {
      const args = this.#argsOf(chunk)
      this.#head.open('write')
      return this.#chain.callBelow('write', args)
    })
    this.#clock?.left(false)
    this.#writes.noteSent(fits)
    return !this.#writes.slowClient
  }

  finish(chunk: Buffer = NO_BYTES): void {
    if (this.closed) return
    this.#leaveHold('finished')
    this.#writes.callAll()
    this.#end(chunk, () => this.#head.open('end'))
    this.#clock?.left(true)
  }

  refuse(status: number, headers: OutgoingHttpHeaders, body: string | Buffer): void {
    if (this.closed) return
    if (this.#chain.real('headersSent')) return this.destroy()
    // A handler may answer the abort with an error, and Express then destroys the socket. `connection: close` keeps
    // the client from sending its next request on it.
    const closes = this.#expectsHandler && !this.#ended && !this.#http2
    this.#leaveHold('refused')
    const bytes = typeof body === 'string' ? Buffer.from(body) : body
    this.#end(bytes, () => {
      dropTrailers(this.res, this.#http2)
      this.#head.refuse(status, closes ? { ...headers, connection: 'close' } : headers, bytes.length)
    })
    this.#writes.letGoOn()
  }

  cut(lastBytes: string): void {
    if (this.closed) return
    this.#leaveHold('refused')
    this.#end(Buffer.from(lastBytes), () => dropTrailers(this.res, this.#http2))
    this.#writes.letGoOn()
  }

  destroy(): void {
    if (this.#state === 'gone') return
    this.#leaveHold('gone')
    this.#letConnectionGo?.()
    this.res.destroy()
  }

  abandon(): void {
    if (this.#state === 'open' && !this.res.writableEnded) this.destroy()
  }

  open(): void {
    if (this.closed) return
    this.#leaveHold('open')
    this.#send(() => this.#head.open())
    if (!this.#writes.slowClient) this.#writes.callAll()
  }

  drained(): void {
    if (!this.closed) this.#writes.noteRoom()
  }

  #end(bytes: Buffer, begin: () => void): void {
    this.#chain.noteLast(bytes)
    this.#send(() => {
      const args = this.#argsOf(bytes)
      begin()
      // A middleware below us may have ended the response already.
      if (!this.#chain.real('writableEnded')) this.#chain.callBelow('end', bytes.length > 0 ? args : [])
    })
    this.#letConnectionGo?.()
  }

  /**
   * The arguments that send these bytes. While a pipelined response waits for its connection, Node puts its head before
   * what is queued, such as `100 Continue`, but for a head that leaves with a string.
   */
  #argsOf(bytes: Buffer): readonly unknown[] {
    return this.res.socket === null && !this.#head.left ? [bytes.toString('latin1'), 'latin1'] : [bytes]
  }

  /**
   * Runs `send`. Node may throw at a bad head or a wrong length, and no code after the handler would catch that. The
   * connection is then broken.
   */
  #send<T>(send: () => T): T | undefined {
    try {
      return this.#chain.send(send)
    } catch {
      this.destroy()
      return undefined
    }
  }

  /** Drops the references to the hold, because Node may keep the response longer than the reply. */
  #leaveHold(state: Exclude<State, 'hold'>): void {
    assert(!this.closed || state === 'gone', `A reply that is ${this.#state} cannot be ${state}`)
    this.#state = state
    this.#hold = undefined
    this.#choose = undefined
  }

  /** True when the response is destroyed. The 'close' event comes later than the handler may ask. */
  get #isGone(): boolean {
    return this.#state === 'gone' || (this.#stream ?? this.res).destroyed
  }

  /** The stream of an HTTP/2 response. */
  get #stream(): Writable | undefined {
    return this.#http2 ? (this.res as ServerResponse & { stream?: Writable }).stream : undefined
  }

  #onClose(): void {
    if (this.res.writableFinished) return this.#writes.callAll()
    const hold = this.#hold
    // An open response is Node's. It answers the calls of a handler whose client has left.
    if (this.#state !== 'open') this.#leaveHold('gone')
    this.#writes.callAll(true)
    hold?.gone()
  }
}

/**
 * Intercepts a response. `choose` is called once, when the handler commits its status and headers or first writes. It
 * returns the hold that keeps the body, or undefined to let the response through unchanged. Leave it out when no
 * handler will run. `clock` is told of the bytes that are held and released.
 */
export function intercept(
  res: ServerResponse,
  choose?: (controller: ResponseController) => Hold | undefined,
  clock?: ReplyClock,
): ResponseController {
  return new Interception(res, choose, clock)
}
