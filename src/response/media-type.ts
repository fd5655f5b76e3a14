// Reads the content-type of a reply: media type, charset, and whether it is a stream.

/** The media type without its parameters, in lower case. */
export function mediaType(contentType: string): string {
  const end = contentType.indexOf(';')
  return (end === -1 ? contentType : contentType.slice(0, end)).trim().toLowerCase()
}

/**
 * The charsets that a content-type names. Of several, some clients take the first and some the last. `?` stands for
 * one whose form only some clients read, such as `charset*=''utf-16`.
 */
export function charsetsOf(contentType: string): readonly string[] {
  if (!contentType.includes('=')) return NONE
  const named = contentType.matchAll(/charset(?:\s{0,8}=\s{0,8}"?([\w.:-]*)"?\s{0,8}(?=[;,]|$))?/gi)
  return [...named].map(([, charset = '?']) => charset)
}
const NONE: readonly string[] = []

export function isSuccess(status: number): boolean {
  return status >= 200 && status < 300
}

const EVENT_STREAM = 'text/event-stream'
/** The media types under which JSON lines and JSON sequences (RFC 7464) are sent. */
const JSON_LINES =
  /^(?:application|text)\/(?:x-)?(?:ndjson|ldjson|jsonl|jsonlines|json-lines|json-seq|json-stream|stream\+json)$/

/** True for a reply that comes event by event. */
export function isStream(type: string): boolean {
  return type === EVENT_STREAM || JSON_LINES.test(type)
}

export function isJson(type: string): boolean {
  return /^(application|text)\/([\w.-]+\+)?json$/.test(type)
}
