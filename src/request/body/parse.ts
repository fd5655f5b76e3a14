// Parses the bytes of a body into a value in the reading that all servers share: strict UTF-8, strict JSON.
import { isUtf8 } from 'node:buffer'
import { LlamaGuardError } from '../../errors.js'
import { duplicateKeys, withEveryKey } from '../../utils/duplicate-keys.js'
import { refuseCostly } from './json-cost.js'
import { looksLikeJson, trimmed } from './json-start.js'
import { isFormType, isMultipartType, isTextType, refuseCharset, unsupported } from './media-type.js'
import type { Upload } from './uploads.js'

/** The content of a body. */
export type ReadBody =
  | { readonly kind: 'none' }
  /** A body was announced, and another middleware has read it without leaving it on the request. */
  | { readonly kind: 'unseen' }
  | JsonBody
  /** Several JSON values, one a line. */
  | { readonly kind: 'lines'; readonly value: readonly unknown[]; readonly duplicates: ReadonlySet<string> }
  | FormBody
  /** The whole plain text. Only where the words of any body are wanted. */
  | { readonly kind: 'text'; readonly text: string }
  /** Any other content. Only its first characters have been read. */
  | { readonly kind: 'other'; readonly left?: unknown }

export interface JsonBody {
  readonly kind: 'json'
  readonly value: unknown
  /** Keys that an object names twice. */
  readonly duplicates: ReadonlySet<string>
  /**
   * The value with every occurrence of these keys; `value` has only the last. Undefined when there are no duplicates.
   */
  readonly everyKey?: unknown
  /** Files that came beside the value. */
  readonly files?: readonly Upload[]
}

/** A form that nobody has parsed: a whole form, a whole upload, or the beginning of a long upload. */
export interface FormBody {
  readonly kind: 'form' | 'multipart'
  readonly text: string
  /** The value that another middleware has set on `req.body` without reading the form. */
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
 * `bytes` is a whole body, or as much of it as its kind needs.
 * @throws LlamaGuardError `invalid_json` for bytes that begin like JSON and are not UTF-8 or not JSON, 415 for a
 * charset other than UTF-8.
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
  if (!wantsText || !isTextType(contentType)) return OTHER
  // With a NUL it is rather UTF-16.
  if (!isUtf8(bytes) || bytes.includes(0)) throw unsupported('The text is not UTF-8; send UTF-8')
  return { kind: 'text', text: text() }
}

/** Undefined for text that only begins like JSON. With `must` such text is an error. */
function parseJson(bytes: Uint8Array, must: boolean): ReadBody | undefined {
  // A quote begins prose and tables more often than JSON, and a control character begins binary data.
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
    if (lines !== undefined) return { kind: 'lines', value: lines.values, duplicates: lines.duplicates }
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

/** Undefined for text that is not JSON. The error of the parser is dropped, because it quotes the text. */
export function tryParse(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown }
  } catch {
    return undefined
  }
}

interface Lines {
  readonly values: readonly unknown[]
  /** Keys that an object in them names twice. */
  readonly duplicates: ReadonlySet<string>
}

/**
 * The values of NDJSON or of a JSON text sequence. Undefined when a line is not JSON, or when there is only one
 * value.
 */
export function tryParseLines(text: string): Lines | undefined {
  const values: unknown[] = []
  const duplicates = new Set<string>()
  for (const line of text.split('\n')) {
    const json = trimmed(line)
    if (json === '') continue
    const parsed = tryParse(json)
    if (parsed === undefined) return undefined
    values.push(parsed.value)
    for (const key of duplicateKeys(json, parsed.value)) duplicates.add(key)
  }
  return values.length > 1 ? { values, duplicates } : undefined
}
