// The guarded gateway: a server of bare node:http in front of a chat model, from its start to its last reply. It stops
// without cutting a reply.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, Server as NetServer, type Socket } from 'node:net'
import { createUpstream } from '../../services/create-guard.js'
import type { DashboardOptions } from '../../dashboard/index.js'
import { LlamaGuardError, toLlamaGuardError, upstreamUnavailable } from '../../types/errors.js'
import { llamaGuard } from '../../llama-guard.js'
import { parseOptions } from '../../options/config.js'
import type { LlamaGuardOptions } from '../../options/index.js'
import { defaultLogger } from '../../telemetry/log.js'
import type { Upstream } from '../../upstream/index.js'
import type { UpstreamCall } from '../../upstream/types.js'
import { pause } from '../io.js'
import { createRoutes, notFound, refuse, wrongMethod } from './routes.js'
import { metricsOf } from './metrics.js'

export interface GatewaySettings {
  /** Default: 8080; 0 takes a free one. */
  readonly port?: number
  /** Default: 127.0.0.1. In a container: 0.0.0.0. */
  readonly host?: string
  /**
   * Milliseconds to let replies finish after a stop signal; then the rest end with an error event. Default:
   * 25000, under Kubernetes' 30 s.
   */
  readonly drainMs?: number
}

export interface GatewayOptions extends GatewaySettings {
  readonly options?: LlamaGuardOptions
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Serves a live page at `/dashboard`. Default: none. */
  readonly dashboard?: DashboardOptions | undefined
}

export type Gateway = Awaited<ReturnType<typeof startGateway>>

const MAX_HEADER_BYTES = 16 * 1024
/** Open sockets; the next is closed at once. */
const MOST_CONNECTIONS = 10_000
const HEADERS_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 60_000
const KEEP_ALIVE_MS = 65_000
/** Milliseconds in which the error events of ended replies may reach their clients. */
const LAST_WORDS_MS = 2_000

/** @throws LlamaGuardError before it listens, when no upstream or no guard is configured. */
export async function startGateway(o: GatewayOptions = {}) {
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
  const logger = config.logger || defaultLogger(config.logger === false ? 'silent' : config.logLevel)
  const middleware = llamaGuard({ ...o.options, logger, upstream }, o.env)
  const metrics = await metricsOf()
  let stopping = false

  const dashboard = o.dashboard && middleware.dashboard(o.dashboard)
  const routes = createRoutes({
    guard: middleware,
    upstream,
    upstreamOption: config.upstream,
    logger,
    metrics,
    dashboard,
    isStopping: () => stopping,
  })

  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
    },
    (req: IncomingMessage, res) => {
      const route = routes.find(req.url ?? '/')
      sockets.take(req, res)
      if (route === undefined) return notFound(res, routes.names)
      const handler = route[req.method ?? '']
      if (handler === undefined) return wrongMethod(res, Object.keys(route))
      Promise.resolve()
        .then(() => handler(req, res))
        .catch((error: unknown) => refuse(res, toLlamaGuardError(error)))
    },
  )
  const sockets = trackSockets(server)
  server.maxConnections = MOST_CONNECTIONS
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(o.port ?? 8080, o.host ?? '127.0.0.1', resolve)
  })
  const { port, address } = server.address() as AddressInfo

  /** Stops taking requests, lets replies finish, ends the rest loudly, closes everything. */
  async function stop(): Promise<void> {
    if (stopping) return
    stopping = true
    // Its pages read a stream that has no end of its own.
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
    metrics?.close()
  }

  return {
    port,
    url: `http://${address.includes(':') ? `[${address}]` : address}:${port}`,
    /** False where prom-client is not installed, and `/metrics` answers 501. */
    hasMetrics: metrics !== undefined,
    stop,
  }
}

/** An upstream whose open calls can be failed from outside. A silent end would look like a complete reply. */
export function drainable(upstream: Upstream) {
  const stopping = new AbortController()
  return {
    async forward(call: UpstreamCall) {
      const stopped = (): LlamaGuardError =>
        upstreamUnavailable('The gateway is shutting down. Send the request again.', { retryAfter: 1, retryable: true })
      if (stopping.signal.aborted) throw stopped()
      await upstream.forward({ ...call, signal: AbortSignal.any([call.signal, stopping.signal]) })
      if (stopping.signal.aborted && !call.signal.aborted && !call.res.writableEnded) throw stopped()
    },
    /** Ends the calls still open. Their replies end with an error event that the client's SDK raises. */
    stop: () => stopping.abort(),
    close: () => upstream.close(),
  }
}

/** Knows the open connections of a server, and which of them answer. */
export function trackSockets(server: Server) {
  const all = new Set<Socket>()
  const busy = new Map<Socket, ServerResponse>()
  let closing = false
  server.on('connection', (socket: Socket) => {
    all.add(socket)
    socket.once('close', () => all.delete(socket))
  })
  return {
    /** Call for every request. */
    take(req: IncomingMessage, res: ServerResponse): void {
      const { socket } = req
      busy.set(socket, res)
      if (closing) res.shouldKeepAlive = false
      // The 'close' of a response comes after the system has taken its last byte.
      res.once('close', () => {
        if (busy.get(socket) === res) busy.delete(socket)
        if (closing && !busy.has(socket)) socket.end()
      })
    },
    /** Stops listening and closes what is idle, now and from now on. Resolves when the last connection is gone. */
    close(): Promise<void> {
      closing = true
      const closed = new Promise<void>((resolve) => void NetServer.prototype.close.call(server, () => resolve()))
      for (const res of busy.values()) if (!res.headersSent) res.shouldKeepAlive = false
      for (const socket of all) if (!busy.has(socket)) socket.end()
      return closed
    },
  }
}
