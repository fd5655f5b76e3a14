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
import { STATUS_CODES, type OutgoingHttpHeaders, type ServerResponse } from 'node:http'
import type { ServerHttp2Stream } from 'node:http2'
import type { Hold, ReplyClock, ResponseController } from '../context.js'
import { Link, type Method, type Shown } from './chain.js'
import * as calls from './calls.js'

type State = 'hold' | 'open' | 'finished' | 'refused' | 'gone'
type Choose = (controller: ResponseController) => Hold | undefined

class Interception extends Link implements ResponseController {
  /** The stream of an HTTP/2 response. */
  readonly #stream: ServerHttp2Stream | undefined
  readonly #mountHeaders: OutgoingHttpHeaders
  readonly #writes: calls.Backpressure
  readonly #clock: ReplyClock | undefined
  #choose: Choose | undefined
  #hold: Hold | undefined
  #state: State = 'hold'
  /** The head that the handler has committed, and the method that did it. It is sent once, or a refusal's instead. */
  #head: { readonly status: number; readonly message: string; readonly by: Method } | undefined
  /** The method that commits the head, or would. */
  #committer: Method = 'writeHead'
  /** True when a head has been passed to the functions below. */
  #headLeft = false
  /** True when the handler has called `end()`. */
  #ended = false
  /** The last bytes, where a middleware below us keeps our end. */
  #keptBelow: Buffer | undefined
  #letConnectionGo: (() => void) | undefined

