// A guard model behind a SageMaker endpoint, through the AWS SDK: a rendered prompt in and a completion out, or a
// text in and its labels out. The SDK decides region, credentials and endpoint URL. This package decides sockets,
// deadlines and bounds.
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { guardError, invalidOption, isLlamaGuardError, LlamaGuardError } from '../../../types/errors.js'
import { besideStart, closeLoaded } from '../../../utils/beside-start.js'
import { type AbortSignalLike, inTime } from '../../../utils/deadline.js'
import { loadSdk } from '../../../utils/load-sdk.js'
import {
  ALTERNATIVES,
  type Classify,
  type Complete,
  type Completer,
  readClassification,
  readCompletion,
  type Server,
} from '../../answer/completion.js'
import { failureOf } from '../../answer/failure.js'
import { GENERATED_TOKENS } from '../../prompt/fit.js'
import type { Invoke } from './invoke.js'

export interface SageMakerOptions {
  /** Name of the endpoint, not its ARN or URL. */
  readonly endpoint: string
  readonly inferenceComponent?: string | undefined
  readonly targetVariant?: string | undefined
  /** The most sockets kept open. The SDK's own limit of 50 would be a second, hidden queue behind ours. */
  readonly concurrency: number
  /** Milliseconds one call may take, answer included. A later answer is `guard_timeout`. */
  readonly timeoutMs: number
  /**
   * The most tokens of an answer. Default: 32, enough for `unsafe` and eight codes. A lower limit cuts `S14` to `S1`.
   */
  readonly maxNewTokens?: number
}

/**
 * A verdict with the details of every token takes a few kilobytes. LMI echoes the prompt, which takes at most a few
 * hundred.
 */
const MAX_ANSWER_BYTES = 2 * 1024 * 1024
/**
 * A connection inside one region takes milliseconds. After this time the host is taken for dead, and another attempt
 * may reach another host.
 */
const CONNECT_MS = 3000

/**
 * Completes raw prompts. Rejects with a {@link LlamaGuardError} for everything that can go wrong, see {@link
 * toGuardError}.
 */
export function sagemakerComplete(o: SageMakerOptions): Completer {
  const { ask, ...endpoint } = connect(o)
  const call = inItsForm()
  const { maxNewTokens } = o
  const complete: Complete = (prompt, { signal }) =>
    ask(signal, (invoke) =>
      call((form) => invoke(form.body(prompt, maxNewTokens), form.attributes)).then(readCompletion),
    )
  return Object.assign(complete, endpoint)
}

/**
 * Like {@link sagemakerComplete} for a text classifier, in the form of Hugging Face's pipeline. It asks for every
 * label.
 */
export function sagemakerClassify(o: SageMakerOptions): Classify & Server {
  const { ask, ...endpoint } = connect(o)
  const classify: Classify = (text, { signal }) =>
    ask(signal, (invoke) =>
      // No `truncation`: the guard would not see the text behind the cut.
      invoke(JSON.stringify({ inputs: text, parameters: { top_k: null } })).then(readClassification),
    )
  return Object.assign(classify, endpoint)
}

/** Sends one body and resolves with the JSON of the answer. */
type Invoking = (body: string, attributes?: string) => Promise<unknown>

interface Endpoint extends Server {
  /** Runs `work` within the time of one call. */
  ask<T>(signal: AbortSignalLike | undefined, work: (invoke: Invoking) => Promise<T>): Promise<T>
}

function connect(o: SageMakerOptions): Endpoint {
  const target = {
    EndpointName: o.endpoint,
    InferenceComponentName: o.inferenceComponent,
    TargetVariant: o.targetVariant,
    ContentType: 'application/json',
    Accept: 'application/json',
  }
  const wire = {
    connections: o.concurrency,
    connectMs: Math.min(CONNECT_MS, o.timeoutMs),
    maxAnswerBytes: MAX_ANSWER_BYTES,
    tooLarge,
  }
  // invoke.ts brings undici and the AWS SDK. They load beside the app's own start instead of before it.
  const loading = besideStart(
    loadSdk()
      .then(() => import('./invoke.js'))
      .then(({ createInvoke }) => invokes((value) => createInvoke({ ...target, CustomAttributes: value }, wire))),
  )
  return {
    ask: (signal, work) =>
      inTime({ ms: o.timeoutMs, late: timedOut, signal }, (inner) =>
        loading
          .then(({ to }) => work(async (body, attributes) => parse(await to(attributes)(body, inner))))
          .catch(fail),
      ),
    check: () => loading.then(({ to }) => to(undefined).check()).catch(fail),
    close: () => void closeLoaded(loading),
    identity: JSON.stringify([
      'sagemaker',
      process.env['AWS_REGION'] ?? null,
      o.endpoint,
      o.inferenceComponent ?? null,
      o.targetVariant ?? null,
    ]),
  }
}

/**
 * Makes an Invoke for each value of the custom attributes when that value is first used. One Invoke cannot serve two
 * values, because it signs all its requests with the same attributes.
 */
function invokes(make: (attributes: string | undefined) => Invoke) {
  const made = new Map<string | undefined, Invoke>()
  return {
    to(attributes: string | undefined): Invoke {
      let invoke = made.get(attributes)
      if (invoke === undefined) made.set(attributes, (invoke = make(attributes)))
      return invoke
    },
    close() {
      for (const invoke of made.values()) invoke.close()
    },
  }
}

