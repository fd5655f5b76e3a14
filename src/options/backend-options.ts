// The settings that each backend needs, and the options that it would ignore. An ignored option is an error, because
// its owner believes that it has an effect.
import { LlamaGuardError } from '../types/errors.js'
import { PREFIX } from './environment.js'
import type { Backend, LlamaGuardOptions } from './index.js'

const SAGEMAKER = ['endpoint', 'inferenceComponent', 'targetVariant'] as const
const OPENAI = ['guardUrl', 'guardApiKey'] as const
const NAMED = ['guardModel'] as const
const PROMPT = ['model', 'categories', 'task', 'instruction'] as const

type BackendOption = (typeof SAGEMAKER | typeof OPENAI | typeof NAMED | typeof PROMPT)[number]

const IGNORED: Readonly<Record<Backend, readonly BackendOption[]>> = {
  sagemaker: [...OPENAI, ...NAMED],
  openai: SAGEMAKER,
  'llama-cpp': [...SAGEMAKER, ...OPENAI],
  local: [...SAGEMAKER, ...OPENAI, ...NAMED, ...PROMPT],
  bedrock: [...SAGEMAKER, ...OPENAI],
  'bedrock-guardrail': [...SAGEMAKER, ...OPENAI, ...PROMPT],
  'openai-moderation': [...SAGEMAKER, ...PROMPT],
}

const BELONGS_TO: Readonly<Record<BackendOption, string>> = {
  endpoint: 'sagemaker',
  inferenceComponent: 'sagemaker',
  targetVariant: 'sagemaker',
  guardUrl: 'openai and openai-moderation',
  guardApiKey: 'openai and openai-moderation',
  guardModel: 'openai, llama-cpp, bedrock, bedrock-guardrail and openai-moderation',
  model: 'sagemaker, openai, bedrock and llama-cpp',
  categories: 'sagemaker, openai, bedrock and llama-cpp',
  task: 'sagemaker, openai, bedrock and llama-cpp',
  instruction: 'sagemaker, openai, bedrock and llama-cpp',
}

const REQUIRED: Readonly<
  Record<
    Backend,
    { option: 'endpoint' | 'guardUrl' | 'guardModel' | 'guardApiKey'; variable: string; what: string } | undefined
  >
> = {
  sagemaker: { option: 'endpoint', variable: 'ENDPOINT', what: 'a SageMaker endpoint name' },
  openai: { option: 'guardUrl', variable: 'URL', what: 'the base URL of an OpenAI-compatible server' },
  'llama-cpp': { option: 'guardModel', variable: 'MODEL_ID', what: 'the path of a Llama Guard GGUF file' },
  local: undefined,
  bedrock: { option: 'guardModel', variable: 'MODEL_ID', what: 'the id of a model on Bedrock' },
  'bedrock-guardrail': { option: 'guardModel', variable: 'MODEL_ID', what: 'the id of a Bedrock guardrail' },
  'openai-moderation': { option: 'guardApiKey', variable: 'API_KEY', what: 'an API key of OpenAI' },
}

/** True when the options name a guard of their own beside `guards`. False when `guards` are the whole panel. */
export function hasOwnGuard({ guard, guards, endpoint }: LlamaGuardOptions): boolean {
  return guards === undefined || guard !== 'sagemaker' || endpoint !== undefined
}

/** @throws LlamaGuardError `endpoint_missing` when the chosen backend lacks a setting that it needs. */
export function requireBackendSettings(config: LlamaGuardOptions): void {
  if (typeof config.guard !== 'string') return
  const need = REQUIRED[config.guard]
  if (need === undefined || config[need.option] !== undefined) return
  throw new LlamaGuardError(
    'endpoint_missing',
    `The guard ${JSON.stringify(config.guard)} needs ${need.what}. Set the option \`${need.option}\` or the ` +
      `variable ${PREFIX}${need.variable}, or choose another guard: \`guard: 'local'\` runs a baseline ` +
      'screen (not Llama Guard) without any account.',
  )
}

/**
 * `given` holds the options from the same source as the choice of backend: variables that serve another guard of the
 * process do not count against a guard chosen in code.
 * @throws LlamaGuardError `invalid_option` for an option that the chosen backend ignores.
 */
export function rejectIgnored(guard: LlamaGuardOptions['guard'], given: Readonly<Record<string, unknown>>): void {
  if (typeof guard !== 'string') return
  const option = IGNORED[guard].find((name) => given[name] !== undefined && given[name] !== false)
  if (option === undefined) return
  throw new LlamaGuardError(
    'invalid_option',
    `The option ${option} is set, and the guard ${JSON.stringify(guard)} ignores it: it belongs to ` +
      `${BELONGS_TO[option]}. Remove it, or choose that guard (option \`guard\`, variable ${PREFIX}BACKEND).`,
  )
}

/** @throws LlamaGuardError `invalid_option` for a cache secret without a store that it could seal. */
export function rejectUnusedSecret(cacheSecret: string | undefined, { cacheStore }: LlamaGuardOptions): void {
  if (cacheSecret === undefined || typeof cacheStore === 'string') return
  throw new LlamaGuardError(
    'invalid_option',
    `The variable ${PREFIX}CACHE_SECRET is set, and nothing is sealed with it: it belongs to a Redis URL in ` +
      `\`cacheStore\` (${PREFIX}REDIS_URL). ` +
      (cacheStore === undefined
        ? 'Set that URL, or remove the secret.'
        : 'A store of your own seals its values itself; remove the secret.'),
  )
}

const PACE = ['windowChars', 'windowMs'] as const

/** @throws LlamaGuardError `invalid_option` for options that have no effect together. `given`: those that were set. */
export function rejectWithoutEffect(
  { streaming, onToolCall, check }: LlamaGuardOptions,
  given: Readonly<Record<string, unknown>>,
): void {
  if (onToolCall !== undefined && check?.includes('output') === false)
    throw new LlamaGuardError(
      'invalid_option',
      "The option onToolCall is set, and `check` leaves out 'output', where calls are. Add it, or remove onToolCall.",
    )
  const pace = streaming === 'full' ? PACE.find((name) => given[name] !== undefined) : undefined
  if (pace !== undefined)
    throw new LlamaGuardError(
      'invalid_option',
      `The option ${pace} is set, and \`streaming: 'full'\` checks a reply once, when it is whole. Remove one of them.`,
    )
}
