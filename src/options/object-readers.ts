// Readers for options that take objects (guards, stores, dialects, loggers, upstreams), which check that the needed
// methods and fields exist; and for options of which each part has a field of its own in the configuration.
import type { Dialect } from '../dialects/dialect.js'
import type { AuditFileOptions, AuditOption } from '../telemetry/audit/index.js'
import type { Guard, Logger, RefusalText } from '../types.js'
import { isObject, parsedJson } from '../utils/json.js'
import type { HttpUpstreamOptions, SageMakerChatOptions } from '../upstream/index.js'
import { byKey } from './categories.js'
import { hintForBackend, hintForModel } from './hints.js'
import { type Backend, BACKENDS, type LlamaGuardOptions, MODELS, type UpstreamOption, type WordPaths } from './index.js'
import {
  bool,
  fail,
  fieldsOf,
  integer,
  key,
  keyPath,
  list,
  number,
  oneOf,
  type Reader,
  type Readers,
  rejectUnknown,
  text,
  url,
  withMethods,
} from './readers.js'

const judging = withMethods<Guard>(['judge'], 'an object with a judge(conversation, { signal }) method')
const roles = list(oneOf(['User', 'Agent']))

/** A guard of a role that does not exist would never be asked. */
export function guardObject(value: unknown, name: string): Guard {
  const guard = judging(value, name)
  if (guard.judges !== undefined) roles(guard.judges, `${name}.judges`)
  return guard
}

export function guard(value: unknown, name: string): Backend | Guard {
  return typeof value === 'string' ? oneOf(BACKENDS, hintForBackend)(value, name) : guardObject(value, name)
}

export const model = oneOf(MODELS, hintForModel)

/** The name of an endpoint stands in its URL and in its ARN. */
const ENDPOINT_WITHIN = /[/:]endpoints?\/([A-Za-z0-9-]{1,63})(?:\/|$)/

/** Reads the name of a SageMaker endpoint. */
export function endpoint(value: unknown, name: string): string {
  const given = text(value, name)
  const [, within] = ENDPOINT_WITHIN.exec(given) ?? []
  const cure =
    within !== undefined
      ? `It is a URL or an ARN. Did you mean ${JSON.stringify(within)}?`
      : /^[a-z][a-z0-9+.-]*:\/\/|^arn:/i.test(given)
        ? "For an OpenAI-compatible server set guard: 'openai' and `guardUrl`; for another URL of SageMaker set " +
          'AWS_ENDPOINT_URL.'
        : undefined
  if (cure === undefined && /^[A-Za-z0-9](?:-*[A-Za-z0-9]){0,62}$/.test(given)) return given
  throw fail(name, given, 'the name of a SageMaker endpoint: at most 63 letters, digits and hyphens', cure)
}

type Store = NonNullable<LlamaGuardOptions['cacheStore']>
const STORE = withMethods<Store>(
  ['get', 'set'],
  'a redis:// URL, or an object with get(key) and set(key, value, ttlMs)',
)
export const store: Reader<Store> = (value, name) => (typeof value === 'string' ? value : STORE(value, name))

const AUDIT_FILE: Readers<AuditFileOptions> = {
  path: text,
  maxBytes: integer(1, 2 ** 40),
  keep: integer(0, 1000),
  secret: text,
  chain: bool,
  maxWaitingBytes: integer(1, 2 ** 30),
}
const AUDIT = withMethods<AuditOption>(['write'], 'the path of a file, { path }, or an object with write(event)')

/** A variable may hold the object as JSON. */
export function audit(value: unknown, name: string): AuditOption {
  const given = parsed(value, name)
  if (typeof given === 'string') return text(given, name)
  return isObject(given) && 'path' in given ? fieldsOf(given, AUDIT_FILE, name, ['path']) : AUDIT(given, name)
}

const LOGGER = withMethods<Logger>(
  ['debug', 'info', 'warn', 'error'],
  'a pino-like logger with debug, info, warn and error, or false',
)
export const logger: Reader<Logger | false> = (value, name) => value !== false && LOGGER(value, name)

const HTTP_UPSTREAM: Readers<HttpUpstreamOptions> = {
  url,
  apiKey: key,
  timeoutMs: integer(1, 3_600_000),
  connections: integer(1, 65_536),
  queue: integer(0, 1_000_000),
}

const SAGEMAKER_UPSTREAM: Readers<SageMakerChatOptions> = {
  endpoint,
  format: oneOf(['llama-2', 'messages', 'openai']),
  inferenceComponent: text,
  targetVariant: text,
  timeoutMs: integer(1, 3_600_000),
  connections: integer(1, 65_536),
  client: (value) => value as SageMakerChatOptions['client'],
}

