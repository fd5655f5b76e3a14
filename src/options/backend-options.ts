// The settings that each backend needs, and the options that it would ignore. An ignored option is an error, because
// its owner believes that it has an effect.
import { LlamaGuardError } from '../types/errors.js'
import type { Config } from './config.js'
import { type Backend, BACKENDS } from './index.js'
import { type Given, placeOf, PREFIX } from './sources.js'

const SAGEMAKER = ['endpoint', 'inferenceComponent', 'targetVariant']
const OPENAI = ['guardUrl', 'guardApiKey']
const PROMPT = ['model', 'categories', 'task', 'instruction']

const IGNORED: Readonly<Record<Backend, readonly string[]>> = {
  sagemaker: [...OPENAI, 'guardModel'],
  openai: SAGEMAKER,
  'llama-cpp': [...SAGEMAKER, ...OPENAI],
  local: [...SAGEMAKER, ...OPENAI, 'guardModel', ...PROMPT],
  bedrock: [...SAGEMAKER, ...OPENAI],
  'bedrock-guardrail': [...SAGEMAKER, ...OPENAI, ...PROMPT],
  'openai-moderation': [...SAGEMAKER, ...PROMPT],
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
export function hasOwnGuard({ guard, guards, endpoint }: Config): boolean {
  return guards === undefined || guard !== 'sagemaker' || endpoint !== undefined
}

/** @throws LlamaGuardError `endpoint_missing` when the chosen backend lacks a setting that it needs. */
export function requireBackendSettings(config: Config): void {
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
export function rejectIgnored(guard: Config['guard'], given: Given): void {
  if (typeof guard !== 'string') return
  const option = IGNORED[guard].find((name) => given[name] !== undefined)
  if (option === undefined) return
  const users = BACKENDS.filter((backend) => !IGNORED[backend].includes(option))
  throw new LlamaGuardError(
    'invalid_option',
    `The option ${placeOf(option)} is set, and the guard ${JSON.stringify(guard)} ignores it: it belongs to ` +
      `${users.join(', ')}. Remove it, or choose such a guard (option \`guard\`, variable ${PREFIX}BACKEND).`,
  )
}

/** @throws LlamaGuardError `invalid_option` for a cache secret without a store that it could seal. */
export function rejectUnusedSecret({ cacheSecret, cacheStore }: Config): void {
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
export function rejectWithoutEffect({ streaming, onToolCall, check }: Config, given: Given): void {
  if (onToolCall !== undefined && !check.includes('output'))
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
