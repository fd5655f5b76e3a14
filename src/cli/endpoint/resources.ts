// What an endpoint is made of: `deploy` makes the list and takes it away after a failure, `delete` removes it, and
// `doctor` looks at it.
import { type Io, painter } from '../io.js'
import type { ControlPlane, Kind } from './control-plane.js'
import { waitForComponent, type WaitOptions } from './wait.js'

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
export async function remove(
  plane: ControlPlane,
  { kind, name }: Resource,
  io: Io,
  wait: WaitOptions,
): Promise<boolean> {
  const existed = await plane.remove(kind, name)
  if (kind !== 'inference component') return existed
  const left = await waitForComponent(plane, name, ['Deleting'], io, wait)
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
