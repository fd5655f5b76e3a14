// Reads the content-type of a request: its one type, and its charset.
import type { IncomingMessage } from 'node:http'
import { LlamaGuardError } from '../../errors.js'

export interface MediaType {
  /** `other`: any other type, or none. */
  readonly kind: 'json' | 'form' | 'multipart' | 'other'
  readonly charset: string
  readonly boundary?: string | undefined
  /** Two types, or two charsets: parsers disagree on which one counts. */
  readonly fault?: LlamaGuardError
}

const CHARSET = /;\s*charset\s*=\s*"?([^\s";]*)/gi

export function mediaTypeOf({
  headers,
  rawHeaders = [],
}: Pick<IncomingMessage, 'headers'> & { readonly rawHeaders?: readonly string[] }): MediaType {
  const type = headers['content-type'] ?? ''
  const charsets = [...type.replaceAll('\\', '').matchAll(CHARSET)].map(([, name = '']) => name.toLowerCase())
  const named = rawHeaders.filter((name, at) => at % 2 === 0 && name.toLowerCase() === 'content-type').length
  const several = named > 1 || type.replace(/"[^"]*"/g, '').includes(',') || new Set(charsets).size > 1
  return {
    kind: kindOf(type),
    charset: charsets[0] || 'utf-8',
    boundary: /;\s*boundary\s*=\s*"?([^";]+)/i.exec(type)?.[1]?.trim(),
    ...(several && { fault: unsupported('The request names two content-types or charsets; name one') }),
  }
}

function kindOf(type: string): MediaType['kind'] {
  if (/^\s*(?:application|text)\/(?:[\w.+-]*\+)?json\s*(?:;|,|$)/i.test(type)) return 'json'
  if (/^\s*application\/x-www-form-urlencoded\b/i.test(type)) return 'form'
  return /^\s*multipart\//i.test(type) ? 'multipart' : 'other'
}

export function unsupported(what: string): LlamaGuardError {
  return new LlamaGuardError('unsupported_media_type', `${what}.`)
}
