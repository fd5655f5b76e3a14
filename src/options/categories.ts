// Reads the operator's categories from options or a JSON policy file. They are validated when the middleware is
// built, so that a typing error is an error and not a category that never blocks.
import { LlamaGuardError } from '../types/errors.js'
import { sameId } from '../policy.js'
import type { Category, CategoryAction } from '../types.js'
import { nearest } from './readers.js'

const ACTIONS: readonly CategoryAction[] = ['block', 'flag', 'ignore']
const ID = /^[A-Za-z][A-Za-z]?\d{1,3}$/
const LISTS = ['shouldNot', 'can', 'should'] as const
/** The type makes the compiler report a key of Category that is missing here. */
const KEYS: Record<keyof Category, true> = {
  id: true,
  name: true,
  description: true,
  shouldNot: true,
  can: true,
  should: true,
  action: true,
}

/**
 * Reads the option `categories`: a list, or the text of a policy, which the prompt parses itself. `path` names the
 * place in error messages, for example `categories` or `policy.json: categories`.
 * @throws LlamaGuardError `invalid_option`.
 */
export function readCategories(value: unknown, path: string): readonly Category[] | string {
  if (typeof value === 'string') {
    if (value.trim() === '') throw invalid(path, 'an empty text', 'the text of a policy, or a list of categories')
    return value
  }
  if (!Array.isArray(value))
    throw invalid(
      path,
      kindOf(value),
      'a list of categories such as [{ "id": "O1", "name": "Violence and Hate" }], or the text of a policy',
    )
  if (value.length === 0)
    throw invalid(path, 'an empty list', "at least one category; leave it out for the model's own")
  const categories = value.map((entry: unknown, index) => readCategory(entry, `${path}[${index}]`))
  categories.forEach(({ id }, index) => {
    const first = categories.findIndex((other) => sameId(other.id, id))
    if (first !== index)
      throw invalid(
        `${path}[${index}].id`,
        `${JSON.stringify(id)}, which ${path}[${first}] has already`,
        'an id of its own',
      )
  })
  return categories
}

function readCategory(value: unknown, path: string): Category {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid(path, kindOf(value), 'an object with `id` and `name`')
  const entry = value as Record<string, unknown>
  const known = Object.keys(KEYS)
  const unknown = Object.keys(entry).find((key) => !known.includes(key))
  if (unknown !== undefined)
    throw invalid(
      path,
      `the unknown key ${JSON.stringify(unknown)}`,
      `known keys only. Did you mean ${JSON.stringify(nearest(unknown, known))}?`,
    )
  const { id, name, description, action } = entry
  if (typeof id !== 'string' || !ID.test(id))
    throw invalid(`${path}.id`, shown(id), 'one or two letters and a number, such as "O3"')
  if (typeof name !== 'string' || name.trim() === '' || /[\r\n]/.test(name))
    throw invalid(`${path}.name`, shown(name), 'a short name on one line')
  if (description !== undefined && (typeof description !== 'string' || description.trim() === ''))
    throw invalid(`${path}.description`, shown(description), 'a text that is not empty')
  if (action !== undefined && !ACTIONS.some((known) => known === action))
    throw invalid(`${path}.action`, shown(action), `one of ${ACTIONS.join(', ')}`)
  for (const list of LISTS) readRules(entry[list], `${path}.${list}`)
  // Every key was checked above. The entry is copied, so that nobody can change the policy after it was read.
  return Object.freeze({ ...entry }) as unknown as Category
}

function readRules(value: unknown, path: string): void {
  if (value === undefined) return
  if (!Array.isArray(value)) throw invalid(path, shown(value), 'a list of sentences')
  const wrong = value.findIndex((rule: unknown) => typeof rule !== 'string' || rule.trim() === '')
  if (wrong !== -1) throw invalid(`${path}[${wrong}]`, shown(value[wrong]), 'a sentence')
}

function invalid(path: string, got: string, wanted: string): LlamaGuardError {
  return new LlamaGuardError('invalid_option', `\`${path}\` is ${got}; it wants ${wanted}`)
}

/** The given value, short enough for one line of a log. */
function shown(value: unknown): string {
  return value === undefined
    ? 'missing'
    : typeof value === 'string'
      ? JSON.stringify(value.slice(0, 60))
      : kindOf(value)
}

function kindOf(value: unknown): string {
  return value === null
    ? 'null'
    : value === undefined
      ? 'missing'
      : Array.isArray(value)
        ? 'a list'
        : `a value of type ${typeof value}`
}
