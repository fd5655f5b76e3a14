// Recognises media in a reply, which no guard here can read.

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
