// `delete`: removes what `deploy` made. The endpoint goes first, because it costs money. Parts that other endpoints
// use stay.
import { LlamaGuardError } from '../../types/errors.js'
import { EXIT, painter } from '../io.js'
import type { ExitCode, Io } from '../io.js'
import { connectAutoScaling } from './autoscale.js'
import type { AutoScaling, Scaled } from './autoscale.js'
import { connectControlPlane, regionOf } from './control-plane.js'
import { explain } from './explain.js'
import type { ControlPlane } from './control-plane.js'
import { partsOf, remove, type Resource, StillThere, waitFor, warn } from './resources.js'

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
  const { endpoint, pollMs = 5_000, waitMs = 10 * 60_000 } = options
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
    const { components, resources } = await partsOf(plane, endpoint)
    const isOurs = ({ kind, name }: Resource): boolean =>
      options.all === true || name === endpoint || kind === 'inference component'
    await stopScaling(endpoint, components, region, io)
    let gone = 0
    for (const resource of resources.filter(isOurs)) {
      if (!(await remove(plane, resource, { io, pollMs, waitMs }))) continue
      gone += 1
      io.stdout.write(`Deleted the ${resource.kind} ${resource.name}.\n`)
    }
    for (const { name } of resources.filter((resource) => !isOurs(resource)))
      io.stdout.write(`Left ${name} alone; --all deletes it too.\n`)
    const end = await waitFor(plane, { kind: 'endpoint', name: endpoint }, ['Deleting'], { io, pollMs, waitMs })
    if (end !== undefined) throw new StillThere(`endpoint ${endpoint}`, end.status)
    if (gone === 0) io.stdout.write(`There is nothing named ${endpoint} in ${region}.\n`)
    return EXIT.ok
  } catch (error) {
    if (error instanceof StillThere) warn(io, error.message)
    else {
      const busy =
        error instanceof Error && /in-progress/.test(error.message)
          ? '\n  It cannot be deleted while it is being created or updated. Run the same command again when ' +
            'it has settled.'
          : ''
      io.stderr.write(`${paint('red', `Deleting ${endpoint} failed. ${explain(error, region)}${busy}`)}\n`)
    }
    return EXIT.failed
  } finally {
    plane.destroy()
  }
}

/** A scalable target outlives its endpoint and would scale the next endpoint of the same name. */
async function stopScaling(endpoint: string, components: readonly string[], region: string, io: Io): Promise<void> {
  let scaling: AutoScaling | undefined
  try {
    scaling = await connectAutoScaling(region, io.env)
    const all: Scaled[] = [{ endpoint }, ...components.map((component) => ({ endpoint, component }))]
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
