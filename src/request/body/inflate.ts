// Undoes the content-encoding of a request body while it arrives, never past the bound: a zip bomb is cut off
// at the limit.
// Encodings we do not know are refused, because a server after us might know them; so is zstd, whose second
// frame Node does not read.
import type { Transform } from 'node:stream'
import zlib from 'node:zlib'
import { LlamaGuardError } from '../../errors.js'
import { unsupported } from './parse.js'

const DECODERS: ReadonlyMap<string, () => Transform> = new Map<string, () => Transform>([
  ['gzip', () => zlib.createGunzip()],
  ['x-gzip', () => zlib.createGunzip()],
  ['deflate', () => zlib.createInflate()],
  ['br', () => zlib.createBrotliDecompress()],
])

export function tooLarge(limit: number): LlamaGuardError {
  return new LlamaGuardError(
    'body_too_large',
    `The request body is larger than ${limit} bytes; send a shorter conversation or raise maxBodyBytes.`,
  )
}

/** Collects the decoded bytes of one body. */
export class Inflater {
  readonly #decoder: Transform | undefined
  readonly #limit: number
  readonly #out: Buffer[] = []
  #size = 0
  #error: LlamaGuardError | undefined
  #fail: (error: LlamaGuardError) => void = () => undefined

  /** Throws 415 for an encoding it does not know. */
  constructor(encoding: string | undefined, limit: number) {
    this.#limit = limit
    const name = (encoding ?? '').trim().toLowerCase()
    if (name === '' || name === 'identity') return
    const make = DECODERS.get(name)
    if (make === undefined)
      throw unsupported(
        'The content-encoding of the body is not one of gzip, deflate and br; send one of those or none',
      )
    this.#decoder = make()
    this.#decoder.on('data', (chunk: Buffer) => this.#keep(chunk))
    this.#decoder.on('error', (cause) =>
      this.#stop(new LlamaGuardError('invalid_json', 'The body does not match its content-encoding.', { cause })),
    )
  }

  /** The decoded bytes so far. */
  bytes(): Buffer {
    if (this.#out.length > 1) this.#out.splice(0, this.#out.length, Buffer.concat(this.#out))
    return this.#out[0] ?? Buffer.alloc(0)
  }

  /** Resolves when the chunk has been decoded. Rejects with 413 past the limit, 400 for bytes in another encoding. */
  async write(chunk: Buffer): Promise<void> {
    if (this.#decoder === undefined) this.#keep(chunk)
    else await this.#wait((done) => void this.#decoder?.write(chunk, done))
    if (this.#error !== undefined) throw this.#error
  }

  async end(): Promise<void> {
    if (this.#decoder !== undefined) await this.#wait((done) => void this.#decoder?.once('end', done).end())
  }

  destroy(): void {
    this.#decoder?.destroy()
  }

  #wait(start: (done: () => void) => void): Promise<void> {
    if (this.#error !== undefined) return Promise.reject(this.#error)
    return new Promise((resolve, reject) => {
      this.#fail = reject
      start(resolve)
    })
  }

  #keep(chunk: Buffer): void {
    this.#size += chunk.length
    if (this.#size > this.#limit) this.#stop(tooLarge(this.#limit))
    else this.#out.push(chunk)
  }

  #stop(error: LlamaGuardError): void {
    this.#error ??= error
    this.#decoder?.destroy()
    this.#fail(this.#error)
  }
}
