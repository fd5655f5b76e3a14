// Reads an unread request body within a bound, and puts its bytes back for later parsers and proxies. `unshift` must
// run before 'end' is emitted; Node emits 'end' only while the buffer is empty.
import type { IncomingMessage } from 'node:http'
import { LlamaGuardError, toLlamaGuardError } from '../../errors.js'
import { ByteBuffer } from './byte-buffer.js'
import { Inflater, tooLarge } from './inflate.js'
import { JsonStart } from './json-start.js'
import { isFormType, isMultipartType, isTextType, refuseCharset, refuseCharsetOfWords } from './media-type.js'
import { parseBody, type ReadBody } from './parse.js'

/**
 * @throws LlamaGuardError 413 past `limit` (compressed or decompressed), 415 for an unknown encoding or charset, 400
 * for bad JSON or an upload that broke off.
 */
export async function readStream(req: IncomingMessage, limit: number, wantsText: boolean): Promise<ReadBody> {
  const type = req.headers['content-type']
  refuseCharset(type, false)
  if (wantsText) refuseCharsetOfWords(type)
  const form = isFormType(type)
  const multipart = isMultipartType(type)
  const text = wantsText && isTextType(type)
  const decoded = new ByteBuffer()
  const start = new JsonStart()
  // A form is read whole, and so is a text whose words are wanted. An upload may have any size, so only its beginning
  // is read.
  const enough = (raw: number): boolean =>
    start.answer === false && !form && !text && !(multipart && raw <= limit && decoded.size <= limit)
  const inflater = new Inflater(req.headers['content-encoding'], (chunk) => {
    decoded.add(chunk)
    start.add(chunk)
    if (enough(0)) return false
    if (decoded.size > limit) throw tooLarge(limit)
    return true
  })
  try {
    await pull(req, limit, inflater, enough)
    return parseBody(decoded.bytes(), type, wantsText)
  } finally {
    inflater.destroy()
  }
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

/** Resolves when the whole body has been read, or `enough` of it. Either way the bytes are back in the stream. */
function pull(
  req: IncomingMessage,
  limit: number,
  inflater: Inflater,
  enough: (rawBytes: number) => boolean,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const raw = new ByteBuffer()
    let busy = false
    let ended = false
    let released = false

    const release = (): void => {
      if (released) return
      released = true
      req.off('readable', onReadable).off('end', onEnd).off('close', onGone).off('error', onGone)
      if (raw.size > 0 && !req.destroyed && !req.readableEnded) putBack(req, raw.bytes())
    }
    const fail = (error: unknown): void => {
      release()
      reject(toLlamaGuardError(error))
    }
    /**
     * Takes the bytes that have arrived. `complete` means that the body ended with them and that the bytes are back
     * before 'end' could be emitted.
     */
    const take = (): { chunks: Buffer[]; complete: boolean } => {
      const chunks: Buffer[] = []
      while (req.readableLength !== 0) {
        const chunk = req.read() as Buffer | null
        if (chunk === null) break
        chunks.push(chunk)
        raw.add(chunk)
      }
      const complete = hasEnded(req) || ended
      if (complete) release()
      return { chunks, complete }
    }
    const pump = async (): Promise<void> => {
      if (busy || released) return
      busy = true
      try {
        for (;;) {
          const { chunks, complete } = take()
          for (const chunk of chunks) await inflater.write(chunk)
          if (raw.size > limit && !enough(raw.size)) throw tooLarge(limit)
          if (complete) {
            await inflater.end()
            resolve()
            return
          }
          if (released) return
          if (enough(raw.size)) {
            release()
            resolve()
            return
          }
          if (chunks.length === 0) return
        }
      } catch (error) {
        fail(error)
      } finally {
        busy = false
      }
    }
    const onReadable = (): void => void pump()
    const onEnd = (): void => {
      ended = true
      void pump()
    }
    const onGone = (): void =>
      fail(new LlamaGuardError('invalid_json', 'The request ended before its body was complete.'))

    if (isEmpty(req)) return void pump()
    req.on('readable', onReadable).on('end', onEnd).on('close', onGone).on('error', onGone)
    if (req.destroyed) onGone()
    else void pump()
  })
}
