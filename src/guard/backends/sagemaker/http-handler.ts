// One HTTP call as cheap as it gets: an undici pool with a bound on the answer, in the form the AWS SDK takes
// for its requests.
// Node's own http client, which the SDK uses, costs 6 to 20 us more CPU a call; invoke.ts has the numbers and how they
// were measured. It may go on the day the SDK brings an undici handler with a bound on the answer.
import type { SageMakerRuntimeClientConfig } from '@aws-sdk/client-sagemaker-runtime'
import { Pool } from 'undici'
import type { Dispatcher } from 'undici'
import { reasonOf } from '../../deadline.js'
import type { AbortSignalLike } from '../../../utils/lazy-abort-controller.js'

type Handler = NonNullable<SageMakerRuntimeClientConfig['requestHandler']>

/** A request as the SDK builds it. */
export interface HttpRequest {
  readonly method: string
  readonly protocol: string
  readonly hostname: string
  readonly port?: number
  readonly path: string
  readonly query?: Record<string, string | string[] | null>
  readonly headers: Record<string, string>
  readonly body?: unknown
}

/** An answer as the SDK reads it, its body already whole. */
export interface HttpResponse {
  readonly statusCode: number
  readonly reason?: string
  readonly headers: Record<string, string>
  readonly body: Uint8Array
}

export interface WireOptions {
  /** Sockets kept open, at most. */
  readonly connections: number
  readonly connectMs: number
  readonly maxAnswerBytes: number
  /** What to reject with past `maxAnswerBytes`. */
  readonly tooLarge: () => Error
}

/** Rejects with the signal's reason as soon as it aborts, and closes that socket. Has no deadline of its own. */
export type Send = (
  headers: Readonly<Record<string, string>>,
  body: Uint8Array | string,
  signal: AbortSignalLike,
) => Promise<HttpResponse>

export interface Wire {
  /** Requests that differ from this one in headers and body alone. */
  like(request: HttpRequest): Send
  /** The same as a request handler for an SDK client. */
  readonly handler: Handler
  close(): void
}

/** An idle socket is closed before a server or a load balancer would: AWS's wait 60 seconds. */
const KEEP_ALIVE_MS = 30_000

export function createWire(o: WireOptions): Wire {
  // An endpoint has one origin; a pool for each is what makes a changed one harmless.
  const pools = new Map<string, Pool>()
  const poolOf = (origin: string): Pool => {
    let pool = pools.get(origin)
    if (pool === undefined) {
      pool = new Pool(origin, {
        connections: o.connections,
        connect: { timeout: o.connectMs },
        keepAliveTimeout: KEEP_ALIVE_MS,
        headersTimeout: 0,
        bodyTimeout: 0,
      })
      pools.set(origin, pool)
    }
    return pool
  }

  const like: Wire['like'] = ({ protocol, hostname, port, path, query, method }) => {
    const pool = poolOf(`${protocol}//${hostname}${port === undefined ? '' : `:${port}`}`)
    return (headers, body, signal) =>
      new Promise((resolve, reject) => {
        pool.dispatch({ path, query, method, headers, body }, new AnswerHandler(o, signal, resolve, reject))
      })
  }

  const never = new AbortController().signal
  const handler = {
    metadata: { handlerProtocol: 'http/1.1' },
    async handle(request: HttpRequest, { abortSignal }: { abortSignal?: unknown } = {}) {
      // undici counts the bytes itself.
      const { 'content-length': _, ...headers } = request.headers
      return {
        response: await like(request)(
          headers,
          request.body as Uint8Array | string,
          (abortSignal as AbortSignal | undefined) ?? never,
        ),
      }
    },
    updateHttpClientConfig: () => undefined,
    httpHandlerConfigs: () => ({}),
  }
  return {
    like,
    handler,
    close() {
      for (const pool of pools.values()) void pool.destroy()
      pools.clear()
    },
  }
}

class AnswerHandler implements Dispatcher.DispatchHandler {
  readonly #options: WireOptions
  readonly #signal: AbortSignalLike
  readonly #resolve: (response: HttpResponse) => void
  readonly #reject: (error: Error) => void
  readonly #onAbort: () => void
  #chunks: Buffer[] = []
  #size = 0
  #controller: Dispatcher.DispatchController | undefined
  #response: Answer | undefined

  constructor(
    options: WireOptions,
    signal: AbortSignalLike,
    resolve: (response: HttpResponse) => void,
    reject: (error: Error) => void,
  ) {
    this.#options = options
    this.#signal = signal
    this.#resolve = resolve
    this.#reject = reject
    this.#onAbort = () => {
      // A call that still waits for a socket has no controller yet: its caller goes at once, the call when
      // its turn comes.
      reject(reasonOf(signal))
      this.#controller?.abort(reasonOf(signal))
    }
    signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#signal.aborted) controller.abort(reasonOf(this.#signal))
  }

  onResponseStart(_: Dispatcher.DispatchController, statusCode: number, headers: RawHeaders, reason?: string): void {
    this.#response = new Answer(statusCode, headers, reason)
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#size += chunk.length
    if (this.#size > this.#options.maxAnswerBytes) controller.abort(this.#options.tooLarge())
    else this.#chunks.push(chunk)
  }

  onResponseEnd(): void {
    this.#done()
    if (this.#response === undefined) return
    this.#response.body = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks)
    this.#resolve(this.#response)
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.#done()
    this.#reject(error)
  }

  #done(): void {
    this.#signal.removeEventListener('abort', this.#onAbort)
  }
}

type RawHeaders = Readonly<Record<string, string | string[] | undefined>>

/** Of a 200, which nearly all are, nobody reads the headers. */
class Answer implements HttpResponse {
  readonly statusCode: number
  readonly reason?: string
  body: Uint8Array = NO_BYTES
  readonly #headers: RawHeaders

  constructor(statusCode: number, headers: RawHeaders, reason: string | undefined) {
    this.statusCode = statusCode
    this.#headers = headers
    if (reason !== undefined) this.reason = reason
  }

  get headers(): Record<string, string> {
    const joined: Record<string, string> = {}
    for (const [name, value] of Object.entries(this.#headers))
      if (value !== undefined) joined[name] = typeof value === 'string' ? value : value.join(', ')
    return joined
  }
}

const NO_BYTES = new Uint8Array()
