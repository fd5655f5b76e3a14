// Every way a SageMaker call fails, as one of our codes: what to tell the operator, and whether asking again may help.
// AWS and containers quote the request in their errors (a prompt, a page), so nothing of their words goes on.
import { isLlamaGuardError, LlamaGuardError } from '../../../errors.js'
import type { UnavailableCode } from '../../../errors.js'

interface Meaning {
  readonly code: UnavailableCode
  readonly message: string
  readonly retryable?: boolean
  /** Seconds. */
  readonly retryAfter?: number
}

const again = (code: UnavailableCode, message: string, retryAfter?: number): Meaning => ({
  code,
  message,
  retryable: true,
  ...(retryAfter !== undefined && { retryAfter }),
})
const rejected = (message: string): Meaning => ({ code: 'guard_rejected', message })

const THROTTLED = again(
  'guard_throttled',
  'SageMaker or the guard container is throttling requests. Add instances, or raise the account ' +
    'quota of InvokeEndpoint.',
  2,
)
const UNAVAILABLE = again('guard_unavailable', 'SageMaker or the guard container is unavailable for the moment.')
const FAILED = again('guard_error', 'SageMaker or the guard container failed. See the CloudWatch log of the endpoint.')
const TIMED_OUT = again(
  'guard_timeout',
  'The guard endpoint did not answer in time. Raise timeoutMs, or look at the load of the endpoint.',
)
const UNREACHABLE = again(
  'guard_unavailable',
  'The guard endpoint could not be reached, or closed the connection. Check the network, AWS_REGION ' +
    'and AWS_ENDPOINT_URL.',
)
const CREDENTIALS = rejected(
  'AWS refused the credentials. Check AWS_PROFILE, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and ' +
    'AWS_SESSION_TOKEN, AWS_REGION, and the clock.',
)
const TOO_LONG: Meaning = {
  code: 'guard_input_too_long',
  message:
    'The text does not fit the guard endpoint: its context length is smaller than the one of the ' +
    'model named by LLAMA_GUARD_MODEL.',
}

/**
 * By the error's name, as the SDK gives it (API reference of InvokeEndpoint, common errors of AWS, measured
 * on SDK 3.1164).
 */
const BY_NAME: Readonly<Record<string, Meaning>> = {
  ModelNotReadyException: again('guard_not_ready', 'The guard endpoint is not ready yet: the model is loading.', 10),
  ServiceUnavailable: UNAVAILABLE,
  ServiceUnavailableException: UNAVAILABLE,
  InternalFailure: FAILED,
  InternalServerException: FAILED,
  InternalDependencyException: FAILED,
  AccessDenied: rejected(
    'AWS denied access: the credentials need the permission sagemaker:InvokeEndpoint on the guard endpoint.',
  ),
  AccessDeniedException: rejected(
    'AWS denied access: the credentials need the permission sagemaker:InvokeEndpoint on the guard endpoint.',
  ),
  ExpiredToken: CREDENTIALS,
  ExpiredTokenException: CREDENTIALS,
  IncompleteSignature: CREDENTIALS,
  InvalidClientTokenId: CREDENTIALS,
  InvalidSignatureException: CREDENTIALS,
  MissingAuthenticationToken: CREDENTIALS,
  MissingAuthenticationTokenException: CREDENTIALS,
  SignatureDoesNotMatch: CREDENTIALS,
  UnrecognizedClientException: CREDENTIALS,
  CredentialsProviderError: rejected(
    'No AWS credentials were found. Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, ' +
      'or run with a role.',
  ),
  TokenProviderError: rejected('The AWS SSO session could not be used. Sign in again with `aws sso login`.'),
  ProviderError: CREDENTIALS,
  // The SDK has corrected its clock by then, so the next call is signed with the right time.
  RequestExpired: again('guard_rejected', CREDENTIALS.message),
  RequestInTheFuture: again('guard_rejected', CREDENTIALS.message),
  RequestTimeTooSkewed: again('guard_rejected', CREDENTIALS.message),
  TimeoutError: TIMED_OUT,
  AbortError: { code: 'guard_timeout', message: 'The call to the guard endpoint was cancelled before it answered.' },
}

const THROTTLES =
  /^(?:Throttling|ThrottlingException|ThrottledException|RequestThrottled(?:Exception)?|TooManyRequests(?:Exception)?|RequestLimitExceeded|LimitExceededException|SlowDown|BandwidthLimitExceeded)$/
const CERTIFICATE = /^(?:CERT_|ERR_TLS_|ERR_SSL_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_)/
/**
 * How TGI, vLLM and djl-serving say that prompt and answer exceed the context. Looked for at the very start
 * of their text, which an echoed prompt fills with the policy: what a user writes must not pass for a limit,
 * and make us cut everybody's texts shorter.
 */
const CONTEXT =
  /`inputs` tokens \+ `max_new_tokens` must be <= \d|`inputs` must have less than \d+ tokens|maximum (?:context|model|input|sequence) length (?:is|of) \d|(?:input|prompt)[\w ()]{0,60}(?:longer than|exceeds?|too long)[^.]{0,60}\d/i
const CONTEXT_CHARS = 500

/** Anything a call can throw as one of our errors. `cause` keeps name, status and request id, and none of the words. */
export function toGuardError(error: unknown): LlamaGuardError {
  if (isLlamaGuardError(error)) return error
  const meaning = meaningOf(seen(error))
  return new LlamaGuardError(meaning.code, meaning.message, {
    retryable: meaning.retryable ?? false,
    cause: withoutWords(error),
    ...(meaning.retryAfter !== undefined && { retryAfter: meaning.retryAfter }),
  })
}

