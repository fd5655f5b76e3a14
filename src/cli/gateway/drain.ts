// Stops the calls to the upstream without cutting a reply. A call may finish within the time limit. Later it ends
// with an error that its client sees.
import { LlamaGuardError } from '../../errors.js'
import type { Upstream } from '../../upstream/index.js'

export interface DrainableUpstream extends Upstream {
  /** Ends the calls still open. Their replies end with an error event that the client's SDK raises. */
  stop(): void
}

/** An upstream whose open calls can be failed from outside. A silent end would look like a complete reply. */
export function drainable(upstream: Upstream): DrainableUpstream {
  const stopping = new AbortController()
  return {
    async forward(call) {
      const stopped = (): LlamaGuardError =>
        new LlamaGuardError('upstream_unavailable', 'The gateway is shutting down. Send the request again.', {
          retryAfter: 1,
          retryable: true,
        })
      if (stopping.signal.aborted) throw stopped()
      await upstream.forward({ ...call, signal: AbortSignal.any([call.signal, stopping.signal]) })
      if (stopping.signal.aborted && !call.signal.aborted && !call.res.writableEnded) throw stopped()
    },
    stop: () => stopping.abort(),
    close: () => upstream.close(),
  }
}
