// What an upstream is: the place a safe request goes to next. The spine knows this interface and nothing behind it.
import type { ServerResponse } from 'node:http'
import type { GuardedRequest, Logger } from '../types.js'

/** One request that was found safe, on its way to a model. */
export interface UpstreamCall {
  readonly req: GuardedRequest
  /** Where the reply goes. The middleware holds and judges whatever is written here. */
  readonly res: ServerResponse
  /**
   * The body that was judged; it is serialised again, so no byte the judge did not see gets through
   * (duplicate keys, for one). Undefined for a request that is no chat: its own bytes go on, and `rawBody`
   * when they were read already.
   */
  readonly body?: Readonly<Record<string, unknown>>
  readonly rawBody?: Buffer
  /** Aborted when the client has left or the reply is blocked. The call then ends at once, and quietly. */
  readonly signal: AbortSignal
  readonly logger?: Logger
  /** Path and query below the mount point (Express's `req.url`), for example `/v1/chat/completions?stream=1`. */
  readonly path: string
}

/** A chat model to call when the request is safe. */
export interface Upstream {
  /**
   * Writes the reply to `res`, 4xx and 5xx replies included. Rejects with `upstream_unavailable` when there
   * is none, or only part of one: a rejection after the first byte means that the reply is incomplete and
   * must not pass as a whole one.
   */
  forward(call: UpstreamCall): Promise<void>
  /** Waits for calls in flight, then frees the sockets. */
  close(): Promise<void>
}
