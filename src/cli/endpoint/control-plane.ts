// SageMaker's control plane as the commands need it: a dozen calls of an optional dependency, and what their
// failures mean for a person.
import type {
  CreateEndpointConfigCommandInput,
  CreateModelCommandInput,
  DescribeEndpointCommandOutput,
  DescribeEndpointConfigCommandOutput,
  DescribeModelCommandOutput,
  Tag,
} from '@aws-sdk/client-sagemaker'
import type * as Sdk from '@aws-sdk/client-sagemaker'
import { LlamaGuardError } from '../../errors.js'
import type { Io } from '../io.js'

export type Kind = 'model' | 'endpoint configuration' | 'endpoint'

export interface ControlPlane {
  describeModel(name: string): Promise<DescribeModelCommandOutput | undefined>
  describeConfig(name: string): Promise<DescribeEndpointConfigCommandOutput | undefined>
  describeEndpoint(name: string): Promise<DescribeEndpointCommandOutput | undefined>
  createModel(input: CreateModelCommandInput): Promise<void>
  createConfig(input: CreateEndpointConfigCommandInput): Promise<void>
  createEndpoint(name: string, config: string, tags: Tag[]): Promise<void>
  /** False when there was none. */
  remove(kind: Kind, name: string): Promise<boolean>
  destroy(): void
}

/**
 * Throws `dependency_missing` when the SDK's control plane client is not installed: the middleware itself
 * never needs it.
 */
export async function connectControlPlane(
  region: string,
  env: Io['env'],
  load: () => Promise<typeof Sdk> = () => import('@aws-sdk/client-sagemaker'),
): Promise<ControlPlane> {
  const sdk = await load().catch((cause: unknown) => {
    throw new LlamaGuardError(
      'dependency_missing',
      'This command needs the AWS SDK client for SageMaker, which is not installed. Install it: npm ' +
        'install @aws-sdk/client-sagemaker',
      { cause },
    )
  })
  const endpoint = env['AWS_ENDPOINT_URL_SAGEMAKER'] ?? env['AWS_ENDPOINT_URL']
  const client = new sdk.SageMakerClient({ region, ...(endpoint && { endpoint }) })
  return {
    describeModel: (name) => found(client.send(new sdk.DescribeModelCommand({ ModelName: name }))),
    describeConfig: (name) => found(client.send(new sdk.DescribeEndpointConfigCommand({ EndpointConfigName: name }))),
    describeEndpoint: (name) => found(client.send(new sdk.DescribeEndpointCommand({ EndpointName: name }))),
    createModel: (input) => done(client.send(new sdk.CreateModelCommand(input))),
    createConfig: (input) => done(client.send(new sdk.CreateEndpointConfigCommand(input))),
    createEndpoint: (name, config, tags) =>
      done(client.send(new sdk.CreateEndpointCommand({ EndpointName: name, EndpointConfigName: config, Tags: tags }))),
    async remove(kind, name) {
      const gone =
        kind === 'model'
          ? client.send(new sdk.DeleteModelCommand({ ModelName: name }))
          : kind === 'endpoint'
            ? client.send(new sdk.DeleteEndpointCommand({ EndpointName: name }))
            : client.send(new sdk.DeleteEndpointConfigCommand({ EndpointConfigName: name }))
      return (await found(gone)) !== undefined
    },
    destroy: () => client.destroy(),
  }
}

/** The region from the option or the variables the SDK reads. Throws `region_missing`. */
export function regionOf(given: string | undefined, env: Io['env']): string {
  const region = given ?? env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION']
  if (region) return region
  throw new LlamaGuardError('region_missing', 'No AWS region is set. Give --region, or set AWS_REGION.')
}

/** One sentence for a person: what AWS said, and the cure. */
export function explain(error: unknown, region: string): string {
  if (error instanceof LlamaGuardError) return error.message
  const { name = 'Error', message = '' } = error as { name?: string; message?: string }
  const cure = CURES.find(([pattern]) => pattern.test(`${name}: ${message}`))?.[1]
  return cure === undefined ? `${name}: ${message}` : `${name}: ${message}\n  ${cure(region)}`
}

const CURES: readonly (readonly [RegExp, (region: string) => string])[] = [
  [
    /CredentialsProviderError|Could not load credentials/,
    () =>
      'No AWS credentials were found. Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, ' +
      'or run: aws sso login',
  ],
  [/ExpiredToken/, () => 'The AWS session has expired. Log in again (aws sso login) or renew AWS_SESSION_TOKEN.'],
  [
    /UnrecognizedClient|InvalidSignature|SignatureDoesNotMatch/,
    () => 'AWS does not accept these credentials. Check the key pair, and the clock of this machine.',
  ],
  [
    /AccessDenied|not authorized/,
    () =>
      'The caller lacks this permission. It needs sagemaker:Create*, Describe*, Delete* and AddTags on ' +
      'models, endpoint configurations and endpoints, and iam:PassRole on the execution role.',
  ],
  [
    /ResourceLimitExceeded/,
    (region) =>
      'The account\'s quota for this instance type is used up. Ask for more "for endpoint usage" in the ' +
      `Service Quotas console of ${region}, or take another --instance-type.`,
  ],
  [/EULA/i, () => 'Read the licence and run the command again with --accept-eula.'],
  [
    /role/i,
    () => 'Give --role the ARN of an IAM role that SageMaker can assume (AmazonSageMakerFullAccess is enough).',
  ],
  [
    /InsufficientInstanceCapacity|capacity/i,
    () =>
      'AWS has no such instance free at the moment. Try again later, in another region, or with another ' +
      '--instance-type.',
  ],
  [
    /ENOTFOUND|ECONNREFUSED|EAI_AGAIN|TimeoutError/,
    (region) => `SageMaker could not be reached in ${region}. Check the region's name and the network.`,
  ],
]

async function done(call: Promise<unknown>): Promise<void> {
  await call
}

async function found<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call
  } catch (error) {
    // SageMaker has no "not found" error of its own; it is a ValidationException told apart by its words.
    if (error instanceof Error && /Validation/.test(error.name) && /Could not find|does not exist/i.test(error.message))
      return undefined
    throw error
  }
}
