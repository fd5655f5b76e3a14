// Sends the example questions to a guard endpoint as raw prompts, or single texts to a classifier, as the middleware
// would.
import { InvokeEndpointCommand } from '@aws-sdk/client-sagemaker-runtime'
import type { SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime'
import type { LlamaGuardError } from '../../errors.js'
import { type LabelScore, readClassification } from '../../guard/answer/classification.js'
import { readCompletion } from '../../guard/answer/completion.js'
import type { Completion } from '../../guard/answer/completion.js'
import { toGuardError } from '../../guard/backends/sagemaker/errors.js'
import { generation } from '../../guard/prompt/generation.js'
import type { Prompter } from '../../guard/prompt/index.js'
import { EXAMPLES, QUESTION } from './examples.js'
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
  return { completion: readCompletion(body), family: familyOf(body), ms }
}

/** Asks a classifier for all labels of a text. Rejects with a {@link ProbeFailure}. */
export async function askLabels(
  client: SageMakerRuntimeClient,
  target: Target,
  inputs: string,
): Promise<{ readonly labels: readonly LabelScore[]; readonly ms: number }> {
  const { body, ms } = await invoke(client, target, { inputs, parameters: { top_k: null } })
  return { labels: readClassification(body), ms }
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

/** Asks every example, in order. */
export async function* runExamples(
  client: SageMakerRuntimeClient,
  target: Target,
  prompter: Prompter,
): AsyncGenerator<Probed & { readonly answered: Answered }> {
  const parameters = parametersOf(prompter)
  for (const example of EXAMPLES) {
    const answered = await ask(client, target, prompter.render(example.conversation), parameters)
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

/** True when the container repeats the prompt unless it is told not to. */
export async function echoesPrompt(
  client: SageMakerRuntimeClient,
  target: Target,
  prompter: Prompter,
): Promise<boolean> {
  const prompt = prompter.render([{ role: 'User', text: QUESTION }])
  const { completion } = await ask(client, target, prompt, { max_new_tokens: 4, do_sample: false })
  return completion.text.includes(QUESTION)
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
  if (lmi !== undefined) return `LMI (djl-serving ${lmi})`
  const vllm = /^vllm:([\d.]+)/.exec(name)?.[1]
  return vllm === undefined ? name : `vLLM ${vllm}`
}
