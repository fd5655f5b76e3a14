// What an endpoint is made of: `deploy` makes the list and takes it away after a failure, `delete` removes it, and
// `doctor` looks at it. Loading a model takes minutes, and the SDK's own waiter shows nothing meanwhile.
import { type Io, painter, pause, progress } from '../io.js'
import type { ControlPlane, Kind } from './control-plane.js'

export interface Resource {
  readonly kind: Kind
  readonly name: string
}

export interface Found {
  readonly status: string | undefined
  readonly reason: string | undefined
  readonly instances: string | undefined
  readonly image: string | undefined
  /** In the order in which they can be removed: an endpoint costs money and keeps its configuration in use. */
  readonly resources: readonly Resource[]
}

/** Looks up all parts of an endpoint. A deleted endpoint no longer names its configuration. */
export async function partsOf(plane: ControlPlane, name: string): Promise<Found> {
  const endpoint = await plane.describeEndpoint(name)
  const used = endpoint?.EndpointConfigName
  const configs = new Set([name, ...(used ? [used] : [])])
  const models = new Set([name])
  let instances: string | undefined
  for (const config of configs)
    for (const variant of (await plane.describeConfig(config))?.ProductionVariants ?? []) {
      if (variant.ModelName) models.add(variant.ModelName)
      if (config === used) instances = `${variant.InitialInstanceCount ?? 1} x ${variant.InstanceType}`
    }
  let image: string | undefined
  for (const model of models) image = (await plane.describeModel(model))?.PrimaryContainer?.Image ?? image
  const listed = (kind: Kind, names: Iterable<string>): Resource[] => [...names].map((each) => ({ kind, name: each }))
  return {
    status: endpoint && (endpoint.EndpointStatus ?? 'Unknown'),
    reason: endpoint?.FailureReason,
    instances,
    image,
    resources: [
      ...listed('endpoint', [name]),
      ...listed('endpoint configuration', configs),
      ...listed('model', models),
    ],
  }
}

export const warn = ({ stderr, env }: Io, text: string): void =>
  void stderr.write(`${painter(stderr, env)('yellow', text)}\n`)

/** How often a state is asked for, and how long in all. */
export interface Waiting {
  readonly pollMs: number
  readonly waitMs: number
}

const FIRST_POLL_MS = 250

/**
 * Polls until an endpoint has left the `busy` states, is gone (undefined), or the time is up (the busy state itself).
 */
export async function waitFor(
  plane: ControlPlane,
  name: string,
  busy: readonly string[],
  { io, pollMs, waitMs }: Waiting & { readonly io: Io },
): Promise<{ readonly status: string; readonly reason: string | undefined } | undefined> {
  const started = Date.now()
  const line = progress(io.stderr)
  try {
    for (let polls = 0; ; polls += 1) {
      const endpoint = await plane.describeEndpoint(name)
      if (endpoint === undefined) return undefined
      const { EndpointStatus: status = 'Unknown', FailureReason: reason } = endpoint
      const waited = Date.now() - started
      if (!busy.includes(status) || waited >= waitMs || io.signal?.aborted) return { status, reason }
      const seconds = Math.floor(waited / 1000)
      line.show(`${name}: ${status} (${Math.floor(seconds / 60)}m ${String(seconds % 60).padStart(2, '0')}s)`)
      // The first polls follow quickly, because a deletion takes seconds. Only a creation takes minutes.
      await pause(Math.min(pollMs, FIRST_POLL_MS * 2 ** Math.min(polls, 20)), io.signal)
    }
  } finally {
    line.end()
  }
}
