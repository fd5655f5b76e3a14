// Maps what goes wrong at a guard's server to our codes, and to what the operator can do: an error of AWS or of the
// connection, the status of a server, and what its container says. Servers quote the request in their errors, so the
// error that leaves this file holds none of their words.
import { isLlamaGuardError, LlamaGuardError, type UnavailableCode } from '../../types/errors.js'
import { seen, withoutWords } from '../../utils/failed-call.js'

/** The server of a guard, in the words of its errors. */
export interface ServerWords {
  /** At the beginning of a sentence. */
  readonly name: string
  /** What to check where it refuses the request. */
  readonly check: string
  /** The same where it refuses who asks, and where there is none at that address or of that name. */
  readonly denied?: string
  readonly missing?: string
}

/** The container of an answer, whichever server it came from. */
const CONTAINER: ServerWords = {
  name: 'The guard container',
  check: 'Check that it serves a guard model from TGI, LMI or vLLM, and its log.',
}

interface Meaning {
  readonly code: UnavailableCode
  readonly message: string
  readonly retryable?: boolean
  /** Seconds. */
  readonly retryAfter?: number | undefined
}

const again = (code: UnavailableCode, message: string, retryAfter?: number): Meaning => ({
  code,
  message,
  retryable: true,
  retryAfter,
})
const rejected = (message: string): Meaning => ({ code: 'guard_rejected', message })

const TOO_LONG: Meaning = {
  code: 'guard_input_too_long',
  message:
    'The text does not fit the guard endpoint: its context length is smaller than the one of the model named by ' +
    'LLAMA_GUARD_MODEL.',
}
const CREDENTIALS = rejected(
  'AWS refused the credentials. Check AWS_PROFILE, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, ' +
    'AWS_REGION, and the clock.',
)
/** The SDK has corrected its clock when it throws this error, so the next call is signed with the right time. */
const SKEWED: Meaning = { ...CREDENTIALS, retryable: true }

const late = ({ name }: ServerWords): Meaning =>
  again('guard_timeout', `${name} did not answer in time. Raise timeoutMs, or look at its load.`)
const throttled = ({ name }: ServerWords, retryAfter = 2): Meaning =>
  again('guard_throttled', `${name} is throttling requests. Add instances, or raise the quota.`, retryAfter)

/**
 * Errors of AWS whose status does not tell, by the name that the SDK gives them (API reference of InvokeEndpoint,
 * common errors of AWS, measured on SDK 3.1164).
 */
const BY_NAME: Readonly<Record<string, (server: ServerWords) => Meaning>> = {
  ...named(
    'ExpiredToken ExpiredTokenException IncompleteSignature InvalidClientTokenId InvalidSignatureException ' +
      'MissingAuthenticationToken MissingAuthenticationTokenException SignatureDoesNotMatch ' +
      'UnrecognizedClientException ProviderError',
    () => CREDENTIALS,
  ),
  ...named('RequestExpired RequestInTheFuture RequestTimeTooSkewed', () => SKEWED),
  ...named(
    'Throttling ThrottlingException ThrottledException RequestThrottled RequestThrottledException TooManyRequests ' +
      'TooManyRequestsException RequestLimitExceeded LimitExceededException ServiceQuotaExceededException SlowDown ' +
      'BandwidthLimitExceeded',
    throttled,
  ),
  CredentialsProviderError: () =>
    rejected(
      'No AWS credentials were found. Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run in a ' +
        'role.',
    ),
  TokenProviderError: () => rejected('The AWS SSO session could not be used. Sign in again with `aws sso login`.'),
  ...named('AccessDenied AccessDeniedException', denied),
  ModelNotReadyException: ({ name }) => again('guard_not_ready', `${name} is not ready yet: the model is loading.`, 10),
  InternalDependencyException: ({ name }) => again('guard_error', `${name} failed. See its log.`),
  TimeoutError: late,
  AbortError: ({ name }) => ({
    code: 'guard_timeout',
    message: `${name} had not answered when the call was cancelled.`,
  }),
}

function denied({ name, check, denied = check }: ServerWords): Meaning {
  return rejected(`${name} denied access. ${denied}`)
}

function missing({ name, check, missing = check }: ServerWords): Meaning {
  return rejected(`${name} is not there. ${missing}`)
}

function named(names: string, meaning: (server: ServerWords) => Meaning): typeof BY_NAME {
  return Object.fromEntries(names.split(' ').map((name) => [name, meaning]))
}

/** Turns anything that a call can throw into one of our errors. */
export function failureOf(server: ServerWords, error: unknown): LlamaGuardError {
  return isLlamaGuardError(error) ? error : errorOf(meaningOf(server, error), error)
}

