// Joins an operator's base URL and a client's path. The client chooses the end of the path, never the host or a way up.
import { LlamaGuardError } from '../../errors.js'

export interface Base {
  readonly origin: string
  /** Without a trailing slash: `/v1`, or `""`. */
  readonly path: string
  /** Query of the base itself (`api-version=...` on Azure), without `?`. */
  readonly query: string
}

/** Throws `invalid_option` for what is no http(s) URL, or carries a password: URLs end up in logs. */
export function parseBase(url: string): Base {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (!parsed || !/^https?:$/.test(parsed.protocol)) {
    throw new LlamaGuardError(
      'invalid_option',
      'The upstream URL is not an http(s) URL; give the base URL of an OpenAI-compatible API, for ' +
        'example https://api.openai.com/v1.',
    )
  }
  if (parsed.username || parsed.password) {
    throw new LlamaGuardError(
      'invalid_option',
      'The upstream URL holds a user name or password; give the key as apiKey ' +
        '(LLAMA_GUARD_UPSTREAM_API_KEY), which is never logged.',
    )
  }
  return { origin: parsed.origin, path: parsed.pathname.replace(/(?<!\/)\/+$/, ''), query: parsed.search.slice(1) }
}

/**
 * `https://host/v1` and `/v1/chat/completions` meet at `/v1/chat/completions`: what the base ends with is not
 * said twice.
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

// The URL parser resolves `..` and `%2e%2e` here, against the root, so that they cannot climb out of the base
// path later.
function normalise(path: string): { pathname: string; query: string } {
  const absolute = path.startsWith('/') ? `http://localhost${path}` : path
  if (!URL.canParse(absolute))
    throw new LlamaGuardError('unreadable_request', 'The request path cannot be read as a URL path.')
  const { pathname, search } = new URL(absolute)
  return { pathname, query: search.slice(1) }
}
