// One intercepted response. It is in one of five states:
//
//   hold -> open       nobody holds; the handler writes to the client again
//        -> finished   the handler has ended, and its whole reply has been passed to the functions below
//        -> refused    the guard's answer, or the last bytes of a cut stream, have been passed to them
//        -> gone       the client has left or the connection is broken
//
// "Below" are Node and every middleware that replaced a method before us. "Above" are those that did so after us.
import type { ServerResponse } from 'node:http'
import type { ReplyClock } from '../context.js'
import type { Hold, ResponseController } from '../hold.js'
import { bytesOf, callbackOf, checkChunk, hasChunk, type Callback } from './arguments.js'
import { Backpressure } from './callbacks.js'
import { HandlerEnd } from './handler-end.js'
import { dropTrailers } from './head.js'
import { HeldHead } from './held-head.js'
import { Layers, type Interceptor } from './layers.js'
import type { Method } from './methods.js'
import { outliveHandler } from './outlive.js'
import { throwHeadersSent, writeAfterDestroy, writeAfterEnd, type HeadMethod } from './node-errors.js'

type State = 'hold' | 'open' | 'finished' | 'refused' | 'gone'

export class Interception implements ResponseController, Interceptor {
  readonly res: ServerResponse
  readonly layers: Layers
  readonly #http2: boolean
  readonly #expectsHandler: boolean
  readonly #clock: ReplyClock | undefined
  readonly #head: HeldHead
  readonly #end: HandlerEnd
  readonly #writes: Backpressure
  #choose: ((controller: ResponseController) => Hold | undefined) | undefined
  #hold: Hold | undefined
  #state: State = 'hold'
  #outlives = false

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
    const mountHeaders = res.getHeaders()
    this.#writes = new Backpressure(res)
    this.layers = new Layers(res, this, this.#http2)
    this.#head = new HeldHead(res, this.layers, mountHeaders, this.#http2)
    this.#end = new HandlerEnd(res, this.layers)
    // Registered before the handler's own listeners, because those write again.
    res.on('drain', () => this.#writes.noteDrain(this.#hold?.full === true))
    res.on('close', () => this.#onClose())
  }

  // The methods of ResponseController, for the hold.

  release(chunk: Buffer): boolean {
    if (this.#closed || this.#end.hasLeft) return false
    const fits = this.#leave(() => {
      this.#head.open('write')
      return this.layers.callBelow('write', [chunk, 'utf8'])
    }, false)
    this.#clock?.left(false)
    this.#writes.noteSent(fits)
    return !this.#writes.slowClient
  }

  finish(chunk?: Buffer): void {
    if (this.#closed) return
    this.#let('finished')
    this.#leave(() => {
      this.#head.open('end')
      this.#end.send(chunk, this.#writes)
      this.#end.callLate()
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
      !this.#expectsHandler || this.#end.came || this.#http2 ? {} : { connection: 'close' }
    const bytes = Buffer.from(body)
    this.#answer(() => {
      this.#head.refuse({ status, headers: { ...headers, ...closing }, length: bytes.length })
      this.#end.send(bytes, this.#writes)
    })
  }

