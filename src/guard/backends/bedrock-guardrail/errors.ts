// Maps every failure of ApplyGuardrail to one of our codes. The service's words are dropped: they may name the account.
import { isLlamaGuardError, LlamaGuardError } from '../../../errors.js'
import { again, type Meaning, rejected, seen, withoutWords } from '../../answer/container-error.js'

const THROTTLED = again(
  'guard_throttled',
  'Bedrock is throttling requests. Raise the account quota of ApplyGuardrail text units a second.',
  2,
)
const UNAVAILABLE = again('guard_unavailable', 'Bedrock is unavailable for the moment, or cannot be reached.')
const CREDENTIALS = rejected(
  'AWS refused the credentials. Check AWS_PROFILE, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, ' +
    'AWS_REGION, and the clock.',
)

const BY_NAME: Readonly<Record<string, Meaning>> = {
  AccessDeniedException: rejected(
    'AWS denied access: the credentials need the permission bedrock:ApplyGuardrail on the guardrail.',
  ),
  ResourceNotFoundException: rejected(
    'Bedrock has no such guardrail or version. Check LLAMA_GUARD_MODEL_ID, AWS_REGION and the account of the ' +
      'credentials.',
  ),
  ValidationException: rejected('Bedrock refused the request as invalid. Check LLAMA_GUARD_MODEL_ID (id@version).'),
  ThrottlingException: THROTTLED,
  ServiceQuotaExceededException: THROTTLED,
  InternalServerException: again('guard_error', 'Bedrock failed.'),
  ServiceUnavailableException: UNAVAILABLE,
  TimeoutError: again('guard_timeout', 'Bedrock did not answer in time. Raise timeoutMs.'),
  AbortError: { code: 'guard_timeout', message: 'The call to Bedrock was cancelled before it answered.' },
  CredentialsProviderError: rejected(
    'No AWS credentials were found. Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run with a ' +
      'role.',
  ),
  ExpiredTokenException: CREDENTIALS,
  InvalidSignatureException: CREDENTIALS,
  UnrecognizedClientException: CREDENTIALS,
}

export function toBedrockError(error: unknown): LlamaGuardError {
  if (isLlamaGuardError(error)) return error
  const { name, errno, status = 0 } = seen(error)
  const meaning =
    (Object.hasOwn(BY_NAME, name) ? BY_NAME[name] : undefined) ??
    (errno !== '' || status >= 500
      ? UNAVAILABLE
      : status === 429
        ? THROTTLED
        : { code: 'guard_error' as const, message: 'The call to Bedrock failed in an unexpected way.' })
  return new LlamaGuardError(meaning.code, meaning.message, {
    retryable: meaning.retryable ?? false,
    cause: withoutWords(error),
    ...(meaning.retryAfter !== undefined && { retryAfter: meaning.retryAfter }),
  })
}
