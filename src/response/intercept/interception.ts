// One intercepted response. It is in one of five states:
//
//   hold -> open       nobody holds; the handler writes to the client again
//        -> finished   the handler has ended, and its whole reply has been passed to the functions below
//        -> refused    the guard's answer, or the last bytes of a cut stream, have been passed to them
//        -> gone       the client has left or the connection is broken
//
// "Below" are Node and every middleware that replaced a method before us. "Above" are those that did so after us.
import { STATUS_CODES, type OutgoingHttpHeaders, type ServerResponse } from 'node:http'
import type { ReplyClock } from '../context.js'
import type { Hold, ResponseController } from '../hold.js'
import { bytesOf, callbackOf, checkChunk, hasChunk, type Callback } from './arguments.js'
import { WriteCallbacks } from './callbacks.js'
import { dropTrailers, keepHead, replaceHeaders, type CommittedHead } from './head.js'
import { Layers, type Interceptor, type Method } from './methods.js'
import { outliveHandler } from './outlive.js'
import { throwHeadersSent, writeAfterDestroy, writeAfterEnd, type HeadMethod } from './node-errors.js'

type State = 'hold' | 'open' | 'finished' | 'refused' | 'gone'

interface Refusal {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly length: number
}

export class Interception implements ResponseController, Interceptor {
  readonly res: ServerResponse
  readonly layers: Layers
  readonly #http2: boolean
  readonly #mountHeaders: OutgoingHttpHeaders
  readonly #onPatchedBefore: boolean
  readonly #expectsHandler: boolean
  readonly #clock: ReplyClock | undefined
  #choose: ((controller: ResponseController) => Hold | undefined) | undefined
  #hold: Hold | undefined
  #state: State = 'hold'
  /** The head that the handler committed. Later header changes throw, as they would without the guard. */
  #committed: CommittedHead | undefined
  /**
   * The method that committed the head. Node computes other headers for a head that leaves with the whole body, and
   * middleware below may still add headers to one that leaves with the first bytes.
   */
  #committedBy: 'writeHead' | 'write' | 'end' = 'writeHead'
  #headLeft = false
  #ended = false
  /**
   * The arguments of end() without its chunk, in their positions: compression takes a callback in the first position
   * for a chunk.
   */
  #endArgs: readonly unknown[] = NO_ARGS
  #late: [method: Method, args: unknown[]][] = NO_CALLS
  readonly #callbacks = new WriteCallbacks()
  #outlives = false
  #slowClient = false
  #toldFull = false
  #toldToWait = false
  #refusal: Refusal | undefined
  /**
   * The last bytes, while a middleware mounted before us keeps them, for example to save a session before the
   * response ends.
   */
  #lastBytes: Buffer | undefined

  constructor(
    res: ServerResponse,
    choose: ((controller: ResponseController) => Hold | undefined) | undefined,
    clock?: ReplyClock,
  ) {
    this.res = res
    this.#choose = choose
    this.#clock = clock
    this.#expectsHandler = choose !== undefined
    this.#http2 = (res.req?.httpVersionMajor ?? 1) >= 2
    this.#mountHeaders = res.getHeaders()
    this.#onPatchedBefore = Object.hasOwn(res, 'on')
    this.layers = new Layers(res, this, this.#http2)
    // Registered before the handler's own listeners, because those write again.
    res.on('drain', () => this.#onDrain())
    res.on('close', () => this.#onClose())
  }

  // The methods of ResponseController, for the hold.

  release(chunk: Buffer): boolean {
    if (this.#closed || this.#reallyEnded) return false
    const fits = this.#leave(() => {
      this.#openHead('write')
      return this.layers.callBelow('write', [chunk, 'utf8'])
    }, false)
    this.#clock?.left(false)
    // A wrapped write() may return undefined. Node's own flag then tells whether the client is slow.
    if (fits === false || (fits === undefined && this.res.writableNeedDrain)) this.#slowClient = true
    return !this.#slowClient
  }

  finish(chunk?: Buffer): void {
    if (this.#closed) return
    this.#let('finished')
    this.#leave(() => {
      this.#openHead('end')
      this.#endBelow(chunk)
      const late = this.#late
      this.#late = NO_CALLS
      for (const [method, args] of late) {
        if (this.#reallyEnded) this.layers.callBelow(method, args)
        else callbackOf(args)?.(writeAfterEnd())
      }
    }, undefined)
    this.#clock?.left(true)
  }

  refuse(status: number, headers: Readonly<Record<string, string>>, body: string): void {
    if (this.#closed) return
    const { res } = this
    this.#let('refused')
    if (res.headersSent) return void this.layers.destroy.call(res)
    // A handler may answer the abort with an error, and Express then destroys the socket. `connection: close` keeps
    // the client from sending its next request on it.
    const closing: Record<string, string> =
      !this.#expectsHandler || this.#ended || this.#http2 ? {} : { connection: 'close' }
    const bytes = Buffer.from(body)
    this.#refusal = { status, headers: { ...headers, ...closing }, length: bytes.length }
    this.#answer(() => {
      this.#replaceHead()
      this.#endBelow(bytes)
    })
  }

  cut(lastBytes: string): void {
    if (this.#closed) return
    this.#let('refused')
    this.#answer(() => {
      this.#endBelow(Buffer.from(lastBytes))
      flush(this.res)
    })
  }

