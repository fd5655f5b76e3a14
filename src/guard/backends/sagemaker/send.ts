// Sends requests to one endpoint on an undici pool, with a bound on the size of the answer. Node's own http client,
// which the SDK uses, costs 6 to 20 us more CPU a call; invoke.ts has the numbers and how they were measured. This file
// may go on the day the SDK brings an undici handler with a bound on the answer.
import type { IncomingHttpHeaders } from 'node:http'
import { type Dispatcher, Pool } from 'undici'
import type { HttpRequest } from '../../../utils/built-request.js'
import { type AbortSignalLike, reasonOf } from '../../../utils/deadline.js'

/** An answer in the form the SDK reads; its body is already complete. */
export interface HttpResponse {
  readonly statusCode: number
  readonly headers: Record<string, string>
  readonly body: Uint8Array
}

export interface SendOptions {
  /** The most sockets kept open. */
  readonly connections: number
  readonly connectMs: number
  readonly maxAnswerBytes: number
  /** Makes the error for an answer larger than `maxAnswerBytes`. */
  readonly tooLarge: () => Error
}

/**
 * Sends one request. Rejects with the signal's reason as soon as the signal aborts, and closes that socket. It has no
 * deadline of its own.
 */
export type Send = (
  headers: Readonly<Record<string, string>>,
  body: Uint8Array,
  signal: AbortSignalLike,
) => Promise<HttpResponse>

export interface Sender {
  readonly send: Send
  /** Closes the sockets. */
  close(): void
}

/**
 * Idle sockets are closed after this many milliseconds, before a server or a load balancer closes them. AWS load
 * balancers close them after 60 seconds.
 */
const KEEP_ALIVE_MS = 30_000

/** Makes a sender of requests which differ from this one in headers and body only. */
export function createSender(request: Omit<HttpRequest, 'headers'>, o: SendOptions): Sender {
  const { protocol, hostname, port, path, query, method } = request
  const pool = new Pool(`${protocol}//${hostname}${port === undefined ? '' : `:${port}`}`, {
    connections: o.connections,
    connect: { timeout: o.connectMs },
    keepAliveTimeout: KEEP_ALIVE_MS,
    headersTimeout: 0,
    bodyTimeout: 0,
  })
  return {
    send: (headers, body, signal) =>
      new Promise((resolve, reject) => {
        pool.dispatch({ path, query, method, headers, body }, answerHandler(o, signal, resolve, reject))
      }),
    close: () => void pool.destroy(),
  }
}

function answerHandler(
  { maxAnswerBytes, tooLarge }: SendOptions,
  signal: AbortSignalLike,
  resolve: (response: HttpResponse) => void,
  reject: (error: Error) => void,
): Dispatcher.DispatchHandler {
  const chunks: Buffer[] = []
  let size = 0
  let running: Dispatcher.DispatchController | undefined
  let statusCode = 0
  let headers: HttpResponse['headers'] = {}
  const leave = (): void => {
    // A call that still waits for a socket has no controller yet. Its caller gets the error now, and the call itself is
    // aborted when undici starts it.
    reject(reasonOf(signal))
    running?.abort(reasonOf(signal))
  }
  signal.addEventListener('abort', leave, { once: true })
  return {
    onRequestStart(controller) {
      running = controller
      if (signal.aborted) controller.abort(reasonOf(signal))
    },
    onResponseStart(_, status, given) {
      statusCode = status
      // Nothing reads the headers of a 200, and nearly all answers are one.
      if (status !== 200) headers = joined(given)
    },
    onResponseData(controller, chunk) {
      size += chunk.length
      if (size > maxAnswerBytes) controller.abort(tooLarge())
      else chunks.push(chunk)
    },
    onResponseEnd() {
      signal.removeEventListener('abort', leave)
      resolve({ statusCode, headers, body: chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks) })
    },
    onResponseError(_, error) {
      signal.removeEventListener('abort', leave)
      reject(error)
    },
  }
}

function joined(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value ?? ''].flat().join(', ')]))
}
