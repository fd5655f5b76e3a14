// Turns the bytes of a body into a JSON value, in the one reading every server shares: strict UTF-8, strict JSON.
// Other charsets are refused, because a parser after us would read other words from the same bytes.
import { LlamaGuardError } from '../../errors.js'
import { duplicateKeys } from '../../utils/duplicate-keys.js'

/** What a body holds. `notJson` is the beginning of something else: a form, an upload. */
export type ReadBody =
  | { readonly kind: 'none' }
  | { readonly kind: 'value'; readonly value: unknown; readonly duplicates: ReadonlySet<string> }
  | { readonly kind: 'notJson'; readonly form: string | undefined }

export const NO_BODY: ReadBody = { kind: 'none' }
const NO_DUPLICATES: ReadonlySet<string> = new Set()
const WHITE = new Set([0x20, 0x09, 0x0a, 0x0d])
const WIDE = /^(?:utf|ucs|unicode|cp120)/i
const UTF8 = /^(?:utf-?8|us-ascii|ascii)$/i

export function valueBody(value: unknown): ReadBody {
  return { kind: 'value', value, duplicates: NO_DUPLICATES }
}

/**
 * True for `{` or `[` after white space and byte order mark; undefined while only those were seen. Throws 415
 * for UTF-16 and UTF-32.
 */
export function looksLikeJson(bytes: Uint8Array): boolean | undefined {
  refuseWideText(bytes)
  let at = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0
  if (at === 0 && bytes[0] === 0xef && bytes.length < 3) return undefined
  while (WHITE.has(bytes[at] ?? -1)) at += 1
  const first = bytes[at]
  return first === undefined ? undefined : first === 0x7b || first === 0x5b
}

/** Throws `unsupported_media_type` for a charset that spells JSON in other bytes than UTF-8. */
export function refuseCharset(contentType: string | undefined, jsonLike: boolean): void {
  // Every one of them: parsers disagree on which counts, and on escapes inside quotes.
  for (const [, named = ''] of (contentType ?? '')
    .replaceAll('\\', '')
    .matchAll(/;\s*charset\s*=\s*"?\s*([^\s";]*)/gi)) {
    if (named === '' || UTF8.test(named)) continue
    if (jsonLike || isJsonType(contentType) || WIDE.test(named))
      throw unsupported('The body is in a charset other than UTF-8; send UTF-8')
  }
}

export function isJsonType(contentType: string | undefined): boolean {
  return /^\s*(?:application|text)\/(?:[\w.+-]*\+)?json\b/i.test(contentType ?? '')
}

export function isFormType(contentType: string | undefined): boolean {
  return /^\s*application\/x-www-form-urlencoded\b/i.test(contentType ?? '')
}

/** Throws `invalid_json` for bytes that are not UTF-8 or not JSON. */
export function parseJson(bytes: Uint8Array | string): ReadBody {
  let text: string
  try {
    text =
      typeof bytes === 'string' ? bytes.replace(/^\uFEFF/, '') : new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new LlamaGuardError('invalid_json', 'The body is not valid UTF-8; send JSON in UTF-8.', { cause })
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // The parser's own message quotes the text, so it is no cause of ours.
    throw new LlamaGuardError('invalid_json', 'The body begins like JSON but is not valid JSON; send one JSON object.')
  }
  return { kind: 'value', value, duplicates: duplicateKeys(text, value) }
}

export function unsupported(what: string): LlamaGuardError {
  return new LlamaGuardError('unsupported_media_type', `${what}.`)
}

function refuseWideText(bytes: Uint8Array): void {
  const mark = (bytes[0] === 0xfe && bytes[1] === 0xff) || (bytes[0] === 0xff && bytes[1] === 0xfe)
  const json = [0x7b, 0x5b, 0x20, 0x09, 0x0a, 0x0d]
  const wideLow = bytes[1] === 0 && json.includes(bytes[0] ?? -1)
  const wideHigh =
    bytes[0] === 0 &&
    (json.includes(bytes[1] ?? -1) || (bytes[1] === 0 && (json.includes(bytes[3] ?? -1) || bytes[2] === 0xfe)))
  if (mark || wideLow || wideHigh) throw unsupported('The body is in UTF-16 or UTF-32; send UTF-8')
}
