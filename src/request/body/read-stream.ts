// Reads an unread request body within a bound, and puts its bytes back so that parsers and proxies after us
// still get them.
// `unshift` before 'end' is emitted does that: Node emits 'end' only while the buffer is empty.
import type { IncomingMessage } from 'node:http'
import { LlamaGuardError, toLlamaGuardError } from '../../errors.js'
import { Inflater, tooLarge } from './inflate.js'
import { isFormType, looksLikeJson, NO_BODY, parseJson, type ReadBody, refuseCharset } from './parse.js'

/**
 * Throws 413 past `limit` (raw or inflated), 415 for an unknown encoding or charset, 400 for bad JSON or an
 * upload that broke off.
 */
export async function readStream(req: IncomingMessage, limit: number): Promise<ReadBody> {
  const type = req.headers['content-type']
  refuseCharset(type, false)
  const form = isFormType(type)
  const inflater = new Inflater(req.headers['content-encoding'], limit)
  try {
    const complete = await pull(req, limit, inflater, (bytes) => form || looksLikeJson(bytes) !== false)
    const bytes = inflater.bytes()
    const jsonLike = looksLikeJson(bytes)
    if (jsonLike === undefined && complete) return NO_BODY
    if (jsonLike !== true) return { kind: 'notJson', form: form && complete ? bytes.toString('latin1') : undefined }
    refuseCharset(type, true)
    return parseJson(bytes)
  } finally {
    inflater.destroy()
  }
}

/**
 * Resolves with true when the whole body was read, with false when `wanted` lost interest. Either way the
 * bytes are back in the stream.
 */
function pull(
  req: IncomingMessage,
  limit: number,
  inflater: Inflater,
  wanted: (bytes: Buffer) => boolean,
): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const raw: Buffer[] = []
    let size = 0
    let busy = false
    let ended = false
    let released = false

    const release = (): void => {
      if (released) return
      released = true
      req.off('readable', onReadable).off('end', onEnd).off('close', onGone).off('error', onGone)
      if (raw.length > 0 && !req.destroyed && !req.readableEnded) req.unshift(Buffer.concat(raw))
    }
    const fail = (error: unknown): void => {
      release()
      reject(toLlamaGuardError(error))
    }
    /** Takes what has arrived. True when that was all; then the bytes are back before 'end' could be emitted. */
    const take = (): { chunks: Buffer[]; complete: boolean } => {
      const chunks: Buffer[] = []
      for (let chunk = req.read() as Buffer | null; chunk !== null; chunk = req.read() as Buffer | null)
        chunks.push(chunk)
      raw.push(...chunks)
      for (const chunk of chunks) size += chunk.length
      const complete = req.complete || ended
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
          if (complete) {
            await inflater.end()
            resolve(true)
            return
          }
          if (released) return
          if (!wanted(inflater.bytes())) {
            release()
            resolve(false)
            return
          }
          if (size > limit) throw tooLarge(limit)
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

    req.on('readable', onReadable).on('end', onEnd).on('close', onGone).on('error', onGone)
    if (req.destroyed) onGone()
    else void pump()
  })
}