const SERVER = {
  name: 'The guard endpoint',
  check:
    'Check LLAMA_GUARD_ENDPOINT, the inference component and the variant, and that TGI, LMI or vLLM serves a guard ' +
    'model there (its log is in CloudWatch).',
  denied: 'The credentials need the permission sagemaker:InvokeEndpoint on it.',
  missing: 'Check LLAMA_GUARD_ENDPOINT, AWS_REGION, AWS_ENDPOINT_URL and the account of the credentials.',
}

/** Turns anything a call can throw into one of our errors. */
export const toGuardError = (error: unknown): LlamaGuardError => failureOf(SERVER, error)

// Shared by all calls: a decoder that is called without `stream` keeps nothing from one call to the next.
const UTF8 = new TextDecoder()

const timedOut = (): LlamaGuardError => toGuardError({ name: 'TimeoutError' })

function fail(error: unknown): never {
  throw toGuardError(error)
}

function parse(body: Uint8Array | undefined): unknown {
  try {
    return JSON.parse(UTF8.decode(body))
  } catch {
    throw guardError(
      `The guard endpoint answered ${body?.byteLength ?? 0} bytes that are not JSON. Check that the container of a ` +
        'guard model runs behind it.',
    )
  }
}

function tooLarge(): LlamaGuardError {
  return guardError(
    `The guard endpoint answered with more than ${MAX_ANSWER_BYTES} bytes; a verdict is a few. Check ` +
      'that a Llama Guard model runs behind it.',
  )
}

/**
 * A form in which serving containers take a raw prompt: `inputs` with `parameters` (TGI, LMI), or OpenAI's text
 * completions (vLLM's own image). An endpoint tells its form only by refusing the other one.
 */
interface Form {
  /** The JSON text of a request. */
  body(prompt: string, maxNewTokens: number | undefined): string
  /** The value of the header `X-Amzn-SageMaker-Custom-Attributes`, by which vLLM's image picks its route. */
  readonly attributes: string | undefined
  /** True for an error by which the endpoint says that it wants the other form. */
  refused(error: unknown): boolean
}

/** What vLLM says of a body that is none of its APIs' requests. */
const NO_HANDLER = /Cannot find suitable handler for request/

const INPUTS: Form = {
  body: (prompt, maxNewTokens) => JSON.stringify({ inputs: prompt, parameters: generation(maxNewTokens) }),
  attributes: undefined,
  refused: (error) => {
    const { name, OriginalMessage: words } = (error ?? {}) as { name?: unknown; OriginalMessage?: unknown }
    return name === 'ModelError' && NO_HANDLER.test(String(words).slice(0, 200))
  },
}

const COMPLETIONS: Form = {
  // No `model`: vLLM takes the one it serves.
  body: (prompt, maxNewTokens = GENERATED_TOKENS) =>
    JSON.stringify({ prompt, max_tokens: maxNewTokens, temperature: 0, logprobs: ALTERNATIVES }),
  attributes: 'route=/v1/completions',
  refused: (error) => {
    const { code } = toGuardError(error)
    return code === 'guard_rejected' && (error as { name?: unknown }).name === 'ModelError'
  },
}

/**
 * Calls an endpoint in the form that it understood last, and once more in the other form when it refuses that one. The
 * form is kept when the endpoint has understood it.
 */
export function inItsForm(): <T>(call: (form: Form) => Promise<T>) => Promise<T> {
  let current = INPUTS
  return async (call) => {
    const form = current
    try {
      return await call(form)
    } catch (error) {
      if (isLlamaGuardError(error) || !form.refused(error)) throw error
      const other = form === INPUTS ? COMPLETIONS : INPUTS
      const answer = await call(other).catch((second: unknown) => {
        throw other.refused(second) ? error : second
      })
      current = other
      return answer
    }
  }
}

/**
 * The parameters. `do_sample: false` is greedy on every server. No `temperature`: TGI refuses 0. No `truncate`: it
 * cuts the policy off. No `top_n_tokens`: current LMI reads it as the number of answers. TGI echoes the prompt unless
 * `return_full_text` is false.
 * @param maxNewTokens The most tokens of an answer. Default: 32, enough for `unsafe` and eight codes. A lower limit
 * cuts `S14` to `S1`.
 */
const generation = (maxNewTokens = GENERATED_TOKENS): Readonly<Record<string, number | boolean>> => ({
  max_new_tokens: maxNewTokens,
  do_sample: false,
  return_full_text: false,
  details: true,
})

/**
 * Looks for the AWS region in the places where the SDK looks for it.
 * @throws LlamaGuardError `region_missing` at once; the SDK would only report it at the first request.
 */
export function requireRegion(): void {
  const {
    AWS_REGION,
    AWS_ENDPOINT_URL,
    AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME = AWS_ENDPOINT_URL,
    AWS_PROFILE = 'default',
    AWS_CONFIG_FILE = join(homedir(), '.aws', 'config'),
    AWS_SHARED_CREDENTIALS_FILE = join(homedir(), '.aws', 'credentials'),
  } = process.env
  if (AWS_REGION && !AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME && !/^[a-z]+(?:-[a-z0-9]+)+$/.test(AWS_REGION))
    throw invalidOption(
      `AWS_REGION is ${JSON.stringify(AWS_REGION.slice(0, 40))}, and should be the code of a region, for example us-east-1.`,
    )
  if (AWS_REGION) return
  const files = [AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE].filter((file) => existsSync(file))
  if (files.some((file) => /^[ \t]*region\s*=/m.test(readFileSync(file, 'utf8')))) return
  throw new LlamaGuardError(
    'region_missing',
    `No AWS region is set, and profile ${JSON.stringify(AWS_PROFILE)} gives none. Set AWS_REGION to ` +
      'the region of the guard endpoint, for example us-east-1.',
  )
}
