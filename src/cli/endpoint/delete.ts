// `delete`: removes what `deploy` made. The endpoint goes first, because it costs money. Parts that other endpoints
// use stay.
import { LlamaGuardError } from '../../errors.js'
import { connectAutoScaling } from './autoscale.js'
import type { AutoScaling, Scaled } from './autoscale.js'
import { connectControlPlane, regionOf } from './control-plane.js'
import { explain } from './explain.js'
import type { ControlPlane, Kind } from './control-plane.js'
import { EXIT, painter } from '../io.js'
import type { ExitCode, Io } from '../io.js'
import { waitForComponent, waitForEndpoint } from './wait.js'

export interface DeleteOptions {
  readonly endpoint: string
  readonly region?: string
  /** True also deletes the endpoint's configuration and models when their names differ from its own. Default: false. */
  readonly all?: boolean
  /** Default: 10 minutes. */
  readonly waitMs?: number
  /** Default: 5 seconds. */
  readonly pollMs?: number
}

export async function deleteEndpoint(options: DeleteOptions, io: Io): Promise<ExitCode> {
  const paint = painter(io.stderr, io.env)
  let region = options.region ?? ''
  let plane: ControlPlane
  try {
    region = regionOf(options.region, io.env)
    plane = await connectControlPlane(region, io.env)
  } catch (error) {
    io.stderr.write(`${paint('red', explain(error, region))}\n`)
    return EXIT.usage
  }
  try {
    const { configs, models, components } = await partsOf(plane, options.endpoint)
    const ours = (name: string): boolean => options.all === true || name === options.endpoint
    let gone = 0
    const remove = async (kind: Kind, name: string): Promise<void> => {
      if (!(await plane.remove(kind, name))) return
      gone += 1
      io.stdout.write(`Deleted the ${kind} ${name}.\n`)
    }
    await stopScaling(options.endpoint, components, region, io)
    // An endpoint with a component cannot be deleted, and deleting a component takes a while.
    for (const name of components) await remove('inference component', name)
    const wait = { pollMs: options.pollMs ?? 5_000, waitMs: options.waitMs ?? 10 * 60_000 }
    for (const name of components) {
      const left = await waitForComponent(plane, name, ['Deleting'], io, wait)
      if (left !== undefined) return stillThere(`inference component ${name}`, left.status, io)
    }
    await remove('endpoint', options.endpoint)
    for (const name of configs) if (ours(name)) await remove('endpoint configuration', name)
    for (const name of models) if (ours(name)) await remove('model', name)
    for (const name of [...configs, ...models])
      if (!ours(name)) io.stdout.write(`Left ${name} alone; --all deletes it too.\n`)
    const end = await waitForEndpoint(plane, options.endpoint, ['Deleting'], io, wait)
    if (end !== undefined) return stillThere(`endpoint ${options.endpoint}`, end.status, io)
    if (gone === 0) io.stdout.write(`There is nothing named ${options.endpoint} in ${region}.\n`)
    return EXIT.ok
  } catch (error) {
    const busy =
      error instanceof Error && /in-progress/.test(error.message)
        ? '\n  It cannot be deleted while it is being created or updated. Run the same command again when ' +
          'it has settled.'
        : ''
    io.stderr.write(`${paint('red', `Deleting ${options.endpoint} failed. ${explain(error, region)}${busy}`)}\n`)
    return EXIT.failed
  } finally {
    plane.destroy()
  }
}

function stillThere(what: string, status: string, { stderr, env }: Io): ExitCode {
  stderr.write(`${painter(stderr, env)('yellow', `The ${what} is still ${status}. Run the same command again.`)}\n`)
  return EXIT.failed
}

/** A scalable target outlives its endpoint and would scale the next endpoint of the same name. */
async function stopScaling(endpoint: string, components: ReadonlySet<string>, region: string, io: Io): Promise<void> {
  let scaling: AutoScaling | undefined
  try {
    scaling = await connectAutoScaling(region, io.env)
    const all: Scaled[] = [{ endpoint }, ...[...components].map((component) => ({ endpoint, component }))]
    for (const scaled of all)
      if (await scaling.remove(scaled)) io.stdout.write(`Stopped the scaling of ${scaled.component ?? endpoint}.\n`)
  } catch (error) {
    // Without the client installed, `deploy` cannot have scaled anything from this machine.
    if (!(error instanceof LlamaGuardError))
      io.stderr.write(`Whether ${endpoint} is scaled could not be seen. ${explain(error, region)}\n`)
  } finally {
    scaling?.destroy()
  }
}

interface Parts {
  readonly configs: Set<string>
  readonly models: Set<string>
  readonly components: Set<string>
}

// The parts are looked up before anything is deleted, because a deleted endpoint no longer names its configuration.
async function partsOf(plane: ControlPlane, name: string): Promise<Parts> {
  const configs = new Set([name])
  const models = new Set([name])
  const used = (await plane.describeEndpoint(name))?.EndpointConfigName
  if (used) configs.add(used)
  const components = new Set(used === undefined ? [] : await plane.componentsOf(name))
  for (const component of components) {
    const model = (await plane.describeComponent(component))?.Specification?.ModelName
    if (model) models.add(model)
  }
  for (const config of configs) {
    for (const variant of (await plane.describeConfig(config))?.ProductionVariants ?? [])
      if (variant.ModelName) models.add(variant.ModelName)
  }
  return { configs, models, components }
}
