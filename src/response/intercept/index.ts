// The only file that touches res.write, end, writeHead and flushHeaders. It knows HTTP, not what the bytes
// mean.
// A patched response is in one of four states: hold -> open | refused | gone. Whoever holds decides; see Hold
// and ResponseController.
import { STATUS_CODES, type OutgoingHttpHeaders, type ServerResponse } from 'node:http'
import { toDictionaryMode } from '../../utils/dictionary-mode.js'
import { callbackOf, chunkOf, dropped, type Callback } from './arguments.js'
import { ignoreLateHeaders, keepHead, replaceHeaders, statusOf } from './head.js'
import type { ResponseController, Hold } from '../hold.js'

type State = 'hold' | 'open' | 'refused' | 'gone'
type Choose = (exit: ResponseController) => Hold | undefined

interface Refusal {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly length: number
}

/**
 * Patches a response. `choose` is called once, when the handler commits its status and headers (or first
 * writes), and says who holds the body; undefined lets the response through untouched. Leave it out when no
 * handler will ever run.
 */
export function intercept(res: ServerResponse, choose?: Choose): ResponseController {
  return new Interception(res, choose)
}

class Interception implements ResponseController {
  readonly res: ServerResponse
  #choose: Choose | undefined
  readonly #expectsHandler: boolean
  // Saved at mount time: what a later middleware wrapped has already seen its own `end` and would swallow a refusal.
  readonly #write: ServerResponse['write']
  readonly #end: ServerResponse['end']
  readonly #writeHead: ServerResponse['writeHead']
  readonly #flushHeaders: ServerResponse['flushHeaders']
  readonly #destroy: ServerResponse['destroy']
  readonly #mountHeaders: OutgoingHttpHeaders
  readonly #onPatchedBefore: boolean
  readonly #http2: boolean
  /** A guard of another policy may have been mounted after us. */
  #inner: Interception | undefined
  #state: State = 'hold'
  #hold: Hold | undefined
  /** The status the handler committed. What it sets after that would be too late without us, and must be so with us. */
  #committed: number | undefined
  #ended = false
  #endCallback: Callback | undefined
  #slowClient = false
  #toldFull = false
  #toldToWait = false
  #shadowed = true
  // Who writes the head before the body gets other framing from Node than who leaves it to `end(body)`.
  #headWritten = false
  #headImplied = false
  #refusal: Refusal | undefined
  /**
   * From the first release on, writeHead is Node's own business again: its implicit header comes back through
   * our patch.
   */
  #releasing = false

