// Readers of the options that have several parts. The configuration holds each part in a field of its own.
import type { CategoryAction } from '../types.js'
import { isObject } from '../utils/json.js'
import type { LlamaGuardOptions, RequestOptions } from './index.js'
import { fail, keyPath, number, oneOf, rejectUnknown } from './readers.js'

const ratio = number(0, 1)
const action = oneOf(['block', 'flag', 'ignore'])

type Mode = NonNullable<RequestOptions['mode']>
type Threshold = NonNullable<RequestOptions['threshold']>
type Text = NonNullable<LlamaGuardOptions['text']>

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

export function textOption(value: unknown, name: string): Text {
  const given = parsed(value)
  if (!isObject(given)) return keyPath(value, name)
  rejectUnknown(Object.keys(given), ['in', 'out'], `${name} key`)
  const { in: words, out } = given
  return { in: keyPath(words, `${name}.in`), ...(out !== undefined && { out: keyPath(out, `${name}.out`) }) }
}

export function spreadText(given: Text | undefined): object {
  return typeof given === 'object' ? { text: given.in, reply: given.out } : { text: given, reply: undefined }
}
