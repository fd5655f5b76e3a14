// Forwards a safe request to an OpenAI-compatible URL and streams the answer back. It adds nothing. It does not retry,
// because a second POST to a model costs money again. It follows no redirect, because a redirect would send the key to
// a host that the operator did not name. The client chooses the end of the path, and cannot leave the base path.
import type { Dispatcher } from 'undici'
import { invalidOption, LlamaGuardError, unreadableRequest, upstreamUnavailable } from '../../types/errors.js'
import { lazyPool } from '../../utils/lazy-pool.js'
import type { Upstream, UpstreamCall } from '../types.js'
import { write } from '../../utils/write.js'
import { requestHeaders, responseHeaders, takesGoogleKey } from './headers.js'

export interface HttpUpstreamOptions {
  /**
   * Base URL of an OpenAI-compatible API, `/v1` included where the API has it. TLS certificates are always
   * verified.
   */
  readonly url: string
  /** Replaces the client's credentials. Default: the client's own `Authorization` is passed on. */
  readonly apiKey?: string
  /**
   * Milliseconds to wait for the headers of a reply, and then for each next part of it. Default: 600000, as long as
   * the `openai` client waits.
   */
  readonly timeoutMs?: number
  /** The most calls at once. Default: 1024. */
  readonly connections?: number
  /** The most calls that wait for a connection. One more is `upstream_unavailable`. Default: 1024. */
  readonly queue?: number
}

const CONNECT_TIMEOUT_MS = 10_000

/** A service before the model, with tokens and refusals of its own. */
export interface Service {
  /** The token of a call, instead of `apiKey`. */
  bearer(): Promise<string>
  /** The error for an answer that is the service's own, and not the model's. */
  refusal(status: number, headers: Dispatcher.ResponseData['headers']): LlamaGuardError | undefined
}

export function httpUpstream(options: HttpUpstreamOptions, service?: Service): Upstream {
  const base = parseBase(options.url)
  const timeoutMs = options.timeoutMs ?? 600_000
  const connections = options.connections ?? 1024
  const most = connections + (options.queue ?? 1024)
  const pool = lazyPool(base.origin, {
    connections,
    connect: { timeout: Math.min(CONNECT_TIMEOUT_MS, timeoutMs) },
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
  })
  let open = 0

  async function forward(call: UpstreamCall): Promise<void> {
    if (call.signal.aborted) return
    if (open >= most)
      throw upstreamUnavailable(
        `${open} calls to ${base.origin} are open or waiting, which is the most allowed (connections + queue).`,
      )
    open += 1
    try {
      const reply = await pool.request(toRequest(call, service === undefined ? options.apiKey : await service.bearer()))
      const refusal = service?.refusal(reply.statusCode, reply.headers)
      if (refusal !== undefined) {
        await reply.body.dump()
        throw refusal
      }
      await relay(reply, call)
    } catch (error) {
      if (call.signal.aborted) return
      throw unavailable(error, base.origin, timeoutMs)
    } finally {
      open -= 1
    }
  }

  function toRequest(
    { req, body, exact, rawBody, path, signal }: UpstreamCall,
    apiKey: string | undefined,
  ): Dispatcher.RequestOptions {
    const joined = joinPath(base, path)
    const target = apiKey === undefined ? joined : withoutKey(joined)
    const method: Dispatcher.HttpMethod = req.method ?? 'GET'
    const bodyless = method === 'GET' || method === 'HEAD'
    const json = !bodyless && body !== undefined
    return {
      method,
      path: target,
      headers: requestHeaders(req.headers, { apiKey, path: target, json }),
      signal,
      body: bodyless ? null : json ? (exact ?? JSON.stringify(body)) : (rawBody ?? req),
    }
  }

  return { forward, close: () => pool.close() }
}

/** The Gemini API takes a key in the query too, which the operator's key replaces. */
function withoutKey(target: string): string {
  const [path = '', query] = target.split('?', 2)
  if (query === undefined || !takesGoogleKey(path)) return target
  const kept = query.split('&').filter((parameter) => !/^key(?:=|$)/i.test(parameter))
  return kept.length === 0 ? path : `${path}?${kept.join('&')}`
}

async function relay(reply: Dispatcher.ResponseData, { req, res, signal }: UpstreamCall): Promise<void> {
  if (res.headersSent)
    throw new LlamaGuardError('internal_error', 'The response was begun before the upstream answered.')
  res.statusCode = reply.statusCode
  for (const [name, value] of Object.entries(responseHeaders(reply.headers))) res.setHeader(name, value)
  if (req.method === 'HEAD') await reply.body.dump()
  else
    for await (const chunk of reply.body) {
      await write(res, chunk as Uint8Array, signal)
      if (signal.aborted || res.destroyed) return
    }
  res.end()
}

// The message is chosen by the error code. The text of a socket error may name addresses inside the network.
function unavailable(error: unknown, origin: string, timeoutMs: number): LlamaGuardError {
  if (error instanceof LlamaGuardError) return error
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : ''
  const reason = code.endsWith('_TIMEOUT')
    ? `was silent for too long (${code}; timeoutMs is ${timeoutMs})`
    : `could not be reached, or broke the connection (${code || 'no code'}); check its URL, and NODE_EXTRA_CA_CERTS ` +
      'for a private authority'
  return upstreamUnavailable(`The upstream ${origin} ${reason}.`, { cause: error })
}

export interface Base {
  readonly origin: string
  /** The path of the base without a trailing slash: `/v1`, or `""`. */
  readonly path: string
  /** The query of the base (`api-version=...` on Azure), without `?`. */
  readonly query: string
}

/**
 * Reads an http or https URL. URLs appear in logs, so a URL with a password is refused.
 * @throws LlamaGuardError `invalid_option` for a URL with a password.
 */
export function parseBase(url: string): Base {
  const parsed = new URL(url)
  if (parsed.username || parsed.password)
    throw invalidOption(
      'The upstream URL holds a user name or password; give the key as apiKey ' +
        '(LLAMA_GUARD_UPSTREAM_API_KEY), which is never logged.',
    )
  return { origin: parsed.origin, path: parsed.pathname.replace(/(?<!\/)\/+$/, ''), query: parsed.search.slice(1) }
}

/**
 * `https://host/v1` and `/v1/chat/completions` give `/v1/chat/completions`: the segments at the end of the base are
 * not repeated.
 */
export function joinPath(base: Base, path: string): string {
  const { pathname, query } = normalise(path)
  const segments = pathname.split('/').filter((segment, at) => at > 0 || segment !== '')
  const head = base.path.split('/').filter(Boolean)
  let shared = Math.min(head.length, segments.length)
  while (shared > 0 && head.slice(-shared).join('/') !== segments.slice(0, shared).join('/')) shared -= 1
  const queries = [base.query, query].filter(Boolean).join('&')
  return `${base.path}/${segments.slice(shared).join('/')}${queries ? `?${queries}` : ''}`
}

// The URL parser resolves `..` and `%2e%2e` here against the root, so that they cannot leave the base path later.
function normalise(path: string): { pathname: string; query: string } {
  const absolute = path.startsWith('/') ? `http://localhost${path}` : path
  if (!URL.canParse(absolute)) throw unreadableRequest('The request path cannot be read as a URL path.')
  const { pathname, search } = new URL(absolute)
  return { pathname, query: search.slice(1) }
}