  cut(lastBytes: string): void {
    if (this.#closed) return
    this.#let('refused')
    this.#answer(() => {
      this.#end.send(Buffer.from(lastBytes), this.#writes)
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
    this.#leave(() => this.#head.open(), undefined)
    if (!this.#writes.slowClient) this.#writes.callAll()
  }

  drained(): void {
    if (!this.#closed) this.#writes.noteRoom()
  }

  // The methods of Interceptor, for the handler's calls.

  get headTaken(): boolean {
    return (this.#state === 'hold' || this.#state === 'gone') && this.#head.committed && !this.#head.left
  }

  get endTaken(): boolean {
    return (this.#state === 'hold' || this.#state === 'gone') && this.#end.came
  }

  putsOffDestroy(error: Error | undefined): boolean {
    if (!this.#outlives || this.res.writableFinished) return false
    // The connection puts it off. HTTP/2 has nothing to break when its stream has ended.
    if (!this.#http2) this.res.req.socket.destroy(error)
    return true
  }

  get holding(): boolean {
    // After the first bytes, a middleware mounted before us may send them at any time; compression does.
    return this.#state === 'hold' && (!this.#head.left || this.layers.lowest)
  }

  bypassed(args: unknown[]): unknown {
    // end() and flushHeaders pass an empty chunk.
    if (!this.#http2 && (args[0] as string | Buffer).length === 0) return true
    // Before the head, the arguments are the handler's own bytes. After the head, they are already framed for HTTP.
    if (!this.#head.left && args.length > 0) return this.#onWrite(args.slice(0, 3))
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
    if (this.#end.takesLastBytes(args)) return this.layers.leave(() => this.layers.callBelow('write', args))
    if (this.#isGone) return writeAfterDestroy(callback)
    if (this.#state === 'refused') {
      if (callback !== undefined) process.nextTick(callback)
      // True, so that a pipe reads to its end. It would wait for ever for a 'drain' that nobody emits.
      return true
    }
    if (this.#end.came) return this.#tooLate('write', '', callback)
    this.#commit('write')
    if (this.#state !== 'hold') return this.#onWrite(args)
    if (this.#http2) checkChunk(args[0], true)
    this.#clock?.gave(false)
    this.#hold?.write(bytesOf(args))
    return this.#writes.add(callback, this.#state === 'hold' && this.#hold?.full === true)
  }

  #onEnd(args: unknown[]): unknown {
    const { res } = this
    if (this.#passes) return this.layers.callBelow('end', args)
    const chunk = hasChunk(args, this.#http2)
    if (chunk && !this.#http2) checkChunk(args[0], false)
    const callback = callbackOf(args)
    if (this.#end.takesLastBytes(args)) return this.layers.leave(() => this.layers.callBelow('end', args))
    if (this.#closed || this.#isGone) {
      this.#end.note(args, chunk)
      if (callback !== undefined && (this.#state === 'refused' || this.#http2)) process.nextTick(callback)
      return res
    }
    if (this.#end.came) {
      this.#tooLate('end', chunk ? ' ' : '', callback)
      return res
    }
    this.#commit('end')
    if (this.#state !== 'hold') return this.#onEnd(args)
    if (chunk && this.#http2) checkChunk(args[0], true)
    const bytes = chunk ? bytesOf(args) : undefined
    this.#end.note(args, chunk)
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
    const bareEnd = method === 'end' && chunk === ''
    const mayWait = this.#state === 'hold' && (bareEnd || this.#errorIsHeard)
    if (!mayWait || !this.#end.addLate(method, bareEnd ? [callback] : [chunk, callback]))
      if (callback !== undefined) process.nextTick(callback, writeAfterEnd())
    return this.#writes.noteTooLate()
  }

  #onWriteHead(args: unknown[]): unknown {
    const { res } = this
    if (this.#state === 'gone') return res
    if (this.#state === 'refused') return this.#head.writeRefusal()
    if (this.#state === 'hold' && !this.#head.committed) {
      this.#commitHead(args)
      // Nobody holds this reply, so its head leaves now. An implicit head leaves with the write or end that caused
      // it.
      return this.#passes && this.#head.isExplicit ? this.layers.callBelow('writeHead', [res.statusCode]) : res
    }
    if (this.#state === 'hold' && !this.#head.left) {
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
    if (this.#state === 'hold' && !this.#head.committed) this.res.writeHead(this.res.statusCode)
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
    return this.#state === 'open' || (this.#state === 'finished' && this.#errorIsHeard && this.#end.hasLeft)
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

  /**
   * Commits the head as Node's implicit head does: through `res.writeHead`, so that middleware which wrapped it after
   * us runs its hooks before the hold is chosen.
   */
  #commit(by: 'write' | 'end'): void {
    if (this.#head.committed) return
    const { res } = this
    this.#head.commitBy(by, () => {
      res.writeHead(res.statusCode)
      // A wrapper of writeHead did not call ours.
      if (!this.#head.committed) this.#commitHead([res.statusCode])
    })
  }

  #commitHead(args: readonly unknown[]): void {
    this.#head.commit(args)
    const hold = this.layers.leave(() => this.#choose?.(this))
    if (this.#state !== 'hold') return
    this.#hold = hold
    if (hold === undefined) this.#let('open')
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
    this.#writes.callAll()
    this.#end.dropLate()
    this.#writes.letGoOn()
  }

  /** A handler whose source aborts destroys the response it pipes into. */
  #outliveHandler(): void {
    this.#outlives = true
    if (!this.#http2) outliveHandler(this.res)
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

  #onClose(): void {
    if (this.res.writableFinished || this.#state === 'gone') return this.#writes.callAll()
    const hold = this.#hold
    // An open response is Node's. It answers the calls of a handler whose client has left.
    if (this.#state !== 'open') this.#let('gone')
    this.#writes.callAll((callback) => writeAfterDestroy(callback))
    hold?.gone()
  }
}

/** compression() keeps small writes in zlib until flush() is called. */
export function flush(res: ServerResponse): void {
  ;(res as ServerResponse & { flush?: () => void }).flush?.()
}
