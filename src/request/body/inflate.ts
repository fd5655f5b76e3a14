// Decompresses a request body while it arrives and stops at the limit, so a zip bomb costs no more than the limit.
// Unknown encodings are refused, because a server behind the guard might know them. zstd is refused, because Node
// reads only its first frame.
import type { Transform } from 'node:stream'
import zlib from 'node:zlib'
import { LlamaGuardError, toLlamaGuardError } from '../../errors.js'
import { isObject } from '../../utils/json.js'
import { unsupported } from './media-type.js'

interface Decoder {
  stream(): Transform
  sync(bytes: Uint8Array, options: { maxOutputLength: number }): Buffer
}

const GZIP: Decoder = { stream: () => zlib.createGunzip(), sync: zlib.gunzipSync }
const DECODERS: ReadonlyMap<string, Decoder> = new Map<string, Decoder>([
  ['gzip', GZIP],
  ['x-gzip', GZIP],
  ['deflate', { stream: () => zlib.createInflate(), sync: zlib.inflateSync }],
  ['br', { stream: () => zlib.createBrotliDecompress(), sync: zlib.brotliDecompressSync }],
])

/**
 * Undefined when nothing has to be decoded.
 * @throws LlamaGuardError 415 for an unknown encoding.
 */
function decoderOf(encoding: string | undefined): Decoder | undefined {
  const name = (encoding ?? '').trim().toLowerCase()
  if (name === '' || name === 'identity') return undefined
  const decoder = DECODERS.get(name)
  if (decoder === undefined)
    throw unsupported('The content-encoding of the body is not one of gzip, deflate and br; send one of those or none')
  return decoder
}

/**
 * The bytes that another middleware has left, decoded. Bytes that were decoded before stay as they are.
 * @throws LlamaGuardError 415 for an unknown encoding, 413 for more decoded bytes than the limit.
 */
export function inflated(bytes: Uint8Array, encoding: string | undefined, limit: number): Uint8Array {
  const decoder = decoderOf(encoding)
  try {
    return decoder?.sync(bytes, { maxOutputLength: limit }) ?? bytes
  } catch (error) {
    if (isObject(error) && error.code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(limit)
    return bytes
  }
}

export function tooLarge(limit: number): LlamaGuardError {
  return new LlamaGuardError(
    'body_too_large',
    `The request body is larger than ${limit} bytes; send a shorter conversation or raise maxBodyBytes.`,
  )
}

function mismatch(options?: ErrorOptions): LlamaGuardError {
  return new LlamaGuardError('invalid_json', 'The body does not match its content-encoding.', options)
}

/** Decodes one body, piece by piece. */
export class Inflater {
  readonly #decoder: Transform | undefined
  readonly #take: (chunk: Buffer) => boolean
  #stopped = false
  #error: LlamaGuardError | undefined
  #settle: () => void = () => undefined
  #ending = false

  /**
   * `take` gets the decoded bytes and tells whether it wants more. Nothing is decoded after that. It may throw to stop.
   * @throws LlamaGuardError 415 for an unknown encoding.
   */
  constructor(encoding: string | undefined, take: (chunk: Buffer) => boolean) {
    this.#take = take
    this.#decoder = decoderOf(encoding)?.stream()
    if (this.#decoder === undefined) return
    this.#decoder.on('data', (chunk: Buffer) => this.#decoded(chunk))
    this.#decoder.on('error', (cause) => this.#stop(mismatch({ cause })))
    // Bytes after the end of the compressed data: the decoder ends by itself, and never calls back for them.
    this.#decoder.on('end', () => {
      if (!this.#ending) this.#stop(mismatch())
    })
  }

  /**
   * Resolves when the chunk has been decoded. Rejects with 400 for bytes in another encoding, or with what `take`
   * threw.
   */
  async write(chunk: Buffer): Promise<void> {
    if (this.#decoder === undefined) this.#take(chunk)
    else await this.#wait((done) => void this.#decoder?.write(chunk, done))
    if (this.#error !== undefined) throw this.#error
  }

  async end(): Promise<void> {
    this.#ending = true
    if (this.#decoder !== undefined) await this.#wait((done) => void this.#decoder?.once('end', done).end())
  }

  destroy(): void {
    this.#decoder?.destroy()
  }

  #wait(start: (done: () => void) => void): Promise<void> {
    if (this.#error !== undefined) return Promise.reject(this.#error)
    if (this.#stopped) return Promise.resolve()
    return new Promise((resolve, reject) => {
      this.#settle = () => (this.#error === undefined ? resolve() : reject(this.#error))
      start(resolve)
    })
  }

  #decoded(chunk: Buffer): void {
    try {
      if (!this.#take(chunk)) this.#stop()
    } catch (error) {
      this.#stop(toLlamaGuardError(error))
    }
  }

  #stop(error?: LlamaGuardError): void {
    this.#stopped = true
    this.#error ??= error
    this.#decoder?.destroy()
    this.#settle()
  }
}