/** The guard container's own failure: a ModelError's original status and text, or an error payload sent with 200. */
export function containerError(status: number, text: string, cause?: unknown): LlamaGuardError {
  const { code, message, retryable = false, retryAfter } = ofContainer(status, text)
  return new LlamaGuardError(code, message, {
    retryable,
    ...(cause !== undefined && { cause: withoutWords(cause) }),
    ...(retryAfter !== undefined && { retryAfter }),
  })
}

interface Seen {
  readonly name: string
  readonly message: string
  /** System error code, for example ECONNRESET. */
  readonly errno: string
  readonly status: number | undefined
  readonly requestId: string | undefined
  readonly original: { readonly status: number; readonly text: string } | undefined
}

function meaningOf({ name, message, errno, status, original }: Seen): Meaning {
  if (original) return ofContainer(original.status, original.text)
  if (THROTTLES.test(name)) return THROTTLED
  // The SDK calls these TimeoutError, but nothing was waited for: the connection was closed.
  if (errno === 'ECONNRESET' || errno === 'EPIPE') return UNREACHABLE
  const named = BY_NAME[name]
  if (named && Object.hasOwn(BY_NAME, name)) return named
  if (/^Region is missing/.test(message))
    return rejected('No AWS region is set. Set AWS_REGION to the region of the guard endpoint.')
  if (name === 'ValidationError' || name === 'ValidationException') return ofValidation(message)
  if (status !== undefined && (status >= 300 || status < 200)) return ofStatus(status)
  if (CERTIFICATE.test(errno))
    return {
      ...UNREACHABLE,
      retryable: false,
      message: 'The TLS certificate of the guard endpoint was refused. Check AWS_ENDPOINT_URL and NODE_EXTRA_CA_CERTS.',
    }
  if (errno === 'ETIMEDOUT' || errno === 'ESOCKETTIMEDOUT') return TIMED_OUT
  if (/^E[A-Z_]+$/.test(errno) || errno.startsWith('UND_ERR_')) return UNREACHABLE
  return { code: 'guard_error', message: 'The call to the guard endpoint failed in an unexpected way.' }
}

function ofContainer(status: number, text: string): Meaning {
  if (status >= 400 && status < 500 && CONTEXT.test(text.slice(0, CONTEXT_CHARS))) return TOO_LONG
  if (status === 413) return TOO_LONG
  if (status === 429) return THROTTLED
  if (status === 424 || status === 500) return FAILED
  if (status >= 400 && status < 500 && status !== 408)
    return rejected(
      `The guard container refused the request with status ${status}. Check that it serves a Llama ` +
        'Guard model from TGI or LMI, and its CloudWatch log.',
    )
  return Number.isInteger(status) ? ofStatus(status) : FAILED
}

function ofValidation(message: string): Meaning {
  if (/length less than or equal to|payload/i.test(message))
    return { ...TOO_LONG, message: 'SageMaker refused the request as too large.' }
  if (/not found/i.test(message))
    return rejected(
      'SageMaker has no such endpoint. Check LLAMA_GUARD_ENDPOINT, AWS_REGION and the account of the credentials.',
    )
  return rejected(
    'SageMaker refused the request as invalid. Check the endpoint, the inference component and the ' +
      'variant, and that the endpoint is InService.',
  )
}

/** A bare status: a load balancer or a proxy answered, or AWS with an error that has no name here. */
function ofStatus(status: number): Meaning {
  if (status === 413)
    return { ...TOO_LONG, message: 'Something before the guard endpoint refused the request as too large (413).' }
  if (status === 429) return THROTTLED
  if (status === 408 || status === 504) return TIMED_OUT
  if (status === 500) return FAILED
  if (status > 500) return UNAVAILABLE
  return rejected(
    `The guard endpoint answered with status ${status}. Check the endpoint name, AWS_REGION, ` +
      'AWS_ENDPOINT_URL and the permissions of the credentials.',
  )
}

function seen(error: unknown): Seen {
  const given = (typeof error === 'object' && error !== null ? error : {}) as Record<string, unknown>
  const metadata = (given['$metadata'] ?? {}) as Record<string, unknown>
  const status = metadata['httpStatusCode']
  return {
    name: text(given['name']),
    message: text(given['message']),
    errno: text(given['code']),
    status: typeof status === 'number' ? status : undefined,
    requestId: text(metadata['requestId']) || undefined,
    original:
      given['name'] === 'ModelError'
        ? {
            status: Number(given['OriginalStatusCode'] ?? 500),
            text: text(given['OriginalMessage']) || text(given['message']),
          }
        : undefined,
  }
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '')
const PLAIN = /^[\w.$-]{1,80}$/

/** What is left to debug with: identifiers, each in a form that no sentence has. */
function withoutWords(error: unknown): Error {
  const { name, errno, status, requestId, original } = seen(error)
  const plain = (value: string | undefined): string | undefined =>
    value !== undefined && PLAIN.test(value) ? value : undefined
  const facts = {
    name: plain(name) ?? 'Error',
    ...(plain(errno) && { code: errno }),
    ...(status !== undefined && { status }),
    ...(plain(requestId) && { requestId }),
    ...(original && { originalStatus: original.status }),
  }
  return Object.assign(
    new Error('The error of the guard endpoint, without its words: they may quote the conversation.'),
    facts,
  )
}
