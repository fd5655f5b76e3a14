// The options of llamaGuard(): this TSDoc is the reference. Values come from code, else from LLAMA_GUARD_* variables, else the default.
import { readFileSync } from 'node:fs'
import { LlamaGuardError } from './errors.js'
import { nearest, oneOf, list, bool, integer, number, text, fail, functionOf } from './settings.js'
import type { CategoryAction, Category, Dialect, Guard, GuardedRequest, Logger, Stage, VerdictEvent } from './types.js'

export const BACKENDS = ['sagemaker', 'openai', 'local', 'llama-cpp'] as const
export const MODELS = ['llama-guard-1', 'llama-guard-2', 'llama-guard-3-8b', 'llama-guard-3-1b', 'llama-guard-3-11b-vision', 'llama-guard-4-12b'] as const
export type Backend = (typeof BACKENDS)[number]
export type ModelName = (typeof MODELS)[number]

/** What may differ from request to request; `override(req)` returns these. */
export interface RequestOptions {
  /** Stages that judge. The other passes as `skipped`. Default: both. */
  check?: readonly Stage[]
  /** `shadow` judges, logs, counts and sets headers, but blocks nothing and refuses nothing. Default: `enforce`. */
  mode?: 'enforce' | 'shadow'
  /**
   * What happens when the guard could not judge, on request, reply and stream alike. `closed` answers 503; `open` lets it
   * through and says `unjudged` in the header, log and metric. A client's own fault (4xx) does not depend on it. Default: `closed`.
   */
  onError?: 'closed' | 'open'
  /** Probability of unsafe, 0 to 1, from which a text counts as unsafe; needs token log probabilities. Default: none, the model's own word. */
  threshold?: number
  /** Thresholds of single categories, by id, for guards that give category scores. Default: none. */
  categoryThresholds?: Readonly<Record<string, number>>
  /** Action per category id, for example `{ S5: 'flag', S13: 'ignore' }`. Default: `block` for every category. */
  actions?: Readonly<Record<string, CategoryAction>>
  /** Start the downstream beside the input check. Nothing is released before both are done. Default: false. */
  parallel?: boolean
  /**
   * How a token stream is judged: `window` releases each judged prefix, `full` holds the whole reply, `async` releases at once and
   * stops when unsafe (unjudged text reaches the client). Default: `window`.
   */
  streaming?: 'window' | 'full' | 'async'
  /** The most new text, in characters, before the next check of a stream. Default: 400. */
  windowChars?: number
  /** The longest that text of a stream is held before the next check starts, in milliseconds. Default: 1000. */
  windowMs?: number
  /** `last` judges the newest user turn with the rest as context; `all` judges every user turn within its own prefix. Default: `last`. */
  turns?: 'last' | 'all'
  /** System and developer text: `judge` it as a turn of its own, or `trust` it. Default: `judge`. */
  system?: 'judge' | 'trust'
  /** Images with a text-only model: `refuse` answers 400 `unsupported_content`, `ignore` judges the text alone. Default: `refuse`. */
  images?: 'refuse' | 'ignore'
  /** Keeps the verdict cache of one tenant apart from the others'. Default: none. */
  tenant?: string
  /** Page about your content policy, sent with every 451 as `Link: <URL>; rel="blocked-by"` (RFC 7725). Default: none. */
  policyUrl?: string
}

/** Another chat model to call when the request is safe, instead of `next()`. */
export type UpstreamOption = string | { url: string; apiKey?: string; timeoutMs?: number } | { endpoint: string; format?: 'llama-2' | 'messages' } | { forward(call: never): Promise<void>; close?(): Promise<void> }

