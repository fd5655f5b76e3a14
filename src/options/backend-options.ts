// The settings that each backend needs, and the options that it would ignore. An ignored option is an error, because
// its owner believes that it has an effect.
import { LlamaGuardError } from '../errors.js'
import { PREFIX } from './environment.js'
import type { Backend, Options } from './index.js'

const SAGEMAKER = ['endpoint', 'inferenceComponent', 'targetVariant', 'firstToken'] as const
const OPENAI = ['guardUrl', 'guardApiKey', 'guardModel'] as const
const LLAMA_CPP = ['modelPath'] as const
const PROMPT = ['model', 'categories', 'task', 'instruction', 'controversial'] as const

type BackendOption = (typeof SAGEMAKER | typeof OPENAI | typeof LLAMA_CPP | typeof PROMPT)[number]

const IGNORED: Readonly<Record<Backend, readonly BackendOption[]>> = {
  sagemaker: [...OPENAI, ...LLAMA_CPP],
  openai: [...SAGEMAKER, ...LLAMA_CPP],
  'llama-cpp': [...SAGEMAKER, ...OPENAI],
  local: [...SAGEMAKER, ...OPENAI, ...LLAMA_CPP, ...PROMPT],
}

const BELONGS_TO: Readonly<Record<BackendOption, string>> = {
  endpoint: 'sagemaker',
  inferenceComponent: 'sagemaker',
  targetVariant: 'sagemaker',
  firstToken: 'sagemaker',
  guardUrl: 'openai',
  guardApiKey: 'openai',
  guardModel: 'openai',
  modelPath: 'llama-cpp',
  model: 'sagemaker, openai and llama-cpp',
  categories: 'sagemaker, openai and llama-cpp',
  task: 'sagemaker, openai and llama-cpp',
  instruction: 'sagemaker, openai and llama-cpp',
  controversial: 'sagemaker, openai and llama-cpp',
}

const REQUIRED: Readonly<Record<Backend, { option: keyof Options; variable: string; what: string } | undefined>> = {
  sagemaker: { option: 'endpoint', variable: 'ENDPOINT', what: 'a SageMaker endpoint name' },
  openai: { option: 'guardUrl', variable: 'URL', what: 'the base URL of an OpenAI-compatible server' },
  'llama-cpp': { option: 'modelPath', variable: 'MODEL_PATH', what: 'the path of a Llama Guard GGUF file' },
  local: undefined,
}

/** True when the options name a guard of their own beside `guards`. False when `guards` are the whole panel. */
export function hasOwnGuard({ guard, guards, endpoint, guardUrl, modelPath }: Options): boolean {
  return guards === undefined || guard !== 'sagemaker' || [endpoint, guardUrl, modelPath].some((it) => it !== undefined)
}

/** @throws LlamaGuardError `endpoint_missing` when the chosen backend lacks a setting that it needs. */
export function requireBackendSettings(config: Options): void {
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
export function rejectIgnored(guard: Options['guard'], given: Readonly<Record<string, unknown>>): void {
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
export function rejectUnusedSecret({ cacheSecret, cacheStore }: Options): void {
  if (cacheSecret === undefined || typeof cacheStore === 'string') return
  throw new LlamaGuardError(
    'invalid_option',
    'The option cacheSecret is set, and nothing is sealed with it: it belongs to a Redis URL in `cacheStore` ' +
      `(${PREFIX}REDIS_URL). ` +
      (cacheStore === undefined
        ? 'Set that URL, or remove the secret.'
        : 'A store of your own seals its values itself; remove the secret.'),
  )
}
