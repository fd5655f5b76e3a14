// Tells the operator, once, what the guard does not see: bodies that pass unjudged, one line per method and path, and
// routes or a handler that stand before the guard.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { GuardedRequest, Logger } from '../types.js'
import { isObject } from '../utils/json.js'

/** Logs once per method and path the shape of the body, and how to have it judged. Values are never logged. */
export type Announce = (
  req: GuardedRequest,
  logger: Logger,
  body: { format: string; value?: unknown },
  about: object,
) => void

/**
 * The most routes that are remembered. No further route is logged, because a client can make up any number of paths.
 */
const MAX_ROUTES = 256
const MAX_KEYS = 10
const PLAIN_KEY = /^[A-Za-z_][\w-]{0,31}$/

export function createAnnouncer(): Announce {
  const told = new Set<string>()
  return (req, logger, { format, value }, about) => {
    const route = `${req.method ?? 'GET'} ${routeOf(req)}`
    if (told.size >= MAX_ROUTES || told.has(route)) return
    told.add(route)
    logger.warn(
      { ...about, route, format, keys: keysOf(value) },
      'A body that is no chat this guard knows passed unjudged. To have it judged, name its text ' +
        "(llamaGuard({ dialects: [{ in: 'message', out: 'reply' }] }) or customDialect()), mount the guard on the " +
        "route, or set unknown: 'judge'; " +
        "to silence this line, set unknown: 'pass'.",
    )
  }
}

/** The path without parts that differ between requests, such as ids. */
function routeOf(req: GuardedRequest): string {
  const [path = '/'] = (req.originalUrl ?? req.url ?? '/').split('?', 1)
  const segments = path.split('/').slice(0, 8)
  return segments
    .map((segment) => (/^(?:v\d|[A-Za-z][A-Za-z_.-]{0,39})$/.test(segment) || segment === '' ? segment : ':x'))
    .join('/')
}

/** The keys that look like names in a program. Other keys may be words of a client. */
function keysOf(value: unknown): readonly string[] {
  if (!isObject(value)) return []
  const keys = Object.keys(value).slice(0, MAX_KEYS)
  return keys.map((key) => (PLAIN_KEY.test(key) ? key : '(other)'))
}

interface Layer {
  readonly handle?: unknown
  readonly route?: { readonly path?: unknown; readonly methods?: Readonly<Record<string, boolean>> }
}

/** The layers of an Express application. The getter `router` throws in Express 4, which has `_router`. */
interface Application {
  readonly _router?: { readonly stack?: readonly Layer[] }
  readonly router?: { readonly stack?: readonly Layer[] }
}

const MOST_NAMED = 5

/** Tells of a response that was over before the guard, and of routes above it. */
export type TellOrder = (req: IncomingMessage, res: ServerResponse, logger: Logger) => void

export function createOrderCheck(middleware: unknown): TellOrder {
  let asked = false
  let answered = false
  return (req, res, logger) => {
    if (res.writableEnded && !answered) {
      answered = true
      logger.warn(
        { method: req.method },
        'The guard was asked after the handler had answered, so nothing was judged. Mount it before the handler.',
      )
    }
    if (asked) return
    asked = true
    const routes = routesBefore(middleware, (req as { app?: Application }).app)
    if (routes.length > 0)
      logger.info(
        { routes: routes.slice(0, MOST_NAMED) },
        'These routes stand before the guard and are not judged. Where one is a chat, mount the guard above it.',
      )
  }
}

/** The routes before the guard that take a body, of the application and of its routers. */
function routesBefore(middleware: unknown, app: Application | undefined): readonly string[] {
  const layers = (app?._router ?? app?.router)?.stack ?? []
  const own = layers.findIndex(({ handle }) => handle === middleware)
  return layers
    .slice(0, Math.max(own, 0))
    .flatMap((layer) => [layer, ...((layer.handle as { stack?: readonly Layer[] } | undefined)?.stack ?? [])])
    .flatMap(({ route }) =>
      route?.methods?.['post'] || route?.methods?.['_all'] ? [`POST ${String(route.path)}`] : [],
    )
}