export interface Options extends RequestOptions {
  /** Where the guard model runs, or any object with `judge()`. `local` is a baseline screen, not Llama Guard. Default: `sagemaker`. */
  guard?: Backend | Guard
  /** Guards asked in turn when the ones before could not judge (an unsafe verdict is final). Default: none. */
  fallback?: readonly Guard[]
  /** A guard whose verdict on a sample of traffic is only logged and compared. `rate` is 0 to 1. Default: none. */
  shadowGuard?: { readonly guard: Guard; readonly rate: number }
  /** SageMaker endpoint name; required for `sagemaker`. Region, credentials and endpoint URL come from the AWS SDK's own variables. */
  endpoint?: string
  /** SageMaker inference component behind the endpoint. Default: none. */
  inferenceComponent?: string
  /** SageMaker production variant. Default: none. */
  targetVariant?: string
  /** Base URL of an OpenAI-compatible server for `openai`, for example `http://localhost:8000/v1`. */
  guardUrl?: string
  /** Bearer token for `guardUrl`. Never logged. Default: none. */
  guardApiKey?: string
  /** Model id that `guardUrl` knows the guard by. Default: none. */
  guardModel?: string
  /** Path of a Llama Guard GGUF file for `llama-cpp`, which needs the package node-llama-cpp. Text only. Default: none. */
  modelPath?: string
  /** Llama Guard version behind the endpoint: decides prompt format, taxonomy and context length. Default: `llama-guard-1`. */
  model?: ModelName
  /** Your own policy instead of the model's taxonomy: a list, or the text between the category markers word for word. */
  categories?: string | readonly Category[]
  /** Task line of the prompt, word for word; `{role}` becomes User or Agent. Default: the model's own. */
  task?: string
  /** Closing instruction of the prompt, word for word; `{role}` becomes User or Agent. Default: the model's own. */
  instruction?: string
  /** Decide `safe` at the first token through a response stream instead of waiting for the whole answer. Default: false. */
  firstToken?: boolean
  /** One judgement's whole budget, retries and queueing included, in milliseconds. Past it: `guard_timeout`. Default: 10000. */
  timeoutMs?: number
  /** Calls one judgement may make to one guard, the first included. Default: 2. */
  maxAttempts?: number
  /** Send a second call when the first has not answered after this many milliseconds; at most 5 % extra calls. Default: off. */
  hedgeAfterMs?: number
  /** Guard calls in flight at once; also the size of the socket pool. Default: 256. */
  concurrency?: number
  /** Judgements that may wait for a free place; past it: `guard_overloaded`. Default: 1024. */
  queue?: number
  /** Stop calling a guard that keeps failing, and probe it now and then. Default: true. */
  breaker?: boolean
  /** Verdicts remembered in process; 0 turns the cache off. Default: 10000. */
  cacheMax?: number
  /** How long a verdict is remembered, in milliseconds. Default: 300000. */
  cacheTtlMs?: number
  /** Shared store behind the in-process cache: a Redis URL or any object with `get` and `set`. Default: none. */
  cacheStore?: string | { get(key: string): Promise<string | undefined>; set(key: string, value: string, ttlMs: number): Promise<void>; close?(): Promise<void> }
  /** Seals what is kept behind a Redis URL with an HMAC under this secret, the same on every replica. Never logged. Default: none. */
  cacheSecret?: string
  /** Largest request body that is read, in bytes, before and after decompression. Past it: 413. Default: 1 MiB. */
  maxBodyBytes?: number
  /** Most bytes of a reply held at once. Past it: 503 `reply_too_large`. Default: 4 MiB. */
  maxReplyBytes?: number
  /** Where a safe request goes: a base URL, `{ url, apiKey }`, `{ endpoint }` on SageMaker, or your own. Default: `next()`. */
  upstream?: UpstreamOption
  /** Guard these paths (exact, or a prefix ending in `*`) and no other; what is no chat there is `unreadable_request`. Default: every path. */
  paths?: readonly string[]
  /** Dialects in use, by name or your own. Default: all built-in ones, `prompt` and `input` bodies only on their own paths. */
  dialects?: readonly (string | Dialect)[]
  /** A pino-like logger. `req.log` wins when present. Default: pino at `LLAMA_GUARD_LOG_LEVEL` (info). */
  logger?: Logger
  /** Level of the default logger. Default: `info`. */
  logLevel?: 'silent' | 'error' | 'warn' | 'info' | 'debug'
  /** Told of every judgement; holds no chat content. A throw is logged and has no effect. */
  onVerdict?: (event: VerdictEvent) => void
  /** Requests for which this returns true pass untouched, both ways. A throw refuses the request. */
  skip?: (req: GuardedRequest) => boolean
  /** Options for this request or tenant. A throw refuses the request. */
  override?: (req: GuardedRequest) => RequestOptions | undefined
}

