// Sends raw prompts to a guard endpoint, to time them; and what an image's name says.
import { InvokeEndpointCommand } from '@aws-sdk/client-sagemaker-runtime'
import type { SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime'
import { isLlamaGuardError, type LlamaGuardError } from '../../types/errors.js'
import { readCompletion } from '../../guard/answer/completion.js'
import type { Completion } from '../../guard/answer/completion.js'
import { toGuardError } from '../../guard/backends/sagemaker/errors.js'
import { inItsForm } from '../../guard/backends/sagemaker/index.js'

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

/**
 * Sends one prompt, for an answer of so many tokens. Rejects with a {@link ProbeFailure}, or with our error when the
 * answer is no text.
 */
export type Ask = (prompt: string, maxNewTokens?: number) => Promise<Answered>

/** Asks an endpoint in the form that its container takes. */
export function asking(client: SageMakerRuntimeClient, target: Target): Ask {
  const inForm = inItsForm()
  return (prompt, maxNewTokens) =>
    inForm(async (form) => {
      const started = performance.now()
      const { Body } = await client.send(
        new InvokeEndpointCommand({
          EndpointName: target.endpoint,
          InferenceComponentName: target.inferenceComponent,
          TargetVariant: target.targetVariant,
          ContentType: 'application/json',
          Accept: 'application/json',
          CustomAttributes: form.attributes,
          Body: form.body(prompt, maxNewTokens),
        }),
        { abortSignal: AbortSignal.timeout(target.timeoutMs) },
      )
      const ms = performance.now() - started
      return { completion: readCompletion(JSON.parse(new TextDecoder().decode(Body))), ms }
    }).catch((error: unknown) => {
      throw isLlamaGuardError(error) ? error : new ProbeFailure(error)
    })
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
