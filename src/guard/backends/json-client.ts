// Sends JSON to one route of an OpenAI-compatible server and reads the JSON of its answer, within time and size.
// Servers quote the prompt in their errors, so their words are read here and never passed on.
import type { Dispatcher } from 'undici'
import { guardError, invalidOption, type LlamaGuardError } from '../../types/errors.js'
import { traceparent } from '../../utils/active-trace.js'
import { type AbortSignalLike, within } from '../../utils/deadline.js'
import { parsedJson } from '../../utils/json.js'
import { lazyPool } from '../../utils/lazy-pool.js'
import { failureOf, type ServerWords, statusError } from '../answer/failure.js'

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

const SERVER: ServerWords = {
  name: 'The guard server',
  check: 'Check LLAMA_GUARD_MODEL_ID, and that LLAMA_GUARD_URL is no redirect.',
  denied: 'Check LLAMA_GUARD_API_KEY.',
  missing:
    'Check that LLAMA_GUARD_URL ends before /completions, that the server offers text completions, and ' +
    'LLAMA_GUARD_MODEL_ID.',
}
const CONNECT_MS = 3000
const MAX_ANSWER_BYTES = 2 * 1024 * 1024

/** @throws LlamaGuardError `invalid_option` at once for a URL or key that cannot work. */
export function jsonClient({ url: given, route, apiKey, concurrency, timeoutMs }: JsonClientOptions) {
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
    /** Rejects with a `guard_*` code for everything but a 200 with JSON. */
    post: (body: object, signal: AbortSignalLike | undefined): Promise<unknown> => {
      const text = JSON.stringify(body)
      return within({ ms: timeoutMs, late, signal }, async (inner) => {
        try {
          const sent = { ...headers, ...traceparent() }
          return await read(
            await pool.request({ method: 'POST', path, headers: sent, body: text, signal: inner.signal }),
          )
        } catch (error) {
          throw failureOf(SERVER, error)
        }
      })
    },
    close: () => pool.destroy(),
    /** Where it sends, without secrets. */
    address: url.origin + path,
  }
}

const late = (): LlamaGuardError => failureOf(SERVER, { name: 'TimeoutError' })

async function read({ statusCode, headers, body }: Dispatcher.ResponseData): Promise<unknown> {
  const text = await bounded(body)
  if (statusCode !== 200) throw statusError(SERVER, statusCode, text, seconds(headers['retry-after']))
  const parsed = parsedJson(text)
  if (parsed === undefined) throw unreadable(`${text.length} characters that are not JSON`)
  return parsed.value
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

function baseUrl(given: string): URL {
  const url = new URL(given)
  if (url.username || url.password)
    throw invalidOption(
      'LLAMA_GUARD_URL holds a user name or password, which would end up in logs. Use LLAMA_GUARD_API_KEY.',
    )
  const base = url.pathname.replace(/\/(?:chat|(?:chat\/)?completions|responses|messages|moderations|models)\/?$/, '')
  if (base !== url.pathname || url.hash)
    throw invalidOption(
      `LLAMA_GUARD_URL is the address of one call, or has a # part; it should be the base URL: ${url.origin}${base}.`,
    )
  return url
}

function checkedKey(key: string): string {
  if (/^[\x21-\x7e]+$/.test(key)) return key
  throw invalidOption(
    'LLAMA_GUARD_API_KEY holds a space, a line break or another character that cannot stand in a ' +
      'header. Is there a newline at its end?',
  )
}

/** The longest `retry-after` that is passed on, in seconds. The circuit breaker handles a server that asks for more. */
const LONGEST_RETRY_AFTER = 60

/** The error for a 200 whose body cannot be an answer. */
function unreadable(what: string): LlamaGuardError {
  return guardError(
    `The guard server answered ${what}; wanted a JSON completion. Check that LLAMA_GUARD_URL points to an ` +
      'OpenAI-compatible API.',
  )
}

function seconds(header: string | string[] | undefined): number | undefined {
  return typeof header === 'string' && /^\d{1,6}$/.test(header)
    ? Math.min(Number(header), LONGEST_RETRY_AFTER)
    : undefined
}
