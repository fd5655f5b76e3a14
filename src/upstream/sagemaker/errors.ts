// Maps a failed InvokeEndpoint to an answer for the client: the container's own 4xx goes to the client, everything
// else is an outage.
import { type LlamaGuardError, upstreamUnavailable } from '../../types/errors.js'
import { seen, withoutWords } from '../../utils/failed-call.js'
import { isObject, parsedJson } from '../../utils/json.js'

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
  const { name, original } = seen(error)
  if (original !== undefined && CLIENT_STATUSES.includes(original.status)) {
    const type = original.status === 429 ? 'rate_limit_error' : 'invalid_request_error'
    const told = { message: containerText(original.text), type, code: 'upstream_error', param: null }
    return { status: original.status, body: JSON.stringify({ error: told }) }
  }
  const busy = name === 'ThrottlingException' || name === 'ServiceUnavailable' || name === 'ModelNotReadyException'
  throw upstreamUnavailable(`The chat endpoint ${endpoint} ${reason(name, original?.status)}.`, {
    cause: withoutWords(error),
    retryAfter: busy ? 2 : 1,
    retryable: busy,
  })
}

/** The error for an answer of SageMaker itself on its OpenAI-compatible path. Its words name the account. */
export function refusedByService(type: string, status: number, endpoint: string): LlamaGuardError {
  const [name = ''] = type.split(':')
  const busy = status === 429 || status >= 500
  return upstreamUnavailable(
    status === 401 || status === 403
      ? `The chat endpoint ${endpoint} refused the credentials (${status}); they need sagemaker:InvokeEndpoint and ` +
          'sagemaker:CallWithBearerToken.'
      : `The chat endpoint ${endpoint} ${reason(name, status)}.`,
    { retryAfter: busy ? 2 : 1, retryable: busy },
  )
}

function reason(name: string, status: number | undefined): string {
  if (name === 'ModelError') return `failed inside its container (status ${status}); see the endpoint's CloudWatch log`
  return (
    `could not be called (${name || 'unknown error'}); check its name, its load, AWS_REGION, the credentials with ` +
    'sagemaker:InvokeEndpoint and sagemaker:InvokeEndpointWithResponseStream, and the payload size'
  )
}

/** The container's words. TGI and LMI wrap them in JSON. */
function containerText(text: string): string {
  const inner = parsedJson(text)?.value
  const words = isObject(inner) ? (inner['error'] ?? inner['message']) : undefined
  return typeof words === 'string' ? words : text || 'The chat container refused the request.'
}
