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
  parent: Record<string, unknown> | undefined,
  parentKey: string,
  text: string,
): boolean {
  if (MEDIA_KEYS.has(key) || looksLikeMedia(text)) return true
  if (key === 'data')
    return (
      parentKey === 'audio' ||
      parentKey === 'inline_data' ||
      parentKey === 'inlineData' ||
      parent?.type === 'base64' ||
      // A part of the Model Context Protocol.
      ((parent?.type === 'image' || parent?.type === 'audio') && typeof parent.mimeType === 'string')
    )
  return key === 'result' && parent?.type === 'image_generation_call'
}