export function upstream(value: unknown, name: string): UpstreamOption {
  if (typeof value === 'string') return url(value, name)
  if (typeof value === 'object' && value !== null) {
    if ('forward' in value && typeof value.forward === 'function') return value as UpstreamOption
    if ('url' in value) return fieldsOf<HttpUpstreamOptions>(value, HTTP_UPSTREAM, name)
    if ('endpoint' in value) return fieldsOf<SageMakerChatOptions>(value, SAGEMAKER_UPSTREAM, name)
  }
  throw fail(name, value, 'a base URL, { url, apiKey }, { endpoint }, or an object with forward()')
}

/**
 * Accepts a text, texts by language, either of these by stage, or a function. A variable may hold the object as JSON.
 */
export function refusalText(value: unknown, name: string): RefusalText {
  if (typeof value === 'function') return value as RefusalText
  const texts = parsed(value, name)
  if (typeof texts === 'string') return text(texts, name)
  if (!isObject(texts) || Object.keys(texts).length === 0)
    throw fail(name, value, 'a text, an object of texts by language or by stage, or a function')
  if (!('input' in texts || 'output' in texts)) return byLanguage(texts, name)
  rejectUnknown(Object.keys(texts), ['input', 'output'], `${name} key`)
  return byKey(texts, name, (inner, stage) => (isObject(inner) ? byLanguage(inner, stage) : text(inner, stage)))
}

function byLanguage(texts: object, name: string): Record<string, string> {
  if (!Object.keys(texts).every((tag) => /^[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,3}$/.test(tag)))
    throw fail(name, texts, 'texts by language tag, for example { "en": "...", "pt-BR": "..." }')
  return byKey(texts, name, text)
}

/**
 * The object of a value that a variable holds as JSON.
 * @throws LlamaGuardError for a text that begins so and is none. It is not repeated: it may hold a secret.
 */
function parsed(value: unknown, name: string): unknown {
  if (typeof value !== 'string' || !value.trimStart().startsWith('{')) return value
  const read = parsedJson(value)
  if (read !== undefined) return read.value
  throw fail(name, 'a text that begins with {', 'JSON where it begins so', 'Is a comma too many, or a quote missing?')
}

const ratio = number(0, 1)

export interface ModeParts {
  readonly mode: 'enforce' | 'shadow'
  /** The share of requests that `mode: 'shadow'` judges. */
  readonly shadowSample: number
}

export function mode(value: unknown, name: string): ModeParts {
  const [, share] = typeof value === 'string' ? (/^shadow:(.*)$/.exec(value) ?? []) : []
  if (share !== undefined) return { mode: 'shadow', shadowSample: ratio(share, name) }
  if (!isObject(value)) return { mode: oneOf(['enforce', 'shadow'])(value, name), shadowSample: 1 }
  const { shadow } = fieldsOf<{ readonly shadow: number }>(value, { shadow: ratio }, name, ['shadow'])
  return { mode: 'shadow', shadowSample: shadow }
}

export interface ThresholdParts {
  readonly threshold: number | undefined
  readonly categoryThresholds: Readonly<Record<string, number>> | undefined
}

export function threshold(value: unknown, name: string): ThresholdParts {
  const given = parsed(value, name)
  if (!isObject(given)) return { threshold: ratio(value, name), categoryThresholds: undefined }
  const { default: whole, ...single } = byKey(given, name, ratio)
  return { threshold: whole, categoryThresholds: Object.keys(single).length === 0 ? undefined : single }
}

export interface WordParts {
  /** The place of the user's words. */
  readonly text: string | undefined
  /** The place of the model's words. */
  readonly reply: string | undefined
}

/** Reads `{ in, out }`; a text is `in` alone. */
export function words(value: unknown, name: string): WordParts {
  const given = parsed(value, name)
  if (!isObject(given)) return { text: keyPath(value, name), reply: undefined }
  const paths = fieldsOf<WordPaths>(given, { in: keyPath, out: keyPath }, name, ['in'])
  return { text: paths.in, reply: paths.out }
}

const DIALECT = withMethods<Dialect>(
  ['claims', 'request', 'reply', 'stream', 'refusal'],
  'the name of a dialect, { in, out }, or one made with customDialect()',
)

/** Reads a list of dialects. Without another entry beside `{ in, out }`, all built-in dialects stay in use. */
export function dialects(value: unknown, name: string): DialectParts {
  const read = list(dialect)(value, name)
  const named = read.flatMap((entry) => entry.named ?? [])
  const places = read.flatMap((entry) => entry.words ?? [])
  if (places.length > 1) throw fail(name, value, 'a list with one { in, out } at most')
  return { dialects: named.length === 0 ? undefined : named, ...places[0] }
}

interface DialectParts extends Partial<WordParts> {
  readonly dialects: readonly (string | Dialect)[] | undefined
}

function dialect(value: unknown, name: string): { named?: string | Dialect; words?: WordParts } {
  if (isObject(value) && ('in' in value || 'out' in value)) return { words: words(value, name) }
  return { named: typeof value === 'string' ? text(value, name) : DIALECT(value, name) }
}
