// Readers for options that take objects (guards, stores, dialects, loggers, upstreams), which check that the needed
// methods and fields exist, and for options of several parts, each of which has a field of its own in the
// configuration.
import type { Dialect } from '../dialects/dialect.js'
import type { AuditFileOptions, AuditOption } from '../telemetry/audit/index.js'
import type { CategoryAction, Guard, Logger, RefusalText } from '../types.js'
import { isObject } from '../utils/json.js'
import type { HttpUpstreamOptions, SageMakerChatOptions } from '../upstream/index.js'
import { hintForBackend, hintForModel } from './hints.js'
import {
  type Backend,
  BACKENDS,
  type LlamaGuardOptions,
  MODELS,
  type RequestOptions,
  type UpstreamOption,
  type WordPaths,
} from './index.js'
import { bool, fail, integer, keyPath, list, number, oneOf, type Reader, rejectUnknown, text, url } from './readers.js'

export function guardObject(value: unknown, name: string): Guard {
  if (typeof value === 'object' && value !== null && typeof (value as Guard).judge === 'function') return value as Guard
  throw fail(name, value, 'an object with a judge(conversation, { signal }) method')
}

export function guardOption(value: unknown, name: string): Backend | Guard {
  return typeof value === 'string' ? oneOf(BACKENDS, hintForBackend)(value, name) : guardObject(value, name)
}

export const modelOption = oneOf(MODELS, hintForModel)

/** Accepts an object that has these methods. */
function withMethods<T>(value: unknown, name: string, methods: readonly string[], wanted: string): T {
  if (
    typeof value === 'object' &&
    value !== null &&
    methods.every((method) => typeof (value as Record<string, unknown>)[method] === 'function')
  )
    return value as T
  throw fail(name, value, wanted)
}

export function storeOption(value: unknown, name: string): NonNullable<LlamaGuardOptions['cacheStore']> {
  return typeof value === 'string'
    ? value
    : withMethods(value, name, ['get', 'set'], 'a redis:// URL, or an object with get(key) and set(key, value, ttlMs)')
}

/** Reads the fields of an object, and refuses others. */
function fieldsOf<T>(value: object, readers: { readonly [K in keyof Required<T>]: Reader<T[K]> }, name: string): T {
  rejectUnknown(Object.keys(value), Object.keys(readers), `${name} key`)
  const given = value as Readonly<Record<string, unknown>>
  const read = Object.entries<Reader<unknown>>(readers).flatMap(([key, reader]) =>
    given[key] === undefined ? [] : [[key, reader(given[key], `${name}.${key}`)] as const],
  )
  return Object.fromEntries(read) as T
}

const AUDIT_FILE: { [K in keyof Required<AuditFileOptions>]: Reader<AuditFileOptions[K]> } = {
  path: text,
  maxBytes: integer(1, 2 ** 40),
  keep: integer(0, 1000),
  secret: text,
  chain: bool,
  maxWaitingBytes: integer(1, 2 ** 30),
}

export function auditOption(value: unknown, name: string): AuditOption {
  if (typeof value === 'string') return text(value, name)
  if (!isObject(value) || !('path' in value))
    return withMethods(value, name, ['write'], 'the path of a file, { path }, or an object with write(event)')
  return fieldsOf<AuditFileOptions>(value, AUDIT_FILE, name)
}

const isPaths = (value: unknown): value is WordPaths => isObject(value) && ('in' in value || 'out' in value)

function dialectOption(value: unknown, name: string): string | Dialect | WordPaths {
  if (typeof value === 'string') return text(value, name)
  if (isPaths(value)) return textOption(value, name)
  return withMethods(
    value,
    name,
    ['claims', 'request', 'reply', 'stream', 'refusal'],
    'the name of a dialect, { in, out }, or one made with customDialect()',
  )
}

export function dialectsOption(value: unknown, name: string): readonly (string | Dialect | WordPaths)[] {
  const read = list(dialectOption)(value, name)
  if (read.filter(isPaths).length > 1) throw fail(name, value, 'a list with one { in, out } at most')
  return read
}

/** Without another entry beside `{ in, out }`, all built-in dialects stay in use. */
export function spreadDialects(given: readonly (string | Dialect | WordPaths)[] | undefined): object {
  const dialects = given?.filter((entry) => !isPaths(entry))
  const paths = given?.find(isPaths)
  return { dialects: dialects?.length === 0 ? undefined : dialects, ...(paths && spreadText(paths)) }
}

export function loggerOption(value: unknown, name: string): Logger | false {
  if (value === false) return false
  return withMethods(
    value,
    name,
    ['debug', 'info', 'warn', 'error'],
    'a pino-like logger with debug, info, warn and error, or false',
  )
}

