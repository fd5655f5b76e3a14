// Readers for options that take objects: guards, stores, dialects, loggers, upstreams. Their insides are checked as far as names go.
import { BACKENDS, type Backend, type Options, type UpstreamOption } from './options.js'
import { fail, number, oneOf, text, url, type Reader } from './settings.js'
import type { Dialect, Guard, Logger } from './types.js'

export function mapOf<T>(read: Reader<T>): Reader<Readonly<Record<string, T>>> {
  return (value, name) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw fail(name, value, 'an object by category id')
    return Object.fromEntries(Object.entries(value).map(([id, inner]) => [id, read(inner, `${name}.${id}`)]))
  }
}

export function guardObject(value: unknown, name: string): Guard {
  if (typeof value === 'object' && value !== null && typeof (value as Guard).judge === 'function') return value as Guard
  throw fail(name, value, 'an object with a judge(conversation, { signal }) method')
}

export function guardOption(value: unknown, name: string): Backend | Guard {
  return typeof value === 'string' ? oneOf(BACKENDS)(value, name) : guardObject(value, name)
}

/** An object with these methods. */
function withMethods<T>(value: unknown, name: string, methods: readonly string[], wanted: string): T {
  if (typeof value === 'object' && value !== null && methods.every((method) => typeof (value as Record<string, unknown>)[method] === 'function')) return value as T
  throw fail(name, value, wanted)
}

export function shadowOption(value: unknown, name: string): NonNullable<Options['shadowGuard']> {
  if (typeof value !== 'object' || value === null || !('guard' in value) || !('rate' in value)) throw fail(name, value, 'an object { guard, rate }')
  const { guard, rate } = value
  return { guard: guardObject(guard, `${name}.guard`), rate: number(0, 1)(rate, `${name}.rate`) }
}

export function storeOption(value: unknown, name: string): NonNullable<Options['cacheStore']> {
  return typeof value === 'string' ? value : withMethods(value, name, ['get', 'set'], 'a redis:// URL, or an object with get(key) and set(key, value, ttlMs)')
}

export function dialectOption(value: unknown, name: string): string | Dialect {
  if (typeof value === 'string') return text(value, name)
  return withMethods(value, name, ['claims', 'request', 'reply', 'stream', 'refusal'], 'the name of a dialect, or one made with customDialect()')
}

export function loggerOption(value: unknown, name: string): Logger {
  return withMethods(value, name, ['debug', 'info', 'warn', 'error'], 'a pino-like logger with debug, info, warn and error')
}

export function upstreamOption(value: unknown, name: string): UpstreamOption {
  if (typeof value === 'string') return url(value, name)
  if (typeof value === 'object' && value !== null) {
    if ('forward' in value && typeof value.forward === 'function') return value as UpstreamOption
    if ('url' in value) return { ...value, url: url(value.url, `${name}.url`) }
    if ('endpoint' in value) return { ...value, endpoint: text(value.endpoint, `${name}.endpoint`) }
  }
  throw fail(name, value, 'a base URL, { url, apiKey }, { endpoint }, or an object with forward()')
}
