// Which headers cross a proxy hop, in either direction. A header list is a trust boundary: what is not for
// the other side stays.
import type { IncomingHttpHeaders } from 'node:http'

export type Headers = Record<string, string | string[]>

/**
 * RFC 9110 section 7.6.1, and the older ones that proxies still see. They speak of one connection, never of
 * the message.
 */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]

/**
 * `cookie` is the session of the app in front of us: no business of a model vendor. `range` would give a 206,
 * which cannot be judged. `expect` was answered by our own server. `host` and `content-length` are made anew.
 */
const NOT_FOR_UPSTREAM = ['host', 'content-length', 'expect', 'cookie', 'cookie2', 'range', 'if-range']

/** `set-cookie` would plant the upstream's cookies on our own origin; `llama-guard` is for us alone to say. */
const NOT_FOR_CLIENT = ['set-cookie', 'set-cookie2', 'llama-guard']

/** Where clients of the known APIs put a key. All of them are dropped when the operator's key takes their place. */
const CREDENTIALS = ['authorization', 'x-api-key', 'api-key', 'x-goog-api-key']

/** The codings a reply can be judged in on every supported Node. A client may accept more than the judge can read. */
const READABLE_CODINGS = /^\s*(gzip|br|deflate|identity)\s*(;|$)/i

export interface RequestHeaderOptions {
  /** Sent in place of whatever credentials the client gave. */
  readonly apiKey?: string
  readonly path: string
  /** The body is our own JSON, not the client's bytes: its type and coding are ours to say. */
  readonly json: boolean
  /** A token stream is asked for uncompressed: a compressor may sit on words that should flow. */
  readonly stream: boolean
}

export function requestHeaders(incoming: IncomingHttpHeaders, options: RequestHeaderOptions): Headers {
  const headers = endToEnd(incoming, NOT_FOR_UPSTREAM)
  const codings = String(headers['accept-encoding'] ?? '')
    .split(',')
    .filter((coding) => READABLE_CODINGS.test(coding))
  headers['accept-encoding'] =
    options.stream || codings.length === 0 ? 'identity' : codings.map((coding) => coding.trim()).join(', ')
  if (options.json) {
    delete headers['content-encoding']
    headers['content-type'] = 'application/json'
  }
  if (options.apiKey !== undefined) {
    for (const name of CREDENTIALS) Reflect.deleteProperty(headers, name)
    // Anthropic and Gemini read their keys from headers of their own; every other known API takes a bearer token.
    const path = options.path.split('?', 1)[0] ?? ''
    if (/\/messages$/.test(path)) headers['x-api-key'] = options.apiKey
    else if (takesGoogleKey(path)) headers['x-goog-api-key'] = options.apiKey
    else headers['authorization'] = `Bearer ${options.apiKey}`
  }
  return headers
}

/** The Gemini API. Vertex AI, whose paths name a project, takes a bearer token. */
export function takesGoogleKey(path: string): boolean {
  return /\/models\/[^/]+:(?:g|streamG)enerateContent$/.test(path) && !path.includes('/projects/')
}

export function responseHeaders(incoming: IncomingHttpHeaders): Headers {
  return endToEnd(incoming, NOT_FOR_CLIENT)
}

function endToEnd(incoming: IncomingHttpHeaders, dropped: readonly string[]): Headers {
  const named = [incoming.connection ?? []]
    .flat()
    .join(',')
    .split(',')
    .map((name) => name.trim().toLowerCase())
  const gone = new Set([...HOP_BY_HOP, ...named, ...dropped])
  const kept: Headers = {}
  for (const [name, value] of Object.entries(incoming)) if (value !== undefined && !gone.has(name)) kept[name] = value
  return kept
}
