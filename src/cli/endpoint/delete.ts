// `delete`: takes away what `deploy` made. The endpoint goes first, since it is what costs money; what others
// use is left alone.
import { connectControlPlane, explain, regionOf } from './control-plane.js'
import type { ControlPlane, Kind } from './control-plane.js'
import { EXIT, painter } from '../io.js'
import type { ExitCode, Io } from '../io.js'
import { waitForEndpoint } from './wait.js'

export interface DeleteOptions {
  readonly endpoint: string
  readonly region?: string
  /** Also the configuration and models of the endpoint that bear another name than it. Default: false. */
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
    const { configs, models } = await partsOf(plane, options.endpoint)
    const ours = (name: string): boolean => options.all === true || name === options.endpoint
    let gone = 0
    const remove = async (kind: Kind, name: string): Promise<void> => {
      if (!(await plane.remove(kind, name))) return
      gone += 1
      io.stdout.write(`Deleted the ${kind} ${name}.\n`)
    }
    await remove('endpoint', options.endpoint)
    for (const name of configs) if (ours(name)) await remove('endpoint configuration', name)
    for (const name of models) if (ours(name)) await remove('model', name)
    for (const name of [...configs, ...models])
      if (!ours(name)) io.stdout.write(`Left ${name} alone; --all deletes it too.\n`)
    const end = await waitForEndpoint(plane, options.endpoint, ['Deleting'], io, {
      pollMs: options.pollMs ?? 5_000,
      waitMs: options.waitMs ?? 10 * 60_000,
    })
    if (end !== undefined) {
      io.stderr.write(
        `${paint('yellow', `The endpoint ${options.endpoint} is still ${end.status}. Run the same command again.`)}\n`,
      )
      return EXIT.pending
    }
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

// Asked before anything is gone: afterwards nobody knows which configuration the endpoint had.
async function partsOf(plane: ControlPlane, name: string): Promise<{ configs: Set<string>; models: Set<string> }> {
  const configs = new Set([name])
  const models = new Set([name])
  const used = (await plane.describeEndpoint(name))?.EndpointConfigName
  if (used) configs.add(used)
  for (const config of configs) {
    for (const variant of (await plane.describeConfig(config))?.ProductionVariants ?? [])
      if (variant.ModelName) models.add(variant.ModelName)
  }
  return { configs, models }
}
