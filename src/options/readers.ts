// Readers for single settings, from code or from the text of a variable. Each error quotes the value and says what to
// write instead.
import { distance } from 'fastest-levenshtein'
import { LlamaGuardError } from '../types/errors.js'

/** An `invalid_option` error: which option, what came in, what was wanted. */
export function fail(name: string, got: unknown, wanted: string): LlamaGuardError {
  return new LlamaGuardError('invalid_option', `The option ${name} should be ${wanted}; got ${describe(got)}.`)
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

const isPlain = (value: object): boolean =>
  [Object.prototype, null].includes(Object.getPrototypeOf(value) as object | null)
const nameOf = (value: object): string => (value.constructor as { name?: string } | undefined)?.name ?? 'a class'

export type Reader<T> = (value: unknown, name: string) => T

export function oneOf<const T extends string>(
  allowed: readonly T[],
  hint?: (value: string) => string | undefined,
): (value: unknown, name: string) => T {
  return (value, name) => {
    if (allowed.includes(value as T)) return value as T
    const message = fail(name, value, `one of ${allowed.join(', ')}`).message
    throw new LlamaGuardError('invalid_option', typeof value === 'string' ? `${message} ${cureOf(value)}` : message)
  }
  function cureOf(value: string): string {
    return hint?.(value) ?? `Did you mean ${JSON.stringify(nearest(value, allowed))}?`
  }
}

/**
 * Reads an array, or the comma-separated text of a variable. An empty list is an error, because it is a mistake and
 * not "none".
 */
export function list<T>(item: (value: unknown, name: string) => T): (value: unknown, name: string) => readonly T[] {
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

export function number(min: number, max: number): (value: unknown, name: string) => number {
  return (value, name) => {
    const parsed = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
    if (typeof parsed === 'number' && parsed >= min && parsed <= max) return parsed
    throw fail(name, value, `a number from ${min} to ${max}`)
  }
}

export function integer(min: number, max: number): (value: unknown, name: string) => number {
  return (value, name) => {
    const parsed = number(min, max)(value, name)
    if (Number.isInteger(parsed)) return parsed
    throw fail(name, value, `a whole number from ${min} to ${max}`)
  }
}

export function text(value: unknown, name: string): string {
  if (typeof value === 'string' && value !== '') return value
  throw fail(name, value, 'a string that is not empty')
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
  const cure = hint?.(unknown) ?? `Did you mean ${JSON.stringify(nearest(unknown, known))}?`
  throw new LlamaGuardError('unknown_option', `Unknown ${what} ${JSON.stringify(unknown)}. ${cure}`)
}

/** The candidate with the fewest edits from the typed text. */
export function nearest(typed: string, candidates: readonly string[]): string {
  const wanted = typed.slice(0, 100).toLowerCase()
  const edits = (name: string): number => distance(wanted, name.toLowerCase())
  return [...candidates].sort((a, b) => edits(a) - edits(b))[0] ?? ''
}
