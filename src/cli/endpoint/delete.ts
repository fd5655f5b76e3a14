// `delete`: removes what `deploy` made. The endpoint goes first, because it costs money. Parts that other endpoints
// use stay.
import { isLlamaGuardError } from '../../types/errors.js'
import { EXIT, type ExitCode, type Io } from '../io.js'
import { connectAutoScaling } from './autoscale.js'
import { attempt, connectControlPlane, regionOf } from './control-plane.js'
import { explain } from './explain.js'
import { partsOf, type Resource, type Waiting, waitFor, warn } from './resources.js'

export interface DeleteOptions extends Partial<Waiting> {
  readonly endpoint: string
  readonly region?: string
  readonly all?: boolean
}

const POLL_MS = 5_000
const WAIT_MS = 10 * 60_000

export function deleteEndpoint(options: DeleteOptions, io: Io): Promise<ExitCode> {
  const { endpoint, all = false, pollMs = POLL_MS, waitMs = WAIT_MS } = options
  return attempt(io, options.region ?? '', async () => {
    const region = regionOf(options.region, io.env)
    const plane = await connectControlPlane(region, io.env)
    try {
      const { resources } = await partsOf(plane, endpoint)
      const isOurs = ({ name }: Resource): boolean => all || name === endpoint
      await stopScaling(endpoint, region, io)
      let gone = 0
      for (const { kind, name } of resources.filter(isOurs)) {
        if (!(await plane.remove(kind, name))) continue
        gone += 1
        io.stdout.write(`Deleted the ${kind} ${name}.\n`)
      }
      for (const { name } of resources.filter((resource) => !isOurs(resource)))
        io.stdout.write(`Left ${name} alone; --all deletes it too.\n`)
      const end = await waitFor(plane, endpoint, ['Deleting'], { io, pollMs, waitMs })
      if (end !== undefined) {
        warn(io, `The endpoint ${endpoint} is still ${end.status}. Run the same command again.`)
        return EXIT.failed
      }
      if (gone === 0) io.stdout.write(`There is nothing named ${endpoint} in ${region}.\n`)
      return EXIT.ok
    } finally {
      plane.destroy()
    }
  })
}

async function stopScaling(endpoint: string, region: string, io: Io): Promise<void> {
  let scaling: Awaited<ReturnType<typeof connectAutoScaling>> | undefined
  try {
    scaling = await connectAutoScaling(region, io.env)
    if (await scaling.remove(endpoint)) io.stdout.write(`Stopped the scaling of ${endpoint}.\n`)
  } catch (error) {
    // Without the client installed, `deploy` cannot have scaled anything from this machine.
    if (!isLlamaGuardError(error))
      warn(io, `Whether ${endpoint} is scaled could not be seen. ${explain(error, region)}`)
  } finally {
    scaling?.destroy()
  }
}
