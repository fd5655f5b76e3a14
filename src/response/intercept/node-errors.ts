// The errors that Node gives to a handler that is too late. Node's own code throws them wherever it can be made to.
import { ServerResponse, IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import type { Callback } from './arguments.js'

export type HeadMethod = 'setHeader' | 'appendHeader' | 'removeHeader' | 'writeHead'

/** A response whose head is out. Every method that changes a head throws ERR_HTTP_HEADERS_SENT on it. */
const SENT = new ServerResponse(new IncomingMessage(new Socket()))
SENT.writeHead(200)

/** Throws the error that this method throws once the head is out. */
export function throwHeadersSent(method: HeadMethod, args: readonly unknown[], http2: boolean): never {
  if (!http2) Reflect.apply(SENT[method], SENT, args)
  throw withCode(new Error('Response has already been initiated.'), 'ERR_HTTP2_HEADERS_SENT')
}

/** Does what a write to a destroyed response does: returns false and passes an error to the callback. */
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
