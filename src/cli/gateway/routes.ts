// The paths of the gateway, and what it answers itself, in the form of OpenAI's errors. A chat is judged by the dialect
// of its path's ending.
import type { ServerResponse } from 'node:http'
import type { Dashboard } from '../../dashboard/index.js'
import { type LlamaGuardError, toLlamaGuardError } from '../../types/errors.js'
import type { LlamaGuard } from '../../llama-guard.js'
import type { UpstreamOption } from '../../options/index.js'
import type { GuardedRequest, Logger } from '../../types.js'
import type { Upstream } from '../../upstream/index.js'
import { cureFor } from '../io.js'
import type { GatewayMetrics } from './metrics.js'

export type Handler = (req: GuardedRequest, res: ServerResponse) => void | Promise<void>

/** The handlers of one path, by method. */
export type Route = Readonly<Record<string, Handler>>

interface Served {
  readonly guard: LlamaGuard
  readonly upstream: Upstream
  readonly upstreamOption: UpstreamOption | undefined
  readonly logger: Logger
  /** Undefined where prom-client is not installed. */
  readonly metrics: GatewayMetrics | undefined
  readonly dashboard: Dashboard | undefined
  readonly isStopping: () => boolean
}

/** A backslash, or a segment of dots in any form in which servers read one. The upstream's path would be another. */
const ELSEWHERE = /\\|%5c|(?:\/|%2f)(?:\.|%2e){1,2}(?=\/|%2f|[;#]|%3b|$)/i

export function createRoutes(served: Served) {
  const { guard, upstream, logger, metrics, dashboard } = served
  const pass: Handler = async (req, res) => {
    const left = new AbortController()
    res.once('close', () => left.abort())
    const body = typeof req.body === 'object' && req.body !== null ? (req.body as Record<string, unknown>) : undefined
    await upstream.forward({ req, res, body, signal: left.signal, logger, path: req.url ?? '/' })
  }
  const chat: Handler = (req, res) =>
    guard(
      req,
      res,
      () =>
        void Promise.resolve(pass(req, res)).catch((error: unknown) =>
          refuse(res, toLlamaGuardError(error, 'upstream_unavailable')),
        ),
    )
  const moderate = guard.moderations()
  const moderations: Handler = (req, res) => moderate(req, res, () => notFound(res, Object.keys(routes)))
  const ready = readiness(guard)
  const readyz: Handler = async (_, res) => {
    const problem = served.isStopping() ? 'stopping' : await ready()
    json(res, problem === undefined ? 200 : 503, { status: problem ?? 'ready' })
  }
  const exposition: Handler = async (_, res) => {
    if (metrics === undefined)
      return json(res, 501, { error: { message: `Metrics need prom-client. ${cureFor('prom-client')}` } })
    res.setHeader('content-type', metrics.contentType)
    res.end(await metrics.read())
  }

  const chats = chatRoutes(served.upstreamOption)
  const routes: Record<string, Route> = {
    ...Object.fromEntries(chats.names.map((name) => [name, { POST: chat }])),
    '/v1/moderations': { POST: moderations },
    '/v1/models': { GET: pass },
    '/healthz': { GET: (_, res) => json(res, 200, { status: 'alive' }) },
    '/readyz': { GET: readyz },
    '/metrics': { GET: exposition },
    ...(dashboard && { '/dashboard': { GET: dashboard, POST: dashboard } }),
  }

  return {
    names: Object.keys(routes),
    find(url: string): Route | undefined {
      const asked = url.split('?', 1)[0] ?? '/'
      if (ELSEWHERE.test(asked)) return undefined
      const path = asked === '/dashboard/' ? '/dashboard' : asked
      const name = chats.nameOf(path) ?? (/^\/v1\/models\/[^/]+$/.test(path) ? '/v1/models' : path)
      return Object.hasOwn(routes, name) ? routes[name] : undefined
    },
  }
}

export function json(res: ServerResponse, status: number, body: unknown): void {
  res.statusCode = status
  res.setHeader('content-type', 'application/json; charset=utf-8')
  res.setHeader('cache-control', 'no-store')
  res.end(JSON.stringify(body))
}

export function refuse(res: ServerResponse, error: LlamaGuardError): void {
  // Half of the reply has been sent. Only a broken connection tells the client that it is incomplete.
  if (res.headersSent) return void res.destroy()
  if (error.retryAfter !== undefined) res.setHeader('retry-after', String(error.retryAfter))
  const { status, message, code } = error
  const type = error.clientFault
    ? 'invalid_request_error'
    : code === 'upstream_unavailable'
      ? 'server_error'
      : 'guard_unavailable'
  json(res, status, { error: { message, type, code, param: null } })
}

export function notFound(res: ServerResponse, paths: readonly string[]): void {
  wrongRequest(res, 404, 'not_found', `There is no such path here. Served are ${paths.join(', ')}.`)
}

export function wrongMethod(res: ServerResponse, methods: readonly string[]): void {
  res.setHeader('allow', methods.join(', '))
  wrongRequest(res, 405, 'method_not_allowed', `This path takes ${methods.join(', ')}.`)
}

function wrongRequest(res: ServerResponse, status: number, code: string, message: string): void {
  json(res, status, { error: { message, type: 'invalid_request_error', code, param: null } })
}

/** Served by every upstream, which says itself what it cannot do. */
const COMMON = ['/v1/chat/completions', '/v1/completions', '/v1/responses', '/v1/messages']

/** Served by an upstream with a URL, which must speak that API. By name, with the paths that have a variable part. */
const OF_URLS: Readonly<Record<string, RegExp>> = {
  '/api/chat': /^\/api\/chat$/,
  '/v2/chat': /^\/v2\/chat$/,
  // A model may be an ARN, whose colons and slashes come encoded.
  '/model/{model}/converse': /^\/model\/[A-Za-z0-9](?:[\w.:-]|%2F|%3A){0,2048}\/converse$/i,
  '/v1beta/models/{model}:generateContent': gemini('generateContent'),
  '/v1beta/models/{model}:streamGenerateContent': gemini('streamGenerateContent'),
  '/v1beta/interactions': /^\/v1(?:beta1?)?\/(?:projects\/[\w.-]{1,128}\/locations\/[\w-]{1,64}\/)?interactions$/,
}

/** A chat model on SageMaker understands Chat Completions alone. */
export function chatRoutes(upstream: UpstreamOption | undefined) {
  const hasUrl = typeof upstream !== 'object' || !('endpoint' in upstream)
  const patterns = hasUrl ? Object.entries(OF_URLS) : []
  return {
    names: [...COMMON, ...patterns.map(([name]) => name)],
    /** The name of the route that serves this path. */
    nameOf: (path: string) => (COMMON.includes(path) ? path : patterns.find(([, pattern]) => pattern.test(path))?.[0]),
  }
}

/** The Gemini API, and Vertex AI with its projects before the models. */
function gemini(method: string): RegExp {
  return new RegExp(String.raw`^/v1(?:alpha|beta|beta1)?/(?:[\w.-]{1,128}/){1,8}[\w.@-]{1,128}:${method}$`)
}

/**
 * Milliseconds for which a readiness answer holds. Probes come every few seconds from several places, and each would
 * cost a guard call.
 */
const READY_MS = 10_000

/** Returns the code of the guard's failure, or undefined while it answers. It runs one check at a time. */
export function readiness(guard: Pick<LlamaGuard, 'judge'>): () => Promise<string | undefined> {
  let last: { readonly at: number; readonly answer: Promise<string | undefined> } | undefined
  return () => {
    if (last === undefined || performance.now() - last.at > READY_MS)
      last = { at: performance.now(), answer: check(guard) }
    return last.answer
  }
}

async function check(guard: Pick<LlamaGuard, 'judge'>): Promise<string | undefined> {
  // A new text each time, because the cache would answer for a guard that is down.
  const text = `Is the guard there at ${Date.now()}?`
  const judgement = await guard.judge([{ role: 'User', text }], { stage: 'input' })
  return 'error' in judgement ? judgement.error.code : undefined
}
