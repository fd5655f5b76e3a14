// The errors SageMaker Services answers with, in AWS's own JSON, names and statuses (API reference of InvokeEndpoint).
// Kept apart so that faults and the server itself fail in exactly the same words.

export interface AwsError {
  readonly status: number
  readonly name: string
  readonly body: string
}

export function serviceError(status: number, name: string, message: string): AwsError {
  return { status, name, body: JSON.stringify({ Message: message }) }
}

export function validationError(message: string): AwsError {
  return serviceError(400, 'ValidationError', message)
}

/** The container answered `status`: SageMaker wraps it in a 424 and quotes the container's words twice. */
export function modelError(status: number, text: string): AwsError {
  const side = status < 500 ? 'client' : 'server'
  return {
    status: 424,
    name: 'ModelError',
    body: JSON.stringify({
      ErrorCode: status < 500 ? 'CLIENT_ERROR_FROM_MODEL' : 'SERVER_ERROR_FROM_MODEL',
      LogStreamArn: 'arn:aws:logs:eu-west-1:123456789012:log-group:/aws/sagemaker/Endpoints/llama-guard',
      Message: `Received ${side} error (${status}) from primary with message "${text}". See https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logEventViewer:group=/aws/sagemaker/Endpoints/llama-guard in account 123456789012 for more information.`,
      OriginalMessage: text,
      OriginalStatusCode: status,
    }),
  }
}

export const THROTTLED = serviceError(400, 'ThrottlingException', 'Rate exceeded')
export const NOT_READY = serviceError(
  429,
  'ModelNotReadyException',
  'The model is not ready to serve inference requests',
)
export const INTERNAL_FAILURE = serviceError(500, 'InternalFailure', 'An internal failure occurred')
export const UNAVAILABLE = serviceError(503, 'ServiceUnavailable', 'The service is unavailable. Try your call again.')
export const DEPENDENCY = serviceError(530, 'InternalDependencyException', 'A dependency of the service failed')
export const ACCESS_DENIED = serviceError(
  403,
  'AccessDeniedException',
  'User: arn:aws:iam::123456789012:user/app is not authorized to perform: sagemaker:InvokeEndpoint on resource: ' +
    'arn:aws:sagemaker:eu-west-1:123456789012:endpoint/llama-guard',
)
export const EXPIRED = serviceError(
  403,
  'ExpiredTokenException',
  'The security token included in the request is expired',
)
export const UNKNOWN_KEY = serviceError(
  403,
  'UnrecognizedClientException',
  'The security token included in the request is invalid.',
)
export const NO_SIGNATURE = serviceError(403, 'MissingAuthenticationTokenException', 'Missing Authentication Token')
export const BAD_SIGNATURE = serviceError(
  403,
  'InvalidSignatureException',
  'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key ' +
    'and signing method. Consult the service documentation for details.',
)
/** Signed for a region, and sent to another. */
export const wrongRegion = (region: string): AwsError =>
  serviceError(403, 'InvalidSignatureException', `Credential should be scoped to a valid region, not '${region}'. `)
