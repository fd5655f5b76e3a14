// One HTTP call as cheap as it gets: an undici pool with a bound on the answer, in the form the AWS SDK takes for its requests.
// Node's own http client, which the SDK uses, costs about three times the CPU.
import type { SageMakerRuntimeClientConfig } from '@aws-sdk/client-sagemaker-runtime'
import { Pool } from 'undici'
import type { Dispatcher } from 'undici'
import { reasonOf } from './abort.js'
import type { StopSignal } from './stop.js'

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

export interface Wire {
  /** Rejects with the signal's reason as soon as it aborts, and closes that socket. Has no deadline of its own. */
  send(request: HttpRequest, signal: StopSignal): Promise<HttpResponse>
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
      pool = new Pool(origin, { connections: o.connections, connect: { timeout: o.connectMs }, keepAliveTimeout: KEEP_ALIVE_MS, headersTimeout: 0, bodyTimeout: 0 })
      pools.set(origin, pool)
    }
    return pool
  }

  const send: Wire['send'] = ({ protocol, hostname, port, path, query, method, headers, body }, signal) => {
    const origin = `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}`
    const call = { path, query, method, headers, body: body as string | Uint8Array }
    return new Promise((resolve, reject) => poolOf(origin).dispatch(call, answerHandler(o, signal, resolve, reject)))
  }

  const never = new AbortController().signal
  const handler = {
    metadata: { handlerProtocol: 'http/1.1' },
    async handle(request: HttpRequest, { abortSignal }: { abortSignal?: unknown } = {}) {
      // undici counts the bytes itself.
      const { 'content-length': _, ...headers } = request.headers
      return { response: await send({ ...request, headers }, (abortSignal as AbortSignal | undefined) ?? never) }
    },
    updateHttpClientConfig: () => undefined,
    httpHandlerConfigs: () => ({}),
  }
  return {
    send,
    handler,
    close() {
      for (const pool of pools.values()) void pool.destroy()
      pools.clear()
    },
  }
}

function answerHandler({ maxAnswerBytes, tooLarge }: WireOptions, signal: StopSignal, resolve: (response: HttpResponse) => void, reject: (error: Error) => void): Dispatcher.DispatchHandler {
  const chunks: Buffer[] = []
  let size = 0
  let controller: Dispatcher.DispatchController | undefined
  let response: Answer | undefined
  // A call that still waits for a socket has no controller yet: its caller goes at once, the call when its turn comes.
  const onAbort = (): void => {
    reject(reasonOf(signal))
    controller?.abort(reasonOf(signal))
  }
  signal.addEventListener('abort', onAbort, { once: true })
  const done = (): void => signal.removeEventListener('abort', onAbort)
  return {
    onRequestStart(started) {
      controller = started
      if (signal.aborted) started.abort(reasonOf(signal))
    },
    onResponseStart(_, statusCode, headers, reason) {
      response = new Answer(statusCode, headers, reason)
    },
    onResponseData(current, chunk) {
      size += chunk.length
      if (size > maxAnswerBytes) current.abort(tooLarge())
      else chunks.push(chunk)
    },
    onResponseEnd() {
      done()
      if (!response) return
      response.body = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
      resolve(response)
    },
    onResponseError(_, error) {
      done()
      reject(error)
    },
  }
}

/** Of a 200, which nearly all are, nobody reads the headers. */
class Answer implements HttpResponse {
  readonly statusCode: number
  readonly reason?: string
  body: Uint8Array = NO_BYTES
  readonly #headers: Readonly<Record<string, string | string[] | undefined>>

  constructor(statusCode: number, headers: Readonly<Record<string, string | string[] | undefined>>, reason: string | undefined) {
    this.statusCode = statusCode
    this.#headers = headers
    if (reason !== undefined) this.reason = reason
  }

  get headers(): Record<string, string> {
    const joined: Record<string, string> = {}
    for (const [name, value] of Object.entries(this.#headers)) if (value !== undefined) joined[name] = typeof value === 'string' ? value : value.join(', ')
    return joined
  }
}

const NO_BYTES = new Uint8Array()
