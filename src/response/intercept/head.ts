// The head of a held response: committed once by the handler, and sent once, as the handler's or as a refusal's. Until
// then it is kept in the response's own header store.
import {
  IncomingMessage,
  ServerResponse,
  STATUS_CODES,
  validateHeaderName,
  validateHeaderValue,
  type OutgoingHttpHeader,
  type OutgoingHttpHeaders,
} from 'node:http'
import { Socket } from 'node:net'
import { withCode } from './writes.js'
import type { Chain } from './chain.js'

/** The method that commits the head. */
export type Committer = 'writeHead' | 'write' | 'end'

export class HeldHead {
  readonly #res: ServerResponse
  readonly #chain: Chain
  readonly #http2: boolean
  readonly #mountHeaders: OutgoingHttpHeaders
  readonly #onCommit: () => void
  #committed: { readonly status: number; readonly message: string; readonly by: Committer } | undefined
  /** The method that commits the head, or would. */
  committer: Committer = 'writeHead'
  /** True when the head has been passed to the functions below. */
  left = false

  /** `onCommit`: called once the head is committed. */
  constructor(res: ServerResponse, chain: Chain, mountHeaders: OutgoingHttpHeaders, onCommit: () => void) {
    this.#res = res
    this.#chain = chain
    this.#mountHeaders = mountHeaders
    this.#onCommit = onCommit
    this.#http2 = isHttp2(res)
  }

  /** True when the handler has committed its head. Later header changes throw, as they would without the guard. */
  get committed(): boolean {
    return this.#committed !== undefined
  }

