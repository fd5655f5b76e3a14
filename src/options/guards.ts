// Reads the option `guards`: each further guard is a guard object, its options, or a short text, and may have a part of
// its own.
import { invalidOption } from '../types/errors.js'
import type { Guard } from '../types.js'
import { isObject } from '../utils/json.js'
import { type CascadeGuard, GUARD_OPTIONS, type GuardOptions, MODELS, type ModelName } from './index.js'
import { hintForOption } from './hints.js'
import { guardObject } from './object-readers.js'
import { didYouMean, fail, fieldsOf, list, number, type Readers, rejectUnknown } from './readers.js'
import { isAlias } from './sources.js'

/** The names of {@link GuardOptions}. */
export const GUARD_OPTION_NAMES: readonly string[] = [...GUARD_OPTIONS, 'policy']

/** @throws LlamaGuardError for a part of `policy` that has no effect on one guard. */
export function rejectPolicyParts({ policy }: { readonly policy?: unknown }, name: string): void {
  const { url, actions = {} } = isObject(policy) ? policy : {}
  const id = Object.keys(Object(actions) as object).find((id) => id !== 'controversial')
  const part = url !== undefined ? 'url' : id !== undefined && `actions.${id}`
  if (part === false) return
  throw invalidOption(
    `The option ${name}.${part} is set, and one guard ignores it: it belongs to llamaGuard(). Move it there.`,
  )
}

export const isGuard = (value: object): value is Guard => typeof (value as Guard).judge === 'function'

/** The option `guards`, by the part that each guard has. */
export interface GuardParts {
  /** The panel. */
  readonly guards: readonly (Guard | GuardOptions)[] | undefined
  /** Where each guard of the panel stands in the option, from 0: errors name it so. */
  readonly guardPositions: readonly number[]
  readonly cascade: CascadeGuard | undefined
  readonly fallback: readonly Guard[] | undefined
  readonly shadowGuard: { readonly guard: Guard; readonly rate: number } | undefined
}

/** One entry, by its part. */
interface Entry {
  readonly panel?: Guard | GuardOptions
  readonly first?: CascadeGuard
  readonly fallback?: Guard
  readonly shadow?: NonNullable<GuardParts['shadowGuard']>
}

export function guards(value: unknown, name: string): GuardParts {
  const entries = list(readEntry)(value, name)
  const of = <K extends keyof Entry>(part: K): readonly NonNullable<Entry[K]>[] =>
    entries.flatMap((entry) => (entry[part] === undefined ? [] : [entry[part]]))
  const [panel, first, fallback, shadow] = [of('panel'), of('first'), of('fallback'), of('shadow')]
  for (const [part, { length }] of Object.entries({ first, shadow }))
    if (length > 1) throw fail(name, value, `a list with one { ${part} } at most`)
  return {
    guards: panel.length === 0 ? undefined : panel,
    guardPositions: [...entries.keys()].filter((at) => entries[at]!.panel !== undefined),
    cascade: first[0],
    fallback: fallback.length === 0 ? undefined : fallback,
    shadowGuard: shadow[0],
  }
}

const probability = number(0, 1)
const FIRST: Readers<CascadeGuard> = { first: guardEntry, safeBelow: probability, unsafeAbove: probability }
const SHADOW: Readers<{ shadow: Guard; rate: number }> = { shadow: guardObject, rate: probability }

function readEntry(value: unknown, name: string): Entry {
  if (!isObject(value) || isGuard(value)) return { panel: guardEntry(value, name) }
  if ('first' in value) return { first: fieldsOf(value, FIRST, name, ['first', 'safeBelow', 'unsafeAbove']) }
  if ('fallback' in value) return fieldsOf<{ fallback: Guard }>(value, { fallback: guardObject }, name, ['fallback'])
  if (!('shadow' in value)) return { panel: guardEntry(value, name) }
  const { shadow, rate } = fieldsOf(value, SHADOW, name, ['shadow', 'rate'])
  return { shadow: { guard: shadow, rate } }
}

function guardEntry(value: unknown, name: string): Guard | GuardOptions {
  if (typeof value === 'string') return compact(value, name)
  if (!isObject(value)) throw fail(name, value, 'a guard, its options such as { model, endpoint }, or "model@endpoint"')
  if (isGuard(value)) return guardObject(value, name)
  const keys = Object.keys(value).filter((key) => !isAlias(key))
  rejectUnknown(keys, GUARD_OPTION_NAMES, `${name} key`, hintForOption)
  rejectPolicyParts(value, `${name}.policy`)
  return { ...value }
}

/** Reads guards by their names, with commas between them. */
export const guardsNamed: (names: string, name: string) => readonly GuardOptions[] = list((text, name) =>
  compact(String(text), name),
)

/** Parses `model@endpoint` (SageMaker), `model@http://host/v1` (an OpenAI-compatible server), or `local`. */
function compact(text: string, name: string): GuardOptions {
  if (text === 'local') return { guard: 'local' }
  const [, guardrail] = /^bedrock-guardrail@(.+)$/.exec(text) ?? []
  if (guardrail !== undefined) return { guard: 'bedrock-guardrail', guardModel: guardrail }
  const [, model = '', place = ''] = /^([^@]+)@(.+)$/.exec(text) ?? []
  if (model === '') throw fail(name, text, '"model@endpoint", "model@URL" or "local"')
  const known = modelNamed(model)
  if (known === undefined) throw fail(name, text, '"model@endpoint"', didYouMean(model, MODELS, `@${place}`))
  return /^https?:/.test(place)
    ? { guard: 'openai', model: known, guardUrl: place }
    : { guard: 'sagemaker', model: known, endpoint: place }
}

/** The model by its own name, by that name without `llama-`, or with a size added, on which no prompt depends. */
function modelNamed(name: string): ModelName | undefined {
  const family = name.replace(/-\d+(?:\.\d+)?[bm](?:-v\d)?$/, '').replace(/^qwen3guard$/, 'qwen3guard-gen')
  return MODELS.find((model) => [name, family].some((each) => model === each || model === `llama-${each}`))
}
