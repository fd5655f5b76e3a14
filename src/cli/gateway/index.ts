// The guarded gateway: the paths of chat APIs on bare node:http. Only the routes named here exist, so no
// unguarded way to the model does.
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Registry } from 'prom-client'
import { createUpstream } from '../../create-guard.js'
import type { DashboardOptions } from '../../dashboard/index.js'
import { LlamaGuardError, toLlamaGuardError } from '../../errors.js'
import { llamaGuard } from '../../llama-guard.js'
import { parseOptions } from '../../options/config.js'
import type { Options } from '../../options/index.js'
import { plainDialect } from '../../response/refusal.js'
import { defaultLogger } from '../../telemetry/log.js'
import type { GuardedRequest } from '../../types.js'
import { chatRoutes } from './chat-routes.js'
import { drainable } from './drain.js'
import { gatewayMetrics } from './metrics.js'
import { pause } from '../io.js'
import { trackSockets } from './sockets.js'

export interface GatewayOptions {
  readonly options?: Options
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Default: 8080; 0 takes a free one. */
  readonly port?: number
  /** Default: 127.0.0.1. In a container: 0.0.0.0. */
  readonly host?: string
  /** Open sockets; the next is closed at once. Default: 10000. */
  readonly maxConnections?: number
  /**
   * Milliseconds to let replies finish after a stop signal; then the rest end with an error event. Default:
   * 25000, under Kubernetes' 30 s.
   */
  readonly drainMs?: number
  /** Serves a live page at `/dashboard`. Default: none. */
  readonly dashboard?: DashboardOptions
  /** Makes the reader of `/metrics`. Default: this process's own registry. */
  readonly metrics?: (registry: Registry) => () => Promise<string>
}

export interface Gateway {
  readonly url: string
  readonly port: number
  /** Stops taking requests, lets replies finish, ends the rest loudly, closes everything. */
  stop(): Promise<void>
}

const MAX_HEADER_BYTES = 16 * 1024
const HEADERS_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 60_000
const KEEP_ALIVE_MS = 65_000
/**
 * Milliseconds for which a readiness answer holds. Probes come every few seconds from several places, and each would
 * cost a guard call.
 */
const READY_MS = 10_000
/** Milliseconds in which the error events of ended replies may reach their clients. */
const LAST_WORDS_MS = 2_000

type Handler = (req: GuardedRequest, res: ServerResponse) => void | Promise<void>

