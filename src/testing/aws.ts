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

export const REGION = 'eu-west-1'
/** AWS's documentation examples: they open nothing anywhere. */
export const CREDENTIALS = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
}
