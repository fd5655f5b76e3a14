// Builds one checked, frozen configuration from options and environment. Each option has one row: its variable, its
// reader, its default.
import { IncomingMessage } from 'node:http'
import type { Dialect } from '../dialects/dialect.js'
import { invalidOption } from '../types/errors.js'
import { isObject } from '../utils/json.js'
import { checkTogether } from './backend-options.js'
import { readActions, readCategories } from './categories.js'
import { type GuardParts, guards } from './guards.js'
import { hintForOption } from './hints.js'
import type { LlamaGuardOptions, PolicyOptions, RequestOptions, RequestPolicy, WordPaths } from './index.js'
import * as objects from './object-readers.js'
import { type Protection, protectionOf } from './protection.js'
import {
  bool,
  describe,
  fail,
  functionOf,
  integer,
  list,
  oneOf,
  type Reader,
  rejectUnknown,
  text,
  url,
} from './readers.js'
import * as sources from './sources.js'
import { type Environment, type Given, isAlias, PREFIX } from './sources.js'

/** The options that may differ between requests, with each part of `policy` by itself. */
type FlatRequestOptions = Omit<RequestOptions, 'policy'> &
  Pick<PolicyOptions, 'actions'> & { readonly policyUrl?: string }

/** All options, with each part of `policy` and `endpoint` by itself, as the code reads them. */
type FlatOptions = Omit<LlamaGuardOptions, 'policy' | 'endpoint'> &
  FlatRequestOptions &
  Omit<PolicyOptions, 'url'> & {
    readonly endpoint?: string
    readonly inferenceComponent?: string
    readonly targetVariant?: string
    /** What the variable of that name gives for `dialects`. */
    readonly text?: WordPaths
  }

interface Row<T> {
  readonly env?: string
  readonly read: Reader<T>
  readonly fallback: T
  /** True for a value of several parts, each with a field of its own in the configuration. */
  readonly spread?: true
}

type Rows<T> = {
  readonly [K in keyof Required<T>]: K extends keyof Parts ? Row<Partial<Parts>> & { readonly spread: true } : Row<T[K]>
}

// The type makes the compiler ask for a row for every option. The environment and the check for unknown keys read the
// same rows.
const REQUEST = {
  check: { env: 'CHECK', read: list(oneOf(['input', 'output'])), fallback: ['input', 'output'] },
  mode: { env: 'MODE', read: objects.mode, spread: true, fallback: { mode: 'enforce', shadowSample: 1 } },
  onError: { env: 'ON_ERROR', read: oneOf(['closed', 'open']), fallback: 'closed' },
  threshold: { env: 'THRESHOLD', read: objects.threshold, spread: true, fallback: {} },
  actions: { read: readActions, fallback: undefined },
  parallel: { env: 'PARALLEL', read: bool, fallback: false },
  streaming: { env: 'STREAMING', read: oneOf(['window', 'fixed', 'full', 'async']), fallback: 'window' },
  windowChars: { env: 'WINDOW_CHARS', read: integer(1, 1_000_000), fallback: 400 },
  windowMs: { env: 'WINDOW_MS', read: integer(1, 600_000), fallback: 1000 },
  turns: { env: 'TURNS', read: oneOf(['last', 'all']), fallback: 'last' },
  system: { env: 'SYSTEM', read: oneOf(['judge', 'trust']), fallback: 'judge' },
  images: { env: 'IMAGES', read: oneOf(['refuse', 'ignore']), fallback: 'refuse' },
  unknown: { env: 'UNKNOWN', read: oneOf(['judge', 'warn', 'pass', 'refuse']), fallback: undefined },
  policyUrl: { env: 'POLICY_URL', read: url, fallback: undefined },
  onBlock: { env: 'ON_BLOCK', read: oneOf(['error', 'refusal']), fallback: 'error' },
  refusalText: { env: 'REFUSAL_TEXT', read: objects.refusalText, fallback: undefined },
  blockStatus: { env: 'BLOCK_STATUS', read: integer(400, 499), fallback: 451 },
  handler: { read: functionOf, fallback: undefined },
  expose: { env: 'EXPOSE', read: oneOf(['none', 'verdict', 'full']), fallback: 'verdict' },
} satisfies Rows<FlatRequestOptions>