type Reader<T> = (value: unknown, name: string) => T
interface Setting<T> {
  readonly env?: string
  readonly read: Reader<T>
  readonly fallback: T
}

const anything = <T>(value: unknown): T => value as T
const ratio = number(0, 1)

// One row per option, so that neither the environment nor the unknown-key check can fall behind: the compiler asks for every key.
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
  categories: { read: anything, fallback: undefined },
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
  dialects: { env: 'DIALECTS', read: anything, fallback: undefined },
  logger: { read: loggerOption, fallback: undefined },
  logLevel: { env: 'LOG_LEVEL', read: oneOf(['silent', 'error', 'warn', 'info', 'debug']), fallback: 'info' },
  onVerdict: { read: functionOf, fallback: undefined },
  skip: { read: functionOf, fallback: undefined },
  override: { read: functionOf, fallback: undefined },
}

// Variables that feed more than one option, or an option of another shape.
const OTHER_VARIABLES = ['POLICY', 'UPSTREAM_URL', 'UPSTREAM_API_KEY', 'UPSTREAM_ENDPOINT']
const PREFIX = 'LLAMA_GUARD_'

type Defaulted = 'guard' | 'model' | 'firstToken' | 'timeoutMs' | 'maxAttempts' | 'concurrency' | 'queue' | 'breaker' | 'cacheMax' | 'cacheTtlMs' | 'maxBodyBytes' | 'maxReplyBytes' | 'logLevel'
type DefaultedPerRequest = 'check' | 'mode' | 'onError' | 'parallel' | 'streaming' | 'windowChars' | 'windowMs' | 'turns' | 'system' | 'images'

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
  rejectUnknown(Object.keys(env).filter((name) => name.startsWith(PREFIX)), [...Object.values(SETTINGS).flatMap(({ env }) => (env ? [PREFIX + env] : [])), ...OTHER_VARIABLES.map((name) => PREFIX + name)], 'variable')
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
    new LlamaGuardError('endpoint_missing', `The guard ${JSON.stringify(config.guard)} needs ${what}. Set the option \`${option}\` or the variable ${PREFIX}${variable}, or choose another guard: \`guard: 'local'\` runs a baseline screen (not Llama Guard) without any account.`)
  if (config.guard === 'sagemaker' && config.endpoint === undefined) throw missing('a SageMaker endpoint name', 'endpoint', 'ENDPOINT')
  if (config.guard === 'openai' && config.guardUrl === undefined) throw missing('the base URL of an OpenAI-compatible server', 'guardUrl', 'URL')
  if (config.guard === 'llama-cpp' && config.modelPath === undefined) throw missing('the path of a Llama Guard GGUF file', 'modelPath', 'MODEL_PATH')
}

