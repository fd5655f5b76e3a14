// Sends JSON to one route of an OpenAI-compatible server and reads the JSON of its answer, within time and size.
// Servers quote the prompt in their errors, so their words are read here and never passed on.
import type { Dispatcher } from 'undici'
import { isLlamaGuardError, LlamaGuardError } from '../../types/errors.js'
import { traceparent } from '../../utils/active-trace.js'
import { type AbortSignalLike, within } from '../../utils/deadline.js'
import { lazyPool } from '../../utils/lazy-pool.js'
import { again, errorOf, type Meaning, rejected } from '../answer/container-error.js'

export interface JsonClientOptions {
  readonly url: string
  /** The path behind the base URL, for example `/completions`. */
  readonly route: string
  readonly apiKey?: string | undefined
  /** The most sockets kept open. */
  readonly concurrency: number
  /** Milliseconds one call may take, answer included. A later answer is `guard_timeout`. */
  readonly timeoutMs: number
}

export interface JsonClient {
  /** Rejects with a `guard_*` code for everything but a 200 with JSON. */
  post(body: object, signal: AbortSignalLike | undefined): Promise<unknown>
  close(): Promise<void>
  /** Where it sends, without secrets. */
  readonly address: string
}

const CONNECT_MS = 3000
const MAX_ANSWER_BYTES = 2 * 1024 * 1024

/** @throws LlamaGuardError `invalid_option` at once for a URL or key that cannot work. */
export function jsonClient({ url: given, route, apiKey, concurrency, timeoutMs }: JsonClientOptions): JsonClient {
  const url = baseUrl(given)
  const path = `${url.pathname.replace(/(?<!\/)\/+$/, '')}${route}${url.search}`
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json',
    ...(apiKey && { authorization: `Bearer ${checkedKey(apiKey)}` }),
  }
  const pool = lazyPool(url.origin, {
    connections: concurrency,
    connect: { timeout: Math.min(CONNECT_MS, timeoutMs) },
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
  })
  return {
    post: (body, signal) => {
      const text = JSON.stringify(body)
      return within({ ms: timeoutMs, late: tooLate(timeoutMs), signal }, async (inner) => {
        try {
          const sent = { ...headers, ...traceparent() }
          return await read(
            await pool.request({ method: 'POST', path, headers: sent, body: text, signal: inner.signal }),
          )
        } catch (error) {
          throw connectionError(error)
        }
      })
    },
    close: () => pool.destroy(),
    address: url.origin + path,
  }
}

async function read({ statusCode, headers, body }: Dispatcher.ResponseData): Promise<unknown> {
  const text = await bounded(body)
  if (statusCode !== 200) throw statusError(statusCode, text, headers['retry-after'])
  try {
    return JSON.parse(text)
  } catch {
    throw unreadable(`${text.length} characters that are not JSON`)
  }
}

async function bounded(body: Dispatcher.ResponseData['body']): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_ANSWER_BYTES) throw unreadable(`more than ${MAX_ANSWER_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function tooLate(ms: number): () => LlamaGuardError {
  return () =>
    new LlamaGuardError('guard_timeout', `The guard server did not answer within ${ms} ms.`, { retryable: true })
}

function baseUrl(given: string): URL {
  const url = URL.canParse(given) ? new URL(given) : undefined
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
    throw invalid(
      'LLAMA_GUARD_URL is no http or https URL. Set it to the base URL of the guard server, for example ' +
        'http://localhost:8000/v1.',
    )
  if (url.username || url.password)
    throw invalid('LLAMA_GUARD_URL holds a user name or password, which would end up in logs. Use LLAMA_GUARD_API_KEY.')
  const base = url.pathname.replace(/\/(?:chat|(?:chat\/)?completions|responses|messages|moderations|models)\/?$/, '')
  if (base !== url.pathname || url.hash)
    throw invalid(
      `LLAMA_GUARD_URL is the address of one call, or has a # part; it should be the base URL: ${url.origin}${base}.`,
    )
  return url
}

