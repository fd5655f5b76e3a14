// Turns the bytes of a body into a JSON value, in the one reading every server shares: strict UTF-8, strict JSON.
import { LlamaGuardError } from '../../errors.js'
import { duplicateKeys, withEveryKey } from '../../utils/duplicate-keys.js'
import { refuseCostly } from './json-cost.js'
import { looksLikeJson, trimmed } from './json-start.js'
import { isFormType, isMultipartType, isTextType, refuseCharset } from './media-type.js'

/** What a body holds. */
export type ReadBody =
  | { readonly kind: 'none' }
  /** It was announced, and another middleware has consumed it without leaving it where we could see it. */
  | { readonly kind: 'unseen' }
  | JsonBody
  /** Several JSON values, a line each. */
  | { readonly kind: 'lines'; readonly value: readonly unknown[] }
  | FormBody
  /** Plain text, whole. Only where the words of any body are wanted. */
  | { readonly kind: 'text'; readonly text: string }
  /** Anything else. It has been read no further than its first characters. */
  | { readonly kind: 'other' }

export interface JsonBody {
  readonly kind: 'json'
  readonly value: unknown
  /** Keys named twice in one object. */
  readonly duplicates: ReadonlySet<string>
  /** The value with all that such keys name, of which `value` has the last; undefined when there are none. */
  readonly everyKey?: unknown
}

/** A form that nobody has parsed; an upload, or the beginning of a long one. */
export interface FormBody {
  readonly kind: 'form' | 'multipart'
  readonly text: string
  /** What somebody has set on `req.body` without reading the form. */
  readonly left?: unknown
}

export const NO_BODY: ReadBody = { kind: 'none' }
const OTHER: ReadBody = { kind: 'other' }
const WHITE = new Set([0x09, 0x0a, 0x0d])
const NO_DUPLICATES: ReadonlySet<string> = new Set()

export function valueBody(value: unknown): JsonBody {
  return { kind: 'json', value, duplicates: NO_DUPLICATES }
}

/**
 * A whole body, or as much of it as its kind takes to be told. Throws `invalid_json` for bytes that begin like
 * JSON and are not UTF-8 or not JSON, and 415 for a charset other than UTF-8.
 */
export function parseBody(bytes: Uint8Array, contentType: string | undefined, wantsText = false): ReadBody {
  const jsonLike = looksLikeJson(bytes)
  if (jsonLike === undefined) return NO_BODY
  const form = isFormType(contentType)
  const multipart = isMultipartType(contentType)
  if (jsonLike) {
    refuseCharset(contentType, true)
    const read = parseJson(bytes, !form && !multipart)
    if (read !== undefined) return read
  }
  const text = (): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8')
  if (form || multipart) return { kind: form ? 'form' : 'multipart', text: text() }
  return wantsText && isTextType(contentType) ? { kind: 'text', text: text() } : OTHER
}

/** Undefined for what only looks like JSON at first. `must`: what does is JSON, or an error. */
function parseJson(bytes: Uint8Array, must: boolean): ReadBody | undefined {
  // A quote begins prose and tables more often than JSON, and control characters begin binary data.
  const likely = must && bytes[0] !== 0x22 && (bytes[0]! >= 0x20 || WHITE.has(bytes[0]!))
  let text: string
  try {
    text = trimmed(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    if (!likely) return undefined
    throw new LlamaGuardError('invalid_json', 'The body is not valid UTF-8; send JSON in UTF-8.', { cause })
  }
  refuseCostly(text)
  const parsed = tryParse(text)
  if (parsed === undefined) {
    const lines = tryParseLines(text)
    if (lines !== undefined) return { kind: 'lines', value: lines }
    if (!likely) return undefined
    throw invalidJson()
  }
  const duplicates = duplicateKeys(text, parsed.value)
  if (duplicates.size === 0) return valueBody(parsed.value)
  return { kind: 'json', value: parsed.value, duplicates, everyKey: withEveryKey(text) }
}

export function invalidJson(): LlamaGuardError {
  return new LlamaGuardError('invalid_json', 'The body is not valid JSON; send one JSON object.')
}

/** Undefined for what is not JSON. The parser's own error quotes the text, so nobody is shown it. */
export function tryParse(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown }
  } catch {
    return undefined
  }
}

/** The values of NDJSON or of a JSON text sequence; undefined when a line is not JSON, or when there is but one. */
export function tryParseLines(text: string): readonly unknown[] | undefined {
  const values: unknown[] = []
  for (const line of text.split('\n')) {
    const json = trimmed(line)
    if (json === '') continue
    const parsed = tryParse(json)
    if (parsed === undefined) return undefined
    values.push(parsed.value)
  }
  return values.length > 1 ? values : undefined
}
