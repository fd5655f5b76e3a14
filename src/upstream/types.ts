// The interface of an upstream, the place where a safe request goes next. The spine depends on this interface only.
import type { ServerResponse } from 'node:http'
import type { GuardedRequest, Logger } from '../types.js'

/** One request that was found safe. */
export interface UpstreamCall {
  readonly req: GuardedRequest
  /** The response for the reply. The middleware holds and judges what is written to it. */
  readonly res: ServerResponse
  /**
   * The body that was judged. It is serialised again, so that no byte passes that was not judged, for example a
   * duplicate key. Undefined for a request that is no chat: its own bytes are forwarded, or `rawBody` when they were
   * read already.
   */
  readonly body?: Readonly<Record<string, unknown>> | undefined
  readonly rawBody?: Buffer | undefined
  /** The text that the body was read from, where JavaScript holds other numbers than it says. */
  readonly exact?: string | undefined
  /** Aborted when the client has left or the reply is blocked. The call then ends at once without an error. */
  readonly signal: AbortSignal
  readonly logger?: Logger
  /** Path and query below the mount point (Express's `req.url`), for example `/v1/chat/completions?stream=1`. */
  readonly path: string
}

/** A chat model to call when the request is safe. */
export interface Upstream {
  /**
   * Writes the reply to `res`, replies with 4xx and 5xx included. Rejects with `upstream_unavailable` when there is
   * no complete reply. A rejection after the first byte means that the reply is incomplete and must not pass as a
   * whole one.
   */
  forward(call: UpstreamCall): Promise<void>
  /** Waits for calls in flight, then closes the sockets. */
  close(): Promise<void>
}
