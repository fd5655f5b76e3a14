// The settings that each backend needs, and the options that have no effect beside others. Such an option is an error,
// because its owner believes that it has one.
import { invalidOption, LlamaGuardError } from '../types/errors.js'
import { type Backend, BACKENDS, type LlamaGuardOptions } from './index.js'
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

/** Options that were checked one by one. */
type Settings = LlamaGuardOptions & { readonly cacheSecret: string | undefined }

type Needed = 'endpoint' | 'guardUrl' | 'guardModel' | 'guardApiKey'
const NEEDS: Readonly<Record<Backend, readonly [option: Needed, variable: string, what: string] | undefined>> = {
  sagemaker: ['endpoint', 'ENDPOINT', 'a SageMaker endpoint name'],
  openai: ['guardUrl', 'URL', 'the base URL of an OpenAI-compatible server'],
  'llama-cpp': ['guardModel', 'MODEL_ID', 'the path of a Llama Guard GGUF file'],
  local: undefined,
  bedrock: ['guardModel', 'MODEL_ID', 'the id of a model on Bedrock'],
  'bedrock-guardrail': ['guardModel', 'MODEL_ID', 'the id of a Bedrock guardrail'],
  'openai-moderation': ['guardApiKey', 'API_KEY', 'an API key of OpenAI'],
}

/** True when the options name a guard of their own beside `guards`. False when `guards` are the whole panel. */
export function hasOwnGuard({ guard, guards, endpoint }: LlamaGuardOptions): boolean {
  return guards === undefined || guard !== 'sagemaker' || endpoint !== undefined
}

/**
 * Checks the options of a configuration together. Variables that serve another guard of the process do not count
 * against a guard chosen in code.
 * @throws LlamaGuardError `endpoint_missing` when the backend lacks a setting, `invalid_option` for an option without
 * effect.
 */
export function checkTogether(config: Settings, given: Given, inCode: Given): void {
  const { guard } = config
  if (typeof guard === 'string') rejectIgnored(guard, inCode['guard'] === undefined ? given : inCode)
  rejectWithoutEffect(config, given)
  const needed = typeof guard === 'string' && hasOwnGuard(config) ? NEEDS[guard] : undefined
  if (needed === undefined || config[needed[0]] !== undefined) return
  const [option, variable, what] = needed
  throw new LlamaGuardError(
    'endpoint_missing',
    `The guard ${JSON.stringify(guard)} needs ${what}. Set the option \`${option}\` or the variable ` +
      `${PREFIX}${variable}, or choose another guard: \`guard: 'local'\` (in a shell \`--guard local\`) runs a ` +
      'baseline screen (not Llama Guard) without any account.',
  )
}

function rejectIgnored(guard: Backend, given: Given): void {
  const option = IGNORED[guard].find((name) => given[name] !== undefined)
  if (option === undefined) return
  const users = BACKENDS.filter((backend) => !IGNORED[backend].includes(option))
  throw invalidOption(
    `The option ${placeOf(option)} is set, and the guard ${JSON.stringify(guard)} ignores it: it belongs to ` +
      `${users.join(', ')}. Remove it, or choose such a guard (option \`guard\`, variable ${PREFIX}BACKEND).`,
  )
}

function rejectWithoutEffect({ streaming, onToolCall, check, cacheSecret, cacheStore }: Settings, given: Given): void {
  if (cacheSecret !== undefined && typeof cacheStore !== 'string')
    throw invalidOption(
      `The variable ${PREFIX}CACHE_SECRET is set, and nothing is sealed with it: it belongs to a Redis URL in ` +
        `\`cacheStore\` (${PREFIX}REDIS_URL). ` +
        (cacheStore === undefined
          ? 'Set that URL, or remove the secret.'
          : 'A store of your own seals its values itself; remove the secret.'),
    )
  if (onToolCall !== undefined && check?.includes('output') === false)
    throw invalidOption(
      "The option onToolCall is set, and `check` leaves out 'output', where calls are. Add it, or remove onToolCall.",
    )
  const pace = ['windowChars', 'windowMs'].find((name) => given[name] !== undefined)
  if (streaming === 'full' && pace !== undefined)
    throw invalidOption(
      `The option ${pace} is set, and \`streaming: 'full'\` checks a reply once, when it is whole. Remove one of them.`,
    )
}
