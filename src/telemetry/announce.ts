// Logs one line per method and path for bodies that passed unjudged, so that an operator who expects them to be
// judged learns of it.
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
        "(llamaGuard({ text: 'message' }) or customDialect()), mount the guard on the route, or set " +
        "unknown: 'judge'; " +
        "to silence this line, set unknown: 'pass'.",
    )
  }
}

/** The path without parts that differ between requests, such as ids. */
function routeOf(req: GuardedRequest): string {
  const [path = '/'] = (req.originalUrl ?? req.url ?? '/').split('?', 1)
  const segments = path.split('/').slice(0, 8)
  return segments
    .map((segment) => (/^[A-Za-z][A-Za-z_.-]{0,39}$/.test(segment) || segment === '' ? segment : ':x'))
    .join('/')
}

/** The keys that look like names in a program. Other keys may be words of a client. */
function keysOf(value: unknown): readonly string[] {
  if (!isObject(value)) return []
  const keys = Object.keys(value).slice(0, MAX_KEYS)
  return keys.map((key) => (PLAIN_KEY.test(key) ? key : '(other)'))
}
