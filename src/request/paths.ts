// Brings the path of a request to one plain form, so that no spelling of it slips past a suffix.
// Routers and proxies disagree on case, double slashes, dots and percent-encoding; here all spellings are one.
import { LlamaGuardError } from '../errors.js'

const MAX_DECODES = 3

/** A path that has one spelling but for its case. */
const PLAIN = /^(?:\/[\w-]+)+$/

/** Lower-cased path without query, encoding, empty or dot segments, and trailing slash. */
export function plainPath(url: string): string {
  if (PLAIN.test(url)) return url.toLowerCase()
  let path = url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '').replace(/[?#].*$/s, '')
  for (let round = 0; round < MAX_DECODES && path.includes('%'); round += 1) path = decode(path)
  const segments: string[] = []
  for (const raw of path.replaceAll('\\', '/').split('/')) {
    // Matrix parameters (`;v=1`) and white space at the ends are dropped by some servers.
    const segment = raw.replace(/;.*$/s, '').trim()
    if (segment === '..') segments.pop()
    else if (segment !== '' && segment !== '.') segments.push(segment)
  }
  return `/${segments.join('/')}`.toLowerCase()
}

function decode(path: string): string {
  // One bad escape must not keep the good ones encoded.
  return path.replace(/(?:%[0-9a-f]{2})+/gi, (escapes) => {
    try {
      return decodeURIComponent(escapes)
    } catch {
      return escapes
    }
  })
}

export type PathPattern = (path: string) => boolean

/** An exact path, or a prefix ending in `*`. Throws `invalid_option` for anything without a leading slash. */
export function pathPattern(pattern: string): PathPattern {
  if (typeof pattern !== 'string' || !pattern.startsWith('/')) {
    throw new LlamaGuardError(
      'invalid_option',
      'A path in `paths` does not start with a slash; write it as in "/v1/chat/completions" or "/v1/*".',
    )
  }
  if (!pattern.endsWith('*')) {
    const exact = plainPath(pattern)
    return (path) => path === exact
  }
  const open = pattern.slice(0, -1)
  // `/v1/*` is a segment's prefix and `/v1` itself; `/v1*` is `/v10` too.
  const prefix = plainPath(open)
  if (prefix === '/') return () => true
  return open.endsWith('/')
    ? (path) => path === prefix || path.startsWith(`${prefix}/`)
    : (path) => path.startsWith(prefix)
}
