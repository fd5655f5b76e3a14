// A `Request` in the form in which the guard reads requests: one of node:http, whose bytes come from a copy of the
// body. The handler gets the Request itself, so that its body is unread and its class is its own; where its body is
// encoded, one of that class with the bytes that were judged.
import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import type { GuardedRequest, RequestState } from '../types.js'

/** What hooks such as `skip` and `override` get, with the Request that it stands for. */
export type IncomingRequest = GuardedRequest & { readonly request: Request }

/** A Request as the handler finds it. `llamaGuard` is undefined where the guard let the request pass. */
export type GuardedWebRequest = Request & { readonly llamaGuard?: RequestState }

/** Express sets `route` where a guard stands before one handler, and so does a guard around one. */
const AROUND_A_HANDLER = { path: '*' }

const NOTHING = new Uint8Array()
/**
 * The guard decides by the first bytes whether it reads a body to its end. A body that is in memory comes as one chunk,
 * which may be larger than the guard reads.
 */
const PIECE_BYTES = 64 * 1024

export class Incoming extends IncomingMessage {
  readonly request: Request
  readonly route = AROUND_A_HANDLER
  body?: unknown
  llamaGuard?: RequestState
  #copy: Request | undefined
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined
  /** What has been read of the copy and not been pushed. */
  #unread: Uint8Array = NOTHING
  #stopped = false
  #decoded: Uint8Array | undefined

  constructor(request: GuardedWebRequest) {
    // Never connected. Node's requests want one of their own.
    super(new Socket())
    this.request = request
    // Two guards around each other judge once.
    if (request.llamaGuard !== undefined) this.llamaGuard = request.llamaGuard
    this.method = request.method
    this.url = request.url.replace(/^[a-z][a-z0-9+.-]{0,40}:\/\/[^/?#]*/i, '')
    this.httpVersion = '1.1'
    this.httpVersionMajor = 1
    this.httpVersionMinor = 1
    const headers = [...request.headers]
    // A Request need not name the length of its body, and may name another.
    if (request.body) headers.push(['transfer-encoding', 'chunked'])
    this.headers = Object.fromEntries(headers)
    this.rawHeaders = headers.flat()
    // Without a listener the error of a broken upload would end the process.
    this.on('error', () => undefined)
    if (request.bodyUsed || request.body?.locked === true) this.#markAsRead()
  }

  /** Called with the decoded bytes of a body that came encoded. */
  handOn(bytes: Uint8Array): void {
    this.#decoded = bytes
  }

  /** The Request for the handler of a judged request. Its body is in the one encoding that was judged, none. */
  get judged(): Request {
    const { request } = this
    if (this.#decoded === undefined) return request
    const headers = new Headers(request.headers)
    headers.delete('content-encoding')
    headers.delete('content-length')
    const Class = request.constructor as typeof Request
    return new Class(request, { headers, body: this.#decoded as Uint8Array<ArrayBuffer> })
  }

  /** Reads no more of the body. What is left of it is the handler's. */
  stop(): void {
    if (this.#stopped) return
    this.#stopped = true
    // Settles only once the handler's side has ended too.
    this.#reader?.cancel().catch(() => undefined)
  }

  override _read(): void {
    if (this.#stopped) return
    if (this.request.body) void this.#pull()
    else this.#end()
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.stop()
    callback(error)
  }

  async #pull(): Promise<void> {
    try {
      // A piece that came within read() would be taken with the one before.
      await Promise.resolve()
      if (this.#stopped) return
      this.#copy ??= this.request.clone()
      const reader = (this.#reader ??= this.#copy.body!.getReader() as ReadableStreamDefaultReader<Uint8Array>)
      while (this.#unread.length === 0) {
        const { done, value } = await reader.read()
        if (this.#stopped) return
        if (done) return this.#end()
        this.#unread = value
      }
      const bytes = this.#unread.subarray(0, PIECE_BYTES)
      this.#unread = this.#unread.subarray(bytes.length)
      this.push(bytes)
    } catch (error) {
      this.destroy(error instanceof Error ? error : new Error('The request body broke off.'))
    }
  }

  #end(): void {
    this.complete = true
    this.push(null)
  }

  /** The body has been consumed before the guard. A stream that somebody has read tells the guard so. */
  #markAsRead(): void {
    this.push('\n')
    this.read()
    this.#stopped = true
  }
}
