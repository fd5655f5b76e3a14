// What Node tells a handler that is too late. The errors are Node's own wherever Node can be made to throw them.
import { ServerResponse, IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import type { Callback } from './arguments.js'

export type HeadMethod = 'setHeader' | 'appendHeader' | 'removeHeader' | 'writeHead'

/** A response whose head is out: whatever changes a head throws ERR_HTTP_HEADERS_SENT at it. */
const SENT = new ServerResponse(new IncomingMessage(new Socket()))
SENT.writeHead(200)

/** Throws what this method throws once the head is out. */
export function throwHeadersSent(method: HeadMethod, args: readonly unknown[], http2: boolean): never {
  if (!http2) Reflect.apply(SENT[method], SENT, args)
  throw withCode(new Error('Response has already been initiated.'), 'ERR_HTTP2_HEADERS_SENT')
}

/** What a write to a destroyed response does: false, and an error for the callback. */
export function writeAfterDestroy(callback: Callback | undefined): boolean {
  if (callback !== undefined)
    process.nextTick(
      callback,
      withCode(new Error('Cannot call write after a stream was destroyed'), 'ERR_STREAM_DESTROYED'),
    )
  return false
}

/** The error of a write to an ended response. */
export const writeAfterEnd = (): Error => withCode(new Error('write after end'), 'ERR_STREAM_WRITE_AFTER_END')

function withCode(error: Error, code: string): Error {
  return Object.assign(error, { code })
}
