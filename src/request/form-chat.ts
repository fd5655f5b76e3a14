// Finds a chat in a form or an upload that nobody has parsed: in the names of its fields, in every notation for
// nesting that parsers know, and in values that are JSON.
import { LlamaGuardError } from '../errors.js'
import { trimmed } from './body/json-start.js'
import { SPEAKING, WORDS } from './message-shape.js'
import { nestedChat } from './nested-chat.js'

/** Common parsers stop at a thousand fields. */
const MAX_FIELDS = 10_000
/** The longest field name that is read. No parser follows nesting behind that many characters. */
const MAX_NAME = 1000

/** True when a form holds a chat, as URLSearchParams, querystring or qs would read it. */
export function formHoldsChat(text: string): boolean {
  const names = new FieldNames()
  const values: string[] = []
  const add = (pair: string): boolean => {
    const at = pair.indexOf('=')
    const name = decoded(at === -1 ? pair : pair.slice(0, at))
    values.push(name, decoded(pair.slice(at + 1)))
    return names.add(name)
  }
  // Some parsers accept a semicolon as a separator.
  for (const delimiter of text.includes(';') ? ['&', /[&;]/] : ['&'])
    if (bounded(text.split(delimiter, MAX_FIELDS + 1)).some(add)) return true
  return holdChat(values)
}

/** True when field names form a chat: `messages`, or a speaker and words in one item of a list. */
export function namesSpellChat(list: readonly string[]): boolean {
  const names = new FieldNames()
  return list.some((name) => names.add(name))
}

/** True when an upload, or the part of it that has been read, holds a chat. */
export function uploadHoldsChat(text: string, contentType: string | undefined): boolean {
  const boundaries = [...(contentType ?? '').matchAll(/;\s*boundary\s*=\s*"?([^";]+)/gi)].map(([, name = '']) => name)
  // Parsers disagree on which of two boundary parameters counts, and some take the boundary from the first line.
  const separators = [boundaries[0], boundaries.at(-1), /^--(.+)$/m.exec(text.slice(0, MAX_NAME))?.[1]]
  return [...new Set(separators)].some(
    (name) => name !== undefined && partsHoldChat(bounded(text.split(`--${name.trim()}`, MAX_FIELDS + 1))),
  )
}

function partsHoldChat(parts: readonly string[]): boolean {
  const names = new FieldNames()
  const values: string[] = []
  for (const part of parts) {
    const end = /\r?\n\r?\n/.exec(part)
    const head = end === null ? part : part.slice(0, end.index)
    for (const [, name = ''] of head.matchAll(/\bname\*?\s*=([^;\r\n]*)/gi))
      if (names.add(decoded(name.replace(/^\s*utf-8'[^']{0,20}'/i, '').replace(/["\\]/g, '')))) return true
    if (end !== null) values.push(part.slice(end.index))
  }
  return holdChat(values)
}

/** Reads the names of the fields of one form. */
class FieldNames {
  readonly #speaking = new Set<string>()
  readonly #saying = new Set<string>()

  /** True as soon as the names so far form a chat. */
  add(name: string): boolean {
    // Splits `messages[0][content]`, `messages.0.content` and `[messages][][content]`.
    const segments = name
      .slice(0, MAX_NAME)
      .toLowerCase()
      .replaceAll('[]', '[0]')
      .split(/[[\].\s\p{Cc}\uFEFF]/u)
      .filter((segment) => segment !== '')
    if (segments.includes('messages')) return true
    const at = segments.findIndex((segment) => SPEAKING.has(segment) || WORDS.has(segment))
    if (at < 1 || !/^\d+$/.test(segments[at - 1]!)) return false
    const item = segments.slice(0, at).join('.')
    if (SPEAKING.has(segments[at]!)) this.#speaking.add(item)
    else this.#saying.add(item)
    return this.#speaking.has(item) && this.#saying.has(item)
  }
}

/** @throws LlamaGuardError `unreadable_request` for more fields than any client sends. */
function bounded(fields: readonly string[]): readonly string[] {
  if (fields.length > MAX_FIELDS)
    throw new LlamaGuardError('unreadable_request', `The form has more than ${MAX_FIELDS} fields; send fewer, or JSON.`)
  return fields
}

function holdChat(values: readonly string[]): boolean {
  const texts = values.map(trimmed).filter((value) => /^[[{"]/.test(value))
  return texts.length > 0 && nestedChat(texts) !== undefined
}

/** Undoes form encoding. A bad escape stays as it is, as parsers leave it. */
function decoded(text: string): string {
  if (!/[%+]/.test(text)) return text
  const spaced = text.replaceAll('+', ' ')
  try {
    return decodeURIComponent(spaced)
  } catch {
    return spaced.replace(/(?:%[0-7][0-9a-f])+/gi, decodeURIComponent)
  }
}
