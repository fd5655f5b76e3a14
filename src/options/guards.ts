// Reads the option `guards`: each further guard is a guard object, its options, or a short text, and may have a part of
// its own.
import { LlamaGuardError } from '../types/errors.js'
import type { Guard } from '../types.js'
import { isObject } from '../utils/json.js'
import {
  type CascadeGuard,
  GUARD_OPTIONS,
  type GuardEntry,
  type GuardOptions,
  MODELS,
  type ModelName,
} from './index.js'
import { hintForOption } from './hints.js'
import { guardObject } from './object-readers.js'
import { fail, nearest, number, rejectUnknown } from './readers.js'
import { isAlias } from './sources.js'

/** The names of {@link GuardOptions}. */
export const GUARD_OPTION_NAMES: readonly string[] = [...GUARD_OPTIONS, 'policy']

/** @throws LlamaGuardError for a part of `policy` that one guard does not have. */
export function rejectPolicyUrl({ policy }: { readonly policy?: unknown }, name: string): void {
  if (!isObject(policy) || policy['url'] === undefined) return
  throw new LlamaGuardError(
    'invalid_option',
    `${name} is set, and one guard ignores it: it belongs to the \`policy\` of llamaGuard(). Move it there.`,
  )
}

export const isGuard = (value: object): value is Guard => typeof (value as Guard).judge === 'function'

/** The option `guards`, by the part that each guard has. */
export interface GuardParts {
  /** The panel. */
  readonly guards: readonly (Guard | GuardOptions)[] | undefined
  readonly cascade: CascadeGuard | undefined
  readonly fallback: readonly Guard[] | undefined
  readonly shadowGuard: { readonly guard: Guard; readonly rate: number } | undefined
}

export function guardsOption(value: unknown, name: string): readonly GuardEntry[] {
  if (typeof value === 'string') return guardsNamed(value, name)
  if (!Array.isArray(value) || value.length === 0) throw fail(name, value, 'a list with at least one guard')
  const read = value.map((entry: unknown, index) => readEntry(entry, `${name}[${index}]`))
  for (const part of ['first', 'shadow'])
    if (read.filter((entry) => part in entry).length > 1) throw fail(name, value, `a list with one { ${part} } at most`)
  return read
}

export function spreadGuards(entries: readonly GuardEntry[] | undefined): GuardParts {
  const of = <K extends string>(part: K) =>
    entries?.filter((entry): entry is Extract<GuardEntry, Record<K, unknown>> => part in entry) ?? []
  const panel = entries?.filter((entry): entry is Guard | GuardOptions => !PARTS.some((part) => part in entry)) ?? []
  const fallback = of('fallback').map((entry) => entry.fallback)
  const [shadow] = of('shadow')
  return {
    guards: panel.length === 0 ? undefined : panel,
    cascade: of('first')[0],
    fallback: fallback.length === 0 ? undefined : fallback,
    shadowGuard: shadow && { guard: shadow.shadow, rate: shadow.rate },
  }
}

const PARTS = ['first', 'fallback', 'shadow'] as const
const probability = number(0, 1)

function readEntry(value: unknown, name: string): GuardEntry {
  if (typeof value !== 'object' || value === null || isGuard(value)) return guardEntry(value, name)
  const keys = Object.keys(value)
  const { first, safeBelow, unsafeAbove, fallback, shadow, rate } = value as Record<string, unknown>
  if ('first' in value) {
    rejectUnknown(keys, ['first', 'safeBelow', 'unsafeAbove'], `${name} key`)
    return {
      first: guardEntry(first, `${name}.first`),
      safeBelow: probability(safeBelow, `${name}.safeBelow`),
      unsafeAbove: probability(unsafeAbove, `${name}.unsafeAbove`),
    }
  }
  if ('fallback' in value) {
    rejectUnknown(keys, ['fallback'], `${name} key`)
    return { fallback: guardObject(fallback, `${name}.fallback`) }
  }
  if ('shadow' in value) {
    rejectUnknown(keys, ['shadow', 'rate'], `${name} key`)
    return { shadow: guardObject(shadow, `${name}.shadow`), rate: probability(rate, `${name}.rate`) }
  }
  return guardEntry(value, name)
}

function guardEntry(value: unknown, name: string): Guard | GuardOptions {
  if (typeof value === 'string') return compact(value, name)
  if (typeof value !== 'object' || value === null)
    throw fail(name, value, 'a guard, its options such as { model, endpoint }, or "model@endpoint"')
  if (isGuard(value)) return value
  const keys = Object.keys(value).filter((key) => !isAlias(key))
  rejectUnknown(keys, GUARD_OPTION_NAMES, `${name} key`, hintForOption)
  rejectPolicyUrl(value, `${name}.policy.url`)
  return { ...value }
}

/** Reads guards by their names, with commas between them. */
export const guardsNamed = (names: string, name: string): readonly GuardOptions[] =>
  names.split(',').map((part, index) => compact(part.trim(), `${name}[${index}]`))

/** Parses `model@endpoint` (SageMaker), `model@http://host/v1` (an OpenAI-compatible server), or `local`. */
function compact(text: string, name: string): GuardOptions {
  if (text === 'local') return { guard: 'local' }
  const [, guardrail] = /^bedrock-guardrail@(.+)$/.exec(text) ?? []
  if (guardrail !== undefined) return { guard: 'bedrock-guardrail', guardModel: guardrail }
  const [, model = '', place = ''] = /^([^@]+)@(.+)$/.exec(text) ?? []
  if (model === '') throw fail(name, text, '"model@endpoint", "model@URL" or "local"')
  const known = modelNamed(model)
  if (known === undefined)
    throw new LlamaGuardError(
      'invalid_option',
      `${fail(name, text, '"model@endpoint"').message} Did you mean "${nearest(model, MODELS)}@${place}"?`,
    )
  return /^https?:/.test(place)
    ? { guard: 'openai', model: known, guardUrl: place }
    : { guard: 'sagemaker', model: known, endpoint: place }
}

const SIZED =
  /^(?:granite-guardian-(?:3\.0-[28]b|4\.1-8b)|gpt-oss-safeguard-(?:20|120)b|nemotron-safety-guard-8b(?:-v3)?)$/

/**
 * The model by its own name, by that name without `llama-`, or with a size added. The prompt does not depend on the
 * size.
 */
function modelNamed(name: string): ModelName | undefined {
  const unsized = name.replace(/^(prompt-guard-[12]|llama-prompt-guard-[12])-(?:22m|86m)$/, '$1')
  const family = /^qwen3guard(?:-gen)?(?:-(?:0\.6|4|8)b)?$/.test(name)
    ? 'qwen3guard-gen'
    : SIZED.test(name)
      ? name.replace(/-\d+b(?:-v3)?$/, '')
      : unsized
  return MODELS.find((model) => model === family || model === `llama-${family}`)
}