function checkedKey(key: string): string {
  if (/^[\x21-\x7e]+$/.test(key)) return key
  throw invalid(
    'LLAMA_GUARD_API_KEY holds a space, a line break or another character that cannot stand in a ' +
      'header. Is there a newline at its end?',
  )
}

const invalid = (message: string): LlamaGuardError => new LlamaGuardError('invalid_option', message)

/** The sentences in which vLLM, SGLang, TGI and llama.cpp say that the prompt is too long. */
const CONTEXT =
  /maximum (?:context|model|input) length is \d|tokens` ?\+ ?`max_new_tokens` must be <= \d|longer than the (?:model's )?context length|exceeds? the available context size|context_length_exceeded/i
/** The longest `retry-after` that is passed on, in seconds. The circuit breaker handles a server that asks for more. */
const LONGEST_RETRY_AFTER = 60

/** The error for a status other than 200. */
export function statusError(status: number, text: string, retryAfter?: string | string[]): LlamaGuardError {
  if (status === 413 || (status >= 400 && status < 500 && CONTEXT.test(text)))
    return errorOf({ code: 'guard_input_too_long', message: 'The text does not fit the context of the guard server.' })
  return errorOf(meaningOf(status, seconds(retryAfter)))
}

function meaningOf(status: number, retryAfter: number | undefined): Meaning {
  if (status === 429) return again('guard_throttled', 'The guard server is throttling requests.', retryAfter)
  if (status === 408 || status === 504)
    return again('guard_timeout', `The guard server gave up waiting (status ${status}).`)
  if (status === 500) return again('guard_error', 'The guard server failed. See its log.')
  if (status > 500) return again('guard_unavailable', `The guard server is unavailable (status ${status}).`, retryAfter)
  if (status < 300)
    return { code: 'guard_error', message: `The guard server answered with status ${status}, wanted 200.` }
  if (status === 401 || status === 403)
    return rejected(`The guard server refused the key with status ${status}. Check LLAMA_GUARD_API_KEY.`)
  if (status === 404)
    return rejected(
      'The guard server answered 404. Check that LLAMA_GUARD_URL ends before /completions, that the server offers ' +
        'text completions, and LLAMA_GUARD_MODEL_ID.',
    )
  const what = status < 400 ? 'redirects, which is not followed, with' : 'refused the request with'
  return rejected(`The guard server ${what} status ${status}. Check LLAMA_GUARD_URL and LLAMA_GUARD_MODEL_ID.`)
}

/** The error for what the HTTP client threw. Our own errors stay as they are. */
export function connectionError(error: unknown): LlamaGuardError {
  if (isLlamaGuardError(error)) return error
  const code = codeOf(error)
  const cause = { cause: Object.assign(new Error('The connection error, without its words.'), { code }) }
  if (code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT')
    return new LlamaGuardError('guard_timeout', 'The guard server did not answer in time.', {
      retryable: true,
      ...cause,
    })
  if (/^(?:CERT_|ERR_TLS_|ERR_SSL_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_)/.test(code)) {
    return new LlamaGuardError(
      'guard_unavailable',
      'The TLS certificate of the guard server was refused. Check LLAMA_GUARD_URL and NODE_EXTRA_CA_CERTS.',
      cause,
    )
  }
  return new LlamaGuardError(
    'guard_unavailable',
    `The guard server could not be reached, or closed the connection (${code || 'no code'}). Check ` +
      'LLAMA_GUARD_URL and the network.',
    { retryable: true, ...cause },
  )
}

/** The error for a 200 whose body cannot be an answer. */
export function unreadable(what: string): LlamaGuardError {
  return new LlamaGuardError(
    'guard_error',
    `The guard server answered ${what}; wanted a JSON completion. Check that LLAMA_GUARD_URL points to an ` +
      'OpenAI-compatible API.',
  )
}

function seconds(header: string | string[] | undefined): number | undefined {
  return typeof header === 'string' && /^\d{1,6}$/.test(header)
    ? Math.min(Number(header), LONGEST_RETRY_AFTER)
    : undefined
}

function codeOf(error: unknown): string {
  const code: unknown = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
  return typeof code === 'string' && /^[\w-]{1,60}$/.test(code) ? code : ''
}
