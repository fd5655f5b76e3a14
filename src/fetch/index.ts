// `express-llama-guard/fetch`: the middleware around a handler that takes a `Request` and returns a `Response`. The
// guard is llamaGuard() itself, on a request and a response of node:http that have no wire.
import { llamaGuard, type LlamaGuard } from '../llama-guard.js'
import type { LlamaGuardOptions } from '../options/index.js'
import { invalidOption } from '../types/errors.js'
import { type GuardedWebRequest, Incoming, type IncomingRequest } from './incoming.js'
import { Outgoing } from './outgoing.js'
import { write } from '../utils/write.js'

export type { GuardedWebRequest, IncomingRequest } from './incoming.js'

/** A guarded handler, with the guard's own methods. */
export interface GuardedHandler<In extends Request, Rest extends readonly unknown[], Out> extends Pick<
  LlamaGuard,
  'judge' | 'stats' | 'close'
> {
  (request: In, ...rest: Rest): Promise<Awaited<Out> | Response>
}

/**
 * Guards a handler of Requests: Hono, Next.js route handlers, Bun, Deno. The handler gets the very Request, with its
 * body unread, and finds decisions and an abort signal on `request.llamaGuard`. A body with a content-encoding comes
 * decoded, in a new Request without that header. The other arguments are passed on.
 *
 * The guard counts as mounted on a route: the option `unknown` is `judge` unless told otherwise. An error that the
 * handler throws, `Response.error()`, and a switch to web sockets come out as they are.
 *
 * @param handler Takes a Request and returns a Response. It runs when the request is safe.
 * @param guard Options as those of {@link llamaGuard}, or a guard that several handlers share. Default: no options.
 * @throws LlamaGuardError at once when a setting is missing or wrong.
 * @example export default { fetch: guardFetch(app.fetch) }
 */
export function guardFetch<In extends Request, Rest extends readonly unknown[], Out>(
  handler: (request: In, ...rest: Rest) => Out,
  guard: LlamaGuard | LlamaGuardOptions<IncomingRequest> = {},
): GuardedHandler<In, Rest, Out> {
  if (typeof handler !== 'function')
    throw invalidOption(
      `The first argument of guardFetch() should be the handler; got ${typeof handler}. Write guardFetch(handler, options).`,
    )
  const middleware = typeof guard === 'function' ? guard : llamaGuard(guard)

  async function guardedHandler(this: unknown, request: In, ...rest: Rest): Promise<Awaited<Out> | Response> {
    const { signal } = request
    signal.throwIfAborted()
    const req = new Incoming(request)
    const res = new Outgoing(req)
    const leave = (): void => res.leave(signal.reason as Error)
    signal.addEventListener('abort', leave)
    res.once('close', () => {
      signal.removeEventListener('abort', leave)
      req.stop()
    })
    middleware(req, res, () => {
      req.stop()
      void answer(() => Reflect.apply(handler, this, [shown(request, req), ...rest]), res)
    })
    return res.response
  }
  const { judge, stats, close } = middleware
  return Object.assign(guardedHandler, { judge, stats, close })
}

async function answer(run: () => unknown, res: Outgoing): Promise<void> {
  let reply: unknown
  try {
    reply = await run()
  } catch (error) {
    return fail(error, res)
  }
  return send(reply, res)
}

/** The Request with the guard's state on it, and a signal that aborts with the guard's too. */
function shown<In extends GuardedWebRequest>(given: In, req: Incoming): In {
  const { llamaGuard: state } = req
  if (state === undefined) return given
  const request = req.judged as In
  if (request.llamaGuard === state) return request
  const { signal } = request
  let both: AbortSignal | undefined
  return Object.defineProperties(request, {
    llamaGuard: { configurable: true, value: state },
    signal: { configurable: true, get: () => (both ??= AbortSignal.any([signal, state.signal])) },
  })
}

/** Writes the handler's reply. Never rejects. */
async function send(reply: unknown, res: Outgoing): Promise<void> {
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
function fail(error: unknown, res: Outgoing): void {
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
    await write(res, value)
  }
}
