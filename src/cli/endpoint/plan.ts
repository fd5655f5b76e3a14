// The plan of `deploy`: all its requests to SageMaker, made from the options and checked before the first is sent.
import type {
  CreateEndpointConfigCommandInput,
  CreateModelCommandInput,
  ProductionVariantInstanceType,
  ProductionVariantRoutingConfig,
  Tag,
} from '@aws-sdk/client-sagemaker'
import { type Scale, SCALE_TARGET } from './autoscale.js'
import { type Container, containerFor, type ContainerName, isTextGuard, type Quantization } from './containers.js'
import { findModel, JUMPSTART_MODELS, type JumpStartModel } from './jumpstart.js'
import { invalidOption } from '../../types/errors.js'
import { endpoint as endpointNamed } from '../../options/object-readers.js'
import type { ModelName } from '../../guard/prompt/index.js'
import type { Io } from '../io.js'
import { NEWER, prefixBytes } from './hardware.js'
import { eulaUrl, imageUri, privateBucket } from './regions.js'

/** The help of the command tells what each does. */
export interface DeployOptions {
  readonly model?: string
  readonly acceptEula?: boolean
  readonly role?: string
  readonly region?: string
  readonly instanceType?: string
  readonly instanceCount?: number
  readonly endpoint?: string
  readonly tags?: Readonly<Record<string, string>>
  readonly container?: ContainerName
  readonly quantize?: Quantization
  readonly autoscale?: Scale
  readonly dryRun?: boolean
}

export interface Plan {
  readonly model: JumpStartModel
  readonly region: string
  readonly name: string
  readonly createModel: CreateModelCommandInput
  readonly createConfig: CreateEndpointConfigCommandInput
  readonly tags: Tag[]
  readonly instance: string
  readonly container: Container
  /** Applied when the endpoint is in service. */
  readonly scale: Scale | undefined
}

const ROLE = /^arn:aws[a-z-]*:iam::\d{12}:role\/\S+$/
/** Takes the place of the role in a plan that is only printed. */
const NO_ROLE = 'arn:aws:iam::000000000000:role/to-be-given'

/** Seconds for the largest JumpStart model to load from S3 onto the GPUs, with room. */
const STARTUP_SECONDS = 1800

/** @throws LlamaGuardError `invalid_option` with everything that is missing or wrong, and what to do about each. */
export function makePlan(options: DeployOptions, io: Io): Plan {
  const model = options.model === undefined ? undefined : findModel(options.model)
  const { dryRun = false } = options
  const region = options.region ?? io.env['AWS_REGION'] ?? io.env['AWS_DEFAULT_REGION'] ?? ''
  const instance = options.instanceType ?? model?.defaultInstance ?? ''
  const instances = model === undefined ? [] : instancesOf(model)
  const role = options.role ?? io.env['SAGEMAKER_EXECUTION_ROLE_ARN'] ?? (dryRun ? NO_ROLE : '')
  const missing = [
    model === undefined && `a model: --model ${JUMPSTART_MODELS.map((each) => each.name).join(', ')}`,
    region === '' && 'a region: --region, or AWS_REGION',
    !ROLE.test(role) &&
      `an execution role${role === '' ? '' : ` (${JSON.stringify(role)} is no role ARN)`}: --role ARN of an IAM role that ` +
        'SageMaker can assume, such as arn:aws:iam::123456789012:role/SageMakerRole',
    options.acceptEula !== true &&
      !dryRun &&
      `your acceptance of the model's licence${model ? `, ${eulaUrl(region || 'us-east-1', model.eula)}` : ''}: --accept-eula`,
    model !== undefined &&
      !instances.includes(instance) &&
      `another --instance-type: ${instance} is not an instance type that ${model.id} runs on. It runs on ` +
        instances.join(', '),
  ].filter((each) => each !== false)
  if (model === undefined || missing.length > 0)
    throw invalidOption(`To deploy ${model?.id ?? 'a guard'}, give\n${missing.map((each) => `  - ${each}`).join('\n')}`)
  const container = containerFor(model, instance, options.container, options.quantize)
  const image = imageUri(region, container.image)
  if (image === undefined)
    throw invalidOption(
      `No image ${container.image} is known for the region ${region}. Choose another --region or --container, or ` +
        'deploy from the SageMaker console there.',
    )
  const name = endpointNamed(options.endpoint ?? model.name, '--endpoint')
  const scale = options.autoscale
  if (scale && (scale.min < 1 || scale.min > scale.max))
    throw invalidOption(
      `--autoscale ${scale.min}..${scale.max} is no range from 1. Write it as MIN..MAX, such as 1..4.`,
    )
  const count = Math.max(scale?.min ?? 0, options.instanceCount ?? 1)
  const tags = Object.entries({
    'created-by': 'express-llama-guard',
    'sagemaker-sdk:jumpstart-model-id': model.id,
    'sagemaker-sdk:jumpstart-model-version': model.version,
    ...options.tags,
  }).map(([Key, Value]) => ({ Key, Value }))
  return {
    model,
    region,
    name,
    tags,
    instance,
    container,
    scale,
    createModel: {
      ModelName: name,
      ExecutionRoleArn: role,
      // JumpStart's own setting. The container gets its files through SageMaker and needs no network.
      EnableNetworkIsolation: true,
      PrimaryContainer: {
        Image: image,
        Environment: container.environment,
        ModelDataSource: {
          S3DataSource: {
            S3Uri: `s3://${privateBucket(region)}/${model.artifact}`,
            S3DataType: 'S3Prefix',
            CompressionType: 'None',
            ModelAccessConfig: { AcceptEula: true },
          },
        },
      },
      Tags: tags,
    },
    createConfig: {
      EndpointConfigName: name,
      ProductionVariants: [
        {
          VariantName: 'AllTraffic',
          ModelName: name,
          InstanceType: instance as ProductionVariantInstanceType,
          InitialInstanceCount: count,
          InitialVariantWeight: 1,
          ModelDataDownloadTimeoutInSeconds: STARTUP_SECONDS,
          ContainerStartupHealthCheckTimeoutInSeconds: STARTUP_SECONDS,
          RoutingConfig: routingFor(model.guardModel, Math.max(count, scale?.max ?? 0)),
          ...(container.ami && { InferenceAmiVersion: container.ami }),
        },
      ],
      Tags: tags,
    },
  }
}

/** A guard that reads text runs in containers that are newer than JumpStart's specification of it. */
const instancesOf = ({ guardModel, instances }: JumpStartModel): readonly string[] =>
  isTextGuard(guardModel) ? [...new Set([...instances, ...NEWER])] : instances

/**
 * Several copies of a guard are chosen by the beginning of a prompt, so that the checks of one stream stay with the
 * copy that has most of the prompt in its cache. A copy that has twice the load that scaling aims at is passed over.
 * One copy, or a chat model, takes requests as they come.
 */
function routingFor(guard: ModelName | undefined, copies: number): ProductionVariantRoutingConfig {
  if (copies < 2 || !isTextGuard(guard)) return { RoutingStrategy: 'LEAST_OUTSTANDING_REQUESTS' }
  const config = { PrefixLength: prefixBytes(guard), ConcurrencyThreshold: 2 * SCALE_TARGET }
  return { RoutingStrategy: 'PREFIX_AWARE', PrefixAwareRoutingConfig: config }
}
