// Reads JSON. Of what a client has written, one pass over the text counts what it costs to parse and the names in it:
// it is refused before it is parsed when it costs far more than its length suggests. Names that an object has twice are
// found by their number, because JSON.parse keeps one of two. JSON of a reply is read as lenient clients do.
import { type LlamaGuardError, unreadableRequest } from '../types/errors.js'
import { parsedJson } from '../utils/json.js'

const MAX_DEPTH = 256
/** The most objects, lists and names, and the fewest characters for each in a longer text. A list has about 14. */
const MAX_PARTS = 200_000
const LEAST_CHARS = 5
const QUOTE = 0x22
const BACKSLASH = 0x5c

export interface ReadJson {
  readonly value: unknown
  /** True when an object names a key twice. Parsers disagree on which of the two counts. */
  readonly repeats: boolean
}

/**
 * Undefined for text that is no JSON.
 * @throws LlamaGuardError `unreadable_request` for JSON that costs too much.
 */
export function readJson(text: string): ReadJson | undefined {
  const names = scan(text)
  const parsed = parsedJson(text)
  return parsed && { value: parsed.value, repeats: names > 0 && names !== namesIn(parsed.value) }
}

/** The values of JSON lines or a JSON text sequence. Undefined when a line is no JSON, or there is only one. */
export function readLines(text: string): ReadJson | undefined {
  const lines = text
    .split('\n')
    .map(trimmed)
    .filter((line) => line !== '')
  const values: unknown[] = []
  let repeats = false
  for (const line of lines) {
    const read = lines.length > 1 ? readJson(line) : undefined
    if (read === undefined) return undefined
    values.push(read.value)
    repeats ||= read.repeats
  }
  return values.length === 0 ? undefined : { value: values, repeats }
}

/** The text without the blanks, marks and control characters around it that handlers strip before they parse. */
export function trimmed(text: string): string {
  const isBlank = (at: number): boolean => /[\s\p{Cc}\uFEFF\uFFFD]/u.test(text[at]!)
  let start = 0
  let end = text.length
  while (start < end && isBlank(start)) start += 1
  while (end > start && isBlank(end - 1)) end -= 1
  return text.slice(start, end)
}

/** A string, to its end or to that of the text; or a number of Python's `json`, which JSON has not. */
const STRING_OR_NUMBER = /"(?:[^"\\]|\\[^])*"?|-?(?:NaN|Infinity)/g

/**
 * The value of a JSON text as lenient clients read it: many trim white space that is none to JSON, such as a byte order
 * mark, and Python's `json` takes and writes NaN and Infinity. Undefined when no client reads it as JSON.
 */
export function parseLoosely(text: string): { readonly value: unknown } | undefined {
  const parsed = parsedJson(text) ?? parsedJson(text.trim())
  const plain = parsed === undefined ? withPlainNumbers(text.trim()) : undefined
  return plain === undefined ? parsed : parsedJson(plain)
}

/** The text with null in place of NaN and Infinity. Undefined when it has none. */
export function withPlainNumbers(text: string): string | undefined {
  if (!/NaN|Infinity/.test(text)) return undefined
  return text.replace(STRING_OR_NUMBER, (found) => (found.startsWith('"') ? found : 'null'))
}

/** True when an object in this JSON text names a key twice. `value`: what the parser made of it. */
export function namesTwice(text: string, value: unknown): boolean {
  let names = 0
  for (let at = text.indexOf('"'); at !== -1; at = text.indexOf('"', at + 1)) {
    at = closingQuote(text, at)
    if (isName(text, at)) names += 1
  }
  return names !== namesIn(value)
}

/** Returns the number of names. Text that is no JSON may be refused or not. */
function scan(text: string): number {
  let depth = 0
  let parts = 0
  let names = 0
  const most = Math.max(MAX_PARTS, Math.ceil(text.length / LEAST_CHARS))
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) {
      at = closingQuote(text, at)
      if (!isName(text, at)) continue
      names += 1
      parts += 1
    } else if (code === 0x5b || code === 0x7b) {
      depth += 1
      parts += 1
      if (depth > MAX_DEPTH) throw costly(`is nested deeper than ${MAX_DEPTH} levels`)
    } else if (code === 0x5d || code === 0x7d) depth -= 1
    if (parts > most) throw costly(`holds more than ${most} objects, lists and names`)
  }
  return names
}

/** True when a colon follows a closing quote. */
function isName(text: string, closingQuote: number): boolean {
  let at = closingQuote + 1
  while (text.charCodeAt(at) <= 0x20) at += 1
  return text.charCodeAt(at) === 0x3a
}

function closingQuote(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let slashes = 0
    while (text.charCodeAt(at - 1 - slashes) === BACKSLASH) slashes += 1
    if (slashes % 2 === 0) return at
  }
  return text.length
}

/** The number of names in a value. An explicit stack, because the sender chooses the nesting. */
function namesIn(value: unknown): number {
  let count = 0
  const pending: unknown[] = [value]
  for (let next = pending.pop(); pending.length > 0 || next !== undefined; next = pending.pop()) {
    if (typeof next !== 'object' || next === null) continue
    const inner: unknown[] = Array.isArray(next) ? next : Object.values(next)
    if (!Array.isArray(next)) count += inner.length
    for (const child of inner) if (typeof child === 'object' && child !== null) pending.push(child)
  }
  return count
}

function costly(what: string): LlamaGuardError {
  return unreadableRequest(`The body ${what}; send a flatter or a smaller one.`)
}
