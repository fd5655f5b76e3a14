// Maps every failure of a call to SageMaker to one of our codes: what to tell the operator, and whether a second call
// may help. answer/container-error reads what the container itself says.
import { isLlamaGuardError, LlamaGuardError } from '../../../types/errors.js'
import {
  again,
  FAILED,
  type Meaning,
  ofContainer,
  ofStatus,
  rejected,
  seen,
  type Seen,
  THROTTLED,
  TIMED_OUT,
  TOO_LONG,
  UNAVAILABLE,
  withoutWords,
} from '../../answer/container-error.js'

const UNREACHABLE = again(
  'guard_unavailable',
  'The guard endpoint could not be reached, or closed the connection. Check the network, AWS_REGION ' +
    'and AWS_ENDPOINT_URL.',
)
const CREDENTIALS = rejected(
  'AWS refused the credentials. Check AWS_PROFILE, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and ' +
    'AWS_SESSION_TOKEN, AWS_REGION, and the clock.',
)
/** The SDK has corrected its clock when it throws this error, so the next call is signed with the right time. */
const SKEWED = again('guard_rejected', CREDENTIALS.message)
/**
 * Errors by the name that the SDK gives them (API reference of InvokeEndpoint, common errors of AWS, measured on SDK
 * 3.1164).
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
  RequestExpired: SKEWED,
  RequestInTheFuture: SKEWED,
  RequestTimeTooSkewed: SKEWED,
  TimeoutError: TIMED_OUT,
  AbortError: { code: 'guard_timeout', message: 'The call to the guard endpoint was cancelled before it answered.' },
}

const THROTTLES =
  /^(?:Throttling|ThrottlingException|ThrottledException|RequestThrottled(?:Exception)?|TooManyRequests(?:Exception)?|RequestLimitExceeded|LimitExceededException|SlowDown|BandwidthLimitExceeded)$/
const CERTIFICATE = /^(?:CERT_|ERR_TLS_|ERR_SSL_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_)/
/**
 * Turns anything a call can throw into one of our errors. `cause` keeps name, status and request id, and no words of
 * the message.
 */
export function toGuardError(error: unknown): LlamaGuardError {
  if (isLlamaGuardError(error)) return error
  const meaning = clockCorrected(error) ? SKEWED : meaningOf(seen(error))
  return new LlamaGuardError(meaning.code, meaning.message, {
    retryable: meaning.retryable ?? false,
    cause: withoutWords(error),
    ...(meaning.retryAfter !== undefined && { retryAfter: meaning.retryAfter }),
  })
}

/**
 * SageMaker reports a wrong clock under the same error names as a wrong signature. The SDK reads the server's time
 * from that answer, and marks the error when it moved its clock.
 */
function clockCorrected(error: unknown): boolean {
  const { $metadata } = (error ?? {}) as { $metadata?: { clockSkewCorrected?: unknown } }
  return $metadata?.clockSkewCorrected === true
}

function meaningOf({ name, message, errno, status, original }: Seen): Meaning {
  if (original) return ofContainer(original.status, original.text)
  if (THROTTLES.test(name)) return THROTTLED
  // The SDK calls these errors TimeoutError, but no time ran out: the connection was closed.
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
