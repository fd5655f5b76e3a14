// What `deploy` will make: the three requests to SageMaker, checked and complete before the first is sent.
import type {
  CreateEndpointConfigCommandInput,
  CreateModelCommandInput,
  ProductionVariantInstanceType,
  Tag,
} from '@aws-sdk/client-sagemaker'
import { LlamaGuardError } from '../../errors.js'
import { regionOf } from './control-plane.js'
import type { Io } from '../io.js'
import { environmentFor, findModel } from './jumpstart.js'
import type { JumpStartModel } from './jumpstart.js'
import { eulaUrl, imageUri, privateBucket } from './regions.js'

export interface DeployOptions {
  /** JumpStart id or a short name: `llama-guard-3-8b`. */
  readonly model: string
  /** The licence was read and accepted. Never assumed. */
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
  readonly tags: Tag[]
}

/** The largest a JumpStart model takes to come down from S3 and onto the GPUs, with room. */
const STARTUP_SECONDS = 1800

/** Throws `invalid_option` or `region_missing`, with the cure. */
export function makePlan(options: DeployOptions, io: Io): Plan {
  const model = findModel(options.model)
  const region = regionOf(options.region, io.env)
  const instance = options.instanceType ?? model.defaultInstance
  if (!model.instances.includes(instance))
    throw wrong(
      `${instance} is not an instance type that ${model.id} runs on. It runs on ${model.instances.join(', ')}.`,
    )
  const image = imageUri(region, model.image)
  if (image === undefined)
    throw wrong(
      `No image ${model.image} is known for the region ${region}. Choose another --region, or deploy ` +
        'from the SageMaker console there.',
    )
  if (options.acceptEula !== true)
    throw wrong(
      `${model.id} comes under a licence that you must read and accept: ` +
        `${eulaUrl(region, model.eula)}\nRun the command again with --accept-eula when you do.`,
    )
  const role = options.role ?? io.env['SAGEMAKER_EXECUTION_ROLE_ARN']
  if (!role || !/^arn:aws[a-z-]*:iam::\d{12}:role\/\S+$/.test(role))
    throw wrong(
      `${role ? `${JSON.stringify(role)} is no role ARN` : 'No execution role is given'}. Give --role ` +
        'the ARN of an IAM role that SageMaker can assume, for example ' +
        'arn:aws:iam::123456789012:role/SageMakerRole.',
    )
  const name = options.endpoint ?? model.aliases[0] ?? model.id
  const tags = tagList({
    'created-by': 'express-llama-guard',
    'sagemaker-sdk:jumpstart-model-id': model.id,
    'sagemaker-sdk:jumpstart-model-version': model.version,
    ...options.tags,
  })
  return {
    model,
    region,
    name,
    tags,
    createModel: {
      ModelName: name,
      ExecutionRoleArn: role,
      // JumpStart's own setting: the container gets its files through SageMaker and needs no way out.
      EnableNetworkIsolation: true,
      PrimaryContainer: {
        Image: image,
        Environment: environmentFor(model, instance),
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
          InitialInstanceCount: options.instanceCount ?? 1,
          InitialVariantWeight: 1,
          ModelDataDownloadTimeoutInSeconds: STARTUP_SECONDS,
          ContainerStartupHealthCheckTimeoutInSeconds: STARTUP_SECONDS,
        },
      ],
      Tags: tags,
    },
  }
}

function tagList(tags: Readonly<Record<string, string>>): Tag[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }))
}

export function wrong(message: string): LlamaGuardError {
  return new LlamaGuardError('invalid_option', message)
}
