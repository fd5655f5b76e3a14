// How the dashboard answers: nothing is stored, framed, guessed or loaded from elsewhere, and no page holds a script.
import type { ServerResponse } from 'node:http'

const HEADERS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
}

type Headers = Readonly<Record<string, string>>

/** Sends an answer. Without a body only the head goes out, and the caller writes the rest. */
export function send(
  res: ServerResponse,
  status: number,
  { type, body, headers }: { readonly type: string; readonly body?: string | undefined; readonly headers?: Headers },
): void {
  if (res.destroyed || res.headersSent) return
  res.statusCode = status
  for (const [name, value] of Object.entries({ ...HEADERS, 'content-type': type, ...headers }))
    res.setHeader(name, value)
  if (body === undefined) return void res.flushHeaders()
  res.setHeader('content-length', Buffer.byteLength(body))
  res.end(body)
}

export function json(res: ServerResponse, status: number, body: object, headers: Headers = {}): void {
  send(res, status, { type: 'application/json; charset=utf-8', body: JSON.stringify(body), headers })
}

export function problem(
  res: ServerResponse,
  status: number,
  error: { readonly code: string; readonly message: string },
  headers: Headers = {},
): void {
  // The unread rest of a body must not be read as the next request on this connection.
  res.req.resume()
  json(res, status, { error }, headers)
}
