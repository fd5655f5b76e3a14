// A response of node:http without a wire: what the guard lets through comes out as a `Response`, whose body streams at
// the pace of its reader.
import { type IncomingMessage, ServerResponse } from 'node:http'
import type { ReadableByteStreamController } from 'node:stream/web'
import { LlamaGuardError } from '../types/errors.js'
import { keepHead } from '../response/intercept/calls.js'

type Callback = (error?: Error | null) => void

/** Bytes that wait for the reader before the handler is asked to wait. */
const HIGH_WATER_BYTES = 16 * 1024
/** The statuses of a Response that has no body, but for those below 200, which no Response can have. */
const NULL_BODY = new Set([204, 205, 304])
/** The reason phrase of a head that stands for an outcome. A refusal has another. */
const OUTCOME = 'Outcome of the handler'

export class Outgoing extends ServerResponse {
  /** Settles with the head. Rejects when the reply breaks off before it. */
  readonly response: Promise<Response>
  readonly #body: ReadableStream
  #controller!: ReadableByteStreamController
  #resolve!: (response: Response) => void
  #reject!: (error: unknown) => void
  #outcome: (() => Response) | undefined
  #headersSent = false
  #settled = false
  #hasBytes = false
  #ended = false
  #finished = false
  #readerIsSlow = false

  // Node's types call these fields, which an accessor in the body of the class may not override.
  static {
    const told = (fact: (res: Outgoing) => boolean): PropertyDescriptor => ({
      get(this: Outgoing) {
        return fact(this)
      },
    })
    Object.defineProperties(this.prototype, {
      headersSent: told((res) => res.#headersSent),
      writableEnded: told((res) => res.#ended),
      writableFinished: told((res) => res.#finished),
    })
  }

  constructor(req: IncomingMessage) {
    super(req)
    this.response = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.#body = new ReadableStream(
      {
        type: 'bytes',
        start: (controller) => {
          this.#controller = controller
        },
        pull: () => this.#drain(),
        cancel: (reason: unknown) => this.leave(reason instanceof Error ? reason : undefined),
      },
      { highWaterMark: HIGH_WATER_BYTES },
    )
  }

  /** True when a body that is written is dropped, as Node drops it. */
  get bodiless(): boolean {
    return this.req.method === 'HEAD' || NULL_BODY.has(this.statusCode)
  }

  /**
   * Ends with an outcome that is no reply, such as an error. It comes out when the guard lets the head of it go, and
   * not when the guard refuses the request. `status`: what the guard is told of it.
   */
  conclude(status: number, outcome: () => Response): void {
    this.#outcome = outcome
    this.writeHead(status, OUTCOME)
    this.end()
  }

  override writeHead(...args: readonly unknown[]): this {
    // A bare status leaves the reason phrase as it is, which a Response may do without.
    if (args.length > 1) keepHead(this, args, false)
    else this.statusCode = args[0] as number
    this.#headersSent = true
    // Later, because a reply that ends at once has no body.
    queueMicrotask(() => this.#settle())
    return this
  }

  override flushHeaders(): void {
    if (!this.#headersSent) this.writeHead(this.statusCode)
  }

  override write(chunk: string | Uint8Array, encoding?: BufferEncoding | Callback, done?: Callback): boolean {
    const callback = typeof encoding === 'function' ? encoding : done
    if (callback !== undefined) process.nextTick(callback)
    if (this.destroyed || this.#ended) return false
    this.flushHeaders()
    if (this.bodiless) return true
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk, encoding as BufferEncoding) : chunk
    if (bytes.length > 0) {
      this.#hasBytes = true
      // Copied, because the stream takes the memory that it is given.
      this.#controller.enqueue(new Uint8Array(bytes))
      this.#readerIsSlow = (this.#controller.desiredSize ?? 0) <= 0
    }
    return !this.#readerIsSlow
  }

  override end(...args: readonly unknown[]): this {
    const [chunk, encoding] = args
    const callback = args.find((each) => typeof each === 'function') as Callback | undefined
    if (this.destroyed || this.#ended) return this
    this.flushHeaders()
    if (typeof chunk === 'string' || chunk instanceof Uint8Array) {
      const name = typeof encoding === 'string' ? (encoding as BufferEncoding) : undefined
      Outgoing.prototype.write.call(this, chunk, name)
    }
    this.#ended = true
    this.#controller.close()
    // A reader that waits with a buffer of its own waits on.
    this.#controller.byobRequest?.respond(0)
    process.nextTick(() => {
      if (this.destroyed) return
      this.#finished = true
      if (callback !== undefined) this.once('finish', callback)
      this.emit('finish')
      this.destroyed = true
      this.emit('close')
    })
    return this
  }

  override destroy(error?: Error): this {
    this.leave(error)
    return this
  }

  /** Breaks the reply off because the client has left. The guard may put off `destroy`, which is the handler's. */
  leave(error?: Error): void {
    if (this.destroyed) return
    this.destroyed = true
    const reason =
      error ?? new LlamaGuardError('internal_error', 'The reply broke off: its head or its end could not be sent.')
    this.#settled = true
    this.#reject(reason)
    this.#controller.error(reason)
    process.nextTick(() => this.emit('close'))
  }

  #settle(): void {
    if (this.#settled) return
    this.#settled = true
    const { statusCode: status, statusMessage: statusText } = this
    const concludes = this.#outcome !== undefined && statusText === OUTCOME
    try {
      const body = this.bodiless || (this.#ended && !this.#hasBytes) ? null : this.#body
      this.#resolve(concludes ? this.#outcome!() : new Response(body, { status, statusText, headers: this.#headers() }))
    } catch (error) {
      this.#reject(error)
      // Nobody will read a body whose head is impossible.
      if (!concludes) this.leave()
    }
  }

  #headers(): Headers {
    const headers = new Headers()
    for (const [name, value] of Object.entries(this.getHeaders()))
      for (const each of Array.isArray(value) ? value : [value]) headers.append(name, String(each))
    return headers
  }

  #drain(): void {
    if (!this.#readerIsSlow) return
    this.#readerIsSlow = false
    this.emit('drain')
  }
}
