// Maps every failure of a call to SageMaker to one of our codes: what to tell the operator, and whether a second call
// may help. answer/container-error reads what the container itself says.
import { isLlamaGuardError, type LlamaGuardError } from '../../../types/errors.js'
import {
  again,
  AWS_ERRORS,
  errorOf,
  FAILED,
  type Meaning,
  ofContainer,
  ofStatus,
  rejected,
  seen,
  type Seen,
  SKEWED,
  THROTTLED,
  TIMED_OUT,
  TOO_LONG,
  UNAVAILABLE,
} from '../../answer/container-error.js'

const UNREACHABLE = again(
  'guard_unavailable',
  'The guard endpoint could not be reached, or closed the connection. Check the network, AWS_REGION ' +
    'and AWS_ENDPOINT_URL.',
)
const DENIED = rejected(
  'AWS denied access: the credentials need the permission sagemaker:InvokeEndpoint on the guard endpoint.',
)
/**
 * Errors by the name that the SDK gives them (API reference of InvokeEndpoint, common errors of AWS, measured on SDK
 * 3.1164).
 */
const BY_NAME: Readonly<Record<string, Meaning>> = {
  ...AWS_ERRORS,
  ModelNotReadyException: again('guard_not_ready', 'The guard endpoint is not ready yet: the model is loading.', 10),
  ServiceUnavailable: UNAVAILABLE,
  ServiceUnavailableException: UNAVAILABLE,
  InternalFailure: FAILED,
  InternalServerException: FAILED,
  InternalDependencyException: FAILED,
  AccessDenied: DENIED,
  AccessDeniedException: DENIED,
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
  return errorOf(clockCorrected(error) ? SKEWED : meaningOf(seen(error)), error)
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
