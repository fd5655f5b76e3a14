// Makes the plan of `deploy`: all its requests to SageMaker, checked before the first is sent.
import type {
  CreateInferenceComponentCommandInput,
  ProductionVariant,
  ProductionVariantInstanceType,
  ProductionVariantRoutingConfig,
  Tag,
} from '@aws-sdk/client-sagemaker'
import { LlamaGuardError } from '../../errors.js'
import type { ModelName } from '../../guard/prompt/index.js'
import type { Io } from '../io.js'
import type { Scale } from './autoscale.js'
import { containerFor, isTextGuard } from './containers.js'
import type { Container } from './containers.js'
import type { DeployOptions, Plan } from './deploy-options.js'
import { gpusOf, NEWER, prefixBytes } from './hardware.js'
import { findModel, JUMPSTART_MODELS, type JumpStartModel } from './jumpstart.js'
import { eulaUrl, imageUri, privateBucket } from './regions.js'

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
