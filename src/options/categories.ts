// Reads what a policy says of categories. A typing error is an error, and not a category that never blocks.
import { sameId } from '../policy.js'
import type { Category, CategoryAction } from '../types.js'
import { isObject } from '../utils/json.js'
import { fail, fieldsOf, oneOf, type Reader, type Readers, text } from './readers.js'

const action = oneOf<CategoryAction>(['block', 'flag', 'ignore'])
const CATEGORY: Readers<Category> = {
  id: matching(/^[A-Za-z][A-Za-z]?\d{1,3}$/, 'one or two letters and a number, such as "O3"'),
  name: matching(/^[^\r\n]+$/, 'a short name on one line'),
  description: text,
  shouldNot: sentences,
  can: sentences,
  should: sentences,
  action,
}

/** Reads a list of categories, or the text of a policy, which the prompt parses itself. */
export function readCategories(value: unknown, name: string): readonly Category[] | string {
  if (typeof value === 'string') return text(value, name)
  if (!Array.isArray(value) || value.length === 0)
    throw fail(
      name,
      value,
      'a list of categories such as [{ "id": "O1", "name": "Violence" }], or the text of a policy',
    )
  const categories = value.map((entry: unknown, index) => {
    if (!isObject(entry)) throw fail(`${name}[${index}]`, entry, 'an object with `id` and `name`')
    return Object.freeze(fieldsOf<Category>(entry, CATEGORY, `${name}[${index}]`, ['id', 'name']))
  })
  categories.forEach(({ id }, index) => {
    const first = categories.findIndex((other) => sameId(other.id, id))
    if (first !== index)
      throw fail(`${name}[${index}].id`, id, `an id of its own, and ${name}[${first}] has it already`)
  })
  return categories
}

export function readActions(value: unknown, name: string): Readonly<Record<string, CategoryAction>> {
  if (isObject(value)) return byKey(value, name, action)
  throw fail(name, value, 'an object by category id')
}

/** Reads each value of an object whose keys are free. */
export function byKey<T>(value: object, name: string, read: Reader<T>): Record<string, T> {
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, read(inner, `${name}.${key}`)]))
}

function matching(pattern: RegExp, wanted: string): Reader<string> {
  return (value, name) => {
    if (typeof value === 'string' && value.trim() !== '' && pattern.test(value)) return value
    throw fail(name, value, wanted)
  }
}

function sentences(value: unknown, name: string): readonly string[] {
  if (!Array.isArray(value)) throw fail(name, value, 'a list of sentences')
  return value.map((rule, index) => text(rule, `${name}[${index}]`))
}
