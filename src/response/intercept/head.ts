// Status and headers of a held response: it keeps what writeHead was given, and replaces the headers for a refusal.
// It changes only the response's own header store and sends nothing.
import {
  ServerResponse,
  STATUS_CODES,
  validateHeaderName,
  validateHeaderValue,
  type ClientRequest,
  IncomingMessage,
  type OutgoingHttpHeader,
  type OutgoingHttpHeaders,
} from 'node:http'
import { Socket } from 'node:net'

/**
 * Does to the response what `writeHead(status, reason?, headers?)` would do, except for sending it. It throws Node's
 * own errors now, so that the handler gets them and not the guard when it releases the reply.
 */
export function keepHead(res: ServerResponse, args: readonly unknown[], http2: boolean): void {
  const [given, second, third] = args
  const status = (given as number) | 0
  if (!http2) keepStatus(res, given, status, second)
  const headers = typeof second === 'string' ? third : (third ?? second)
  if (headers !== undefined && headers !== null) keepHeaders(res, headers, http2)
  // HTTP/2 takes the status only when it has taken the headers.
  if (http2) res.statusCode = status
  checkHead(res, http2)
}

function keepStatus(res: ServerResponse, given: unknown, status: number, message: unknown): void {
  if (status < 100 || status > 999)
    throw Object.assign(new RangeError(`Invalid status code: ${String(given)}`), {
      code: 'ERR_HTTP_INVALID_STATUS_CODE',
    })
  if (typeof message === 'string') res.statusMessage = message
  else res.statusMessage ||= STATUS_CODES[status] ?? 'unknown'
  res.statusCode = status
}

function keepHeaders(res: ServerResponse, headers: unknown, http2: boolean): void {
  if (Array.isArray(headers)) keepList(res, headers, http2)
  else if (http2 || res.getHeaderNames().length > 0) {
    for (const [name, value] of Object.entries(headers as OutgoingHttpHeaders))
      if (name !== '' || http2) res.setHeader(name, value as OutgoingHttpHeader)
  } else keepLines(res, Object.entries(headers as OutgoingHttpHeaders))
}

/**
 * Keeps headers given as a flat list or as pairs. Their effect on headers that were set before depends on the version
 * of Node, so an unsent response of Node computes it.
 */
function keepList(res: ServerResponse, headers: readonly unknown[], http2: boolean): void {
  if (!http2 && res.getHeaderNames().length > 0) {
    const standIn = standInFor(res)
    standIn.writeHead(res.statusCode, headers as OutgoingHttpHeader[])
    const kept = rawNames(standIn).map((name) => [name, standIn.getHeader(name)] as const)
    for (const name of res.getHeaderNames()) if (!standIn.hasHeader(name)) res.removeHeader(name)
    // From Node 22 on, a header that is given again moves to the end.
    const moved = rawNames(res).some((name, index) => name !== kept[index]?.[0])
    for (const [name, value] of kept) {
      if (moved) res.removeHeader(name)
      res.setHeader(name, value!)
    }
    return
  }
  const pairs = Array.isArray(headers[0])
  if (!pairs && headers.length % 2 !== 0) blank().writeHead(200, headers as OutgoingHttpHeader[])
  const lines: [string, unknown][] = []
  if (pairs) for (const [name, value] of headers as [string, unknown][]) lines.push([name, value])
  else
    for (let index = 0; index < headers.length; index += 2) lines.push([headers[index] as string, headers[index + 1]])
  if (http2) for (const [name] of lines) res.removeHeader(name)
  keepLines(res, lines)
}

/**
 * Keeps each pair as a line of its own, also when two lines have the same name. All lines are checked before the
 * first is kept.
 */
function keepLines(res: ServerResponse, lines: readonly (readonly [string, unknown])[]): void {
  for (const [name, value] of lines) {
    validateHeaderName(name)
    for (const each of Array.isArray(value) ? value : [value]) validateHeaderValue(name, each as string)
  }
  for (const [name, value] of lines) {
    if (res.hasHeader(name)) res.appendHeader(name, value as string)
    // Copied, because appendHeader changes the array that setHeader was given.
    else res.setHeader(name, Array.isArray(value) ? [...(value as string[])] : (value as OutgoingHttpHeader))
  }
}

/** Throws the errors that Node finds only when it writes the head: a bad reason phrase, or trailers without chunks. */
function checkHead(res: ServerResponse, http2: boolean): void {
  if (http2 || !(res.hasHeader('trailer') || /[^\t -~\u0080-\u00ff]/.test(res.statusMessage))) return
  standInFor(res).writeHead(res.statusCode, res.statusMessage)
}

/**
 * An unsent response of Node with the same headers. Node's own code can then be run on it instead of on the real
 * response.
 */
function standInFor(res: ServerResponse): ServerResponse {
  const standIn = blank(res.req)
  for (const name of rawNames(res)) standIn.setHeader(name, res.getHeader(name)!)
  return standIn
}

/** The types of Node lack this method on responses, although it exists. */
const rawNames = (res: ServerResponse): string[] => (res as unknown as ClientRequest).getRawHeaderNames()

const ANY_REQUEST = new IncomingMessage(new Socket())
const blank = (req: IncomingMessage = ANY_REQUEST): ServerResponse => new ServerResponse(req)

// A browser needs these headers to read the refusal. All other headers of the handler are removed, because they may
// hold model text.
const KEPT_ON_REFUSAL = /^(access-control-|vary$)/
// Headers that describe the handler's body, which is not sent.
const ABOUT_THE_BODY =
  /^(content-(?!security-policy)|transfer-encoding$|trailer$|etag$|last-modified$|accept-ranges$|cache-control$|expires$)/

/** Replaces the handler's headers with the headers of a refusal. */
export function replaceHeaders(
  res: ServerResponse,
  mountHeaders: OutgoingHttpHeaders,
  headers: Readonly<Record<string, string>>,
  length: number,
): void {
  for (const name of res.getHeaderNames()) {
    if (!KEPT_ON_REFUSAL.test(name)) res.removeHeader(name)
  }
  for (const [name, value] of Object.entries(mountHeaders)) {
    if (value !== undefined && !ABOUT_THE_BODY.test(name)) res.setHeader(name, value)
  }
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value)
  res.setHeader('content-length', length)
}

interface Http2Stream {
  removeAllListeners(event: 'wantTrailers'): void
  on(event: 'wantTrailers', listener: (this: { sendTrailers(headers: object): void }) => void): void
}

/** Drops the handler's trailers, present and future, because nobody has judged them. */
export function dropTrailers(res: ServerResponse, http2: boolean): void {
  if (!http2) {
    res.addTrailers({})
    res.addTrailers = () => undefined
    return
  }
  // HTTP/2 has no call that removes a trailer. The stream asks for trailers after its last byte, and this listener
  // gives none. Node throws at a second answer, which a listener of the handler would give.
  const { stream } = res as ServerResponse & { stream?: Http2Stream }
  stream?.removeAllListeners('wantTrailers')
  stream?.on('wantTrailers', function () {
    this.sendTrailers({})
    this.sendTrailers = () => undefined
  })
}
