// Maps a failed InvokeEndpoint to an answer for the client: the container's own 4xx goes to the client, everything
// else is an outage.
import { LlamaGuardError } from '../../types/errors.js'
import { withoutWords } from '../../utils/failed-call.js'

/** A container's refusal of the request (too long, bad parameter, busy). It is passed on with its status. */
export interface Refused {
  readonly status: number
  readonly body: string
}

const CLIENT_STATUSES = [400, 413, 415, 422, 429]

/**
 * The refusal to pass on.
 * @throws LlamaGuardError `upstream_unavailable` for any other error.
 */
export function refusedByContainer(error: unknown, endpoint: string): Refused {
  const {
    name,
    OriginalStatusCode: status,
    OriginalMessage: message,
  } = (typeof error === 'object' && error !== null ? error : {}) as Record<string, unknown>
  if (name === 'ModelError' && typeof status === 'number' && CLIENT_STATUSES.includes(status)) {
    const type = status === 429 ? 'rate_limit_error' : 'invalid_request_error'
    return {
      status,
      body: JSON.stringify({ error: { message: containerText(message), type, code: 'upstream_error', param: null } }),
    }
  }
  const busy = name === 'ThrottlingException' || name === 'ServiceUnavailable' || name === 'ModelNotReadyException'
  throw new LlamaGuardError('upstream_unavailable', `The chat endpoint ${endpoint} ${reason(name, status)}.`, {
    cause: withoutWords(error),
    retryAfter: busy ? 2 : 1,
    retryable: busy,
  })
}

/** The error for an answer of SageMaker itself on its OpenAI-compatible path. Its words name the account. */
export function refusedByService(type: string, status: number, endpoint: string): LlamaGuardError {
  const [name = ''] = type.split(':')
  const busy = status === 429 || status >= 500
  return new LlamaGuardError(
    'upstream_unavailable',
    status === 401 || status === 403
      ? `The chat endpoint ${endpoint} refused the credentials (${status}); they need sagemaker:InvokeEndpoint and ` +
          'sagemaker:CallWithBearerToken.'
      : `The chat endpoint ${endpoint} ${reason(name, status)}.`,
    { retryAfter: busy ? 2 : 1, retryable: busy },
  )
}

function reason(name: unknown, status: unknown): string {
  if (name === 'ModelError')
    return `failed inside its container (status ${String(status)}); see the endpoint's CloudWatch log`
  return (
    `could not be called (${typeof name === 'string' ? name : 'unknown error'}); check its name, its load, AWS_REGION, ` +
    'the credentials with sagemaker:InvokeEndpoint and sagemaker:InvokeEndpointWithResponseStream, and the payload size'
  )
}

// TGI and LMI wrap their message in JSON, sometimes twice.
function containerText(message: unknown): string {
  if (typeof message !== 'string') return 'The chat container refused the request.'
  try {
    const inner: unknown = JSON.parse(message)
    if (typeof inner === 'object' && inner !== null && 'error' in inner && typeof inner.error === 'string')
      return inner.error
    if (typeof inner === 'object' && inner !== null && 'message' in inner && typeof inner.message === 'string')
      return inner.message
  } catch {
    // The message is plain text.
  }
  return message
}
