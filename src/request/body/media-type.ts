// Reads the content-type of a request: JSON, a form, an upload, and its charset. Charsets other than UTF-8 are
// refused, because another parser would read other words from the same bytes.
import { LlamaGuardError } from '../../errors.js'

const WIDE = /^(?:utf|ucs|unicode|cp120)/i
const UTF8 = /^(?:utf-?8|us-ascii|ascii)$/i

/** @throws LlamaGuardError `unsupported_media_type` for a charset that encodes JSON in other bytes than UTF-8. */
export function refuseCharset(contentType: string | undefined, jsonLike: boolean): void {
  // All charset parameters are checked, because parsers disagree on which one counts and on escapes inside quotes.
  for (const [, named = ''] of (contentType ?? '')
    .replaceAll('\\', '')
    .matchAll(/;\s*charset\s*=\s*"?\s*([^\s";]*)/gi)) {
    if (named === '' || UTF8.test(named)) continue
    if (jsonLike || isJsonType(contentType) || WIDE.test(named))
      throw unsupported('The body is in a charset other than UTF-8; send UTF-8')
  }
}

/** @throws LlamaGuardError `unsupported_media_type` for a text or form, all of whose words are wanted. */
export function refuseCharsetOfWords(contentType: string | undefined): void {
  if (isTextType(contentType) || isFormType(contentType)) refuseCharset(contentType, true)
}

export function isJsonType(contentType: string | undefined): boolean {
  return /^\s*(?:application|text)\/(?:[\w.+-]*\+)?json\b/i.test(contentType ?? '')
}

export function isFormType(contentType: string | undefined): boolean {
  return /^\s*application\/x-www-form-urlencoded\b/i.test(contentType ?? '')
}

/** True for text that a person may have written. A body without a content type counts as text. */
export function isTextType(contentType: string | undefined): boolean {
  // A JSON body may be a single text.
  return (
    contentType === undefined ||
    isJsonType(contentType) ||
    /^\s*(?:text\/|application\/(?:xml|graphql|yaml)\b)/i.test(contentType)
  )
}

export function isMultipartType(contentType: string | undefined): boolean {
  return /^\s*multipart\//i.test(contentType ?? '')
}

export function unsupported(what: string): LlamaGuardError {
  return new LlamaGuardError('unsupported_media_type', `${what}.`)
}
