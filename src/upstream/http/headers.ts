// Chooses the headers that pass from the client to the upstream and back. A header that is not meant for the other
// side is dropped.
import type { IncomingHttpHeaders } from 'node:http'

export type Headers = Record<string, string | string[]>

/** RFC 9110 section 7.6.1, and older headers that proxies still send. They describe one connection, not the message. */
const HOP_BY_HOP = (
  'connection keep-alive proxy-authenticate proxy-authorization proxy-connection ' +
  'te trailer transfer-encoding upgrade'
).split(' ')

/**
 * `cookie` is the session of the app and must not reach a model vendor. `range` would give a 206, which cannot be
 * judged. Our own server has answered `expect`. `host` and `content-length` are set anew.
 */
const NOT_FOR_UPSTREAM = ['host', 'content-length', 'expect', 'cookie', 'cookie2', 'range', 'if-range']

/** `set-cookie` would set the upstream's cookies on our origin. Only the guard may set `llama-guard`. */
const NOT_FOR_CLIENT = ['set-cookie', 'set-cookie2', 'llama-guard']

/**
 * The headers in which clients of the known APIs send a key, or name who pays for it. All are dropped when the
 * operator's key replaces them.
 */
const CREDENTIALS = (
  'authorization x-api-key api-key x-goog-api-key ocp-apim-subscription-key ' +
  'openai-organization openai-project x-goog-user-project'
).split(' ')

export interface RequestHeaderOptions {
  /** Replaces the credentials of the client. */
  readonly apiKey?: string
  readonly path: string
  /** True when the body is our own JSON and not the client's bytes. Type and coding are then set by us. */
  readonly json: boolean
}

export function requestHeaders(incoming: IncomingHttpHeaders, options: RequestHeaderOptions): Headers {
  const headers = endToEnd(incoming, NOT_FOR_UPSTREAM)
  // A reply is judged in plain bytes, and a compressor would delay the words of a stream.
  headers['accept-encoding'] = 'identity'
  if (options.json) {
    delete headers['content-encoding']
    headers['content-type'] = 'application/json'
  }
  if (options.apiKey !== undefined) {
    for (const name of CREDENTIALS) Reflect.deleteProperty(headers, name)
    // Anthropic and Gemini read their keys from headers of their own; every other known API takes a bearer token.
    const path = options.path.split('?', 1)[0] ?? ''
    if (takesAnthropicKey(path)) headers['x-api-key'] = options.apiKey
    else if (takesGoogleKey(path)) headers['x-goog-api-key'] = options.apiKey
    else headers['authorization'] = `Bearer ${options.apiKey}`
  }
  return headers
}

/** Messages, their tokens and their batches. OpenAI lists the messages of a stored completion on such a path too. */
function takesAnthropicKey(path: string): boolean {
  return /\/messages(?:\/(?:count_tokens|batches))?$/.test(path) && !/\/(?:completions|threads)\/[^/]+\/\w+$/.test(path)
}

/** The Gemini API. Vertex AI, whose paths name a project, takes a bearer token. */
export function takesGoogleKey(path: string): boolean {
  return (
    /\/models\/[^/]+:(?:generateContent|streamGenerateContent|countTokens)$|\/interactions$/.test(path) &&
    !path.includes('/projects/')
  )
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
