// `doctor` connects to AWS (region, credentials, a client that asks endpoints) and looks at an endpoint as SageMaker's
// control plane describes it: its state, its instances, its container.
import { InvokeEndpointCommand, SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime'
import { inItsForm } from '../../guard/backends/sagemaker/index.js'
import type { Config } from '../../options/config.js'
import { isLlamaGuardError } from '../../types/errors.js'
import type { Io } from '../io.js'
import { connectControlPlane, type ControlPlane } from './control-plane.js'
import { explained } from './explain.js'
import type { Report } from './report.js'
import { partsOf } from './resources.js'

/**
 * A role that may only invoke the endpoint is a good role, and the app needs no more. What this role cannot see is
 * therefore a warning.
 */
export async function examineEndpoint(name: string, region: string, io: Io, report: Report): Promise<void> {
  let plane: ControlPlane | undefined
  try {
    plane = await connectControlPlane(region, io.env)
    const { status, reason, instances, image } = await partsOf(plane, name)
    if (status === undefined)
      return report.fail(
        'endpoint',
        `there is no endpoint ${name} in ${region}`,
        'Check the name and the region, or make one: express-llama-guard deploy --help',
      )
    if (status === 'InService') report.ok('endpoint', `${name} is InService`)
    else
      report.fail(
        'endpoint',
        `${name} is ${status}${reason ? `: ${reason}` : ''}`,
        status === 'Failed'
          ? `Delete it and deploy again: express-llama-guard delete --endpoint ${name}`
          : 'Wait until it is InService; loading a model takes minutes.',
      )
    if (instances !== undefined) report.ok('instance', instances)
    const container = containerOf(image)
    if (container !== undefined) report.ok('container', container)
  } catch (error) {
    const [found, cure] = explained(error, region)
    report.warn(
      'endpoint',
      `could not be looked at. ${found}`,
      cure ?? 'Going on: the middleware needs sagemaker:InvokeEndpoint alone.',
    )
  } finally {
    plane?.destroy()
  }
}

export interface Aws {
  readonly client: SageMakerRuntimeClient
  readonly region: string
}

/** Undefined when region or credentials are missing, which the report then says. */
export async function connectAws(wanted: string | undefined, report: Report): Promise<Aws | undefined> {
  const client = new SageMakerRuntimeClient({ ...(wanted && { region: wanted }), maxAttempts: 1 })
  let region: string | undefined
  try {
    region = await client.config.region()
    report.ok('region', region)
    const { accessKeyId, expiration } = await client.config.credentials()
    const until = expiration === undefined ? '' : `, until ${expiration.toISOString()}`
    report.ok('credentials', `key ...${accessKeyId.slice(-4)}${until}`)
    return { client, region }
  } catch (error) {
    const cure = 'Give --region, set AWS_REGION, or put `region = ...` into your AWS profile.'
    if (region === undefined) report.fail('region', 'none is set', cure)
    else report.fail('credentials', ...explained(error, region))
    client.destroy()
    return undefined
  }
}

/** Asks an endpoint for one token, in the form that its container takes, and explains how the call failed. */
export async function explainFailure(
  { client, region }: Aws,
  { endpoint, inferenceComponent, targetVariant, timeoutMs }: Config,
): Promise<[said: string, cure: string | undefined] | undefined> {
  const inForm = inItsForm()
  try {
    await inForm((form) =>
      client.send(
        new InvokeEndpointCommand({
          EndpointName: endpoint,
          InferenceComponentName: inferenceComponent,
          TargetVariant: targetVariant,
          ContentType: 'application/json',
          CustomAttributes: form.attributes,
          Body: form.body('Hello', 1),
        }),
        { abortSignal: AbortSignal.timeout(timeoutMs) },
      ),
    )
    return undefined
  } catch (error) {
    return isLlamaGuardError(error) ? undefined : explained(error, region)
  }
}

/** What an image's name says about the container. */
export function containerOf(image: string | undefined): string | undefined {
  const name = image?.split('/').at(-1)
  if (name === undefined) return undefined
  const tgi = /tgi(\d[\d.]*)/.exec(name)?.[1]
  if (tgi !== undefined) return `Text Generation Inference ${tgi}`
  const lmi = /^djl-inference:([\d.]+)/.exec(name)?.[1]
  if (lmi !== undefined) return `LMI (djl-serving ${lmi})`
  const vllm = /^vllm:([\d.]+)/.exec(name)?.[1]
  return vllm === undefined ? name : `vLLM ${vllm}`
}
