// The calls of a handler: what their arguments say, as Node reads them, and the errors that Node gives to a call that
// is wrong or too late; the callbacks of held writes, and when to wait; and what a refusal leaves of a head.
import { IncomingMessage, ServerResponse, type OutgoingHttpHeader, type OutgoingHttpHeaders } from 'node:http'
import type { ServerHttp2Stream } from 'node:http2'
import { Socket } from 'node:net'

export type Callback = (error?: Error | null) => void

// Responses that are never sent throw Node's own errors.
const NOBODY = new IncomingMessage(new Socket())
const UNSENT = new ServerResponse(NOBODY)

/** The callback of `write(chunk, encoding?, cb?)` or `end(chunk?, encoding?, cb?)`. Any argument may be it. */
export function callbackOf(args: readonly unknown[]): Callback | undefined {
  return args.find((argument): argument is Callback => typeof argument === 'function')
}

/** The bytes of a chunk. At the end, a falsy value is none to Node. @throws Node's error for what is no chunk. */
export function bytesOf(method: 'write' | 'end', [chunk, encoding]: readonly unknown[]): Buffer {
  if (method === 'end' && (typeof chunk === 'function' || !chunk)) return NO_BYTES
  // Node takes a callback in the place of the encoding for none.
  if (typeof chunk === 'string') return Buffer.from(chunk, encoding as BufferEncoding)
  if (!(chunk instanceof Uint8Array)) UNSENT.write(chunk)
  // Copied, because the handler may reuse its buffer, and bytes that nobody judged would leave.
  return Buffer.from(chunk as Uint8Array)
}
export const NO_BYTES: Buffer = Buffer.alloc(0)

/** The arguments that send bytes. While a reply waits behind others, Node keeps early hints first for texts alone. */
export function chunk(res: ServerResponse, bytes: Buffer): readonly unknown[] {
  return res.socket === null ? [bytes.toString('latin1'), 'latin1'] : [bytes]
}

/** Node's error for a call that comes too late. */
export function tooLate(code: string): Error {
  return Object.assign(new Error('The call comes too late: its head was sent, or the response has ended'), { code })
}
export const headSent = (http2: unknown): Error => tooLate(`ERR_HTTP${http2 === undefined ? '' : '2'}_HEADERS_SENT`)

/** How to listen for the end. Node.js 24 calls the callbacks of `end` before all who listen. */
export const LISTEN = Number.parseInt(process.versions.node) < 24 ? 'once' : 'prependOnceListener'

/**
 * Does to the response what `writeHead(status, reason?, headers?)` would do, except for sending it.
 * @throws the error that Node throws for an argument that is wrong.
 */
export function keepHead(res: ServerResponse, [status, second, third]: readonly unknown[], http2: boolean): void {
  if (!http2) {
    const head = new ServerResponse(NOBODY)
    head.statusMessage = res.statusMessage
    head.writeHead(status as number, typeof second === 'string' ? second : undefined)
    res.statusCode = head.statusCode
    res.statusMessage = head.statusMessage
  }
  const headers = typeof second === 'string' ? third : (third ?? second)
  if (Array.isArray(headers)) {
    const lines = pairsOf(headers)
    for (const [name] of lines) res.removeHeader(name)
    for (const [name, value] of lines) res.appendHeader(name, value)
  } else for (const [name, value] of Object.entries(headers ?? {})) res.setHeader(name, value as OutgoingHttpHeader)
  // HTTP/2 takes the status when it has taken the headers.
  if (http2) res.statusCode = status as number
}

function pairsOf(list: readonly unknown[]): [string, string][] {
  if (Array.isArray(list[0])) return list as [string, string][]
  if (list.length % 2 !== 0) new ServerResponse(NOBODY).writeHead(200, list as string[])
  return Array.from({ length: list.length / 2 }, (_, at) => list.slice(2 * at, 2 * at + 2) as [string, string])
}

// A browser needs these headers to read the refusal. All other headers of the handler are removed, because they may
// hold model text.
const KEPT_ON_REFUSAL = /^(access-control-|vary$)/
// Headers that describe the handler's body, which is not sent.
const ABOUT_THE_BODY =
  /^(content-(?!security-policy)|transfer-encoding$|trailer$|etag$|last-modified$|accept-ranges$|cache-control$|expires$)/

