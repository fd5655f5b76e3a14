// The plan of `deploy`: all its requests to SageMaker, made from the options and checked before the first is sent.
import type {
  CreateEndpointConfigCommandInput,
  CreateInferenceComponentCommandInput,
  CreateModelCommandInput,
  ProductionVariant,
  ProductionVariantInstanceType,
  ProductionVariantRoutingConfig,
  Tag,
} from '@aws-sdk/client-sagemaker'
import type { Scale } from './autoscale.js'
import { type Container, containerFor, type ContainerName, isTextGuard, type Quantization } from './containers.js'
import { findModel, JUMPSTART_MODELS, type JumpStartModel } from './jumpstart.js'
import { LlamaGuardError } from '../../types/errors.js'
import type { ModelName } from '../../guard/prompt/index.js'
import type { Io } from '../io.js'
import { gpusOf, NEWER, prefixBytes } from './hardware.js'
import { eulaUrl, imageUri, privateBucket } from './regions.js'

export interface DeployOptions {
  /** JumpStart id or a short name: `llama-guard-3-8b`. */
  readonly model?: string
  /** True when the licence was read and accepted. Never assumed. Default: false. */
  readonly acceptEula?: boolean
  /** ARN of the role the endpoint runs as. Default: SAGEMAKER_EXECUTION_ROLE_ARN. */
  readonly role?: string
  readonly region?: string
  /** Default: the model's own. */
  readonly instanceType?: string
  /** Default: 1. */
  readonly instanceCount?: number
  /** Name of the endpoint, its configuration and its model. Default: the model's short name. */
  readonly endpoint?: string
  readonly tags?: Readonly<Record<string, string>>
  /** Default: LMI for a guard that reads text, else what JumpStart pairs with the weights. */
  readonly container?: ContainerName
  /** Loads the weights in 8 bits, on a GPU that supports it. Default: the weights unchanged. */
  readonly quantize?: Quantization
  /** Copies or instances that Application Auto Scaling keeps. Default: `instanceCount`, and no scaling. */
  readonly autoscale?: { readonly min: number; readonly max: number }
  /** The requests in flight per copy that scaling aims at. Default: 5, as in AWS's own example. */
  readonly autoscaleTarget?: number
  /** The model as an inference component, which can share an instance with others and scale to zero. Default: false. */
  readonly inferenceComponent?: boolean
  /** True prints what would be made, and makes nothing. Default: false. */
  readonly dryRun?: boolean
  /** Price of an instance in dollars an hour, for the plan. Default: unknown. */
  readonly dollarsPerHour?: number
  /** False returns as soon as the endpoint is being created. Default: true. */
  readonly wait?: boolean
  /** Default: 45 minutes. */
  readonly waitMs?: number
  /** Default: 15 seconds. */
  readonly pollMs?: number
}

export interface Plan {
  readonly model: JumpStartModel
  readonly region: string
  readonly name: string
  readonly createModel: CreateModelCommandInput
  readonly createConfig: CreateEndpointConfigCommandInput
  /** Sent when the endpoint is in service. */
  readonly createComponent?: CreateInferenceComponentCommandInput
  readonly scale?: Scale
  readonly tags: Tag[]
  readonly instance: string
  readonly container: Container
  readonly quantize?: Quantization
}

/** The target value of AWS's example. `doctor --latency` measures the value of an endpoint. */
const SCALE_TARGET = 5

/** Takes the place of the role in a plan that is only printed. */
const ROLE = /^arn:aws[a-z-]*:iam::\d{12}:role\/\S+$/
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
    throw wrong(`To deploy ${model?.id ?? 'a guard'}, give\n${missing.map((each) => `  - ${each}`).join('\n')}`)
  const container = containerFor(model, instance, options.container, options.quantize)
  const image = imageUri(region, container.image)
  if (image === undefined)
    throw wrong(
      `No image ${container.image} is known for the region ${region}. Choose another --region or --container, or ` +
        'deploy from the SageMaker console there.',
    )
  const name = options.endpoint ?? model.name
  const scale = scaleOf(options)
  const tags = tagList({
    'created-by': 'express-llama-guard',
    'sagemaker-sdk:jumpstart-model-id': model.id,
    'sagemaker-sdk:jumpstart-model-version': model.version,
    ...options.tags,
  })
  const variant = variantOf({ options, name, instance, scale }, container, model.guardModel)
  return {
    model,
    region,
    name,
    tags,
    instance,
    container,
    ...(options.quantize && { quantize: options.quantize }),
    ...(scale && { scale }),
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
      ProductionVariants: [variant],
      ...(options.inferenceComponent && { ExecutionRoleArn: role, EnableNetworkIsolation: true }),
      Tags: tags,
    },
    ...(options.inferenceComponent && { createComponent: componentOf(name, instance, scale, tags) }),
  }
}