  constructor(res: ServerResponse, choose: Choose | undefined, clock: ReplyClock | undefined) {
    const isHttp2 = res.req?.httpVersionMajor === 2
    const stream = isHttp2 ? (res as ServerResponse & { stream?: ServerHttp2Stream }).stream : undefined
    super(res, stream)
    this.#stream = stream
    this.#choose = choose
    this.#clock = clock
    this.#mountHeaders = res.getHeaders()
    this.#writes = new calls.Backpressure(res, () => this.#hold?.full === true)
    res.on('close', () => this.#onClose())
  }

  taken(what: Shown): boolean {
    if (this.#state !== 'hold' && this.#state !== 'gone') return false
    return what === 'headersSent' ? this.#head !== undefined : this.#ended
  }

  get holdsHead(): boolean {
    return this.#state === 'hold' && !this.#headLeft
  }

  get closed(): boolean {
    return this.#state !== 'hold' && this.#state !== 'open'
  }

  call(method: Method, ...args: unknown[]): unknown {
    // Node's end() calls res.write on HTTP/2, which is a wrapper of ours when somebody has defined one.
    if (this.#state === 'open' || this.sending) return this.callBelow(method, args)
    switch (method) {
      case 'write':
      case 'end':
        return this.#onChunk(method, args)
      case 'writeHead':
        return this.#onWriteHead(args)
      case 'flushHeaders':
        if (this.#state === 'hold' && this.#head === undefined) this.res.writeHead(this.res.statusCode)
        return undefined
      default:
        // The handler does not know that the guard has already answered. On Express 4, Node's error for a late header
        // would be an unhandled rejection in an async handler.
        if (this.#state === 'refused') return this.res
        if (this.taken('headersSent')) throw calls.headSent(this.#stream)
        return this.callBelow(method, args)
    }
  }

  #onChunk(method: 'write' | 'end', args: unknown[]): unknown {
    const { res } = this
    const bytes = calls.bytesOf(method, args)
    const callback = calls.callbackOf(args)
    const ended = this.#ended
    // A middleware below us has kept our end, or the last byte of it as sessions do, and passes it to `res`.
    const kept = this.#keptBelow
    if (kept !== undefined && this.nodes('writableEnded') !== true)
      if (bytes.length === 0 ? ended : kept.subarray(-bytes.length).equals(bytes)) return this.callBelow(method, args)
    const comes = !ended && !this.closed && !this.#isGone
    if (comes) this.#commitBy(method)
    if (comes && this.#state === 'open') return this.callBelow(method, args)
    const hold = comes ? this.#hold : undefined
    if (method === 'write') {
      if (hold === undefined) {
        // A write that goes nowhere is answered as by Node, or with true, so that a pipe reads to its end.
        const late = this.#isGone ? 'ERR_STREAM_DESTROYED' : ended ? 'ERR_STREAM_WRITE_AFTER_END' : undefined
        if (callback !== undefined) process.nextTick(callback, late && calls.tooLate(late))
        return late === undefined
      }
      this.#clock?.gave(false)
      hold.write(bytes)
      return this.#writes.add(callback)
    }
    this.#ended = true
    // Not passed on with the end, because sessions and compression drop it.
    if (callback !== undefined && res.writableFinished) process.nextTick(callback)
    else if (callback !== undefined) (this.#stream ?? res)[calls.LISTEN]('finish', callback)
    if (hold === undefined) return res
    this.#clock?.gave(true)
    if (this.#stream === undefined) this.#letConnectionGo = calls.keepConnection(res)
    hold.end(bytes.length > 0 ? bytes : undefined)
    return res
  }

  #onWriteHead(args: unknown[]): unknown {
    const { res } = this
    // A middleware below us has kept the first bytes, and Node now asks for their head.
    if (this.#headLeft && this.nodes('headersSent') !== true) return this.callBelow('writeHead', args)
    if (this.closed) return res
    if (this.#head === undefined) {
      this.#commit(args)
      // Nobody holds this reply, so its head leaves now. An implicit head leaves with the write or end that caused it.
      const leaves = this.#state === 'open' && this.#committer === 'writeHead'
      return leaves ? this.callBelow('writeHead', [res.statusCode]) : res
    }
    // Sessions call for an implicit head when they find none of Node's.
    if (args.length > 1 || args[0] !== res.statusCode) throw calls.headSent(this.#stream)
    return res
  }

  /** Goes through `res.writeHead`, as Node's implicit head does. Its wrappers run before the hold is chosen. */
  #commitBy(by: Method): void {
    if (this.#head !== undefined) return
    const { res } = this
    this.#committer = by
    res.writeHead(res.statusCode)
    // A wrapper of writeHead did not call ours.
    if (this.#head === undefined) this.#commit([res.statusCode])
    this.#committer = 'writeHead'
  }

  /** Later changes of the head throw, as they would without the guard. Who keeps the body is decided now. */
  #commit(args: readonly unknown[]): void {
    const { res } = this
    const http2 = this.#stream !== undefined
    calls.keepHead(res, args, http2)
    this.#head = { status: res.statusCode, message: http2 ? '' : res.statusMessage, by: this.#committer }
    const hold = this.send(() => this.#choose?.(this))
    if (this.#state !== 'hold') return
    if (hold === undefined) this.#leaveHold('open')
    else this.#hold = hold
  }

  release(chunk: Buffer): boolean {
    if (this.closed) return false
    const fits = this.#send(() => {
      this.#openHead('write')
      return this.callBelow('write', calls.chunk(this.res, chunk))
    })
    this.#clock?.left(false)
    return this.#writes.sent(fits)
  }

  finish(chunk: Buffer = calls.NO_BYTES): void {
    this.#end('finished', chunk, () => this.#openHead('end'))
  }

  refuse(status: number, headers: OutgoingHttpHeaders, body: string | Buffer): void {
    if (this.closed) return
    if (this.nodes('headersSent') === true) return this.destroy()
    // A handler may answer the abort with an error, and Express then destroys the socket. `connection: close` keeps
    // the client from sending its next request on it.
    const closes = this.#choose !== undefined && !this.#ended && this.#stream === undefined
    const bytes = typeof body === 'string' ? Buffer.from(body) : body
    const own = { ...headers, 'content-length': bytes.length, ...(closes && { connection: 'close' }) }
    this.#end('refused', bytes, () => {
      calls.dropTrailers(this.res, this.#stream)
      calls.refuseHead(this.res, this.#mountHeaders, own)
      this.#head = { status, message: STATUS_CODES[status] ?? '', by: 'writeHead' }
      this.#headLeft = false
      this.#openHead()
    })
  }

  cut(lastBytes: string): void {
    this.#end('refused', Buffer.from(lastBytes), () => calls.dropTrailers(this.res, this.#stream))
  }

  destroy(): void {
    this.#leaveHold('gone')
    this.#letConnectionGo?.()
    // Without an error the client of HTTP/2 finds the reply complete.
    this.res.destroy(this.#stream && new Error('The reply is broken off'))
  }

  abandon(): void {
    if (this.#state === 'open' && !this.res.writableEnded) this.destroy()
  }

  open(): void {
    if (this.closed) return
    this.#leaveHold('open')
    this.#send(() => this.#openHead())
    this.#writes.goOn()
  }

  drained(): void {
    if (!this.closed) this.#writes.goOn()
  }

  /**
   * Sends the head before the first byte. A head that was committed by `next`, the call that follows, is left to it:
   * Node computes other headers for a head that leaves with the whole body, and middleware below may add some.
   */
  #openHead(next?: Method): void {
    if (this.#headLeft) return
    this.#headLeft = true
    if (this.#head === undefined || this.nodes('headersSent') === true) return
    const { status, message, by } = this.#head
    this.res.statusCode = status
    // HTTP/2 has no reason phrase, and Node warns when it is read.
    if (this.#stream === undefined) this.res.statusMessage = message
    if (by !== next) this.callBelow('writeHead', [status])
  }

  #end(state: 'finished' | 'refused', bytes: Buffer, begin: () => void): void {
    if (this.closed) return
    this.#leaveHold(state)
    this.#send(() => {
      begin()
      const ended = (): boolean => this.nodes('writableEnded') === true
      // A middleware below us may have ended the response already.
      if (!ended()) this.callBelow('end', bytes.length > 0 ? calls.chunk(this.res, bytes) : [])
      if (!ended()) this.#keptBelow = bytes
    })
    if (this.#keptBelow === undefined) this.#letConnectionGo?.()
    else this.res.once('finish', () => this.#letConnectionGo?.())
    this.#writes.goOn(true)
    if (state === 'finished') this.#clock?.left(true)
  }

  /** Breaks the connection where Node throws at a head or a length. No code after the handler would catch that. */
  #send<T>(send: () => T): T | undefined {
    try {
      return this.send(send)
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

  #onClose(): void {
    if (this.res.writableFinished) return this.#writes.callAll()
    const hold = this.#hold
    // An open response is Node's. It answers the calls of a handler whose client has left.
    if (this.#state !== 'open') this.#leaveHold('gone')
    this.#writes.callAll(calls.tooLate('ERR_STREAM_DESTROYED'))
    hold?.gone()
  }
}

/**
 * Intercepts a response. `choose` is called once, when the handler commits its status and headers or first writes. It
 * returns the hold that keeps the body, or undefined to let the response through unchanged. Leave it out when no
 * handler will run. `clock` is told of the bytes that are held and released.
 */
export function intercept(res: ServerResponse, choose?: Choose, clock?: ReplyClock): ResponseController {
  return new Interception(res, choose, clock)
}
