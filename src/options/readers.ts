// Readers for single settings, from code or from the text of a variable. Each error quotes the value and says what to
// write instead.
import { distance } from 'fastest-levenshtein'
import { invalidOption, LlamaGuardError } from '../types/errors.js'
import { isObject, isPlain } from '../utils/json.js'

/** Reads a value that was given under this name, or throws an `invalid_option` error that names it. */
export type Reader<T> = (value: unknown, name: string) => T
export type Readers<T> = { readonly [K in keyof Required<T>]: Reader<T[K]> }

/** An `invalid_option` error: which option, what came in, what was wanted, and what to do where that is known. */
export function fail(name: string, got: unknown, wanted: string, cure?: string): LlamaGuardError {
  const message = `The option ${name} should be ${wanted}; got ${describe(got)}.`
  return invalidOption(cure === undefined ? message : `${message} ${cure}`)
}

/** Describes objects by their keys alone, because a value in them may be a secret. */
export function describe(value: unknown): string {
  if (typeof value === 'function') return 'a function'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `a list of ${value.length}`
  if (typeof value === 'object' && value !== null && !isPlain(value)) return `an instance of ${nameOf(value)}`
  if (typeof value === 'object' && value !== null)
    return `an object with the keys ${JSON.stringify(Object.keys(value).slice(0, 10))}`
  const shown = typeof value === 'string' ? JSON.stringify(value) : String(value)
  return shown.length > 80 ? `${shown.slice(0, 77)}...` : shown
}

const nameOf = (value: object): string => (value.constructor as { name?: string } | undefined)?.name ?? 'a class'

export function oneOf<const T extends string>(
  allowed: readonly T[],
  hint?: (value: string) => string | undefined,
): Reader<T> {
  return (value, name) => {
    if (allowed.includes(value as T)) return value as T
    const cure = typeof value === 'string' ? (hint?.(value) ?? didYouMean(value, allowed)) : undefined
    throw fail(name, value, `one of ${allowed.join(', ')}`, cure)
  }
}

/**
 * Reads an array, or the comma-separated text of a variable. An empty list is an error, because it is a mistake and
 * not "none".
 */
export function list<T>(item: Reader<T>): Reader<readonly T[]> {
  return (value, name) => {
    const items = typeof value === 'string' ? value.split(',').map((part) => part.trim()) : value
    if (!Array.isArray(items) || items.length === 0) throw fail(name, value, 'a list with at least one entry')
    return items.map((entry, index) => item(entry, `${name}[${index}]`))
  }
}

export function bool(value: unknown, name: string): boolean {
  if (typeof value === 'boolean') return value
  if (value === 'true' || value === '1' || value === 'on') return true
  if (value === 'false' || value === '0' || value === 'off') return false
  throw fail(name, value, 'true or false')
}

export function number(min: number, max: number): Reader<number> {
  return (value, name) => {
    const parsed = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
    if (typeof parsed === 'number' && parsed >= min && parsed <= max) return parsed
    throw fail(name, value, `a number from ${min} to ${max}`)
  }
}

export function integer(min: number, max: number): Reader<number> {
  return (value, name) => {
    const parsed = number(min, max)(value, name)
    if (Number.isInteger(parsed)) return parsed
    throw fail(name, value, `a whole number from ${min} to ${max}`)
  }
}

export function text(value: unknown, name: string): string {
  if (typeof value === 'string' && value.trim() !== '') return value
  throw fail(name, value, 'a string that is not empty')
}

/** Reads a key that is sent in a header. The error does not repeat it. */
export function key(value: unknown, name: string): string {
  if (typeof value === 'string' && /^[\x21-\x7e]+$/.test(value)) return value
  const got = typeof value === 'string' ? 'a string that cannot stand in a header' : `a ${typeof value}`
  throw fail(name, got, 'a key without spaces and line breaks', 'Is there a line break at its end?')
}

/** Reads a path of keys, as in `answer.0.text`. */
export function keyPath(value: unknown, name: string): string {
  if (typeof value === 'string' && /^(?!\$\.)[^.[\]\s]{1,64}(?:\.[^.[\]\s]{1,64}){0,15}$/.test(value)) return value
  throw fail(name, value, 'a path of keys with dots between them, such as "message" or "answer.0.text"')
}

/** Reads a URL. The error does not repeat it, because it may hold a password. */
export function url(value: unknown, name: string): string {
  if (typeof value === 'string' && URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)) return value
  throw fail(name, typeof value === 'string' ? 'a string that is no such URL' : value, 'an http or https URL')
}

export function functionOf<T>(value: unknown, name: string): T {
  if (typeof value === 'function') return value as T
  throw fail(name, value, 'a function')
}

/** Accepts an object that has these methods. */
export function withMethods<T>(methods: readonly string[], wanted: string): Reader<T> {
  return (value, name) => {
    if (isObject(value) && methods.every((method) => typeof value[method] === 'function')) return value as T
    throw fail(name, value, wanted)
  }
}

/** Reads the fields of an object, and refuses others. Those that are required are read when they are left out, too. */
export function fieldsOf<T>(
  value: object,
  readers: Readers<T>,
  name: string,
  required: readonly (keyof T & string)[] = [],
): T {
  rejectUnknown(Object.keys(value), Object.keys(readers), `${name} key`)
  const given = value as Readonly<Record<string, unknown>>
  const read = Object.entries<Reader<unknown>>(readers).flatMap(([key, reader]) =>
    given[key] === undefined && !required.some((name) => name === key)
      ? []
      : [[key, reader(given[key], `${name}.${key}`)] as const],
  )
  return Object.fromEntries(read) as T
}

/**
 * The error carries the text of `hint` for the name, else the nearest known name.
 * @throws LlamaGuardError `unknown_option` for the first unknown name.
 */
export function rejectUnknown(
  names: readonly string[],
  known: readonly string[],
  what: string,
  hint?: (name: string) => string | undefined,
): void {
  const unknown = names.find((name) => !known.includes(name))
  if (unknown === undefined) return
  const cure = hint?.(unknown) ?? didYouMean(unknown, known)
  throw new LlamaGuardError('unknown_option', `Unknown ${what} ${JSON.stringify(unknown)}. ${cure}`)
}

/** Names the candidate with the fewest edits from the typed text. `rest` follows it in quotes. */
export function didYouMean(typed: string, candidates: readonly string[], rest = ''): string {
  const wanted = typed.slice(0, 100).toLowerCase()
  const edits = (name: string): number => distance(wanted, name.toLowerCase())
  const [nearest = ''] = [...candidates].sort((a, b) => edits(a) - edits(b))
  return `Did you mean ${JSON.stringify(nearest + rest)}?`
}
