// Maps the errors of guard containers (TGI, LMI, vLLM) and of AWS to our codes. Containers quote the request in their
// errors, so the error that leaves this file holds none of their words.
import { LlamaGuardError, type UnavailableCode } from '../../types/errors.js'

export interface Meaning {
  readonly code: UnavailableCode
  readonly message: string
  readonly retryable?: boolean
  /** Seconds. */
  readonly retryAfter?: number
}

export const again = (code: UnavailableCode, message: string, retryAfter?: number): Meaning => ({
  code,
  message,
  retryable: true,
  ...(retryAfter !== undefined && { retryAfter }),
})
export const rejected = (message: string): Meaning => ({ code: 'guard_rejected', message })

export const THROTTLED = again(
  'guard_throttled',
  'SageMaker or the guard container is throttling requests. Add instances, or raise the account ' +
    'quota of InvokeEndpoint.',
  2,
)
export const UNAVAILABLE = again('guard_unavailable', 'SageMaker or the guard container is unavailable for the moment.')
export const FAILED = again(
  'guard_error',
  'SageMaker or the guard container failed. See the CloudWatch log of the endpoint.',
)
export const TIMED_OUT = again(
  'guard_timeout',
  'The guard endpoint did not answer in time. Raise timeoutMs, or look at the load of the endpoint.',
)
export const TOO_LONG: Meaning = {
  code: 'guard_input_too_long',
  message:
    'The text does not fit the guard endpoint: its context length is smaller than the one of the ' +
    'model named by LLAMA_GUARD_MODEL.',
}

/**
 * The sentences in which TGI, vLLM and djl-serving say that prompt and answer exceed the context. Each must stand at
 * the very start of the text. Later positions may be an echo of the prompt, and a user who writes such a sentence
 * must not make the guard cut all texts shorter.
 */
const CONTEXT =
  /`inputs` tokens \+ `max_new_tokens` must be <= \d|`inputs` must have less than \d+ tokens|maximum (?:context|model|input|sequence) length (?:is|of) \d|(?:input|prompt)[\w ()]{0,60}(?:longer than|exceeds?|too long)[^.]{0,60}\d/i
const CONTEXT_CHARS = 500

/**
 * Reads the guard container's own failure: the original status and text of a ModelError, or an error payload that
 * came with status 200.
 */
export function containerError(status: number, text: string, cause?: unknown): LlamaGuardError {
  return errorOf(ofContainer(status, text), cause)
}

/** @param cause What was thrown; no word of its message stays. */
export function errorOf({ code, message, retryable = false, retryAfter }: Meaning, cause?: unknown): LlamaGuardError {
  return new LlamaGuardError(code, message, {
    retryable,
    ...(cause !== undefined && { cause: withoutWords(cause) }),
    ...(retryAfter !== undefined && { retryAfter }),
  })
}

const CREDENTIALS = rejected(
  'AWS refused the credentials. Check AWS_PROFILE, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, ' +
    'AWS_REGION, and the clock.',
)
/** The SDK has corrected its clock when it throws this error, so the next call is signed with the right time. */
export const SKEWED = again('guard_rejected', CREDENTIALS.message)

/** Errors of every service of AWS, by the name that the SDK gives them. */
export const AWS_ERRORS: Readonly<Record<string, Meaning>> = {
  ...Object.fromEntries(
    (
      'ExpiredToken ExpiredTokenException IncompleteSignature InvalidClientTokenId InvalidSignatureException ' +
      'MissingAuthenticationToken MissingAuthenticationTokenException SignatureDoesNotMatch ' +
      'UnrecognizedClientException ProviderError'
    )
      .split(' ')
      .map((name) => [name, CREDENTIALS]),
  ),
  CredentialsProviderError: rejected(
    'No AWS credentials were found. Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run in a role.',
  ),
  TokenProviderError: rejected('The AWS SSO session could not be used. Sign in again with `aws sso login`.'),
  RequestExpired: SKEWED,
  RequestInTheFuture: SKEWED,
  RequestTimeTooSkewed: SKEWED,
}

export function ofContainer(status: number, text: string): Meaning {
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

/** Reads a status that came without a known error name, for example from a load balancer, a proxy, or AWS. */
export function ofStatus(status: number): Meaning {
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

export interface Seen {
  readonly name: string
  readonly message: string
  /** System error code, for example ECONNRESET. */
  readonly errno: string
  readonly status: number | undefined
  readonly requestId: string | undefined
  readonly original: { readonly status: number; readonly text: string } | undefined
}

export function seen(error: unknown): Seen {
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

/** The error without its message. Only identifiers stay, each in a form that no sentence has. */
export function withoutWords(error: unknown): Error {
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