  destroy(): void {
    if (this.#state === 'gone') return
    this.#let('gone')
    this.#outlives = false
    this.layers.destroy.call(this.res)
  }

  abandon(): void {
    if (this.#state === 'open' && !this.res.writableEnded) this.destroy()
  }

  open(): void {
    if (this.#closed) return
    this.#let('open')
    this.#leave(() => this.#openHead(), undefined)
    if (!this.#slowClient) this.#callbacks.callAll()
  }

  drained(): void {
    if (this.#slowClient || this.#closed) return
    this.#callbacks.callAll()
    if (!this.#toldFull) return
    this.#toldFull = false
    this.res.emit('drain')
  }

  // The methods of Interceptor, for the handler's calls.

  get headTaken(): boolean {
    return (this.#state === 'hold' || this.#state === 'gone') && this.#committed !== undefined && !this.#headLeft
  }

  get endTaken(): boolean {
    return (this.#state === 'hold' || this.#state === 'gone') && this.#ended
  }

  putsOffDestroy(error: Error | undefined): boolean {
    if (!this.#outlives || this.res.writableFinished) return false
    // The connection puts it off. HTTP/2 has nothing to break when its stream has ended.
    if (!this.#http2) this.res.req.socket.destroy(error)
    return true
  }

  get holding(): boolean {
    // After the first bytes, a middleware mounted before us may send them at any time; compression does.
    return this.#state === 'hold' && (!this.#headLeft || this.layers.lowest)
  }

  bypassed(args: unknown[]): unknown {
    // end() and flushHeaders pass an empty chunk.
    if (!this.#http2 && (args[0] as string | Buffer).length === 0) return true
    // Before the head, the arguments are the handler's own bytes. After the head, they are already framed for HTTP.
    if (!this.#headLeft && args.length > 0) return this.#onWrite(args.slice(0, 3))
    // On HTTP/2 the bytes are never framed here, but this stream has ended and cannot be held any more.
    this.destroy()
    return false
  }

  deaf(method: Method): boolean {
    // The wrappers of writeHead ran when the handler committed. Node calls writeHead again for its implicit head, and
    // they must not run twice.
    return this.#closed || (this.#state === 'open' && method === 'writeHead')
  }

  call(method: Method, args: unknown[]): unknown {
    // Node's end() calls res.write on HTTP/2, which is a wrapper of ours when somebody has defined one.
    if (this.layers.leaving) return this.layers.callBelow(method, args)
    switch (method) {
      case 'write':
        return this.#onWrite(args)
      case 'end':
        return this.#onEnd(args)
      case 'writeHead':
        return this.#onWriteHead(args)
      case 'flushHeaders':
        return this.#onFlushHeaders()
      default:
        return this.#onHeader(method, args)
    }
  }

  #onWrite(args: unknown[]): unknown {
    if (this.#passes) return this.layers.callBelow('write', args)
    // HTTP/2 sends the head before it checks the chunk, so the check comes later.
    if (!this.#http2) checkChunk(args[0], false)
    const callback = callbackOf(args)
    if (this.#comesFromBelow(args)) return this.layers.leave(() => this.layers.callBelow('write', args))
    if (this.#isGone) return writeAfterDestroy(callback)
    if (this.#state === 'refused') {
      if (callback !== undefined) process.nextTick(callback)
      // True, so that a pipe reads to its end. It would wait for ever for a 'drain' that nobody emits.
      return true
    }
    if (this.#ended) return this.#tooLate('write', '', callback)
    this.#commit('write')
    if (this.#state !== 'hold') return this.#onWrite(args)
    if (this.#http2) checkChunk(args[0], true)
    this.#clock?.gave(false)
    this.#hold?.write(bytesOf(args))
    const full = this.#state === 'hold' && this.#hold?.full === true
    this.#callbacks.add(callback, !full && !this.#slowClient)
    // When a middleware before us has replaced res.on, our 'drain' event reaches nobody. The handler is then not told
    // to wait, and only the byte bound limits the hold.
    this.#toldFull = full && !this.#onPatchedBefore
    this.#toldToWait = this.#slowClient || this.#toldFull
    return !this.#toldToWait
  }

  #onEnd(args: unknown[]): unknown {
    const { res } = this
    if (this.#passes) return this.layers.callBelow('end', args)
    const chunk = hasChunk(args, this.#http2)
    if (chunk && !this.#http2) checkChunk(args[0], false)
    const callback = callbackOf(args)
    if (this.#comesFromBelow(args)) return this.layers.leave(() => this.layers.callBelow('end', args))
    if (this.#closed || this.#isGone) {
      this.#ended = true
      if (callback !== undefined && (this.#state === 'refused' || this.#http2)) process.nextTick(callback)
      return res
    }
    if (this.#ended) {
      this.#tooLate('end', chunk ? ' ' : '', callback)
      return res
    }
    this.#commit('end')
    if (this.#state !== 'hold') return this.#onEnd(args)
    if (chunk && this.#http2) checkChunk(args[0], true)
    const bytes = chunk ? bytesOf(args) : undefined
    this.#ended = true
    // The bytes are the hold's.
    this.#endArgs = typeof args[0] === 'function' ? [null, args[0]] : [chunk ? null : args[0], ...args.slice(1)]
    this.#clock?.gave(true)
    // On HTTP/2, a stream that is destroyed after its end loses what Node has not sent.
    if (!this.#http2) this.#outliveHandler()
    this.#hold?.end(bytes !== undefined && bytes.length > 0 ? bytes : undefined)
    return res
  }

  /**
   * Handles a call after the handler's end. The functions below decide its effect, once they have the end: Node emits
   * an 'error', compression ignores the call. They get it without the handler's bytes, which nobody has judged.
   * Without an 'error' listener the call is not passed on, because the event would end the process.
   */
  #tooLate(method: 'write' | 'end', chunk: string, callback: Callback | undefined): false {
    // A pipe that gets false waits for a 'drain'. #answer emits it when the reply is refused.
    this.#toldToWait = true
    const bareEnd = method === 'end' && chunk === ''
    if (this.#state === 'hold' && (bareEnd || this.#errorIsHeard) && this.#late.length < MAX_LATE_CALLS)
      (this.#late === NO_CALLS ? (this.#late = []) : this.#late).push([
        method,
        bareEnd ? [callback] : [chunk, callback],
      ])
    else if (callback !== undefined) process.nextTick(callback, writeAfterEnd())
    return false
  }

  #onWriteHead(args: unknown[]): unknown {
    const { res } = this
    if (this.#state === 'gone') return res
    if (this.#state === 'refused') return this.#headOfRefusal()
    if (this.#state === 'hold' && this.#committed === undefined) {
      this.#commitHead(args)
      // Nobody holds this reply, so its head leaves now. An implicit head leaves with the write or end that caused
      // it.
      return this.#passes && this.#committedBy === 'writeHead'
        ? this.layers.callBelow('writeHead', [res.statusCode])
        : res
    }
    if (this.#state === 'hold' && !this.#headLeft) {
      if (this.layers.calledByNode('writeHead')) {
        // Node's own write() or end() was called past our methods. There is no head yet, and Node takes the chunk for
        // the whole body.
        ;(res as ServerResponse & { _contentLength?: number | null })._contentLength = null
        return res
      }
      throwHeadersSent('writeHead', args, this.#http2)
    }
    return this.layers.callBelow('writeHead', args)
  }

  #onFlushHeaders(): void {
    if (this.#state === 'hold' && this.#committed === undefined) this.res.writeHead(this.res.statusCode)
    if (this.#state !== 'hold') this.layers.callBelow('flushHeaders', [])
  }

  #onHeader(method: Exclude<HeadMethod, 'writeHead'>, args: unknown[]): unknown {
    // The handler does not know that the guard has already answered. On Express 4, Node's error for a late header
    // would be an unhandled rejection in an async handler.
    if (this.#state === 'refused') return method === 'removeHeader' ? undefined : this.res
    if (this.headTaken) throwHeadersSent(method, args, this.#http2)
    return this.layers.callBelow(method, args)
  }

  /** True when the handler's calls go to the functions below unchanged. */
  get #passes(): boolean {
    return this.#state === 'open' || (this.#state === 'finished' && this.#errorIsHeard && this.#reallyEnded)
  }

  /** True when the response is destroyed. The 'close' event comes later than the handler may ask. */
  get #isGone(): boolean {
    const { destroyed, stream } = this.res as ServerResponse & { stream?: { destroyed: boolean } }
    return this.#state === 'gone' || (this.#http2 ? stream?.destroyed === true : destroyed)
  }

  get #errorIsHeard(): boolean {
    return this.res.listenerCount('error') > 0
  }

  get #closed(): boolean {
    return this.#state === 'finished' || this.#state === 'refused' || this.#state === 'gone'
  }

  /** The real value of `res.writableEnded`, not the one that the handler sees. */
  get #reallyEnded(): boolean {
    return this.layers.leave(() => this.res.writableEnded)
  }

  /**
   * True for the last bytes that a middleware below has kept and now passes to `res.write` or `res.end` instead of to
   * the functions that it has saved. Only exactly these bytes pass, because the handler's own bytes come too late.
   */
  #comesFromBelow([chunk]: readonly unknown[]): boolean {
    const last = this.#lastBytes
    if (last === undefined || this.#reallyEnded) return false
    if (chunk === undefined || chunk === null || typeof chunk === 'function') return true
    const bytes = bytesOf([chunk])
    if (bytes.length === 0 || !last.subarray(-bytes.length).equals(bytes)) return false
    this.#lastBytes = NO_BYTES
    return true
  }

  /**
   * Commits the head as Node's implicit head does: through `res.writeHead`, so that middleware which wrapped it after
   * us runs its hooks before the hold is chosen.
   */
  #commit(by: 'write' | 'end'): void {
    if (this.#committed !== undefined) return
    this.#committedBy = by
    try {
      this.res.writeHead(this.res.statusCode)
      // A wrapper of writeHead did not call ours.
      if (this.#committed === undefined) this.#commitHead([this.res.statusCode])
    } finally {
      if (this.#committed === undefined) this.#committedBy = 'writeHead'
    }
  }

  #commitHead(args: readonly unknown[]): void {
    const { res } = this
    keepHead(res, args, this.#http2)
    // HTTP/2 has no reason phrase, and Node warns when it is read.
    this.#committed = { status: res.statusCode, message: this.#http2 ? '' : res.statusMessage }
    const hold = this.layers.leave(() => this.#choose?.(this))
    if (this.#state !== 'hold') return
    this.#hold = hold
    if (hold === undefined) this.#let('open')
  }

  /**
   * Sends the head before the first byte. An implicit head is left to `next`, the call that follows, where Node makes
   * of it what it would have made of the handler's call.
   */
  #openHead(next?: 'write' | 'end'): void {
    if (this.#headLeft) return
    this.#headLeft = true
    const { res } = this
    if (res.headersSent || this.#committed === undefined) return
    res.statusCode = this.#committed.status
    if (!this.#http2) res.statusMessage = this.#committed.message
    const byBody = next === 'write' ? this.#committedBy !== 'writeHead' : next === 'end' && this.#committedBy === 'end'
    if (!byBody) this.layers.callBelow('writeHead', [res.statusCode])
  }

  /** `chunk` is bytes, because the handler's encoding is passed on beside it. */
  #endBelow(chunk: Buffer = NO_BYTES): void {
    const [given, ...rest] = this.#endArgs
    let callback = callbackOf(rest)
    // A middleware below us has ended the response already. A second end would be an error.
    if (this.#reallyEnded) return void (callback && this.res.once('finish', callback))
    if (callback !== undefined || !this.#callbacks.empty) {
      const handlers = callback
      const callAll = (): void => this.layers.comeBack(() => this.#callbacks.callAll((each) => each()))
      // Runs before the callback of the end, and also when a middleware below drops that callback.
      this.res.once('finish', callAll)
      callback = (error) => {
        callAll()
        this.layers.comeBack(() => handlers?.(error))
      }
    }
    const first = chunk.length > 0 ? chunk : given
    const args = [first, ...rest.map((each) => (typeof each === 'function' ? callback : each))]
    if (args.length === 1 && first === undefined) args.length = 0
    this.#endArgs = NO_ARGS
    this.layers.callBelow('end', args)
    if (!this.#reallyEnded) this.#lastBytes = chunk
  }

  /**
   * Runs `send`. Node may throw at a bad head or a wrong length, and no code after the handler would catch that. The
   * connection is then broken.
   */
  #leave<T>(send: () => T, broken: T): T {
    try {
      return this.layers.leave(send)
    } catch {
      this.destroy()
      return broken
    }
  }

  /** Sends the guard's own answer. Later calls of the handler have no effect. */
  #answer(send: () => void): void {
    this.#outliveHandler()
    this.#leave(() => {
      dropTrailers(this.res, this.#http2)
      send()
    }, undefined)
    // A handler that was told to wait gets its callbacks, so that it does not wait for a client that has another
    // answer.
    this.#callbacks.callAll()
    for (const [, args] of this.#late) callbackOf(args)?.()
    if (this.#toldToWait) process.nextTick(() => this.res.emit('drain'))
    this.#toldToWait = false
  }

  /** A handler whose source aborts destroys the response it pipes into. */
  #outliveHandler(): void {
    this.#outlives = true
    if (!this.#http2) outliveHandler(this.res)
  }

  #replaceHead(): void {
    const { res } = this
    const { status, headers, length } = this.#refusal!
    replaceHeaders(res, this.#mountHeaders, headers, length)
    res.statusCode = status
    if (!this.#http2) res.statusMessage = STATUS_CODES[status] ?? ''
  }

  /**
   * Writes the head of the refusal when Node asks for its implicit head later. The handler may have changed the
   * headers in between.
   */
  #headOfRefusal(): unknown {
    const { res } = this
    if (res.headersSent || this.#refusal === undefined) return res
    return this.layers.leave(() => {
      this.#replaceHead()
      return this.layers.callBelow('writeHead', [res.statusCode])
    })
  }

  /**
   * Leaves the state `hold`. The references to the hold are dropped, because Node may keep the response longer than
   * the reply.
   */
  #let(state: Exclude<State, 'hold'>): void {
    this.#state = state
    this.#hold = undefined
    this.#choose = undefined
  }

  #onDrain(): void {
    this.#slowClient = false
    if (this.#hold?.full !== true) this.#callbacks.callAll()
  }

  #onClose(): void {
    if (this.res.writableFinished || this.#state === 'gone') return this.#callbacks.callAll()
    const hold = this.#hold
    // An open response is Node's. It answers the calls of a handler whose client has left.
    if (this.#state !== 'open') this.#let('gone')
    this.#callbacks.callAll((callback) => writeAfterDestroy(callback))
    hold?.gone()
  }
}

const NO_BYTES = Buffer.alloc(0)
const NO_ARGS: readonly unknown[] = []
const NO_CALLS: [Method, unknown[]][] = []
/** The most calls after the handler's end that are kept. Further calls get their error at once. */
const MAX_LATE_CALLS = 16

/** compression() keeps small writes in zlib until flush() is called. */
export function flush(res: ServerResponse): void {
  ;(res as ServerResponse & { flush?: () => void }).flush?.()
}