/** The error for the status of an HTTP server that is not 200. */
export const statusError = (server: ServerWords, status: number, text: string, retryAfter?: number): LlamaGuardError =>
  errorOf(ofStatus(server, status, text, retryAfter))

/** The error for an error payload that a container sends with status 200. */
export const containerError = (status: number, text: string): LlamaGuardError =>
  errorOf(ofStatus(CONTAINER, status, text))

/** @param cause What was thrown; no word of its message stays. */
function errorOf({ code, message, retryable = false, retryAfter }: Meaning, cause?: unknown): LlamaGuardError {
  return new LlamaGuardError(code, message, {
    retryable,
    ...(cause !== undefined && { cause: withoutWords(cause) }),
    ...(retryAfter !== undefined && { retryAfter }),
  })
}

function meaningOf(server: ServerWords, error: unknown): Meaning {
  const { name, message, errno, status, original, clockCorrected } = seen(error)
  // A wrong clock is told under the names of a wrong signature. The SDK reads the server's time from that answer.
  if (clockCorrected) return SKEWED
  if (original) return ofStatus(server, original.status, original.text || message)
  // The SDK calls these errors TimeoutError, but no time ran out: the connection was closed.
  if (status === undefined && errno !== '') return ofConnection(server, errno)
  const byName = Object.hasOwn(BY_NAME, name) ? BY_NAME[name] : undefined
  if (byName !== undefined) return byName(server)
  if (/^Region is missing/.test(message))
    return rejected('No AWS region is set. Set AWS_REGION to the region of the guard.')
  if (name === 'ValidationError' || name === 'ValidationException')
    return /length less than or equal to|payload/i.test(message)
      ? { ...TOO_LONG, message: `${server.name} refused the request as too large.` }
      : /not found/i.test(message)
        ? missing(server)
        : rejected(`${server.name} refused the request as invalid. ${server.check}`)
  if (status !== undefined && (status >= 300 || status < 200)) return ofStatus(server, status)
  return unexpected(server)
}

const unexpected = ({ name }: ServerWords): Meaning => ({
  code: 'guard_error',
  message: `${name} answered in an unexpected way, or could not be called.`,
})

/**
 * The sentences in which TGI, vLLM, SGLang, llama.cpp and djl-serving say that prompt and answer exceed the context.
 * Each must stand near the start of the text. Later positions may be an echo of the prompt, and a user who writes such
 * a sentence must not make the guard cut all texts shorter.
 */
const CONTEXT =
  /tokens`? ?\+ ?`max_new_tokens` must be <= \d|`inputs` must have less than \d+ tokens|maximum (?:context|model|input|sequence) length (?:is|of) \d|(?:input|prompt)[\w ()]{0,60}(?:longer than|exceeds?|too long)[^.]{0,60}\d|longer than the (?:model's )?context length|exceeds? the available context size|context_length_exceeded/i
const CONTEXT_CHARS = 500

function ofStatus(server: ServerWords, status: number, text = '', retryAfter?: number): Meaning {
  const { name, check } = server
  if (status === 413)
    return { ...TOO_LONG, message: `${name}, or what stands before it, refused the request as too large.` }
  if (status >= 400 && status < 500 && CONTEXT.test(text.slice(0, CONTEXT_CHARS))) return TOO_LONG
  if (status === 429) return throttled(server, retryAfter)
  if (status === 408 || status === 504) return late(server)
  if (status === 424 || status === 500 || !Number.isInteger(status))
    return again('guard_error', `${name} failed. See its log.`)
  if (status > 500) return again('guard_unavailable', `${name} is unavailable for the moment (${status}).`, retryAfter)
  if (status < 300) return unexpected(server)
  if (status === 401 || status === 403) return denied(server)
  if (status === 404) return missing(server)
  return rejected(`${name} refused the request with status ${status}. ${check}`)
}

function ofConnection(server: ServerWords, errno: string): Meaning {
  if (/^(?:ETIMEDOUT|ESOCKETTIMEDOUT|UND_ERR_(?:HEADERS|BODY)_TIMEOUT)$/.test(errno)) return late(server)
  if (/^(?:CERT_|ERR_TLS_|ERR_SSL_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_)/.test(errno))
    return {
      code: 'guard_unavailable',
      message: `${server.name} has a TLS certificate that was refused. Check its URL and NODE_EXTRA_CA_CERTS.`,
    }
  if (!/^(?:E[A-Z_]+|UND_ERR_\w+)$/.test(errno)) return unexpected(server)
  return again(
    'guard_unavailable',
    `${server.name} could not be reached, or closed the connection (${errno}). Check the network and its URL ` +
      '(LLAMA_GUARD_URL, AWS_REGION and AWS_ENDPOINT_URL).',
  )
}
