// Reads the options `guards` and `cascade`: each further guard is a guard object, its options, or a short text.
import type { Guard } from '../types.js'
import type { CascadeOption, GuardOptions } from './index.js'
import { MODELS, type ModelName } from './index.js'
import { fail, nearest, number, rejectUnknown } from './readers.js'

/** The type makes the compiler report a key of GuardOptions that is missing here. */
const KEYS: Record<keyof GuardOptions, true> = {
  guard: true,
  endpoint: true,
  inferenceComponent: true,
  targetVariant: true,
  guardUrl: true,
  guardApiKey: true,
  guardModel: true,
  model: true,
  categories: true,
  task: true,
  instruction: true,
  actions: true,
  firstToken: true,
  timeoutMs: true,
  concurrency: true,
}

export const isGuard = (value: object): value is Guard => typeof (value as Guard).judge === 'function'

export function guardsOption(value: unknown, name: string): readonly (Guard | GuardOptions)[] {
  const entries = typeof value === 'string' ? value.split(',').map((part) => part.trim()) : value
  if (!Array.isArray(entries) || entries.length === 0) throw fail(name, value, 'a list with at least one guard')
  return entries.map((entry: unknown, index) => guardEntry(entry, `${name}[${index}]`))
}

export function cascadeOption(value: unknown, name: string): CascadeOption {
  if (typeof value !== 'object' || value === null)
    throw fail(name, value, 'an object { first, safeBelow, unsafeAbove }')
  rejectUnknown(Object.keys(value), ['first', 'safeBelow', 'unsafeAbove'], `${name} key`)
  const { first, safeBelow, unsafeAbove } = value as Record<string, unknown>
  const probability = number(0, 1)
  return {
    first: guardEntry(first, `${name}.first`),
    safeBelow: probability(safeBelow, `${name}.safeBelow`),
    unsafeAbove: probability(unsafeAbove, `${name}.unsafeAbove`),
  }
}

function guardEntry(value: unknown, name: string): Guard | GuardOptions {
  if (typeof value === 'string') return compact(value, name)
  if (typeof value !== 'object' || value === null)
    throw fail(name, value, 'a guard, its options such as { model, endpoint }, or "model@endpoint"')
  if (isGuard(value)) return value
  rejectUnknown(Object.keys(value), Object.keys(KEYS), `${name} key`)
  return { ...value }
}

/** Parses `model@endpoint` (SageMaker), `model@http://host/v1` (an OpenAI-compatible server), or `local`. */
function compact(text: string, name: string): GuardOptions {
  if (text === 'local') return { guard: 'local' }
  const [, guardrail] = /^bedrock-guardrail@(.+)$/.exec(text) ?? []
  if (guardrail !== undefined) return { guard: 'bedrock-guardrail', guardModel: guardrail }
  const [, model = '', place = ''] = /^([^@]+)@(.+)$/.exec(text) ?? []
  if (model === '') throw fail(name, text, '"model@endpoint", "model@URL" or "local"')
  const known = modelNamed(model)
  if (known === undefined)
    throw fail(name, model, `one of ${MODELS.join(', ')} before the @. Did you mean "${nearest(model, MODELS)}"`)
  return /^https?:/.test(place)
    ? { guard: 'openai', model: known, guardUrl: place }
    : { guard: 'sagemaker', model: known, endpoint: place }
}

/**
 * The model by its own name, by that name without `llama-`, or with a size added. The prompt does not depend on the
 * size.
 */
function modelNamed(name: string): ModelName | undefined {
  const unsized = name.replace(/^(prompt-guard-[12]|llama-prompt-guard-[12])-(?:22m|86m)$/, '$1')
  const family = /^qwen3guard(?:-gen)?(?:-(?:0\.6|4|8)b)?$/.test(name)
    ? 'qwen3guard-gen'
    : /^granite-guardian-(?:3\.0-[28]b|4\.1-8b)$/.test(name) || /^gpt-oss-safeguard-(?:20|120)b$/.test(name)
      ? name.replace(/-\d+b$/, '')
      : unsized
  return MODELS.find((model) => model === family || model === `llama-${family}`)
}
