// Reads a form as text: every name and every value of its fields. Some parsers read a form that is JSON as a whole as
// that.
import { readJson } from '../wire/json.js'

/** The fields, and the value of the form as JSON where it is that too. */
export function formValue(text: string): unknown {
  const fields = formFields(text)
  const json = /^\s*[[{"]/.test(text) ? readJson(text.trim()) : undefined
  return json === undefined ? fields : [json.value, fields]
}

/** All values of each field, so that a field that is named twice has both. */
export function formFields(form: string): Record<string, unknown> {
  const fields: Record<string, unknown> = Object.create(null) as Record<string, unknown>
  for (const [name, text] of new URLSearchParams(form)) {
    const known = fields[name]
    fields[name] = known === undefined ? text : [...(Array.isArray(known) ? (known as unknown[]) : [known]), text]
  }
  return fields
}

/** True for the names of a form's fields that spell messages, in a notation for nesting: `messages[0][role]`. */
export function spellsChat(names: readonly string[]): boolean {
  const last = (name: string): string =>
    name
      .toLowerCase()
      .split(/[[\].]/)
      .findLast((part) => part !== '') ?? ''
  const nested = names.filter((name) => /[[.]/.test(name)).map(last)
  return (
    nested.some((name) => name === 'role' || name === 'author') &&
    nested.some((name) => /^(?:content|parts|text)$/.test(name))
  )
}