  constructor(res: ServerResponse, choose: Choose | undefined) {
    toDictionaryMode(res)
    this.res = res
    this.#choose = choose
    this.#expectsHandler = choose !== undefined
    this.#write = res.write
    this.#end = res.end
    this.#writeHead = res.writeHead
    this.#flushHeaders = res.flushHeaders
    this.#destroy = res.destroy
    this.#mountHeaders = res.getHeaders()
    this.#onPatchedBefore = Object.hasOwn(res, 'on')
    this.#http2 = (res.req?.httpVersionMajor ?? 1) >= 2
    const outer = (res as Intercepted)[INTERCEPTION]
    if (outer === undefined) {
      ;(res as Intercepted)[INTERCEPTION] = this
      res.write = GUARDED.write as ServerResponse['write']
      res.end = GUARDED.end as ServerResponse['end']
      res.writeHead = GUARDED.writeHead
      res.flushHeaders = GUARDED.flushHeaders
      // While held, a handler must see what it would see without us: Express' error handling asks headersSent
      // to tell a clean failure from a broken reply, and would otherwise append its error page to half a
      // reply.
      Object.defineProperty(res, 'headersSent', HEADERS_SENT)
      Object.defineProperty(res, 'writableEnded', WRITABLE_ENDED)
    } else {
      outer.#adopt(this)
      res.write = ((...args: unknown[]) => this.onWrite(args)) as ServerResponse['write']
      res.end = ((...args: unknown[]) => this.onEnd(args)) as ServerResponse['end']
      res.writeHead = (...args: unknown[]) => this.onWriteHead(args)
      res.flushHeaders = () => this.onFlushHeaders()
    }
    // Before the handler's own listeners, which write again.
    res.on('drain', () => {
      this.#slowClient = false
    })
    res.on('close', () => this.#onClose())
  }

  /** While held: the handler has committed its head, though nothing has been sent. */
  get headTaken(): boolean {
    return (this.#shadowed && this.#committed !== undefined) || this.#inner?.headTaken === true
  }

  /** While held: the handler has ended. */
  get endTaken(): boolean {
    return (this.#shadowed && this.#ended) || this.#inner?.endTaken === true
  }

  #adopt(inner: Interception): void {
    if (this.#inner === undefined) this.#inner = inner
    else this.#inner.#adopt(inner)
  }

  release(chunk: Buffer): boolean {
    if (this.#closed) return false
    this.#releasing = true
    const fits = this.#leave(() => {
      this.#openHead()
      return this.#write.call(this.res, chunk, 'utf8')
    }, false)
    if (!fits) this.#slowClient = true
    return fits
  }

  finish(chunk?: Buffer): void {
    if (this.#closed) return
    this.#let('open')
    this.#leave(() => {
      this.#openHead()
      this.#endOut(chunk)
    }, undefined)
  }

  refuse(status: number, headers: Readonly<Record<string, string>>, body: string): void {
    if (this.#closed) return
    const { res } = this
    this.#let('refused')
    this.#restoreGetters()
    if (res.headersSent) return void this.#destroy.call(res)
    // A handler that is cut off may answer the abort with an error, upon which Express destroys the socket:
    // no next request may be on it.
    const closing: Record<string, string> =
      !this.#expectsHandler || this.#ended || this.#http2 ? {} : { connection: 'close' }
    this.#refusal = { status, headers: { ...headers, ...closing }, length: Buffer.byteLength(body) }
    this.#replaceHead()
    this.#outliveHandler()
    this.#leave(() => this.#endOut(body), undefined)
    this.#letRunDry()
  }

  cut(lastBytes: string): void {
    if (this.#closed) return
    this.#let('refused')
    this.#restoreGetters()
    this.#outliveHandler()
    this.#leave(() => {
      // Trailers are the handler's words too, and nobody has judged them.
      if (!this.#http2) this.res.addTrailers({})
      this.#endOut(lastBytes)
      flush(this.res)
    }, undefined)
    this.#letRunDry()
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
    this.#restoreGetters()
  }

  drained(): void {
    if (!this.#toldFull || this.#slowClient || this.#closed) return
    this.#toldFull = false
    this.res.emit('drain')
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

  get #closed(): boolean {
    return this.#state === 'refused' || this.#state === 'gone'
  }

  /**
   * As Node's implicit head: through `res.writeHead`, so that the hooks of whoever wrapped it after us run
   * before anything is chosen.
   */
  #commit(): void {
    if (this.#committed !== undefined) return
    this.#headImplied = true
    try {
      this.res.writeHead(this.res.statusCode)
    } finally {
      this.#headImplied = false
    }
    this.#commitHead()
  }

  #commitHead(): void {
    if (this.#committed !== undefined) return
    this.#committed = statusOf(this.res)
    this.res.statusCode = this.#committed
    this.#hold = this.#choose?.(this)
    if (this.#hold === undefined && this.#state === 'hold') this.open()
  }

  /** Before the first byte: compression and session ask headersSent whether their own header hook has run. */
  #openHead(): void {
    const { res } = this
    this.#restoreGetters()
    if (res.headersSent) return
    if (this.#committed !== undefined) res.statusCode = this.#committed
    if (this.#headWritten) this.#writeHead.call(res, res.statusCode)
  }

  #endOut(chunk?: Buffer | string): void {
    const args: unknown[] = chunk === undefined || chunk.length === 0 ? [] : [chunk]
    // HTTP/2's end() hands its chunk to res.write, which is ours and takes nothing from anybody once it is closed.
    if (this.#http2 && this.#closed && args.length > 0) Reflect.apply(this.#write, this.res, args.splice(0))
    if (this.#endCallback) args.push(this.#endCallback)
    Reflect.apply(this.#end, this.res, args)
  }

  /**
   * What Node throws at a bad head or a wrong length nobody after the handler would catch: then the
   * connection is all that is left to end.
   */
  #leave<T>(send: () => T, broken: T): T {
    try {
      return send()
    } catch {
      this.destroy()
      return broken
    }
  }

  /** A handler whose source breaks off with the signal destroys what it pipes into: our answer must get out before. */
  #outliveHandler(): void {
    const { res } = this
    const destroy = Object.getOwnPropertyDescriptor(res, 'destroy')
    res.destroy = () => res
    ignoreLateHeaders(res)
    res.once('finish', () => {
      if (destroy) Object.defineProperty(res, 'destroy', destroy)
      else Reflect.deleteProperty(res, 'destroy')
    })
  }

  /** A handler that was told to wait runs dry instead of waiting for a client that gets another answer. */
  #letRunDry(): void {
    if (this.#toldToWait) process.nextTick(() => this.res.emit('drain'))
    this.#toldToWait = false
  }

  #replaceHead(): void {
    const { res } = this
    if (this.#refusal === undefined || res.headersSent) return
    const { status, headers, length } = this.#refusal
    replaceHeaders(res, this.#mountHeaders, headers, length)
    res.statusCode = status
    if (!this.#http2 && res.statusMessage) res.statusMessage = STATUS_CODES[status] ?? ''
  }

  /** Switched off, not deleted: to V8 a deleted property makes an object another one. */
  #restoreGetters(): void {
    this.#shadowed = false
  }

  /** What the handler calls, from here on. */
  onWrite(args: unknown[]): boolean {
    if (this.#state === 'open') return Reflect.apply(this.#write, this.res, args) as boolean
    const chunk = chunkOf(args)
    const callback = callbackOf(args)
    if (chunk === undefined)
      throw Object.assign(new TypeError('May not write null values to stream'), { code: 'ERR_STREAM_NULL_VALUES' })
    if (this.#state === 'gone') return dropped(callback)
    if (this.#state === 'refused' || this.#ended) {
      if (callback) process.nextTick(callback)
      // True, so that a pipe runs dry instead of waiting for a 'drain' that nobody will send.
      return true
    }
    this.#commit()
    if (this.#state !== 'hold') return Reflect.apply(this.res.write, this.res, args) as boolean
    this.#hold?.write(chunk)
    // Called now, not on release: a handler that awaits it before the next write would wait for a verdict
    // that waits for the rest.
    if (callback) process.nextTick(callback)
    // A 'drain' of ours reaches nobody once a middleware before us has replaced res.on, so then the byte
    // bound alone holds.
    this.#toldFull = this.#hold?.full === true && !this.#onPatchedBefore
    this.#toldToWait = this.#slowClient || this.#toldFull
    return !this.#toldToWait
  }

  onEnd(args: unknown[]): ServerResponse {
    const { res } = this
    if (this.#state === 'open') return Reflect.apply(this.#end, res, args) as ServerResponse
    const chunk = chunkOf(args)
    const callback = callbackOf(args)
    if (this.#closed || this.#ended) {
      if (callback) process.nextTick(callback)
      return res
    }
    this.#commit()
    if (this.#state !== 'hold') return Reflect.apply(res.end, res, args) as ServerResponse
    this.#ended = true
    this.#endCallback = callback
    if (this.#committed !== undefined) res.statusCode = this.#committed
    this.#hold?.end(chunk !== undefined && chunk.length > 0 ? chunk : undefined)
    return res
  }

  onWriteHead(args: unknown[]): ServerResponse {
    const { res } = this
    if (this.#refusal !== undefined) {
      // Hooks of whoever wrapped us have just run, and may have announced another body: compression a gzipped one.
      if (res.headersSent) return res
      this.#replaceHead()
      return this.#writeHead.call(res, this.#refusal.status)
    }
    if (this.#state !== 'hold' || this.#releasing) return Reflect.apply(this.#writeHead, res, args) as ServerResponse
    if (this.#committed === undefined) {
      keepHead(res, args)
      this.#headWritten = !this.#headImplied
      this.#commitHead()
      if (this.#state !== 'hold' && !this.#closed && this.#headWritten) return this.#writeHead.call(res, res.statusCode)
    }
    return res
  }

  onFlushHeaders(): void {
    if (this.#state === 'hold' && this.#committed === undefined) this.res.writeHead(this.res.statusCode)
    if (this.#state !== 'hold') this.#flushHeaders.call(this.res)
  }

  #onClose(): void {
    if (this.res.writableFinished || this.#state === 'gone') return
    const hold = this.#state === 'hold' ? this.#hold : undefined
    this.#let('gone')
    this.#restoreGetters()
    hold?.gone()
  }
}

const INTERCEPTION = Symbol('express-llama-guard.interception')
/** The first interception of a response, which knows the others. */
type Intercepted = ServerResponse & { [INTERCEPTION]?: Interception }

// One function and one getter for all responses. Closures would be strangers at every place that calls them,
// and a getter of its own would give each response a hidden class of its own, which V8 keeps, with all that
// the getter reaches, until the next full collection.
const GUARDED = {
  write(this: Intercepted, ...args: unknown[]) {
    return this[INTERCEPTION]!.onWrite(args)
  },
  end(this: Intercepted, ...args: unknown[]) {
    return this[INTERCEPTION]!.onEnd(args)
  },
  writeHead(this: Intercepted, ...args: unknown[]) {
    return this[INTERCEPTION]!.onWriteHead(args)
  },
  flushHeaders(this: Intercepted) {
    return this[INTERCEPTION]!.onFlushHeaders()
  },
}
const HEADERS_SENT = shadow('headersSent', (interception) => interception.headTaken)
const WRITABLE_ENDED = shadow('writableEnded', (interception) => interception.endTaken)

function shadow(
  name: 'headersSent' | 'writableEnded',
  held: (interception: Interception) => boolean,
): PropertyDescriptor & ThisType<Intercepted> {
  return {
    configurable: true,
    enumerable: false,
    get() {
      const interception = this[INTERCEPTION]
      return (
        (interception !== undefined && held(interception)) ||
        Reflect.get(Object.getPrototypeOf(this) as object, name, this) === true
      )
    },
  }
}

/** compression() keeps small writes in zlib until it is told otherwise. */
export function flush(res: ServerResponse): void {
  ;(res as ServerResponse & { flush?: () => void }).flush?.()
}
