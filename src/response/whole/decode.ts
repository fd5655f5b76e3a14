// Undoes content codings and charsets on a copy of the body, so that the guard judges what a client would read. The
// decoded size is bounded.
import { promisify } from 'node:util'
import * as zlib from 'node:zlib'
import { Decompress } from 'fzstd'
import { LlamaGuardError } from '../../errors.js'
import { markedOrder } from '../byte-order-mark.js'
import { charsetsOf } from '../media-type.js'

type Decoder = (bytes: Uint8Array, options: { maxOutputLength: number }) => Promise<Buffer> | Buffer

const DECODERS: Readonly<Record<string, Decoder | undefined>> = {
  gzip: toItsEnd(zlib.gunzip),
  'x-gzip': toItsEnd(zlib.gunzip),
  deflate: inflateEither,
  br: toItsEnd(zlib.brotliDecompress),
  // Not Node's own zstd: it stops after the first frame, which clients do not, and some versions accept half a frame
  // as a whole one.
  zstd: unzstd,
}

const inflate = toItsEnd(zlib.inflate)
const inflateRaw = toItsEnd(zlib.inflateRaw)

/** Throws when bytes follow the end of the coded data. Node leaves them unread, so they would leave unjudged. */
function toItsEnd(
  decode: (bytes: Uint8Array, options: zlib.ZlibOptions, done: (error: Error | null, decoded: Buffer) => void) => void,
): Decoder {
  return async (bytes, options) => {
    // With `info`, Node returns the engine beside the bytes. Its types do not say so.
    const { buffer, engine } = (await promisify(decode)(bytes, { ...options, info: true })) as unknown as {
      buffer: Buffer
      engine: { readonly bytesWritten: number }
    }
    if (engine.bytesWritten !== bytes.length) throw new TypeError('bytes follow the end of the coded data')
    return buffer
  }
}

/** RFC 9110 defines "deflate" as zlib, but many servers send raw deflate, and clients read both. */
async function inflateEither(bytes: Uint8Array, options: { maxOutputLength: number }): Promise<Buffer> {
  try {
    return await inflate(bytes, options)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw error
    return await inflateRaw(bytes, options)
  }
}

function unzstd(bytes: Uint8Array, { maxOutputLength }: { maxOutputLength: number }): Buffer {
  const chunks: Uint8Array[] = []
  let length = 0
  let done = false
  new Decompress((chunk, final) => {
    length += chunk.length
    if (length > maxOutputLength)
      throw Object.assign(new RangeError('zstd output too large'), { code: 'ERR_BUFFER_TOO_LARGE' })
    chunks.push(chunk)
    done ||= final === true
  }).push(bytes, true)
  if (!done) throw new TypeError('zstd frame is cut short')
  return Buffer.concat(chunks)
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

// Shared by all replies, because most are UTF-8 and a decoder without `stream` keeps nothing from one call to the
// next.
const UTF8 = new TextDecoder('utf-8', { fatal: true })

/**
 * The texts of a body, each once: in the charsets of its content-type, UTF-8 by default, and in the UTF-16 of its
 * first bytes.
 * @throws LlamaGuardError `unreadable_response` for a charset or bytes that cannot be decoded.
 */
export function decodeTexts(bytes: Buffer, contentType: string): readonly string[] {
  const charsets = charsetsOf(contentType)
  try {
    if (charsets.every(isUtf8)) return [UTF8.decode(bytes)]
    const decoders = charsets.map((charset) => (isUtf8(charset) ? UTF8 : new TextDecoder(charset, { fatal: true })))
    const order = markedOrder(bytes) ?? (charsets.some(isWithoutOrder) ? 'utf-16be' : undefined)
    if (order !== undefined) decoders.push(new TextDecoder(order))
    return [...new Set(decoders.map((decoder) => decoder.decode(bytes)))]
  } catch (cause) {
    throw unreadable('bytes that are no text in their charset', cause)
  }
}

/** True for UTF-16 of either order. TextDecoder takes the little one, and Java the big one. */
const isWithoutOrder = (charset: string): boolean => /^(?:utf-16|(?:cs)?unicode|(?:iso-10646-)?ucs-2)$/i.test(charset)

/**
 * The text that a client reads who takes every body for UTF-8, as fetch() and EventSource do. Undefined when the
 * content-type says UTF-8 too.
 */
export function readAsUtf8(bytes: Buffer, contentType: string): string | undefined {
  return charsetsOf(contentType).every(isUtf8) ? undefined : new TextDecoder().decode(bytes)
}

const isUtf8 = (charset: string): boolean => /^(?:utf-?8)?$/i.test(charset)

function unreadable(what: string, cause?: unknown): LlamaGuardError {
  return new LlamaGuardError(
    'unreadable_response',
    `The reply has ${what}, so it cannot be judged. Send JSON, text or an event stream in UTF-8, ` +
      'plain or as gzip, br, deflate or zstd.',
    { cause },
  )
}
