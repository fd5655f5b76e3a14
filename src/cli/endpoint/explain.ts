// Explains a failed call to AWS: it tells what AWS said, or which host could not be reached, and what to do.
import { LlamaGuardError } from '../../types/errors.js'

/** What AWS said, and on a second line the cure, when there is a known one. */
export const explain = (error: unknown, region: string): string =>
  explained(error, region)
    .filter((line) => line !== undefined)
    .join('\n  ')

/** What AWS said, and the cure. */
export function explained(error: unknown, region: string): [said: string, cure: string | undefined] {
  if (error instanceof LlamaGuardError) return [error.message, undefined]
  const { name = 'Error', message = '' } = error as { name?: string; message?: string }
  const unreached = unreachedHost(error)
  const words = name === 'Error' ? message : `${name}: ${message}`
  const said = unreached === undefined ? words : `${unreached.errno} at ${unreached.host}`
  const cure = CURES.find(([pattern]) => pattern.test(unreached === undefined ? said : unreached.errno))?.[1]
  return [said, cure?.replace('{region}', region)]
}

/** The host and the error number of a connection that failed. Undefined for every other failure. */
function unreachedHost(error: unknown): { readonly host: string; readonly errno: string } | undefined {
  // Node tries every address of a name and collects the failures in one error.
  for (const one of [error, ...((error as { errors?: readonly unknown[] }).errors ?? [])]) {
    const { code, hostname, address, port, cause } = one as NodeJS.ErrnoException & {
      hostname?: string
      address?: string
      port?: number
    }
    if (typeof code === 'string' && /^E[A-Z_]+$/.test(code) && (hostname ?? address) !== undefined)
      return { errno: code, host: hostname ?? `${address}${port === undefined ? '' : `:${port}`}` }
    if (cause !== undefined) return unreachedHost(cause)
  }
  return undefined
}

/** What a failure looks like, and its cure. */
const CURES: readonly (readonly [RegExp, string])[] = [
  [
    /CredentialsProviderError|Could not load credentials/,
    'No AWS credentials were found. Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, ' +
      'or run: aws sso login',
  ],
  [/ExpiredToken/, 'The AWS session has expired. Log in again (aws sso login) or renew AWS_SESSION_TOKEN.'],
  [
    /UnrecognizedClient|InvalidClientTokenId/,
    'AWS does not know this access key: AWS does not accept these credentials. Check AWS_ACCESS_KEY_ID, and the ' +
      'session token that belongs to it.',
  ],
  [
    /scoped to a valid region/,
    'The request is signed for {region}, and another region answers. Check --region and AWS_ENDPOINT_URL.',
  ],
  [
    /InvalidSignature|SignatureDoesNotMatch/,
    'AWS knows the access key but not the secret: AWS does not accept these credentials. Check ' +
      'AWS_SECRET_ACCESS_KEY.',
  ],
  [/RequestExpired|TooSkewed|RequestInTheFuture|not yet current/, 'Set the clock of this machine right.'],
  [
    /AccessDenied|not authorized/,
    'The caller lacks this permission. It needs sagemaker:Create*, Describe*, Delete* and AddTags on ' +
      'models, endpoint configurations and endpoints, application-autoscaling:* for --autoscale, and iam:PassRole on ' +
      'the execution role.',
  ],
  [
    /ResourceLimitExceeded/,
    'The account\'s quota for this instance type is used up. Ask for more "for endpoint usage" in the ' +
      'Service Quotas console of {region}, or take another --instance-type.',
  ],
  [
    /in-progress/,
    'It cannot be deleted while it is being created or updated. Run the same command again when it has settled.',
  ],
  [/EULA/i, 'Read the licence and run the command again with --accept-eula.'],
  [/role/i, 'Give --role the ARN of an IAM role that SageMaker can assume (AmazonSageMakerFullAccess is enough).'],
  [
    /InsufficientInstanceCapacity|capacity/i,
    'AWS has no such instance free at the moment. Try again later, in another region, or with another ' +
      '--instance-type.',
  ],
  [
    /ENOTFOUND|ECONNREFUSED|ECONNRESET|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|TimeoutError/,
    "AWS could not be reached in {region}. Check the region's name, AWS_ENDPOINT_URL and the network.",
  ],
]