/** @throws LlamaGuardError before it listens, when no upstream or no guard is configured. */
export async function startGateway(o: GatewayOptions = {}): Promise<Gateway> {
  const config = parseOptions(o.options, o.env)
  const plain = createUpstream(config.upstream)
  if (plain === undefined)
    throw new LlamaGuardError(
      'endpoint_missing',
      'The gateway has nowhere to send a safe request. Set --upstream-url (LLAMA_GUARD_UPSTREAM_URL) to ' +
        'an OpenAI-compatible API, or --upstream-endpoint (LLAMA_GUARD_UPSTREAM_ENDPOINT) to a chat model ' +
        'on SageMaker.',
    )
  const upstream = drainable(plain)
  const logger = config.logger ?? defaultLogger(config.logLevel)
  const middleware = llamaGuard({ ...o.options, logger, upstream }, o.env)
  const open = new Set<ServerResponse>()
  const metrics = gatewayMetrics(() => open.size)
  const readMetrics = o.metrics?.(metrics.registry) ?? (() => metrics.registry.metrics())
  let stopping = false

  const pass: Handler = async (req, res) => {
    const left = new AbortController()
    res.once('close', () => left.abort())
    const body = typeof req.body === 'object' && req.body !== null ? (req.body as Record<string, unknown>) : undefined
    await upstream.forward({ req, res, body, signal: left.signal, logger, path: req.url ?? '/' })
  }
  const chat: Handler = (req, res) =>
    middleware(
      req,
      res,
      () =>
        void Promise.resolve(pass(req, res)).catch((error: unknown) =>
          refuse(res, toLlamaGuardError(error, 'upstream_unavailable')),
        ),
    )
  const moderate = middleware.moderations()
  const moderations: Handler = (req, res) => moderate(req, res, () => notFound(res, Object.keys(routes)))
  const ready = readiness(async () => {
    // A new text each time, because the cache would answer for a guard that is down.
    const judgement = await middleware.judge([{ role: 'User', text: `Is the guard there at ${Date.now()}?` }], {
      stage: 'input',
    })
    return 'error' in judgement ? judgement.error.code : undefined
  })
  const readyz: Handler = async (_, res) => {
    const problem = stopping ? 'stopping' : await ready()
    json(res, problem === undefined ? 200 : 503, { status: problem ?? 'ready' })
  }
  const dashboard = o.dashboard && middleware.dashboard(o.dashboard)
  const exposition: Handler = async (_, res) => {
    res.setHeader('content-type', metrics.registry.contentType)
    res.end(await readMetrics())
  }

  const chats = chatRoutes(config.upstream)
  const routes: Record<string, Record<string, Handler>> = {
    ...Object.fromEntries(chats.names.map((name) => [name, { POST: chat }])),
    '/v1/moderations': { POST: moderations },
    '/v1/models': { GET: pass },
    '/healthz': { GET: (_, res) => json(res, 200, { status: 'alive' }) },
    '/readyz': { GET: readyz },
    '/metrics': { GET: exposition },
    ...(dashboard && { '/dashboard': { GET: dashboard, POST: dashboard } }),
  }

  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
    },
    (req: IncomingMessage, res) => {
      const asked = (req.url ?? '/').split('?', 1)[0] ?? '/'
      const path = asked === '/dashboard/' ? '/dashboard' : asked
      const route = chats.nameOf(path) ?? (/^\/v1\/models\/[^/]+$/.test(path) ? '/v1/models' : path)
      const methods = Object.hasOwn(routes, route) ? routes[route] : undefined
      open.add(res)
      res.once('close', () => {
        open.delete(res)
        metrics.request(methods === undefined ? 'other' : route, res.statusCode)
      })
      sockets.take(req, res)
      const handler = methods?.[req.method ?? '']
      if (methods === undefined) return notFound(res, Object.keys(routes))
      if (handler === undefined) return wrongMethod(res, Object.keys(methods))
      Promise.resolve()
        .then(() => handler(req, res))
        .catch((error: unknown) => refuse(res, toLlamaGuardError(error)))
    },
  )
  const sockets = trackSockets(server)
  server.maxConnections = o.maxConnections ?? 10_000
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(o.port ?? 8080, o.host ?? '127.0.0.1', resolve)
  })
  const { port, address } = server.address() as AddressInfo

  async function stop(): Promise<void> {
    if (stopping) return
    stopping = true
    // Its pages are told without end.
    dashboard?.close()
    const closed = sockets.close()
    const enough = new AbortController()
    void closed.then(() => enough.abort())
    await pause(o.drainMs ?? 25_000, enough.signal)
    upstream.stop()
    // Open judgements fail now, so that a waiting stream ends with an error event and not with a broken connection.
    const shut = middleware.close()
    await pause(enough.signal.aborted ? 0 : LAST_WORDS_MS, enough.signal)
    server.closeAllConnections()
    await Promise.all([closed, shut])
    metrics.close()
  }

  return { port, url: `http://${address.includes(':') ? `[${address}]` : address}:${port}`, stop }
}

/** Runs one check at a time and reuses its answer for a while. */
function readiness(check: () => Promise<string | undefined>): () => Promise<string | undefined> {
  let last: { readonly at: number; readonly answer: Promise<string | undefined> } | undefined
  return () => {
    if (last === undefined || performance.now() - last.at > READY_MS) last = { at: performance.now(), answer: check() }
    return last.answer
  }
}

function refuse(res: ServerResponse, error: LlamaGuardError): void {
  // Half of the reply has been sent. Only a broken connection tells the client that it is incomplete.
  if (res.headersSent) return void res.destroy()
  if (error.retryAfter !== undefined) res.setHeader('retry-after', String(error.retryAfter))
  const { status, message, code } = error
  const type = error.clientFault
    ? 'invalid_request_error'
    : code === 'upstream_unavailable'
      ? 'server_error'
      : 'guard_unavailable'
  json(res, status, plainDialect.refusal({ stage: 'input', status, message, type, code, requestId: '' }))
}

function notFound(res: ServerResponse, paths: readonly string[]): void {
  json(res, 404, {
    error: {
      message: `There is no such path here. Served are ${paths.join(', ')}.`,
      type: 'invalid_request_error',
      code: 'not_found',
      param: null,
    },
  })
}

function wrongMethod(res: ServerResponse, methods: readonly string[]): void {
  res.setHeader('allow', methods.join(', '))
  json(res, 405, {
    error: {
      message: `This path takes ${methods.join(', ')}.`,
      type: 'invalid_request_error',
      code: 'method_not_allowed',
      param: null,
    },
  })
}

function json(res: ServerResponse, status: number, body: unknown): void {
  res.statusCode = status
  res.setHeader('content-type', 'application/json; charset=utf-8')
  res.setHeader('cache-control', 'no-store')
  res.end(JSON.stringify(body))
}
