// More of the errors that SageMaker answers with, beside those of src/testing.
import { serviceError } from '../../src/testing/aws.js'

export const BAD_SIGNATURE = serviceError(
  403,
  'InvalidSignatureException',
  'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key ' +
    'and signing method. Consult the service documentation for details.',
)
export { type AwsError, modelError, serviceError, UNKNOWN_KEY, validationError } from '../../src/testing/aws.js'

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