  /** Keeps what `writeHead` was given, or what it would be given by the `write` or `end` that commits the head. */
  commit(args: readonly unknown[]): void {
    const res = this.#res
    keepHead(res, args, this.#http2)
    // HTTP/2 has no reason phrase, and Node warns when it is read.
    this.#committed = { status: res.statusCode, message: this.#http2 ? '' : res.statusMessage, by: this.committer }
    this.#onCommit()
  }

  /**
   * Commits the head as Node's implicit head does: through `res.writeHead`, so that middleware which wrapped it after
   * us runs its hooks before the hold is chosen.
   */
  commitBy(by: Committer): void {
    if (this.committed) return
    const res = this.#res
    this.committer = by
    try {
      res.writeHead(res.statusCode)
      // A wrapper of writeHead did not call ours.
      if (!this.committed) this.commit([res.statusCode])
    } finally {
      this.committer = 'writeHead'
    }
  }

  /**
   * Sends the head before the first byte. A head that was committed by `next`, the call that follows, is left to it:
   * Node computes other headers for a head that leaves with the whole body, and middleware below may add some.
   */
  open(next?: Committer): void {
    if (this.left) return
    this.left = true
    const res = this.#res
    if (this.#committed === undefined || this.#chain.real('headersSent')) return
    const { status, message, by } = this.#committed
    res.statusCode = status
    if (!this.#http2) res.statusMessage = message
    if (by !== next) this.#chain.callBelow('writeHead', [status])
  }

  /** Sends the head of a refusal in place of the handler's. */
  refuse(status: number, headers: OutgoingHttpHeaders, length: number): void {
    this.left = true
    const res = this.#res
    for (const name of res.getHeaderNames()) if (!KEPT_ON_REFUSAL.test(name)) res.removeHeader(name)
    for (const [name, value] of Object.entries(this.#mountHeaders))
      if (value !== undefined && !ABOUT_THE_BODY.test(name)) res.setHeader(name, value)
    for (const [name, value] of Object.entries(headers)) if (value !== undefined) res.setHeader(name, value)
    res.setHeader('content-length', length)
    res.statusCode = status
    if (!this.#http2) res.statusMessage = STATUS_CODES[status] ?? ''
    this.#chain.callBelow('writeHead', [status])
  }
}

// A browser needs these headers to read the refusal. All other headers of the handler are removed, because they may
// hold model text.
const KEPT_ON_REFUSAL = /^(access-control-|vary$)/
// Headers that describe the handler's body, which is not sent.
const ABOUT_THE_BODY =
  /^(content-(?!security-policy)|transfer-encoding$|trailer$|etag$|last-modified$|accept-ranges$|cache-control$|expires$)/

/**
 * Does to the response what `writeHead(status, reason?, headers?)` would do, except for sending it. It throws Node's
 * errors now, so that the handler gets them and not the guard when it releases the reply.
 */
export function keepHead(res: ServerResponse, args: readonly unknown[], http2: boolean): void {
  const [given, second, third] = args
  const status = (given as number) | 0
  if (!http2) {
    if (status < 100 || status > 999)
      throw withCode('ERR_HTTP_INVALID_STATUS_CODE', `Invalid status code: ${String(given)}`, RangeError)
    if (typeof second === 'string') res.statusMessage = second
    else res.statusMessage ||= STATUS_CODES[status] ?? 'unknown'
    if (/[^\t -~\u0080-\u00ff]/.test(res.statusMessage))
      throw withCode('ERR_INVALID_CHAR', 'Invalid character in statusMessage', TypeError)
  }
  if (!http2) res.statusCode = status
  const headers = typeof second === 'string' ? third : (third ?? second)
  if (headers !== undefined && headers !== null) keepHeaders(res, headers)
  // HTTP/2 takes the status when it has taken the headers.
  if (http2) res.statusCode = status
}

/** True where Node takes a list of headers for an object when some are set already. */
const OLD_LISTS = ((unsent) => {
  unsent.setHeader('a', '1').writeHead(200, ['b', '1', 'b', '2'])
  return !Array.isArray(unsent.getHeader('b'))
})(new ServerResponse(new IncomingMessage(new Socket())))

/** A list adds a line for each of its entries. */
function keepHeaders(res: ServerResponse, headers: object): void {
  const lines = Array.isArray(headers) ? pairsOf(headers) : Object.entries(headers as OutgoingHttpHeaders)
  // All are checked before the first is kept.
  for (const [name, value] of lines) {
    validateHeaderName(name)
    for (const each of Array.isArray(value) ? value : [value]) validateHeaderValue(name, each as string)
  }
  if (!Array.isArray(headers) || (OLD_LISTS && res.getHeaderNames().length > 0)) {
    for (const [name, value] of lines) res.setHeader(name, value as OutgoingHttpHeader)
    return
  }
  for (const [name] of lines) res.removeHeader(name)
  for (const [name, value] of lines) res.appendHeader(name, value as string)
}

function pairsOf(list: readonly unknown[]): (readonly [string, unknown])[] {
  if (Array.isArray(list[0])) return list as [string, unknown][]
  if (list.length % 2 !== 0)
    throw withCode('ERR_INVALID_ARG_VALUE', 'The list of headers lacks the value of the last', TypeError)
  return Array.from({ length: list.length / 2 }, (_, index) => [list[2 * index] as string, list[2 * index + 1]])
}

export function headersSent(http2: boolean): Error {
  return withCode(`ERR_HTTP${http2 ? '2' : ''}_HEADERS_SENT`, 'Cannot change headers after they are sent')
}

export function isHttp2(res: ServerResponse): boolean {
  return (res.req?.httpVersionMajor ?? 1) >= 2
}

interface Http2Stream {
  removeAllListeners(event: 'wantTrailers'): void
  on(event: 'wantTrailers', listener: (this: { sendTrailers(headers: object): void }) => void): void
}

/** Drops the handler's trailers, because nobody has judged them. */
export function dropTrailers(res: ServerResponse, http2: boolean): void {
  res.addTrailers({})
  res.addTrailers = () => undefined
  // HTTP/2 has no call that removes a trailer. The stream asks for trailers after its last byte.
  const { stream } = res as ServerResponse & { stream?: Http2Stream }
  if (!http2 || stream === undefined) return
  stream.removeAllListeners('wantTrailers')
  stream.on('wantTrailers', function () {
    this.sendTrailers({})
  })
}
