// Writes a reply at the reader's pace. Every upstream, and the handler of a Request, waits for 'drain' here.
import type { ServerResponse } from 'node:http'

/**
 * Resolves when more may be written, or when the reader has left or the call was aborted. Never rejects, so the caller
 * has to look which.
 */
export async function write(res: ServerResponse, chunk: Uint8Array | string, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted || res.destroyed || res.write(chunk)) return
  await new Promise<void>((resolve) => {
    const done = (): void => {
      // `res.on` and not a saved emitter, because compression reroutes 'drain' through it.
      res.removeListener('drain', done)
      res.removeListener('close', done)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    res.on('drain', done)
    res.on('close', done)
    signal?.addEventListener('abort', done, { once: true })
    if (signal?.aborted || res.destroyed) done()
  })
}
