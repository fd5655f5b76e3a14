// The paths of chat APIs that the gateway serves. Each is judged by the dialect of its ending.
import type { UpstreamOption } from '../../options/index.js'

/** Served by every upstream, which says itself what it cannot do. */
const COMMON = ['/v1/chat/completions', '/v1/completions', '/v1/responses', '/v1/messages']

/** Served by an upstream with a URL, which must speak that API. By name, with the paths that have a variable part. */
const OF_URLS: Readonly<Record<string, RegExp>> = {
  '/api/chat': /^\/api\/chat$/,
  '/v2/chat': /^\/v2\/chat$/,
  // A model may be an ARN, whose colons and slashes come encoded.
  '/model/{model}/converse': /^\/model\/[A-Za-z0-9](?:[\w.:-]|%2F|%3A){0,2048}\/converse$/i,
  '/v1beta/models/{model}:generateContent': gemini('generateContent'),
  '/v1beta/models/{model}:streamGenerateContent': gemini('streamGenerateContent'),
}

export interface ChatRoutes {
  readonly names: readonly string[]
  /** The name of the route that serves this path, for metrics too: a path of its own would be a label of its own. */
  nameOf(path: string): string | undefined
}

/** A chat model on SageMaker understands Chat Completions alone. */
export function chatRoutes(upstream: UpstreamOption | undefined): ChatRoutes {
  const hasUrl = typeof upstream !== 'object' || !('endpoint' in upstream)
  const patterns = hasUrl ? Object.entries(OF_URLS) : []
  return {
    names: [...COMMON, ...patterns.map(([name]) => name)],
    nameOf: (path) => (COMMON.includes(path) ? path : patterns.find(([, pattern]) => pattern.test(path))?.[0]),
  }
}

/** The Gemini API, and Vertex AI with its projects before the models. */
function gemini(method: string): RegExp {
  return new RegExp(String.raw`^/v1(?:alpha|beta|beta1)?/(?:[\w.-]{1,128}/){1,8}[\w.@-]{1,128}:${method}$`)
}
