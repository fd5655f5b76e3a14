// Reads what the head of a reply says of its body: media type, charset, codings, and whether it is a stream.
import type { ServerResponse } from 'node:http'
import type { Framing } from '../dialects/dialect.js'
import type { Label } from '../wire/framer.js'

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

const HEADERS = ['content-encoding', 'transfer-encoding'] as const
/** Codings that leave the bytes as they are. Node itself writes the chunks of `chunked`. */
const PLAIN = new Set(['', 'identity', 'none', 'chunked'])

/** The codings in the order in which they were applied. Some clients undo those of `transfer-encoding` too. */
export function codingsOf(res: Pick<ServerResponse, 'getHeader'>): readonly string[] {
  if (HEADERS.every((name) => res.getHeader(name) === undefined)) return NONE
  return HEADERS.flatMap((name) => {
    const value = res.getHeader(name)
    return value === undefined ? [] : String(value).toLowerCase().split(',')
  })
    .map((coding) => coding.trim())
    .filter((coding) => !PLAIN.has(coding))
}

/** Undefined for a reply that must be held as a whole. `framing`: how the API streams. */
export function labelOf(type: string, framing?: Framing): Label | undefined {
  if (type === 'text/event-stream') return 'events'
  if (isStream(type)) return 'lines'
  if (framing === 'json-lines' && isJson(type)) return 'lines'
  if (framing === 'json-array' && isJson(type)) return 'array'
  return type === '' || (type.startsWith('text/') && !isJson(type)) ? 'text' : undefined
}