function fromEnvironment(env: Environment): Record<string, unknown> {
  const found: Record<string, unknown> = {}
  for (const [name, setting] of Object.entries(SETTINGS)) {
    // An empty variable is how compose files and shells say "not set".
    const value = setting.env === undefined ? undefined : env[PREFIX + setting.env]
    if (value !== undefined && value !== '') found[name] = value
  }
  const { LLAMA_GUARD_UPSTREAM_URL: url, LLAMA_GUARD_UPSTREAM_API_KEY: apiKey, LLAMA_GUARD_UPSTREAM_ENDPOINT: endpoint } = env
  if (url && endpoint) throw new LlamaGuardError('invalid_option', 'Both LLAMA_GUARD_UPSTREAM_URL and LLAMA_GUARD_UPSTREAM_ENDPOINT are set; a safe request can go to one of them. Unset the other.')
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
    throw new LlamaGuardError('invalid_option', `LLAMA_GUARD_POLICY names ${JSON.stringify(path)}, which could not be read as a JSON file.`, { cause })
  }
  if (typeof policy !== 'object' || policy === null || Array.isArray(policy)) throw fail('LLAMA_GUARD_POLICY', policy, `a JSON object with ${POLICY_KEYS.join(', ')}`)
  rejectUnknown(Object.keys(policy), POLICY_KEYS, 'policy key')
  return { ...policy }
}

function rejectUnknown(names: readonly string[], known: readonly string[], what: string): void {
  const unknown = names.find((name) => !known.includes(name))
  if (unknown === undefined) return
  throw new LlamaGuardError('unknown_option', `Unknown ${what} ${JSON.stringify(unknown)}. Did you mean ${JSON.stringify(nearest(unknown, known))}?`)
}

function sourceOf(name: string, setting: Setting<unknown>, options: Options): string {
  return (options as Record<string, unknown>)[name] === undefined && setting.env !== undefined ? PREFIX + setting.env : name
}

function withoutUndefined(options: Options): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

function mapOf<T>(read: Reader<T>): Reader<Readonly<Record<string, T>>> {
  return (value, name) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw fail(name, value, 'an object by category id')
    return Object.fromEntries(Object.entries(value).map(([id, inner]) => [id, read(inner, `${name}.${id}`)]))
  }
}

function url(value: unknown, name: string): string {
  if (typeof value === 'string' && URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)) return value
  throw fail(name, typeof value === 'string' ? 'a string that is no such URL' : value, 'an http or https URL')
}

function guardObject(value: unknown, name: string): Guard {
  if (typeof value === 'object' && value !== null && typeof (value as Guard).judge === 'function') return value as Guard
  throw fail(name, value, 'an object with a judge(conversation, { signal }) method')
}

function guardOption(value: unknown, name: string): Backend | Guard {
  return typeof value === 'string' ? oneOf(BACKENDS)(value, name) : guardObject(value, name)
}

/** An object with these methods. */
function withMethods<T>(value: unknown, name: string, methods: readonly string[], wanted: string): T {
  if (typeof value === 'object' && value !== null && methods.every((method) => typeof (value as Record<string, unknown>)[method] === 'function')) return value as T
  throw fail(name, value, wanted)
}

function shadowOption(value: unknown, name: string): NonNullable<Options['shadowGuard']> {
  if (typeof value !== 'object' || value === null) throw fail(name, value, 'an object { guard, rate }')
  const { guard, rate } = value as Record<string, unknown>
  return { guard: guardObject(guard, `${name}.guard`), rate: ratio(rate, `${name}.rate`) }
}

function storeOption(value: unknown, name: string): NonNullable<Options['cacheStore']> {
  return typeof value === 'string' ? value : withMethods(value, name, ['get', 'set'], 'a redis:// URL, or an object with get(key) and set(key, value, ttlMs)')
}

function loggerOption(value: unknown, name: string): Logger {
  return withMethods(value, name, ['debug', 'info', 'warn', 'error'], 'a pino-like logger with debug, info, warn and error')
}

function upstreamOption(value: unknown, name: string): UpstreamOption {
  if (typeof value === 'string') return url(value, name)
  if (typeof value === 'object' && value !== null) {
    if ('forward' in value && typeof value.forward === 'function') return value as UpstreamOption
    if ('url' in value) return { ...value, url: url(value.url, `${name}.url`) }
    if ('endpoint' in value) return { ...value, endpoint: text(value.endpoint, `${name}.endpoint`) }
  }
  throw fail(name, value, 'a base URL, { url, apiKey }, { endpoint }, or an object with forward()')
}
