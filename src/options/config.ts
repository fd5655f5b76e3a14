// From options and environment to one checked, frozen configuration. One row per option: what variable feeds
// it, how it is read, its default.
import { readFileSync } from 'node:fs'
import { LlamaGuardError } from '../errors.js'
import {
  dialectOption,
  guardObject,
  guardOption,
  loggerOption,
  mapOf,
  shadowOption,
  storeOption,
  upstreamOption,
} from './object-readers.js'
import { MODELS, type Options, type RequestOptions } from './index.js'
import {
  bool,
  fail,
  functionOf,
  integer,
  list,
  number,
  oneOf,
  rejectUnknown,
  text,
  url,
  type Reader,
} from './readers.js'

interface Setting<T> {
  readonly env?: string
  readonly read: Reader<T>
  readonly fallback: T
}

const ratio = number(0, 1)

// One row per option, so that neither the environment nor the unknown-key check can fall behind: the compiler
// asks for every key.
const REQUEST: { [K in keyof Required<RequestOptions>]: Setting<RequestOptions[K]> } = {
  check: { env: 'CHECK', read: list(oneOf(['input', 'output'])), fallback: ['input', 'output'] },
  mode: { env: 'MODE', read: oneOf(['enforce', 'shadow']), fallback: 'enforce' },
  onError: { env: 'ON_ERROR', read: oneOf(['closed', 'open']), fallback: 'closed' },
  threshold: { env: 'THRESHOLD', read: ratio, fallback: undefined },
  categoryThresholds: { read: mapOf(ratio), fallback: undefined },
  actions: { read: mapOf(oneOf(['block', 'flag', 'ignore'])), fallback: undefined },
  parallel: { env: 'PARALLEL', read: bool, fallback: false },
  streaming: { env: 'STREAMING', read: oneOf(['window', 'full', 'async']), fallback: 'window' },
  windowChars: { env: 'WINDOW_CHARS', read: integer(1, 1_000_000), fallback: 400 },
  windowMs: { env: 'WINDOW_MS', read: integer(1, 600_000), fallback: 1000 },
  turns: { env: 'TURNS', read: oneOf(['last', 'all']), fallback: 'last' },
  system: { env: 'SYSTEM', read: oneOf(['judge', 'trust']), fallback: 'judge' },
  images: { env: 'IMAGES', read: oneOf(['refuse', 'ignore']), fallback: 'refuse' },
  tenant: { read: text, fallback: undefined },
  policyUrl: { env: 'POLICY_URL', read: url, fallback: undefined },
}

