// Sends the example questions to a guard endpoint as raw prompts and checks the answers for everything that the
// middleware relies on.
import { generation } from '../../guard/prompt/generation.js'
import { InvokeEndpointCommand } from '@aws-sdk/client-sagemaker-runtime'
import type { SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime'
import { readCompletion } from '../../guard/answer/completion.js'
import type { Completion } from '../../guard/answer/completion.js'
import type { LlamaGuardError } from '../../errors.js'
import type { Prompter } from '../../guard/prompt/index.js'
import { toGuardError } from '../../guard/backends/sagemaker/errors.js'
import { EXAMPLES } from './examples.js'
import type { Example } from './examples.js'

export interface Probed {
  readonly example: Example
  readonly ms: number
  readonly answer: string
  readonly safe: boolean
}

export interface Target {
  readonly endpoint: string
  readonly inferenceComponent?: string
  readonly targetVariant?: string
  readonly timeoutMs: number
}

export interface Answered {
  readonly completion: Completion
  /** `TGI` answers an array, `LMI` an object, vLLM `choices`. */
  readonly family: string
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

/** What the middleware asks for. */
export const PARAMETERS = generation()

/** Sends one prompt as the middleware would, or with other parameters. Rejects with a {@link ProbeFailure}. */
export async function ask(
  client: SageMakerRuntimeClient,
  target: Target,
  inputs: string,
  parameters: object = PARAMETERS,
): Promise<Answered> {
  const started = performance.now()
  const reply = await client
    .send(
      new InvokeEndpointCommand({
        EndpointName: target.endpoint,
        InferenceComponentName: target.inferenceComponent,
        TargetVariant: target.targetVariant,
        ContentType: 'application/json',
        Accept: 'application/json',
        Body: JSON.stringify({ inputs, parameters }),
      }),
      { abortSignal: AbortSignal.timeout(target.timeoutMs) },
    )
    .catch((error: unknown) => {
      throw new ProbeFailure(error)
    })
  const body: unknown = JSON.parse(new TextDecoder().decode(reply.Body))
  return { completion: readCompletion(body), family: familyOf(body), ms: performance.now() - started }
}

/** Every example of the model, in order. */
export async function* runExamples(
  client: SageMakerRuntimeClient,
  target: Target,
  prompter: Prompter,
): AsyncGenerator<Probed & { readonly answered: Answered }> {
  for (const example of EXAMPLES) {
    const answered = await ask(client, target, prompter.render(example.conversation))
    const { safe } = prompter.parse(answered.completion)
    yield {
      example,
      ms: answered.ms,
      answer: answered.completion.text.trim().replace(/\s+/g, ' ').slice(0, 60),
      safe,
      answered,
    }
  }
}

/** True when the container repeats the prompt unless told not to. */
export async function echoesPrompt(
  client: SageMakerRuntimeClient,
  target: Target,
  prompter: Prompter,
): Promise<boolean> {
  const prompt = prompter.render(EXAMPLES[0]?.conversation ?? [])
  const { completion } = await ask(client, target, prompt, { max_new_tokens: 4, do_sample: false })
  return completion.text.includes('<END CONVERSATION>')
}

function familyOf(body: unknown): string {
  if (Array.isArray(body)) return 'TGI (an array)'
  return typeof body === 'object' && body !== null && 'choices' in body
    ? 'OpenAI-compatible (choices)'
    : 'LMI (an object)'
}

/** What an image's name says about the container. */
export function containerOf(image: string | undefined): string | undefined {
  const name = image?.split('/').at(-1)
  if (name === undefined) return undefined
  const tgi = /tgi(\d[\d.]*)/.exec(name)?.[1]
  if (tgi !== undefined) return `Text Generation Inference ${tgi}`
  const lmi = /^djl-inference:([\d.]+)/.exec(name)?.[1]
  return lmi === undefined ? name : `LMI (djl-serving ${lmi})`
}
