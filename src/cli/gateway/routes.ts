// The routes of the gateway. Only these exist, so no unguarded way to the model does.
import type { ServerResponse } from 'node:http'
import type { Dashboard } from '../../dashboard/index.js'
import { toLlamaGuardError } from '../../errors.js'
import type { LlamaGuard } from '../../llama-guard.js'
import type { UpstreamOption } from '../../options/index.js'
import type { GuardedRequest, Logger } from '../../types.js'
import type { Upstream } from '../../upstream/index.js'
import { cureFor } from '../peer.js'
import { json, notFound, refuse } from './answers.js'
import { chatRoutes } from './chat-routes.js'
import type { GatewayMetrics } from './metrics.js'
import { readiness } from './readiness.js'

export type Handler = (req: GuardedRequest, res: ServerResponse) => void | Promise<void>

/** The handlers of one path, by method. */
export type Route = Readonly<Record<string, Handler>>

export interface Routes {
  /** The paths that are served. */
  readonly names: readonly string[]
  /** The route of a URL. Metrics count it by its name, because a path of a client would be a label of its own. */
  find(url: string): { readonly name: string; readonly route: Route | undefined }
}

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

export function createRoutes(served: Served): Routes {
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
    find(url) {
      const asked = url.split('?', 1)[0] ?? '/'
      const path = asked === '/dashboard/' ? '/dashboard' : asked
      const name = chats.nameOf(path) ?? (/^\/v1\/models\/[^/]+$/.test(path) ? '/v1/models' : path)
      return Object.hasOwn(routes, name) ? { name, route: routes[name] } : { name: 'other', route: undefined }
    },
  }
}