/** Gives the response the headers that it had before the handler, and these of the refusal. */
export function refuseHead(res: ServerResponse, before: OutgoingHttpHeaders, own: OutgoingHttpHeaders): void {
  for (const name of res.getHeaderNames()) if (!KEPT_ON_REFUSAL.test(name)) res.removeHeader(name)
  const kept = Object.entries(before).filter(([name]) => !ABOUT_THE_BODY.test(name))
  for (const [name, value] of [...kept, ...Object.entries(own)]) if (value !== undefined) res.setHeader(name, value)
}

/** Drops the handler's trailers, because nobody has judged them. */
export function dropTrailers(res: ServerResponse, stream: ServerHttp2Stream | undefined): void {
  res.addTrailers({})
  res.addTrailers = () => undefined
  // HTTP/2 has no call that removes a trailer. The stream asks for trailers after its last byte.
  stream?.removeAllListeners('wantTrailers').on('wantTrailers', () => stream.sendTrailers({}))
}

export class Backpressure {
  readonly #res: ServerResponse
  readonly #isFull: () => boolean
  /** The waiting callbacks, in the order of their writes. They add at most one hold's worth. */
  #waiting: Callback[] = []
  /** False when a middleware before us has replaced res.on. Nobody hears our 'drain' then, so nobody has to wait. */
  readonly #drainIsHeard: boolean
  /** The client reads too slowly. Node emits 'drain' when it reads again. */
  #slowClient = false
  /** The handler waits for a 'drain' that only we can emit. */
  #toldFull = false

  /** `isFull`: the hold wants no more bytes. */
  constructor(res: ServerResponse, isFull: () => boolean) {
    this.#res = res
    this.#isFull = isFull
    this.#drainIsHeard = !Object.hasOwn(res, 'on')
    // Registered before the handler's own listeners, because those write again.
    res.on('drain', () => {
      this.#slowClient = false
      if (!isFull()) this.callAll()
    })
  }

  /** Takes the callback of a write that is held. Returns what the write returns: false tells the handler to wait. */
  add(callback: Callback | undefined): boolean {
    const full = this.#isFull()
    if (callback !== undefined) this.#waiting.push(callback)
    if (!full && !this.#slowClient) this.callAll()
    this.#toldFull = full && this.#drainIsHeard
    return !this.#slowClient && !this.#toldFull
  }

  /** Notes what a write to the functions below has returned. True when the client reads on. */
  sent(fits: unknown): boolean {
    // A wrapped write() may return undefined. Node's own flag then tells whether the client is slow.
    if (fits === false || (fits === undefined && this.#res.writableNeedDrain)) this.#slowClient = true
    return !this.#slowClient
  }

  /** The hold has room again. `always`: the client has another answer, for which the handler must not wait for ever. */
  goOn(always = false): void {
    if (this.#slowClient && !always) return
    this.callAll()
    if (this.#toldFull || this.#slowClient) process.nextTick(() => this.#res.emit('drain'))
    this.#toldFull = false
  }

  /** Calls all who wait. `error`: the client has left. */
  callAll(error?: Error): void {
    if (this.#waiting.length === 0) return
    for (const callback of this.#waiting.splice(0)) process.nextTick(callback, error)
  }
}

/**
 * Puts off each destroy until the function that it returns is called: Express breaks the connection of a handler that
 * fails after its end. A reply that waits behind others is not kept, because these may never end.
 */
export function keepConnection(res: ServerResponse): () => void {
  const { socket, destroy } = res
  if (socket === null) return () => undefined
  const { destroy: breaks } = socket
  let late: [error?: Error] | undefined
  const putOff = <T>(self: T, error: Error | undefined): T => {
    late ??= [error]
    return self
  }
  res.destroy = (error) => putOff(res, error)
  // Node itself destroys the socket when the client has closed its side, or the connection is broken.
  socket.destroy = (error) =>
    socket.readableEnded || (error && 'syscall' in error) ? breaks.call(socket, error) : putOff(socket, error)
  return () => {
    res.destroy = destroy
    socket.destroy = breaks
    if (late !== undefined) res.destroy(...late)
  }
}
