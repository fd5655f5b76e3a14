// Reads an unread request body within a bound, and puts its bytes back for later parsers and proxies. `unshift` must
// run before 'end' is emitted; Node emits 'end' only while the buffer is empty.
import type { IncomingMessage } from 'node:http'
import { LlamaGuardError } from '../../types/errors.js'
import { decoded, encodingOf, isKnownEncoding, tooLarge } from './decode.js'
import { looksLikeChat, mediaTypeOf, NO_BODY, parseBody, type ReadBody, unsupported } from './parse.js'

/** A request that hands its body on decoded: one around a web-standard Request. */
type Decoding = IncomingMessage & { handOn?(bytes: Uint8Array): void }

/**
 * `all` is true where every body is judged. Elsewhere a body that can be no chat is left alone.
 * @throws LlamaGuardError 413 past `limit` (compressed or decompressed), 400 for a body that broke off.
 */
export async function readStream(req: Decoding, limit: number, all: boolean): Promise<ReadBody> {
  const type = mediaTypeOf(req)
  const encoding = encodingOf(req.headers['content-encoding'])
  const encodings = encoding?.split(',') ?? []
  if (encodings.length > 1 && encodings.every((each) => isKnownEncoding(encodingOf(each)))) throw twoEncodings()
  const isUpload = !all && type.kind === 'other'
  const mayLeave = isUpload || (!all && !isKnownEncoding(encoding))
  const raw = new ByteBuffer()
  const isPlain = encoding === undefined || !isKnownEncoding(encoding)
  const ended = await pull(req, raw, limit, mayLeave && isPlain ? beginsLikeJson : () => true)
  // Data of a type that is none of ours may have any size.
  if (!ended && mayLeave && (raw.size <= limit || !looksLikeChat(raw.bytes()))) return { kind: 'unread' }
  if (!ended) throw tooLarge(limit)
  if (raw.size === 0) return NO_BODY
  const { bytes, fault } = decoded(raw.bytes(), encoding, limit)
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b
  // A file that is gzip itself may be uploaded compressed.
  if (encoding !== undefined && fault === undefined && isGzip && !isUpload) throw twoEncodings()
  if (encoding !== undefined && fault === undefined) req.handOn?.(bytes)
  return parseBody(bytes, type, fault)
}

/** A second encoding inside the first is read by some decoders alone. */
function twoEncodings(): LlamaGuardError {
  return unsupported('The body has two content-encodings; send it in one or none')
}

/** True while a body may be JSON, behind blanks, marks and control characters of any charset. */
function beginsLikeJson(bytes: Buffer): boolean {
  return /^[^!-~]*(?:[[{"]|$)/.test(bytes.subarray(0, 1024).toString('latin1'))
}

/** The parts of a stream's state that Node 20, 22 and 24 have, and no public name for. */
interface Internals {
  readonly _readableState?: { dataEmitted?: boolean; readonly ended?: boolean }
}

/** To everybody after us the stream is unread. */
function putBack(req: IncomingMessage & Internals, bytes: Buffer): void {
  req.unshift(bytes)
  // `readableDidRead`, `stream.isDisturbed` and therefore `fetch(url, { body: req })` read this flag.
  if (req._readableState?.dataEmitted === true) req._readableState.dataEmitted = false
}

/**
 * True when nothing more will come. `complete` says so of HTTP/1 only: on HTTP/2, and on the streams of adapters for
 * functions, it is false until 'end', when nothing can be put back any more.
 */
function hasEnded(req: IncomingMessage & Internals): boolean {
  return req.complete || req._readableState?.ended === true
}

/**
 * True when a body has ended without a byte. Such a stream must not be read: Node would emit 'end', for which nobody
 * after us could wait.
 */
function isEmpty(req: IncomingMessage): boolean {
  // It makes Node ask for bytes now. To listen for 'readable' makes it ask in the next tick, when the body may have
  // ended.
  if (req.readableLength === 0 && !hasEnded(req)) req.read(0)
  return req.readableLength === 0 && !req.destroyed && hasEnded(req)
}

/**
 * Resolves to true when the whole body has been read, and to false past the limit or when no more is `wanted`. In any
 * case the bytes are back in the stream.
 */
function pull(
  req: IncomingMessage,
  raw: ByteBuffer,
  limit: number,
  wanted: (bytes: Buffer) => boolean,
): Promise<boolean> {
  return new Promise((resolve, reject) => {
    let released = false
    const release = (): void => {
      if (released) return
      released = true
      req.off('readable', take).off('end', onEnd).off('close', onGone).off('error', onGone)
      if (raw.size > 0 && !req.destroyed && !req.readableEnded) putBack(req, raw.bytes())
    }
    const done = (whole: boolean): void => {
      release()
      resolve(whole)
    }
    const take = (): void => {
      while (req.readableLength !== 0) {
        const chunk = req.read() as Buffer | null
        if (chunk === null) break
        raw.add(chunk)
      }
      if (raw.size > limit) done(false)
      // The bytes must be back before 'end' is emitted.
      else if (hasEnded(req)) done(true)
      else if (raw.size > 0 && !wanted(raw.bytes())) done(false)
    }
    const onEnd = (): void => {
      take()
      done(raw.size <= limit)
    }
    const onGone = (): void => {
      release()
      reject(new LlamaGuardError('invalid_json', 'The request ended before its body was complete.'))
    }
    // Also here the stream leaves the pause in which a middleware may have put it.
    if (isEmpty(req)) return done(true)
    req.on('readable', take).on('end', onEnd).on('close', onGone).on('error', onGone)
    if (req.destroyed) onGone()
    else take()
  })
}

class ByteBuffer {
  #buffer: Buffer = Buffer.alloc(0)
  #size = 0

  get size(): number {
    return this.#size
  }

  add(piece: Buffer): void {
    // Most bodies are one piece, which is kept without a copy.
    if (this.#size === 0) this.#buffer = piece
    else {
      const size = this.#size + piece.length
      if (size > this.#buffer.length) {
        const larger = Buffer.allocUnsafe(size * 2)
        this.#buffer.copy(larger, 0, 0, this.#size)
        this.#buffer = larger
      }
      piece.copy(this.#buffer, this.#size)
    }
    this.#size += piece.length
  }

  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#size)
  }
}
