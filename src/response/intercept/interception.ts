// One intercepted response, in one of five states:
//
//   hold -> open       nobody holds: the handler writes to the client again
//        -> finished   the handler has ended, and all of it has been handed to those below us
//        -> refused    another answer has been handed to them, or the last bytes of a cut stream
//        -> gone       the client has left or the connection is broken
import { STATUS_CODES, type OutgoingHttpHeaders, type ServerResponse } from 'node:http'
import type { Hold, ResponseController } from '../hold.js'
import { bytesOf, callbackOf, checkChunk, hasChunk, type Callback } from './arguments.js'
import { WriteCallbacks } from './callbacks.js'
import { dropTrailers, keepHead, replaceHeaders, type CommittedHead } from './head.js'
import { Layers, type Interceptor, type Method } from './methods.js'
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
  readonly #destroy: ServerResponse['destroy']
  readonly #mountHeaders: OutgoingHttpHeaders
  readonly #onPatchedBefore: boolean
  readonly #expectsHandler: boolean
  #choose: ((controller: ResponseController) => Hold | undefined) | undefined
  #hold: Hold | undefined
  #state: State = 'hold'
  /** What the handler committed. What it sets after that would be too late without us, and must be so with us. */
  #committed: CommittedHead | undefined
  /** Node computes another head for `end(body)` alone than for a head that leaves before the body. */
  #committedByEnd = false
  #headLeft = false
  #ended = false
  /** Each stays in its place: compression takes a callback in the first for a chunk. */
  #endArgs: readonly unknown[] = NO_ARGS
  #late: [method: Method, args: unknown[]][] = NO_CALLS
  readonly #callbacks = new WriteCallbacks()
  #slowClient = false
  #toldFull = false
  #toldToWait = false
  #refusal: Refusal | undefined
  /** The last bytes, as long as somebody below us keeps them: a session that is saved before the response ends. */
  #lastBytes: Buffer | string | undefined

  constructor(res: ServerResponse, choose: ((controller: ResponseController) => Hold | undefined) | undefined) {
    this.res = res
    this.#choose = choose
    this.#expectsHandler = choose !== undefined
    this.#http2 = (res.req?.httpVersionMajor ?? 1) >= 2
    this.#destroy = res.destroy
    this.#mountHeaders = res.getHeaders()
    this.#onPatchedBefore = Object.hasOwn(res, 'on')
    this.layers = new Layers(res, this, this.#http2)
    // Before the handler's own listeners, which write again.
    res.on('drain', () => this.#onDrain())
    res.on('close', () => this.#onClose())
  }

  // What a hold may do.

  release(chunk: Buffer): boolean {
    if (this.#closed || this.#reallyEnded) return false
    const fits = this.#leave(() => {
      this.#openHead()
      return this.layers.callBelow('write', [chunk, 'utf8'])
    }, false)
    // A wrapper that returns nothing says nothing, and then Node knows.
    if (fits === false || (fits === undefined && this.res.writableNeedDrain)) this.#slowClient = true
    return !this.#slowClient
  }

  finish(chunk?: Buffer): void {
    if (this.#closed) return
    this.#let('finished')
    this.#leave(() => {
      this.#openHead()
      this.#endBelow(chunk)
      const late = this.#late
      this.#late = NO_CALLS
      for (const [method, args] of late) {
        if (this.#reallyEnded) this.layers.callBelow(method, args)
        else callbackOf(args)?.(writeAfterEnd())
      }
    }, undefined)
  }

  refuse(status: number, headers: Readonly<Record<string, string>>, body: string): void {
    if (this.#closed) return
    const { res } = this
    this.#let('refused')
    if (res.headersSent) return void this.#destroy.call(res)
    // A handler that is cut off may answer the abort with an error, upon which Express destroys the socket:
    // no next request may be on it.
    const closing: Record<string, string> =
      !this.#expectsHandler || this.#ended || this.#http2 ? {} : { connection: 'close' }
    this.#refusal = { status, headers: { ...headers, ...closing }, length: Buffer.byteLength(body) }
    this.#answer(() => {
      this.#replaceHead()
      this.#endBelow(body)
    })
  }

  cut(lastBytes: string): void {
    if (this.#closed) return
    this.#let('refused')
    this.#answer(() => {
      this.#endBelow(lastBytes)
      flush(this.res)
    })
  }

  destroy(): void {
    if (this.#state === 'gone') return
    this.#let('gone')
    this.#destroy.call(this.res)
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

  // What the handler does.

  get headTaken(): boolean {
    return (this.#state === 'hold' || this.#state === 'gone') && this.#committed !== undefined && !this.#headLeft
  }

  get endTaken(): boolean {
    return (this.#state === 'hold' || this.#state === 'gone') && this.#ended
  }

  get holding(): boolean {
    // Once bytes are out, those below us may send them when they like: compression does.
    return this.#state === 'hold' && (!this.#headLeft || this.layers.lowest)
  }

  bypassed(args: unknown[]): unknown {
    // With an end, and with flushHeaders, come empty ones.
    if (!this.#http2 && (args[0] as string | Buffer).length === 0) return true
    // Before the head they are the handler's very bytes. After it they are in the frames of HTTP already.
    if (!this.#headLeft && args.length > 0) return this.#onWrite(args.slice(0, 3))
    // So they are on HTTP/2, but that one has ended for good when its stream has.
    this.destroy()
    return false
  }

  deaf(method: Method): boolean {
    // The wrappers of writeHead have run when the handler committed. Node comes back to it for its implicit head.
    return this.#closed || (this.#state === 'open' && method === 'writeHead')
  }

  call(method: Method, args: unknown[]): unknown {
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
    // HTTP/2 sends its head before it looks at the chunk.
    if (!this.#http2) checkChunk(args[0], false)
    const callback = callbackOf(args)
    if (this.#comesFromBelow(args)) return this.layers.leave(() => this.layers.callBelow('write', args))
    if (this.#isGone) return writeAfterDestroy(callback)
    if (this.#state === 'refused') {
      if (callback !== undefined) process.nextTick(callback)
      // True, so that a pipe runs dry instead of waiting for a 'drain' that nobody will send.
      return true
    }
    if (this.#ended) return this.#tooLate('write', '', callback)
    this.#commit(false)
    if (this.#state !== 'hold') return this.#onWrite(args)
    if (this.#http2) checkChunk(args[0], true)
    this.#hold?.write(bytesOf(args))
    const full = this.#state === 'hold' && this.#hold?.full === true
    this.#callbacks.add(callback, !full && !this.#slowClient)
    // A 'drain' of ours reaches nobody once a middleware before us has replaced res.on, so then the byte
    // bound alone holds.
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
    this.#commit(true)
    if (this.#state !== 'hold') return this.#onEnd(args)
    if (chunk && this.#http2) checkChunk(args[0], true)
    const bytes = chunk ? bytesOf(args) : undefined
    this.#ended = true
    this.#endArgs = typeof args[0] === 'function' ? [null, args[0]] : args
    this.#hold?.end(bytes !== undefined && bytes.length > 0 ? bytes : undefined)
    return res
  }

  /**
   * A call after the handler's end. What becomes of it is for those below us to say, once they have got the end:
   * Node emits an 'error', compression ignores it. They are asked without the handler's bytes, which nobody has
   * judged. They are not asked when nobody listens: such an 'error' would end the process.
   */
  #tooLate(method: 'write' | 'end', chunk: string, callback: Callback | undefined): false {
    // A pipe that gets false waits for a 'drain', which it gets when its words are refused.
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
      // Of a reply that nobody holds, the head leaves now. An implicit one leaves with what implied it.
      return this.#passes && !this.#committedByEnd ? this.layers.callBelow('writeHead', [res.statusCode]) : res
    }
    if (this.#state === 'hold' && !this.#headLeft) {
      if (this.layers.calledByNode('writeHead')) {
        // For Node's own write() or end(), called past us, there is no head yet, and its chunk is the whole body.
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
    // A handler that answers after we have does not know it: what Node throws at its headers would be an
    // unhandled rejection in an async handler on Express 4.
    if (this.#state === 'refused') return method === 'removeHeader' ? undefined : this.res
    if (this.headTaken) throwHeadersSent(method, args, this.#http2)
    return this.layers.callBelow(method, args)
  }

  /** Node's own business: nothing of ours stands between the handler and those below us. */
  get #passes(): boolean {
    return this.#state === 'open' || (this.#state === 'finished' && this.#errorIsHeard && this.#reallyEnded)
  }

  /** The 'close' that tells us comes later than the handler can ask. */
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

  /** What `res.writableEnded` says when we do not ask for the handler. */
  get #reallyEnded(): boolean {
    return this.layers.leave(() => this.res.writableEnded)
  }

  /**
   * Those below us may keep the last bytes, or the last of them, and then hand them to `res.write` or `res.end`
   * instead of the functions that they have saved. Only those very bytes pass: the handler's are too late.
   */
  #comesFromBelow([chunk]: readonly unknown[]): boolean {
    const last = this.#lastBytes
    if (last === undefined || this.#reallyEnded) return false
    if (chunk === undefined || chunk === null || typeof chunk === 'function') return true
    const bytes = bytesOf([chunk])
    if (bytes.length === 0 || !Buffer.from(last).subarray(-bytes.length).equals(bytes)) return false
    this.#lastBytes = ''
    return true
  }

  /**
   * As Node's implicit head: through `res.writeHead`, so that the hooks of whoever wrapped it after us run
   * before anything is chosen.
   */
  #commit(byEnd: boolean): void {
    if (this.#committed !== undefined) return
    this.#committedByEnd = byEnd
    try {
      this.res.writeHead(this.res.statusCode)
      // A wrapper that does not call ours.
      if (this.#committed === undefined) this.#commitHead([this.res.statusCode])
    } finally {
      this.#committedByEnd &&= this.#committed !== undefined
    }
  }

  #commitHead(args: readonly unknown[]): void {
    const { res } = this
    keepHead(res, args, this.#http2)
    // HTTP/2 has no reason phrase, and warns who asks for it.
    this.#committed = { status: res.statusCode, message: this.#http2 ? '' : res.statusMessage }
    const hold = this.layers.leave(() => this.#choose?.(this))
    if (this.#state !== 'hold') return
    this.#hold = hold
    if (hold === undefined) this.#let('open')
  }

  /** Before the first byte. Explicitly, where the handler's own head did not wait for its last byte. */
  #openHead(): void {
    if (this.#headLeft) return
    this.#headLeft = true
    const { res } = this
    if (res.headersSent || this.#committed === undefined) return
    res.statusCode = this.#committed.status
    if (!this.#http2) res.statusMessage = this.#committed.message
    if (!this.#committedByEnd) this.layers.callBelow('writeHead', [res.statusCode])
  }

  #endBelow(chunk: Buffer | string = ''): void {
    const [given, ...rest] = this.#endArgs
    let callback = callbackOf(rest)
    // Somebody below us may have ended it by itself, and a second end is an error.
    if (this.#reallyEnded) return void (callback && this.res.once('finish', callback))
    if (!this.#callbacks.empty) {
      const callAll = (): void => this.#callbacks.callAll((each) => each())
      // Before the callback of the end, and also where somebody below drops that one.
      this.res.once('finish', callAll)
      const last = callback
      callback = () => {
        callAll()
        last?.()
      }
    }
    // Of a chunk that has been released already nothing is left to end with.
    const first = chunk.length > 0 ? chunk : given ? null : given
    const args = [first, ...rest.map((each) => (typeof each === 'function' ? callback : each))]
    if (args.length === 1 && first === undefined) args.length = 0
    this.layers.callBelow('end', args)
    this.#lastBytes = chunk
  }

  /**
   * What Node throws at a bad head or a wrong length nobody after the handler would catch: then the
   * connection is all that is left to end.
   */
  #leave<T>(send: () => T, broken: T): T {
    try {
      return this.layers.leave(send)
    } catch {
      this.destroy()
      return broken
    }
  }

  /** Sends an answer of ours. Nothing the handler does from here on counts. */
  #answer(send: () => void): void {
    this.#outliveHandler()
    this.#leave(() => {
      dropTrailers(this.res, this.#http2)
      send()
    }, undefined)
    // A handler that was told to wait runs dry instead of waiting for a client that gets another answer.
    this.#callbacks.callAll()
    for (const [, args] of this.#late) callbackOf(args)?.()
    if (this.#toldToWait) process.nextTick(() => this.res.emit('drain'))
    this.#toldToWait = false
  }

  /** A handler whose source breaks off with the signal destroys what it pipes into: our answer must get out before. */
  #outliveHandler(): void {
    const { res } = this
    const destroy = Object.getOwnPropertyDescriptor(res, 'destroy')
    res.destroy = () => res
    res.once('finish', () => {
      if (destroy) Object.defineProperty(res, 'destroy', destroy)
      else Reflect.deleteProperty(res, 'destroy')
    })
  }

  #replaceHead(): void {
    const { res } = this
    const { status, headers, length } = this.#refusal!
    replaceHeaders(res, this.#mountHeaders, headers, length)
    res.statusCode = status
    if (!this.#http2) res.statusMessage = STATUS_CODES[status] ?? ''
  }

  /** Node's implicit head, when those below us end later than we. The handler may have changed it meanwhile. */
  #headOfRefusal(): unknown {
    const { res } = this
    if (res.headersSent || this.#refusal === undefined) return res
    return this.layers.leave(() => {
      this.#replaceHead()
      return this.layers.callBelow('writeHead', [res.statusCode])
    })
  }

  /**
   * Nobody holds any more. What the hold knows goes with it: Node keeps a response longer than the reply it
   * carried.
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
    this.#let('gone')
    this.#callbacks.callAll((callback) => writeAfterDestroy(callback))
    hold?.gone()
  }
}

const NO_ARGS: readonly unknown[] = []
const NO_CALLS: [Method, unknown[]][] = []
/** Calls after the handler's end that are told apart. More are answered at once. */
const MAX_LATE_CALLS = 16

/** compression() keeps small writes in zlib until it is told otherwise. */
export function flush(res: ServerResponse): void {
  ;(res as ServerResponse & { flush?: () => void }).flush?.()
}
