// The arguments of write() and end(), in every order Node takes them, as one chunk of bytes and one callback.
import { ServerResponse, IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { Writable } from 'node:stream'

export type Callback = (error?: Error | null) => void

/** The callback of `write(chunk, encoding?, cb?)` or `end(chunk?, encoding?, cb?)`, which any argument may be. */
export function callbackOf(args: readonly unknown[]): Callback | undefined {
  for (const argument of args) if (typeof argument === 'function') return argument as Callback
  return undefined
}

/** Whether Node reads the first argument of `end()` as a chunk: HTTP/1 takes any falsy value for none. */
export function hasChunk([chunk]: readonly unknown[], http2: boolean): boolean {
  if (typeof chunk === 'function') return false
  return http2 ? chunk !== null && chunk !== undefined : Boolean(chunk)
}

// Node's own checks come first in its write(), so what is no chunk never gets further into these than that.
const HTTP1 = new ServerResponse(new IncomingMessage(new Socket()))
const HTTP2 = new Writable()

/** Throws what Node throws for a chunk that is none. */
export function checkChunk(chunk: unknown, http2: boolean): void {
  if (typeof chunk === 'string' || chunk instanceof Uint8Array) return
  if (http2) HTTP2.write(chunk)
  else HTTP1.write(chunk)
}

/** The bytes of a chunk that has been checked. Throws what Node throws for an unknown encoding. */
export function bytesOf([chunk, encoding]: readonly unknown[]): Buffer {
  if (typeof chunk === 'string')
    return Buffer.from(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8')
  // Copied: the handler may reuse its buffer, and then other bytes would leave than the ones that were judged.
  const { buffer, byteOffset, byteLength } = chunk as Uint8Array
  return Buffer.copyBytesFrom(new Uint8Array(buffer, byteOffset, byteLength))
}
