// Makes the plan of `deploy`: all its requests to SageMaker, checked before the first is sent.
import type {
  CreateInferenceComponentCommandInput,
  ProductionVariant,
  ProductionVariantInstanceType,
  Tag,
} from '@aws-sdk/client-sagemaker'
import { LlamaGuardError } from '../../errors.js'
import { regionOf } from './control-plane.js'
import type { Io } from '../io.js'
import type { Scale } from './autoscale.js'
import { containerFor } from './containers.js'
import type { Container } from './containers.js'
import type { DeployOptions, Plan } from './deploy-options.js'
import { gpusOf } from './hardware.js'
import { findModel } from './jumpstart.js'
import { eulaUrl, imageUri, privateBucket } from './regions.js'

/** The target value of AWS's example. `doctor --latency` measures the value of an endpoint. */
const SCALE_TARGET = 5

/** Takes the place of the role in a plan that is only printed. */
const NO_ROLE = 'arn:aws:iam::000000000000:role/to-be-given'

/** Seconds for the largest JumpStart model to load from S3 onto the GPUs, with room. */
const STARTUP_SECONDS = 1800

/** @throws LlamaGuardError `invalid_option` or `region_missing`; the message says what to do. */
export function makePlan(options: DeployOptions, io: Io): Plan {
  const model = findModel(options.model)
  const region = regionOf(options.region, io.env)
  const instance = options.instanceType ?? model.defaultInstance
  if (!model.instances.includes(instance))
    throw wrong(
      `${instance} is not an instance type that ${model.id} runs on. It runs on ${model.instances.join(', ')}.`,
    )
  const container = containerFor(model, instance, options.container, options.quantize)
  const image = imageUri(region, container.image)
  if (image === undefined)
    throw wrong(
      `No image ${container.image} is known for the region ${region}. Choose another --region or --container, or ` +
        'deploy from the SageMaker console there.',
    )
  if (options.acceptEula !== true && options.dryRun !== true)
    throw wrong(
      `${model.id} comes under a licence that you must read and accept: ` +
        `${eulaUrl(region, model.eula)}\nRun the command again with --accept-eula when you do.`,
    )
  const role = options.role ?? io.env['SAGEMAKER_EXECUTION_ROLE_ARN'] ?? (options.dryRun ? NO_ROLE : undefined)
  if (!role || !/^arn:aws[a-z-]*:iam::\d{12}:role\/\S+$/.test(role))
    throw wrong(
      `${role ? `${JSON.stringify(role)} is no role ARN` : 'No execution role is given'}. Give --role ` +
        'the ARN of an IAM role that SageMaker can assume, for example ' +
        'arn:aws:iam::123456789012:role/SageMakerRole.',
    )
  const name = options.endpoint ?? model.aliases[0] ?? model.id
  const scale = scaleOf(options)
  const tags = tagList({
    'created-by': 'express-llama-guard',
    'sagemaker-sdk:jumpstart-model-id': model.id,
    'sagemaker-sdk:jumpstart-model-version': model.version,
    ...options.tags,
  })
  const variant = variantOf(options, name, instance, container, scale)
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

const STARTUP = {
  ModelDataDownloadTimeoutInSeconds: STARTUP_SECONDS,
  ContainerStartupHealthCheckTimeoutInSeconds: STARTUP_SECONDS,
}

function variantOf(
  options: DeployOptions,
  name: string,
  instance: string,
  { ami }: Container,
  scale: Scale | undefined,
): ProductionVariant {
  const count = Math.max(scale?.min ?? 0, options.instanceCount ?? 1)
  const common: ProductionVariant = {
    VariantName: 'AllTraffic',
    InstanceType: instance as ProductionVariantInstanceType,
    InitialInstanceCount: count,
    // Requests go to the instance with the fewest open requests, because checks differ in length by a factor of ten.
    // Routing by prefix would not help: every prompt begins with the same policy.
    RoutingConfig: { RoutingStrategy: 'LEAST_OUTSTANDING_REQUESTS' },
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
