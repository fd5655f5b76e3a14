// What SageMaker Runtime says for AWS: its errors, in AWS's own JSON, names and statuses (API reference of
// InvokeEndpoint), and the one pair of credentials that the emulator accepts.

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

export const UNKNOWN_KEY = serviceError(
  403,
  'UnrecognizedClientException',
  'The security token included in the request is invalid.',
)
export const BAD_SIGNATURE = serviceError(
  403,
  'InvalidSignatureException',
  'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key ' +
    'and signing method. Consult the service documentation for details.',
)

export const REGION = 'eu-west-1'
/** AWS's documentation examples: they open nothing anywhere. */
export const CREDENTIALS = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
}

/** An `authorization` header of Signature Version 4: key, date, region, service, signed headers, signature. */
export const SIGV4 =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/

/**
 * The AWS error for a header that is absent, malformed, or of another key, region or service; else undefined. The
 * signature itself is not computed: that would take the AWS SDK's signer as a dependency.
 */
export function checkCredential(authorization: string | undefined, wanted = 'sagemaker'): AwsError | undefined {
  if (authorization === undefined)
    return serviceError(403, 'MissingAuthenticationTokenException', 'Missing Authentication Token')
  const [header, key, , region = '', service] = SIGV4.exec(authorization) ?? []
  if (header === undefined) return BAD_SIGNATURE
  if (key !== CREDENTIALS.accessKeyId) return UNKNOWN_KEY
  if (region !== REGION)
    return serviceError(
      403,
      'InvalidSignatureException',
      `Credential should be scoped to a valid region, not '${region}'. `,
    )
  return service === wanted ? undefined : BAD_SIGNATURE
}
