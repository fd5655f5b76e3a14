// Sends JSON to one route of an OpenAI-compatible server and reads the JSON of its answer, within time and size.
import type { Dispatcher } from 'undici'
import { LlamaGuardError } from '../../errors.js'
import { traceparent } from '../../utils/active-trace.js'
import type { AbortSignalLike } from '../../utils/lazy-abort-controller.js'
import { lazyPool } from '../../utils/lazy-pool.js'
import { within } from '../deadline.js'
import { connectionError, statusError, unreadable } from './server-errors.js'

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
