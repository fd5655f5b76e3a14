// What the commands ask of SageMaker's control plane, and how a command that asks it begins and ends. The SDK client is
// an optional dependency.
import type { CreateEndpointConfigCommandInput, CreateModelCommandInput, Tag } from '@aws-sdk/client-sagemaker'
import { isLlamaGuardError, LlamaGuardError } from '../../types/errors.js'
import { EXIT, type ExitCode, type Io, painter, peer } from '../io.js'
import { explain } from './explain.js'

export type Kind = 'model' | 'endpoint configuration' | 'endpoint'
export type ControlPlane = Awaited<ReturnType<typeof connectControlPlane>>

/**
 * Throws `dependency_missing` when the SDK's control plane client is not installed: the middleware itself never needs
 * it. What is described and does not exist is undefined.
 */
export async function connectControlPlane(region: string, env: Io['env']) {
  const sdk = await peer('@aws-sdk/client-sagemaker', 'This command', () => import('@aws-sdk/client-sagemaker'))
  const endpoint = env['AWS_ENDPOINT_URL_SAGEMAKER'] ?? env['AWS_ENDPOINT_URL']
  const client = new sdk.SageMakerClient({ region, ...(endpoint && { endpoint }) })
  const deletion = {
    model: (name: string) => client.send(new sdk.DeleteModelCommand({ ModelName: name })),
    endpoint: (name: string) => client.send(new sdk.DeleteEndpointCommand({ EndpointName: name })),
    'endpoint configuration': (name: string) =>
      client.send(new sdk.DeleteEndpointConfigCommand({ EndpointConfigName: name })),
  }
  return {
    describeModel: (name: string) => found(client.send(new sdk.DescribeModelCommand({ ModelName: name }))),
    describeConfig: (name: string) =>
      found(client.send(new sdk.DescribeEndpointConfigCommand({ EndpointConfigName: name }))),
    describeEndpoint: (name: string) => found(client.send(new sdk.DescribeEndpointCommand({ EndpointName: name }))),
    createModel: (input: CreateModelCommandInput) => client.send(new sdk.CreateModelCommand(input)),
    createConfig: (input: CreateEndpointConfigCommandInput) => client.send(new sdk.CreateEndpointConfigCommand(input)),
    /** Of the configuration of the same name. */
    createEndpoint: (name: string, tags: Tag[]) =>
      client.send(new sdk.CreateEndpointCommand({ EndpointName: name, EndpointConfigName: name, Tags: tags })),
    /** False when the resource did not exist. */
    remove: async (kind: Kind, name: string) => (await found<unknown>(deletion[kind](name))) !== undefined,
    destroy: () => client.destroy(),
  }
}

/** The region from the option or the variables the SDK reads. Throws `region_missing`. */
export function regionOf(given: string | undefined, env: Io['env']): string {
  const region = given ?? env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION']
  if (region) return region
  throw new LlamaGuardError('region_missing', 'No AWS region is set. Give --region, or set AWS_REGION.')
}

/** Runs a command. A failure is told with its cure: a wrong call, which is our error, or what AWS says. */
export async function attempt(io: Io, region: string, command: () => Promise<ExitCode>): Promise<ExitCode> {
  try {
    return await command()
  } catch (error) {
    io.stderr.write(`${painter(io.stderr, io.env)('red', explain(error, region))}\n`)
    return isLlamaGuardError(error) ? EXIT.usage : EXIT.failed
  }
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