const SETTINGS = {
  ...REQUEST,
  guard: { env: 'BACKEND', read: objects.guard, fallback: 'sagemaker' },
  guards: { env: 'GUARDS', read: guards, spread: true, fallback: {} },
  endpoint: { env: 'ENDPOINT', read: objects.endpoint, fallback: undefined },
  inferenceComponent: { env: 'INFERENCE_COMPONENT', read: text, fallback: undefined },
  targetVariant: { env: 'TARGET_VARIANT', read: text, fallback: undefined },
  guardUrl: { env: 'URL', read: url, fallback: undefined },
  guardApiKey: { env: 'API_KEY', read: text, fallback: undefined },
  guardModel: { env: 'MODEL_ID', read: text, fallback: undefined },
  model: { env: 'MODEL', read: objects.model, fallback: 'llama-guard-1' },
  categories: { read: readCategories, fallback: undefined },
  task: { read: text, fallback: undefined },
  instruction: { read: text, fallback: undefined },
  timeoutMs: { env: 'TIMEOUT_MS', read: integer(1, 600_000), fallback: 10_000 },
  hedgeAfterMs: { env: 'HEDGE_AFTER_MS', read: integer(1, 600_000), fallback: undefined },
  concurrency: { env: 'CONCURRENCY', read: integer(1, 65_536), fallback: 256 },
  reveal: { env: 'REVEAL', read: bool, fallback: true },
  maxChecks: { env: 'MAX_CHECKS', read: integer(1, 256), fallback: 32 },
  cacheMax: { env: 'CACHE_MAX', read: integer(0, 10_000_000), fallback: 10_000 },
  cacheTtlMs: { env: 'CACHE_TTL_MS', read: integer(1, 86_400_000), fallback: 300_000 },
  cacheStore: { env: 'REDIS_URL', read: objects.store, fallback: undefined },
  maxBodyBytes: { env: 'MAX_BODY_BYTES', read: integer(1, 2 ** 30), fallback: 2 ** 20 },
  maxReplyBytes: { env: 'MAX_REPLY_BYTES', read: integer(1, 2 ** 30), fallback: 2 ** 22 },
  upstream: { read: objects.upstream, fallback: undefined },
  paths: { env: 'PATHS', read: list(text), fallback: undefined },
  // Before `dialects`, which wins.
  text: { env: 'TEXT', read: objects.words, spread: true, fallback: {} },
  dialects: { env: 'DIALECTS', read: objects.dialects, spread: true, fallback: {} },
  logger: { read: objects.logger, fallback: undefined },
  audit: { env: 'AUDIT', read: objects.audit, fallback: undefined },
  onToolCall: { read: functionOf, fallback: undefined },
  onVerdict: { read: functionOf, fallback: undefined },
  skip: { read: functionOf, fallback: undefined },
  override: { read: functionOf, fallback: undefined },
  context: { read: functionOf, fallback: undefined },
} satisfies Rows<FlatOptions>

/** Options whose default is a value. They are never undefined after reading. */
type Defaulted<Table> = {
  [K in keyof Table]: Table[K] extends { readonly fallback: undefined } ? never : K
}[keyof Table]

type RequestParts = objects.ModeParts & objects.ThresholdParts

/** Fields that are parts of an option, or come from elsewhere. */
interface Parts extends RequestParts, GuardParts, objects.WordParts, Protection {
  readonly dialects: readonly (string | Dialect)[] | undefined
  readonly cacheSecret: string | undefined
  readonly logLevel: LogLevel
}