const HTTP_UPSTREAM: { [K in keyof Required<HttpUpstreamOptions>]: Reader<HttpUpstreamOptions[K]> } = {
  url,
  apiKey: text,
  timeoutMs: integer(1, 3_600_000),
  connections: integer(1, 65_536),
  queue: integer(0, 1_000_000),
}

const SAGEMAKER_UPSTREAM: { [K in keyof Required<SageMakerChatOptions>]: Reader<SageMakerChatOptions[K]> } = {
  endpoint: text,
  format: oneOf(['llama-2', 'messages', 'openai']),
  leadingBos: bool,
  inferenceComponent: text,
  targetVariant: text,
  timeoutMs: integer(1, 3_600_000),
  connections: integer(1, 65_536),
  client: (value) => value as SageMakerChatOptions['client'],
}

export function upstreamOption(value: unknown, name: string): UpstreamOption {
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
export function refusalTextOption(value: unknown, name: string): RefusalText {
  if (typeof value === 'function') return value as RefusalText
  if (typeof value === 'string' && !value.trimStart().startsWith('{')) return text(value, name)
  const wanted = 'a text, an object of texts by language or by stage, or a function'
  const texts = typeof value === 'string' ? parsed(value) : value
  if (!isObject(texts) || Object.keys(texts).length === 0) throw fail(name, value, wanted)
  const stages = Object.keys(texts).filter((key) => key === 'input' || key === 'output')
  if (stages.length === 0) return byLanguage(texts, name)
  rejectUnknown(Object.keys(texts), ['input', 'output'], `${name} key`)
  return Object.fromEntries(
    Object.entries(texts).map(([stage, inner]) => [
      stage,
      isObject(inner) ? byLanguage(inner, `${name}.${stage}`) : text(inner, `${name}.${stage}`),
    ]),
  )
}

function byLanguage(texts: Record<string, unknown>, name: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(texts).map(([tag, words]) => {
      if (/^[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,3}$/.test(tag)) return [tag, text(words, `${name}.${tag}`)]
      throw fail(name, texts, 'texts by language tag, for example { "en": "...", "pt-BR": "..." }')
    }),
  )
}

const ratio = number(0, 1)
const action = oneOf(['block', 'flag', 'ignore'])

type Mode = NonNullable<RequestOptions['mode']>
type Threshold = NonNullable<RequestOptions['threshold']>

function byCategory<T>(value: object, name: string, read: (value: unknown, name: string) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(value).map(([id, inner]) => [id, read(inner, `${name}.${id}`)]))
}

/** The object of a value that a variable holds as JSON. */
function parsed(value: unknown): unknown {
  if (typeof value !== 'string' || !value.trimStart().startsWith('{')) return value
  try {
    return JSON.parse(value)
  } catch {
    return value
  }
}

export function modeOption(value: unknown, name: string): Mode {
  const [, share] = typeof value === 'string' ? (/^shadow:(.*)$/.exec(value) ?? []) : []
  if (share !== undefined) return { shadow: ratio(share, name) }
  if (!isObject(value)) return oneOf(['enforce', 'shadow'])(value, name)
  rejectUnknown(Object.keys(value), ['shadow'], `${name} key`)
  return { shadow: ratio(value['shadow'], `${name}.shadow`) }
}

export function spreadMode(mode: Mode): object {
  return typeof mode === 'object' ? { mode: 'shadow', shadowSample: mode.shadow } : { mode, shadowSample: 1 }
}

export function thresholdOption(value: unknown, name: string): Threshold {
  const given = parsed(value)
  return isObject(given) ? byCategory(given, name, ratio) : ratio(value, name)
}

export function spreadThreshold(given: Threshold | undefined): object {
  if (typeof given !== 'object') return { threshold: given, categoryThresholds: undefined }
  const { default: threshold, ...categoryThresholds } = given
  return {
    threshold,
    categoryThresholds: Object.keys(categoryThresholds).length === 0 ? undefined : categoryThresholds,
  }
}

export function actionsOption(value: unknown, name: string): Readonly<Record<string, CategoryAction>> {
  if (!isObject(value)) throw fail(name, value, 'an object by category id')
  return byCategory(value, name, action)
}

/** Reads `{ in, out }`; a text is `in` alone. */
export function textOption(value: unknown, name: string): WordPaths {
  const given = parsed(value)
  if (!isObject(given)) return { in: keyPath(value, name) }
  rejectUnknown(Object.keys(given), ['in', 'out'], `${name} key`)
  const { in: words, out } = given
  return { in: keyPath(words, `${name}.in`), ...(out !== undefined && { out: keyPath(out, `${name}.out`) }) }
}

export const spreadText = (given: WordPaths | undefined): object => ({ text: given?.in, reply: given?.out })
