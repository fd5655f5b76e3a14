// Joins the operator's base URL and the client's path. The client chooses the end of the path. It cannot change the
// host or leave the base path.
import { LlamaGuardError } from '../../errors.js'

export interface Base {
  readonly origin: string
  /** The path of the base without a trailing slash: `/v1`, or `""`. */
  readonly path: string
  /** The query of the base (`api-version=...` on Azure), without `?`. */
  readonly query: string
}

/**
 * URLs appear in logs, so a URL with a password is refused.
 * @throws LlamaGuardError `invalid_option` for a text that is no http(s) URL or carries a password.
 */
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
  if (!URL.canParse(absolute))
    throw new LlamaGuardError('unreadable_request', 'The request path cannot be read as a URL path.')
  const { pathname, search } = new URL(absolute)
  return { pathname, query: search.slice(1) }
}
