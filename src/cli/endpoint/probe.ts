// Sends raw prompts to a guard endpoint, to time them; and what an image's name says.
import { InvokeEndpointCommand } from '@aws-sdk/client-sagemaker-runtime'
import type { SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime'
import type { LlamaGuardError } from '../../types/errors.js'
import { readCompletion } from '../../guard/answer/completion.js'
import type { Completion } from '../../guard/answer/completion.js'
import { toGuardError } from '../../guard/backends/sagemaker/errors.js'
import { generation } from '../../guard/backends/sagemaker/index.js'
import type { Prompter } from '../../guard/prompt/index.js'

export interface Target {
  readonly endpoint: string
  readonly inferenceComponent?: string
  readonly targetVariant?: string
  readonly timeoutMs: number
}

export interface Answered {
  readonly completion: Completion
  readonly ms: number
}

/** A failed probe: our error, and the SDK's own, which has the host, the errno and AWS's message. */
export class ProbeFailure extends Error {
  readonly guardError: LlamaGuardError
  readonly raw: unknown

  constructor(raw: unknown) {
    super('The probe failed.')
    this.raw = raw
    this.guardError = toGuardError(raw)
  }
}

/** The parameters that the middleware sends with a prompt of this model. */
export const parametersOf = ({ maxNewTokens }: Prompter): Readonly<Record<string, number | boolean>> =>
  generation(maxNewTokens)

/** Sends one prompt. Rejects with a {@link ProbeFailure}. */
export async function ask(
  client: SageMakerRuntimeClient,
  target: Target,
  inputs: string,
  parameters: object,
): Promise<Answered> {
  const { body, ms } = await invoke(client, target, { inputs, parameters })
  return { completion: readCompletion(body), ms }
}

async function invoke(
  client: SageMakerRuntimeClient,
  target: Target,
  request: object,
): Promise<{ readonly body: unknown; readonly ms: number }> {
  const started = performance.now()
  const reply = await client
    .send(
      new InvokeEndpointCommand({
        EndpointName: target.endpoint,
        InferenceComponentName: target.inferenceComponent,
        TargetVariant: target.targetVariant,
        ContentType: 'application/json',
        Accept: 'application/json',
        Body: JSON.stringify(request),
      }),
      { abortSignal: AbortSignal.timeout(target.timeoutMs) },
    )
    .catch((error: unknown) => {
      throw new ProbeFailure(error)
    })
  const body: unknown = JSON.parse(new TextDecoder().decode(reply.Body))
  return { body, ms: performance.now() - started }
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
