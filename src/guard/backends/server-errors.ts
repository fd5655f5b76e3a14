// Maps every failure of a call to an OpenAI-compatible server to one of our codes. Servers quote the prompt in their
// errors, so their words are read here and never passed on.
import { LlamaGuardError, isLlamaGuardError } from '../../errors.js'
import type { UnavailableCode } from '../../errors.js'

/** The sentences in which vLLM, SGLang, TGI and llama.cpp say that the prompt is too long. */
const CONTEXT =
  /maximum (?:context|model|input) length is \d|tokens` ?\+ ?`max_new_tokens` must be <= \d|longer than the (?:model's )?context length|exceeds? the available context size|context_length_exceeded/i
/** The longest `retry-after` that is passed on, in seconds. The circuit breaker handles a server that asks for more. */
const LONGEST_RETRY_AFTER = 60

/** The error for a status other than 200. */
export function statusError(status: number, text: string, retryAfter?: string | string[]): LlamaGuardError {
  if ((status >= 400 && status < 500 && CONTEXT.test(text)) || status === 413)
    return make('guard_input_too_long', 'The text does not fit the context of the guard server.')
  if (status === 401 || status === 403)
    return make('guard_rejected', `The guard server refused the key with status ${status}. Check LLAMA_GUARD_API_KEY.`)
  if (status === 404)
    return make(
      'guard_rejected',
      'The guard server answered 404. Check that LLAMA_GUARD_URL ends before /completions, that the ' +
        'server offers text completions, and LLAMA_GUARD_MODEL_ID.',
    )
  if (status === 429)
    return make('guard_throttled', 'The guard server is throttling requests.', true, seconds(retryAfter))
  if (status === 408 || status === 504)
    return make('guard_timeout', `The guard server gave up waiting (status ${status}).`, true)
  if (status === 500) return make('guard_error', 'The guard server failed. See its log.', true)
  if (status > 500)
    return make('guard_unavailable', `The guard server is unavailable (status ${status}).`, true, seconds(retryAfter))
  if (status >= 300 && status < 400)
    return make(
      'guard_rejected',
      `The guard server redirects (status ${status}), which is not followed. Set LLAMA_GUARD_URL to where it leads.`,
    )
  if (status >= 200 && status < 300)
    return make('guard_error', `The guard server answered with status ${status}, wanted 200.`)
  return make(
    'guard_rejected',
    `The guard server refused the request with status ${status}. Check LLAMA_GUARD_URL and LLAMA_GUARD_MODEL_ID.`,
  )
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
  return make(
    'guard_error',
    `The guard server answered ${what}; wanted a JSON completion. Check that LLAMA_GUARD_URL points ` +
      'to an OpenAI-compatible API.',
  )
}

function make(code: UnavailableCode, message: string, retryable = false, retryAfter?: number): LlamaGuardError {
  return new LlamaGuardError(code, message, { retryable, ...(retryAfter !== undefined && { retryAfter }) })
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