/** A guard that reads text runs in containers that are newer than JumpStart's specification of it. */
const instancesOf = ({ guardModel, instances }: JumpStartModel): readonly string[] =>
  isTextGuard(guardModel) ? [...new Set([...instances, ...NEWER])] : instances

const STARTUP = {
  ModelDataDownloadTimeoutInSeconds: STARTUP_SECONDS,
  ContainerStartupHealthCheckTimeoutInSeconds: STARTUP_SECONDS,
}

function variantOf(
  { options, name, instance, scale }: { options: DeployOptions; name: string; instance: string; scale?: Scale },
  { ami }: Container,
  guard: ModelName | undefined,
): ProductionVariant {
  const count = Math.max(scale?.min ?? 0, options.instanceCount ?? 1)
  const common: ProductionVariant = {
    VariantName: 'AllTraffic',
    InstanceType: instance as ProductionVariantInstanceType,
    InitialInstanceCount: count,
    RoutingConfig: routingFor(guard, Math.max(count, scale?.max ?? 0), scale?.target ?? SCALE_TARGET),
    ...(ami && { InferenceAmiVersion: ami }),
  }
  return options.inferenceComponent
    ? {
        ...common,
        ManagedInstanceScaling: {
          Status: 'ENABLED',
          MinInstanceCount: scale?.min ?? count,
          MaxInstanceCount: scale?.max ?? count,
        },
      }
    : { ...common, ModelName: name, InitialVariantWeight: 1, ...STARTUP }
}

/**
 * Several copies of a guard are chosen by the beginning of a prompt, so that the checks of one stream stay with the
 * copy that has most of the prompt in its cache. A copy that has twice the load that scaling aims at is passed over.
 * One copy, or a chat model, takes requests as they come.
 */
function routingFor(guard: ModelName | undefined, copies: number, target: number): ProductionVariantRoutingConfig {
  if (copies < 2 || !isTextGuard(guard)) return { RoutingStrategy: 'LEAST_OUTSTANDING_REQUESTS' }
  const config = { PrefixLength: prefixBytes(guard), ConcurrencyThreshold: Math.min(1024, 2 * target) }
  return { RoutingStrategy: 'PREFIX_AWARE', PrefixAwareRoutingConfig: config }
}

/** Host memory of a copy in MB. Its weights are on the GPU. */
const COPY_MEMORY_MB = 8192

function componentOf(
  name: string,
  instance: string,
  scale: Scale | undefined,
  tags: Tag[],
): CreateInferenceComponentCommandInput {
  return {
    InferenceComponentName: name,
    EndpointName: name,
    VariantName: 'AllTraffic',
    Specification: {
      ModelName: name,
      StartupParameters: STARTUP,
      ComputeResourceRequirements: {
        NumberOfAcceleratorDevicesRequired: gpusOf(instance),
        MinMemoryRequiredInMb: COPY_MEMORY_MB,
      },
      // A new copy then starts from the instance's disk and not from S3.
      DataCacheConfig: { EnableCaching: true },
    },
    RuntimeConfig: { CopyCount: Math.max(1, scale?.min ?? 1) },
    Tags: tags,
  }
}

function scaleOf({ autoscale, autoscaleTarget, inferenceComponent, wait, dryRun }: DeployOptions): Scale | undefined {
  if (wait === false && dryRun !== true && (autoscale || inferenceComponent))
    throw wrong(
      '--no-wait cannot be combined with --autoscale and --inference-component: both are made when the endpoint is ' +
        'in service. Leave it out.',
    )
  if (autoscale === undefined) return undefined
  const { min, max } = autoscale
  if (min > max || max < 1) throw wrong(`--autoscale ${min}..${max} is no range. Write it as MIN..MAX, such as 1..4.`)
  if (min === 0 && !inferenceComponent)
    throw wrong(
      `--autoscale 0..${max} scales to zero, which only an inference component can. Add --inference-component, or keep ` +
        'one instance.',
    )
  return { min, max, target: autoscaleTarget ?? SCALE_TARGET }
}

function tagList(tags: Readonly<Record<string, string>>): Tag[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }))
}

export function wrong(message: string): LlamaGuardError {
  return new LlamaGuardError('invalid_option', message)
}
