// What `deploy` can be asked for, and the plan it makes of it.
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
  /** Default: LMI for a guard that reads text, else what JumpStart pairs with the weights. */
  readonly container?: ContainerName
  /** Weights in 8 bits, on a GPU that computes in them. Default: as they are. */
  readonly quantize?: Quantization
  /** Copies or instances that Application Auto Scaling keeps. Default: `instanceCount`, and no scaling. */
  readonly autoscale?: { readonly min: number; readonly max: number }
  /** Requests in flight for each copy that scaling keeps to. Default: 5, as in AWS's own example. */
  readonly autoscaleTarget?: number
  /** The model as an inference component, which can share an instance with others and scale to zero. Default: false. */
  readonly inferenceComponent?: boolean
  /** Says what would be made, and makes nothing. Default: false. */
  readonly dryRun?: boolean
  /** Price of an instance in dollars, for the plan. Default: not known. */
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
  /** Made when the endpoint is in service. */
  readonly createComponent?: CreateInferenceComponentCommandInput
  readonly scale?: Scale
  readonly tags: Tag[]
  readonly instance: string
  readonly container: Container
  readonly quantize?: Quantization
}
