// The options of `deploy`, and the plan that is made from them.
import type {
  CreateEndpointConfigCommandInput,
  CreateInferenceComponentCommandInput,
  CreateModelCommandInput,
  Tag,
} from '@aws-sdk/client-sagemaker'
import type { Scale } from './autoscale.js'
import type { Container, ContainerName, Quantization } from './containers.js'
import type { JumpStartModel } from './jumpstart.js'

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