const LOG_LEVELS = ['silent', 'error', 'warn', 'info', 'debug'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** Options of these rows, checked and with defaults; without those of several parts. */
type Checked<Options, Table> = Omit<Options, keyof Parts | Defaulted<Table>> &
  Required<Pick<Options, Exclude<Defaulted<Table> & keyof Options, keyof Parts>>>

/** {@link RequestOptions}, checked and with defaults. */
export type RequestConfig = Readonly<Checked<FlatRequestOptions, typeof REQUEST> & RequestParts>
/** {@link LlamaGuardOptions}, checked, with environment and defaults. Frozen. */
export type Config = Readonly<Checked<FlatOptions, typeof SETTINGS> & Parts>

const TABLE: Readonly<Record<string, Row<unknown>>> = SETTINGS
/** Variables without their prefix, by the field that they give. */
export const VARIABLES = new Map(
  Object.entries(TABLE).flatMap(([name, { env }]) => (env === undefined ? [] : [[name, env]])),
)

/** Fields that are no option but a part of one. */
const PART_FIELDS = ['actions', 'policyUrl', 'text']
const optionsIn = (table: object): readonly string[] => [
  'policy',
  ...Object.keys(table).filter((name) => !PART_FIELDS.includes(name) && !isAlias(name)),
]
/** The options that may be given. A configuration has other fields, their parts. */
export const OPTION_NAMES = optionsIn(SETTINGS)
/** Those that `override(req)` may return. */
export const REQUEST_OPTION_NAMES = optionsIn(REQUEST)

/**
 * Checks options and environment together, once, when the middleware is built.
 * @throws LlamaGuardError `unknown_option`, `invalid_option` or `endpoint_missing`. The message says what came in,
 * what was wanted and what to do.
 */
export function parseOptions(options: LlamaGuardOptions = {}, env: Environment = process.env): Config {
  requireObject(options)
  if (typeof env !== 'object' || env === null)
    throw invalidOption(
      `The second argument of llamaGuard() should be the variables, or left out; got ${describe(env)}. A handler stands ` +
        "behind the guard: app.post('/chat', llamaGuard(), handler).",
    )
  rejectUnknown(
    Object.keys(options).filter((name) => !isAlias(name)),
    OPTION_NAMES,
    'option',
    hintForOption,
  )
  rejectUnknown(
    Object.keys(env).filter((name) => name.startsWith(PREFIX)),
    [...VARIABLES.values(), ...sources.OTHER_VARIABLES].map((name) => PREFIX + name),
    'variable',
    hintForOption,
  )
  const inCode = sources.fromCode({ ...options })
  // A file that code names takes the place of the variable's.
  const variables = typeof options.policy === 'string' ? { ...env, LLAMA_GUARD_POLICY: undefined } : env
  const given = { ...sources.fromEnvironment(variables, VARIABLES), ...inCode }
  const config: Record<string, unknown> = {}
  for (const field of Object.keys(TABLE)) put(config, field, given[field])
  config['cacheSecret'] = env[`${PREFIX}CACHE_SECRET`] || undefined
  config['logLevel'] = oneOf(LOG_LEVELS)(env[`${PREFIX}LOG_LEVEL`] || 'info', `${PREFIX}LOG_LEVEL`)
  Object.assign(config, protectionOf(config as unknown as Config, options))
  const checked = config as unknown as Config
  checkTogether(checked, given, inCode)
  return Object.freeze(checked)
}

/** The path of the policy file: that of code, else that of the variable. */
export function policyPath(options: LlamaGuardOptions, env: Environment): string | undefined {
  requireObject(options)
  return typeof options.policy === 'string' ? options.policy : env[`${PREFIX}POLICY`] || undefined
}

/** Puts a value that was given, or the default, into the configuration: in one field, or its parts in theirs. */
function put(config: Record<string, unknown>, field: string, given: Given[string] | undefined): void {
  const { read, fallback, spread } = TABLE[field]!
  const value = given === undefined ? fallback : read(given.value, given.name)
  if (spread) Object.assign(config, value)
  else config[field] = value
}

/** The type makes the compiler report a part that is missing here. */
const REQUEST_POLICY: Record<keyof RequestPolicy, true> = { actions: true, url: true }

/** Checks what `override(req)` returned and applies it to the configuration. */
export function overrideOptions(config: Config, over: RequestOptions | undefined): RequestConfig {
  if (over === undefined) return config
  if (!isObject(over)) throw fail('override()', over, 'an object of options')
  rejectUnknown(Object.keys(over), REQUEST_OPTION_NAMES, 'override option', (name) =>
    OPTION_NAMES.includes(name) || isAlias(name)
      ? `It is the same for all requests: give it to llamaGuard(). override() may return ${REQUEST_OPTION_NAMES.join(', ')}.`
      : hintForOption(name),
  )
  const { policy = {} } = over
  if (!isObject(policy)) throw fail('override().policy', policy, 'an object with actions and url')
  rejectUnknown(Object.keys(policy), Object.keys(REQUEST_POLICY), 'override().policy key', (name) =>
    isAlias(name)
      ? 'A guard has one prompt for all requests: give it to llamaGuard(). override() may return actions and url.'
      : undefined,
  )
  const merged: Record<string, unknown> = { ...config }
  for (const [field, given] of Object.entries(sources.fromCode(over, 'override().'))) put(merged, field, given)
  return merged as unknown as RequestConfig
}

/** JavaScript callers may write `llamaGuard('local')`. The error then says what to write instead. */
function requireObject(options: unknown): void {
  if (options instanceof IncomingMessage)
    throw invalidOption('llamaGuard was mounted without (). Write app.use(llamaGuard()).')
  if (typeof options === 'object' && options !== null && !Array.isArray(options)) return
  const cure = typeof options === 'string' ? ` Did you mean llamaGuard({ guard: ${JSON.stringify(options)} })?` : ''
  throw invalidOption(`The options should be an object; got ${describe(options)}.${cure}`)
}
