// Waits for an endpoint with something to look at: loading a model takes minutes, and the SDK's own waiter is silent.
import type { ControlPlane } from './control-plane.js'
import { pause, progress } from '../io.js'
import type { Io } from '../io.js'

export interface WaitOptions {
  readonly pollMs: number
  readonly waitMs: number
}

const FIRST_POLL_MS = 250

/**
 * Polls until the endpoint has left the `busy` states, is gone (undefined), or the time is up (the busy state
 * itself).
 */
export async function waitForEndpoint(
  plane: ControlPlane,
  name: string,
  busy: readonly string[],
  io: Io,
  options: WaitOptions,
): Promise<{ status: string; reason?: string } | undefined> {
  const started = Date.now()
  const line = progress(io.stderr)
  try {
    for (let polls = 0; ; polls += 1) {
      const endpoint = await plane.describeEndpoint(name)
      if (!endpoint) return undefined
      const status = endpoint.EndpointStatus ?? 'Unknown'
      const waited = Date.now() - started
      if (!busy.includes(status) || waited >= options.waitMs || io.signal?.aborted)
        return { status, reason: endpoint.FailureReason }
      line.show(`${name}: ${status}`, elapsed(waited))
      // Quickly at first: a deletion takes seconds, only a creation takes minutes.
      await pause(Math.min(options.pollMs, FIRST_POLL_MS * 2 ** Math.min(polls, 20)), io.signal)
    }
  } finally {
    line.end()
  }
}

function elapsed(ms: number): string {
  const seconds = Math.floor(ms / 1000)
  return `(${Math.floor(seconds / 60)}m ${String(seconds % 60).padStart(2, '0')}s)`
}
