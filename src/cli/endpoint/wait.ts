// Waits for an endpoint and shows its state meanwhile. Loading a model takes minutes, and the SDK's own waiter shows
// nothing.
import type { ControlPlane } from './control-plane.js'
import { pause, progress } from '../io.js'
import type { Io } from '../io.js'

export interface WaitOptions {
  readonly pollMs: number
  readonly waitMs: number
}

const FIRST_POLL_MS = 250

type State = { status: string; reason?: string }

/** As {@link waitForEndpoint}, for an inference component. */
export function waitForComponent(
  plane: ControlPlane,
  name: string,
  busy: readonly string[],
  io: Io,
  options: WaitOptions,
): Promise<State | undefined> {
  const look = async (): Promise<State | undefined> => {
    const component = await plane.describeComponent(name)
    return component && { status: component.InferenceComponentStatus ?? 'Unknown', reason: component.FailureReason }
  }
  return poll(look, name, busy, io, options)
}

/**
 * Polls until the endpoint has left the `busy` states, is gone (undefined), or the time is up (the busy state
 * itself).
 */
export function waitForEndpoint(
  plane: ControlPlane,
  name: string,
  busy: readonly string[],
  io: Io,
  options: WaitOptions,
): Promise<State | undefined> {
  const look = async (): Promise<State | undefined> => {
    const endpoint = await plane.describeEndpoint(name)
    return endpoint && { status: endpoint.EndpointStatus ?? 'Unknown', reason: endpoint.FailureReason }
  }
  return poll(look, name, busy, io, options)
}

async function poll(
  look: () => Promise<State | undefined>,
  name: string,
  busy: readonly string[],
  io: Io,
  options: WaitOptions,
): Promise<State | undefined> {
  const started = Date.now()
  const line = progress(io.stderr)
  try {
    for (let polls = 0; ; polls += 1) {
      const state = await look()
      if (state === undefined) return undefined
      const waited = Date.now() - started
      if (!busy.includes(state.status) || waited >= options.waitMs || io.signal?.aborted) return state
      line.show(`${name}: ${state.status}`, elapsed(waited))
      // The first polls follow quickly, because a deletion takes seconds. Only a creation takes minutes.
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
