// Undoes the content-encoding of a body in the one reading that all decoders share: one stream that fills the body,
// with no name, comment or second stream beside it. zstd is not read, because Node reads only its first frame.
import type { Buffer } from 'node:buffer'
import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync } from 'node:zlib'
import { LlamaGuardError } from '../../types/errors.js'
import { isObject } from '../../utils/json.js'
import { unsupported } from './parse.js'

/** What zlib returns with its option `info`. */
interface Inflated {
  readonly buffer: Buffer
  readonly engine: { readonly bytesWritten: number }
}
type Options = { readonly maxOutputLength: number; readonly info: true }
type Decode = (bytes: Uint8Array, options: Options) => unknown

const GZIP_HEAD = 10
const GZIP_TRAILER = 8

/** gzip of one stream: a head without flags, deflated bytes, a checksum and a length. */
function gunzipOne(bytes: Uint8Array, options: Options): Inflated {
  if (bytes[3] !== 0) throw mismatch()
  const inner = bytes.subarray(GZIP_HEAD, Math.max(GZIP_HEAD, bytes.length - GZIP_TRAILER))
  const { buffer, engine } = inflateRawSync(inner, options) as unknown as Inflated
  return { buffer, engine: { bytesWritten: engine.bytesWritten + GZIP_HEAD + GZIP_TRAILER } }
}

/** What all decoders read, and what else some of them do. */
const DECODERS: ReadonlyMap<string, readonly Decode[]> = new Map<string, readonly Decode[]>([
  ['gzip', [gunzipOne, gunzipSync]],
  ['x-gzip', [gunzipOne, gunzipSync]],
  ['deflate', [inflateSync, inflateRawSync]],
  ['br', [brotliDecompressSync]],
])

/** The name of the encoding; undefined when there is none to undo. */
export function encodingOf(encoding: string | undefined): string | undefined {
  const name = (encoding ?? '').trim().toLowerCase()
  return name === '' || name === 'identity' ? undefined : name
}

/** True for an encoding that is read here. */
export function isKnownEncoding(name: string | undefined): boolean {
  return name === undefined || DECODERS.has(name)
}

export interface Decoded {
  readonly bytes: Uint8Array
  /** Set for bytes that only some decoders read like this. */
  readonly fault?: LlamaGuardError
}

/**
 * Bytes that do not match their encoding, or whose encoding is unknown, stay as they came.
 * @throws LlamaGuardError 413 for more bytes than the limit.
 */
export function decoded(bytes: Uint8Array, name: string | undefined, limit: number): Decoded {
  if (name === undefined || bytes.length === 0) return { bytes }
  const decoders = DECODERS.get(name)
  if (decoders === undefined) return { bytes, fault: unsupported(UNKNOWN) }
  // The last that reads the bytes reads most of them: all streams of gzip.
  let lenient = bytes
  for (const decode of decoders)
    try {
      const { buffer, engine } = decode(bytes, { maxOutputLength: limit, info: true }) as Inflated
      if (decode === decoders[0] && engine.bytesWritten === bytes.length) return { bytes: buffer }
      lenient = buffer
    } catch (error) {
      if (isObject(error) && error.code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(limit)
    }
  return { bytes: lenient, fault: mismatch() }
}

const UNKNOWN = 'The content-encoding of the body is not one of gzip, deflate and br; send one of those or none'

export function tooLarge(limit: number): LlamaGuardError {
  return new LlamaGuardError(
    'body_too_large',
    `The request body is larger than ${limit} bytes; send a shorter conversation or raise maxBodyBytes.`,
  )
}

function mismatch(): LlamaGuardError {
  return new LlamaGuardError(
    'invalid_json',
    'The body does not match its content-encoding, or holds more than one compressed stream.',
  )
}
