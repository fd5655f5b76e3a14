// Undoes the content codings of a whole reply.
import { promisify } from 'node:util'
import * as zlib from 'node:zlib'
import { LlamaGuardError, unreadableResponse } from '../../types/errors.js'

type Decoder = (bytes: Uint8Array, options: { maxOutputLength: number }) => Promise<Buffer>

const gunzip = promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.gunzip)
const DECODERS: Readonly<Record<string, Decoder | undefined>> = {
  gzip: gunzip,
  'x-gzip': gunzip,
  deflate: promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.inflate),
  br: promisify<Uint8Array, zlib.BrotliOptions, Buffer>(zlib.brotliDecompress),
}

/** True for codings that can be undone. */
export function isKnownCoding(coding: string): boolean {
  return Object.hasOwn(DECODERS, coding)
}

/**
 * Undoes the codings of a body, the last one first.
 * @throws LlamaGuardError `unreadable_response` for an unknown coding or bytes that do not fit it, `reply_too_large`
 * when the decoded body exceeds `maxBytes`.
 */
export async function decodeBody(bytes: Buffer, codings: readonly string[], maxBytes: number): Promise<Buffer> {
  if (codings.length > 3) throw unreadable('more than three content codings')
  let decoded = bytes
  for (const coding of [...codings].reverse()) {
    const decoder = DECODERS[coding]
    if (decoder === undefined) throw unreadable('a content coding this Node cannot undo')
    try {
      decoded = await decoder(decoded, { maxOutputLength: maxBytes })
    } catch (cause) {
      const code = (cause as NodeJS.ErrnoException).code
      if (code === 'ERR_BUFFER_TOO_LARGE')
        throw new LlamaGuardError(
          'reply_too_large',
          'The decompressed reply is larger than maxReplyBytes. Raise it, or ask the model for less.',
          { cause },
        )
      throw unreadable('a body that does not fit its content-encoding', cause)
    }
  }
  return decoded
}

/** The error of a reply that cannot be judged. */
export function unreadable(what: string, cause?: unknown): LlamaGuardError {
  return unreadableResponse(
    `The reply has ${what}, so it cannot be judged. Send JSON, text or an event stream in UTF-8, ` +
      'plain or as gzip, br or deflate.',
    { cause },
  )
}
