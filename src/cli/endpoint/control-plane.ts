// The calls to SageMaker's control plane that the commands need. The SDK client is an optional dependency.
import type {
  CreateEndpointConfigCommandInput,
  CreateInferenceComponentCommandInput,
  CreateModelCommandInput,
  DescribeEndpointCommandOutput,
  DescribeEndpointConfigCommandOutput,
  DescribeInferenceComponentCommandOutput,
  DescribeModelCommandOutput,
  Tag,
} from '@aws-sdk/client-sagemaker'
import { LlamaGuardError } from '../../types/errors.js'
import { type Io, peer } from '../io.js'

export type Kind = 'model' | 'endpoint configuration' | 'endpoint' | 'inference component'

export interface ControlPlane {
  describeModel(name: string): Promise<DescribeModelCommandOutput | undefined>
  describeConfig(name: string): Promise<DescribeEndpointConfigCommandOutput | undefined>
  describeEndpoint(name: string): Promise<DescribeEndpointCommandOutput | undefined>
  createModel(input: CreateModelCommandInput): Promise<void>
  createConfig(input: CreateEndpointConfigCommandInput): Promise<void>
  createEndpoint(name: string, config: string, tags: Tag[]): Promise<void>
  describeComponent(name: string): Promise<DescribeInferenceComponentCommandOutput | undefined>
  createComponent(input: CreateInferenceComponentCommandInput): Promise<void>
  /** Names of the inference components on an endpoint. */
  componentsOf(endpoint: string): Promise<string[]>
  /** False when the resource did not exist. */
  remove(kind: Kind, name: string): Promise<boolean>
  destroy(): void
}

/**
 * Throws `dependency_missing` when the SDK's control plane client is not installed: the middleware itself
 * never needs it.
 */
export async function connectControlPlane(region: string, env: Io['env']): Promise<ControlPlane> {
  const sdk = await peer('@aws-sdk/client-sagemaker', 'This command', () => import('@aws-sdk/client-sagemaker'))
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
    describeComponent: (name) =>
      found(client.send(new sdk.DescribeInferenceComponentCommand({ InferenceComponentName: name }))),
    createComponent: (input) => done(client.send(new sdk.CreateInferenceComponentCommand(input))),
    async componentsOf(endpoint) {
      const pages = sdk.paginateListInferenceComponents({ client }, { EndpointNameEquals: endpoint })
      const names: string[] = []
      for await (const { InferenceComponents = [] } of pages)
        names.push(...InferenceComponents.flatMap(({ InferenceComponentName }) => InferenceComponentName ?? []))
      return names
    },
    async remove(kind, name) {
      const calls: Record<Kind, () => Promise<unknown>> = {
        model: () => client.send(new sdk.DeleteModelCommand({ ModelName: name })),
        endpoint: () => client.send(new sdk.DeleteEndpointCommand({ EndpointName: name })),
        'endpoint configuration': () => client.send(new sdk.DeleteEndpointConfigCommand({ EndpointConfigName: name })),
        'inference component': () =>
          client.send(new sdk.DeleteInferenceComponentCommand({ InferenceComponentName: name })),
      }
      return (await found(calls[kind]())) !== undefined
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

async function done(call: Promise<unknown>): Promise<void> {
  await call
}

async function found<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call
  } catch (error) {
    // SageMaker has no "not found" error. It throws a ValidationException, which only its message identifies.
    if (error instanceof Error && /Validation/.test(error.name) && /Could not find|does not exist/i.test(error.message))
      return undefined
    throw error
  }
}
