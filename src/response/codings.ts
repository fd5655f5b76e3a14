// The codings under which a handler has written the bytes of a reply.
import type { ServerResponse } from 'node:http'

const HEADERS = ['content-encoding', 'transfer-encoding'] as const
/** Codings that leave the bytes as they are. Node itself writes the chunks of `chunked`. */
const PLAIN = new Set(['', 'identity', 'none', 'chunked'])
const NONE: readonly string[] = []

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
