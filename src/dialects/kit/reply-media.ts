// Recognises media in a reply, which no guard here can read, and text in base64, which it can.
import { Buffer, isUtf8 } from 'node:buffer'

const MEDIA_KEYS = new Set(['b64_json', 'partial_image_b64'])
const MEDIA_URL = /^\s*data:(?!text\/)[^,]{0,200};\s*base64\s*,/i

/** True for inline media. */
export function looksLikeMedia(text: string): boolean {
  return MEDIA_URL.test(text)
}

/** True for a string that is media, by its own beginning or by the fields that it stands in. */
export function isMedia(
  key: string,
  parent: object | undefined,
  path: readonly (string | number)[],
  text: string,
): boolean {
  if (MEDIA_KEYS.has(key) || looksLikeMedia(text)) return true
  if (key !== 'data' && key !== 'result') return false
  const { type, mimeType } = (parent ?? {}) as Readonly<Record<string, unknown>>
  if (key === 'result') return type === 'image_generation_call'
  const holder = path.slice(0, -1).findLast((name) => typeof name === 'string')
  return (
    holder === 'audio' ||
    holder === 'inline_data' ||
    holder === 'inlineData' ||
    type === 'base64' ||
    // A part of the Model Context Protocol.
    ((type === 'image' || type === 'audio') && typeof mimeType === 'string')
  )
}

const BASE64 = /^[\w+/=\s-]{8,}$/
/** A shorter text may be base64 by chance. */
const SHORT = 64

/** True for a field that holds base64: of a resource, of an event within an event. */
export function isBytes(key: string, text: string): boolean {
  return (key === 'bytes' || key === 'blob') && BASE64.test(text)
}

/** What such a field says, and the base64 itself where a client may show it as it came. Undefined for no text. */
export function wordsOfBytes(text: string): readonly string[] | undefined {
  const bytes = Buffer.from(text, 'base64')
  if (!isUtf8(bytes) || bytes.includes(0)) return undefined
  const whole = text.length >= SHORT && bytes.toString('base64').length + 2 >= text.length
  return whole ? [bytes.toString()] : [bytes.toString(), text]
}