const SETTINGS: { [K in keyof Required<Options>]: Setting<Options[K]> } = {
  ...REQUEST,
  guard: { env: 'BACKEND', read: guardOption, fallback: 'sagemaker' },
  fallback: { read: list(guardObject), fallback: undefined },
  shadowGuard: { read: shadowOption, fallback: undefined },
  endpoint: { env: 'ENDPOINT', read: text, fallback: undefined },
  inferenceComponent: { env: 'INFERENCE_COMPONENT', read: text, fallback: undefined },
  targetVariant: { env: 'TARGET_VARIANT', read: text, fallback: undefined },
  guardUrl: { env: 'URL', read: url, fallback: undefined },
  guardApiKey: { env: 'API_KEY', read: text, fallback: undefined },
  guardModel: { env: 'MODEL_ID', read: text, fallback: undefined },
  modelPath: { env: 'MODEL_PATH', read: text, fallback: undefined },
  model: { env: 'MODEL', read: oneOf(MODELS), fallback: 'llama-guard-1' },
  categories: { read: (value) => value as Options['categories'], fallback: undefined },
  task: { read: text, fallback: undefined },
  instruction: { read: text, fallback: undefined },
  firstToken: { env: 'FIRST_TOKEN', read: bool, fallback: false },
  timeoutMs: { env: 'TIMEOUT_MS', read: integer(1, 600_000), fallback: 10_000 },
  maxAttempts: { env: 'MAX_ATTEMPTS', read: integer(1, 10), fallback: 2 },
  hedgeAfterMs: { env: 'HEDGE_AFTER_MS', read: integer(1, 600_000), fallback: undefined },
  concurrency: { env: 'CONCURRENCY', read: integer(1, 65_536), fallback: 256 },
  queue: { env: 'QUEUE', read: integer(0, 1_000_000), fallback: 1024 },
  breaker: { env: 'BREAKER', read: bool, fallback: true },
  cacheMax: { env: 'CACHE_MAX', read: integer(0, 10_000_000), fallback: 10_000 },
  cacheTtlMs: { env: 'CACHE_TTL_MS', read: integer(1, 86_400_000), fallback: 300_000 },
  cacheStore: { env: 'REDIS_URL', read: storeOption, fallback: undefined },
  cacheSecret: { env: 'CACHE_SECRET', read: text, fallback: undefined },
  maxBodyBytes: { env: 'MAX_BODY_BYTES', read: integer(1, 2 ** 30), fallback: 2 ** 20 },
  maxReplyBytes: { env: 'MAX_REPLY_BYTES', read: integer(1, 2 ** 30), fallback: 2 ** 22 },
  upstream: { read: upstreamOption, fallback: undefined },
  paths: { env: 'PATHS', read: list(text), fallback: undefined },
  dialects: { env: 'DIALECTS', read: list(dialectOption), fallback: undefined },
  logger: { read: loggerOption, fallback: undefined },
  logLevel: { env: 'LOG_LEVEL', read: oneOf(['silent', 'error', 'warn', 'info', 'debug']), fallback: 'info' },
  onVerdict: { read: functionOf, fallback: undefined },
  skip: { read: functionOf, fallback: undefined },
  override: { read: functionOf, fallback: undefined },
}

// Variables that feed more than one option, or an option of another shape.
const OTHER_VARIABLES = ['POLICY', 'UPSTREAM_URL', 'UPSTREAM_API_KEY', 'UPSTREAM_ENDPOINT']
const PREFIX = 'LLAMA_GUARD_'

type Defaulted =
  | 'guard'
  | 'model'
  | 'firstToken'
  | 'timeoutMs'
  | 'maxAttempts'
  | 'concurrency'
  | 'queue'
  | 'breaker'
  | 'cacheMax'
  | 'cacheTtlMs'
  | 'maxBodyBytes'
  | 'maxReplyBytes'
  | 'logLevel'
type DefaultedPerRequest =
  'check' | 'mode' | 'onError' | 'parallel' | 'streaming' | 'windowChars' | 'windowMs' | 'turns' | 'system' | 'images'

/** {@link RequestOptions}, checked and with defaults. */
export type RequestConfig = Readonly<RequestOptions & Required<Pick<RequestOptions, DefaultedPerRequest>>>
/** {@link Options}, checked, with environment and defaults. Frozen. */
export type Config = Readonly<Options & Required<Pick<Options, Defaulted | DefaultedPerRequest>>>

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Checks options and environment together, once, when the middleware is built.
 * Throws `unknown_option`, `invalid_option` or `endpoint_missing`, naming what came in, what was wanted and what to do.
 */
export function parseOptions(options: Options = {}, env: Environment = process.env): Config {
  rejectUnknown(Object.keys(options), Object.keys(SETTINGS), 'option')
  rejectUnknown(
    Object.keys(env).filter((name) => name.startsWith(PREFIX)),
    [
      ...Object.values(SETTINGS).flatMap(({ env }) => (env ? [PREFIX + env] : [])),
      ...OTHER_VARIABLES.map((name) => PREFIX + name),
    ],
    'variable',
  )
  const given = { ...fromPolicyFile(env), ...fromEnvironment(env), ...withoutUndefined(options) }
  const config: Record<string, unknown> = {}
  for (const [name, setting] of Object.entries(SETTINGS)) {
    const value = given[name]
    config[name] = value === undefined ? setting.fallback : setting.read(value, sourceOf(name, setting, options))
  }
  const checked = config as unknown as Config
  requireBackendSettings(checked)
  return Object.freeze(checked)
}

