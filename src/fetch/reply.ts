// Writes what a handler returned into the response that the guard watches.
import type { Outgoing } from './outgoing.js'

/** Writes the handler's reply. Never rejects. */
export async function send(reply: unknown, res: Outgoing): Promise<void> {
  let body: ReadableStreamDefaultReader<Uint8Array> | undefined
  const cancel = (): void => void body?.cancel().catch(() => undefined)
  try {
    // Bun's server wants nothing back when it has upgraded a request.
    if (reply === undefined || reply === null) return res.conclude(101, () => reply as unknown as Response)
    const response = checked(reply)
    // An upgrade and `Response.error()` have no body, and no Response of ours can say what they say.
    if (response.body === null && (response.status === 101 || response.status === 0))
      return res.conclude(response.status || 500, () => response)
    body = response.body?.getReader()
    res.once('close', cancel)
    res.writeHead(response.status, response.statusText, [...response.headers].flat())
  } catch (error) {
    cancel()
    return fail(error, res)
  }
  // The client may have left, or been refused, while the handler was at work.
  if (res.destroyed || res.bodiless) cancel()
  try {
    if (body !== undefined) await pump(body, res)
    res.end()
  } catch (error) {
    // A reply that broke off must not look complete.
    res.destroy(error instanceof Error ? error : new TypeError('The body of the Response broke off.'))
    cancel()
  }
}

/** The handler's error comes out as it would without the guard, unless the guard refuses the request. */
export function fail(error: unknown, res: Outgoing): void {
  if (res.headersSent) return
  res.conclude(500, () => {
    throw error
  })
}

function checked(reply: unknown): Response {
  // Not `instanceof`: frameworks replace the global class, and make Responses of the one before.
  const { status, headers, body, bodyUsed } = reply as Partial<Response>
  const isResponse =
    typeof status === 'number' && typeof headers?.getSetCookie === 'function' && (body === null || body?.getReader)
  if (!isResponse) throw new TypeError('The handler returned something that is no Response.')
  if (bodyUsed) throw new TypeError('The body of the Response has been read already.')
  return reply as Response
}

async function pump(body: ReadableStreamDefaultReader<Uint8Array>, res: Outgoing): Promise<void> {
  for (;;) {
    const { done, value } = await body.read()
    if (done || res.destroyed) return
    if (!res.write(value)) await roomIn(res)
  }
}

/** Resolves when more may be written, or when nobody waits for it any more. */
function roomIn(res: Outgoing): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      res.off('drain', done).off('close', done)
      resolve()
    }
    res.on('drain', done).on('close', done)
    if (res.destroyed) done()
  })
}
