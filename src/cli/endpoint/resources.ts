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
  readonly components: readonly string[]
  /** In the order in which they can be removed: an endpoint costs money and keeps its configuration in use. */
  readonly resources: readonly Resource[]
}

/** Looks up all parts of an endpoint. A deleted endpoint no longer names its configuration. */
export async function partsOf(plane: ControlPlane, name: string): Promise<Found> {
  const endpoint = await plane.describeEndpoint(name)
  const used = endpoint?.EndpointConfigName
  const configs = new Set([name, ...(used ? [used] : [])])
  const models = new Set([name])
  const components = used === undefined ? [] : await plane.componentsOf(name)
  for (const component of components) {
    const model = (await plane.describeComponent(component))?.Specification?.ModelName
    if (model) models.add(model)
  }
  let instances: string | undefined
  for (const config of configs)
    for (const variant of (await plane.describeConfig(config))?.ProductionVariants ?? []) {
      if (variant.ModelName) models.add(variant.ModelName)
      if (config === used) instances = `${variant.InitialInstanceCount ?? 1} x ${variant.InstanceType}`
    }
  const images: string[] = []
  for (const model of models) {
    const image = (await plane.describeModel(model))?.PrimaryContainer?.Image
    if (image) images.push(image)
  }
  const listed = (kind: Kind, names: Iterable<string>): Resource[] => [...names].map((each) => ({ kind, name: each }))
  return {
    status: endpoint && (endpoint.EndpointStatus ?? 'Unknown'),
    reason: endpoint?.FailureReason,
    instances,
    image: images.at(-1),
    components,
    resources: [
      ...listed('inference component', components),
      ...listed('endpoint', [name]),
      ...listed('endpoint configuration', configs),
      ...listed('model', models),
    ],
  }
}

/**
 * Removes one resource. False when it did not exist. An endpoint with a component cannot be deleted, and deleting a
 * component takes a while, which is waited for.
 *
 * @throws Error for a component that is still there when the time is up.
 */
export async function remove(plane: ControlPlane, resource: Resource, waiting: Waiting): Promise<boolean> {
  const { kind, name } = resource
  const existed = await plane.remove(kind, name)
  if (kind !== 'inference component') return existed
  const left = await waitFor(plane, resource, ['Deleting'], waiting)
  if (left !== undefined) throw new StillThere(`inference component ${name}`, left.status)
  return existed
}

/** The time was up while AWS was still at work. */
export class StillThere extends Error {
  constructor(what: string, status: string) {
    super(`The ${what} is still ${status}. Run the same command again.`)
  }
}

export const warn = ({ stderr, env }: Io, text: string): void =>
  void stderr.write(`${painter(stderr, env)('yellow', text)}\n`)

/** How often a state is asked for, how long in all, and where it is shown. */
export interface Waiting {
  readonly io: Io
  readonly pollMs: number
  readonly waitMs: number
}

interface State {
  readonly status: string
  readonly reason: string | undefined
}

async function stateOf(plane: ControlPlane, { kind, name }: Resource): Promise<State | undefined> {
  if (kind === 'inference component') {
    const component = await plane.describeComponent(name)
    return component && { status: component.InferenceComponentStatus ?? 'Unknown', reason: component.FailureReason }
  }
  const endpoint = await plane.describeEndpoint(name)
  return endpoint && { status: endpoint.EndpointStatus ?? 'Unknown', reason: endpoint.FailureReason }
}

const FIRST_POLL_MS = 250

/**
 * Polls until an endpoint or a component has left the `busy` states, is gone (undefined), or the time is up (the busy
 * state itself).
 */
export async function waitFor(
  plane: ControlPlane,
  resource: Resource,
  busy: readonly string[],
  { io, pollMs, waitMs }: Waiting,
): Promise<State | undefined> {
  const started = Date.now()
  const line = progress(io.stderr)
  try {
    for (let polls = 0; ; polls += 1) {
      const state = await stateOf(plane, resource)
      if (state === undefined) return undefined
      const waited = Date.now() - started
      if (!busy.includes(state.status) || waited >= waitMs || io.signal?.aborted) return state
      const seconds = Math.floor(waited / 1000)
      line.show(
        `${resource.name}: ${state.status}`,
        `(${Math.floor(seconds / 60)}m ${String(seconds % 60).padStart(2, '0')}s)`,
      )
      // The first polls follow quickly, because a deletion takes seconds. Only a creation takes minutes.
      await pause(Math.min(pollMs, FIRST_POLL_MS * 2 ** Math.min(polls, 20)), io.signal)
    }
  } finally {
    line.end()
  }
}