/** Checks what `override(req)` returned and lays it over the configuration. */
export function overrideOptions(config: Config, over: RequestOptions | undefined): RequestConfig {
  if (over === undefined) return config
  rejectUnknown(Object.keys(over), Object.keys(REQUEST), 'override option')
  const merged: Record<string, unknown> = { ...config }
  for (const [name, setting] of Object.entries(REQUEST)) {
    const value = (over as Record<string, unknown>)[name]
    if (value !== undefined) merged[name] = setting.read(value, `override().${name}`)
  }
  return merged as unknown as RequestConfig
}

function requireBackendSettings(config: Config): void {
  const missing = (what: string, option: string, variable: string) =>
    new LlamaGuardError(
      'endpoint_missing',
      `The guard ${JSON.stringify(config.guard)} needs ${what}. Set the option \`${option}\` or the ` +
        `variable ${PREFIX}${variable}, or choose another guard: \`guard: 'local'\` runs a baseline ` +
        'screen (not Llama Guard) without any account.',
    )
  if (config.guard === 'sagemaker' && config.endpoint === undefined)
    throw missing('a SageMaker endpoint name', 'endpoint', 'ENDPOINT')
  if (config.guard === 'openai' && config.guardUrl === undefined)
    throw missing('the base URL of an OpenAI-compatible server', 'guardUrl', 'URL')
  if (config.guard === 'llama-cpp' && config.modelPath === undefined)
    throw missing('the path of a Llama Guard GGUF file', 'modelPath', 'MODEL_PATH')
}

function fromEnvironment(env: Environment): Record<string, unknown> {
  const found: Record<string, unknown> = {}
  for (const [name, setting] of Object.entries(SETTINGS)) {
    // An empty variable is how compose files and shells say "not set".
    const value = setting.env === undefined ? undefined : env[PREFIX + setting.env]
    if (value !== undefined && value !== '') found[name] = value
  }
  const {
    LLAMA_GUARD_UPSTREAM_URL: url,
    LLAMA_GUARD_UPSTREAM_API_KEY: apiKey,
    LLAMA_GUARD_UPSTREAM_ENDPOINT: endpoint,
  } = env
  if (url && endpoint)
    throw new LlamaGuardError(
      'invalid_option',
      'Both LLAMA_GUARD_UPSTREAM_URL and LLAMA_GUARD_UPSTREAM_ENDPOINT are set; a safe request can go ' +
        'to one of them. Unset the other.',
    )
  if (url) found['upstream'] = apiKey ? { url, apiKey } : { url }
  if (endpoint) found['upstream'] = { endpoint }
  return found
}

const POLICY_KEYS = ['categories', 'task', 'instruction', 'actions', 'policyUrl', 'threshold', 'categoryThresholds']

function fromPolicyFile(env: Environment): Record<string, unknown> {
  const path = env['LLAMA_GUARD_POLICY']
  if (!path) return {}
  let policy: unknown
  try {
    policy = JSON.parse(readFileSync(path, 'utf8'))
  } catch (cause) {
    throw new LlamaGuardError(
      'invalid_option',
      `LLAMA_GUARD_POLICY names ${JSON.stringify(path)}, which could not be read as a JSON file.`,
      { cause },
    )
  }
  if (typeof policy !== 'object' || policy === null || Array.isArray(policy))
    throw fail('LLAMA_GUARD_POLICY', policy, `a JSON object with ${POLICY_KEYS.join(', ')}`)
  rejectUnknown(Object.keys(policy), POLICY_KEYS, 'policy key')
  return { ...policy }
}

function sourceOf(name: string, setting: Setting<unknown>, options: Options): string {
  return (options as Record<string, unknown>)[name] === undefined && setting.env !== undefined
    ? PREFIX + setting.env
    : name
}

function withoutUndefined(options: Options): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}
