// Status and headers of a held response: what the handler's writeHead said, and what is left of it on a refusal.
// Pure bookkeeping on the response's own header store; nothing is sent from here.
import type { OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from 'node:http'

/**
 * The status as a number, as Node reads it. Throws at the handler, as Node does, and not at us when the reply
 * leaves.
 */
export function statusOf(res: ServerResponse): number {
  const { statusCode } = res
  const status = statusCode | 0
  if (status >= 100 && status <= 999) return status
  throw Object.assign(new RangeError(`Invalid status code: ${String(statusCode)}`), {
    code: 'ERR_HTTP_INVALID_STATUS_CODE',
  })
}

/**
 * Remembers what `writeHead(status, reason?, headers?)` would send; headers come as an object, a flat array,
 * or pairs.
 */
export function keepHead(res: ServerResponse, args: readonly unknown[]): void {
  const [status, second, third] = args
  if (typeof status === 'number') res.statusCode = status
  if (typeof second === 'string') res.statusMessage = second
  const headers = typeof second === 'string' ? third : (second ?? third)
  if (headers === undefined || headers === null) return
  if (!Array.isArray(headers)) {
    for (const name of Object.keys(headers)) {
      const value = (headers as Record<string, OutgoingHttpHeader | undefined>)[name]
      if (value !== undefined) res.setHeader(name, value)
    }
    return
  }
  const flat = Array.isArray(headers[0]) ? (headers as unknown[][]).flat() : (headers as unknown[])
  const seen = new Set<string>()
  for (let index = 0; index + 1 < flat.length; index += 2) {
    const name = String(flat[index])
    const value = flat[index + 1] as string | readonly string[]
    // The array form replaces what setHeader had set, and repeats a name to send it twice.
    if (seen.has(name.toLowerCase())) res.appendHeader(name, value)
    else res.setHeader(name, value)
    seen.add(name.toLowerCase())
  }
}

// What a browser needs to be allowed to read the refusal. Everything else the handler added goes: it may hold
// model text.
const KEPT_ON_REFUSAL = /^(access-control-|vary$)/
// These describe a body that is not sent.
const ABOUT_THE_BODY =
  /^(content-(?!security-policy)|transfer-encoding$|trailer$|etag$|last-modified$|accept-ranges$|cache-control$|expires$)/

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

/**
 * A handler that answers after we have does not know it: what Node throws at its headers would be an
 * unhandled rejection in an async handler on Express 4. Until the head is out they still count, for the hooks
 * of session and compression.
 */
export function ignoreLateHeaders(res: ServerResponse): void {
  const { setHeader, appendHeader, removeHeader } = res
  res.setHeader = (name, value) => (res.headersSent ? res : setHeader.call(res, name, value))
  res.appendHeader = (name, value) => (res.headersSent ? res : appendHeader.call(res, name, value))
  res.removeHeader = (name) => {
    if (!res.headersSent) removeHeader.call(res, name)
  }
}
