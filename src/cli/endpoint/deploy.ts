// `deploy`: puts a JumpStart model on an endpoint, without Python. A second run finds what exists. When a step fails,
// everything it made is removed, because a forgotten GPU endpoint costs money by the hour.
import { isDeepStrictEqual } from 'node:util'
import { isPromptGuard } from '../../guard/prompt/index.js'
import { EXIT, type ExitCode, type Io, painter } from '../io.js'
import { connectAutoScaling } from './autoscale.js'
import { attempt, connectControlPlane, type ControlPlane } from './control-plane.js'
import { explain } from './explain.js'
import { describePlan } from './plan-text.js'
import { type DeployOptions, makePlan, type Plan } from './plan.js'
import { type Resource, type Waiting, waitFor, warn } from './resources.js'

const BUSY = ['Creating', 'Updating', 'SystemUpdating', 'RollingBack', 'Deleting']
const POLL_MS = 15_000
const WAIT_MS = 45 * 60_000

export function deploy(options: DeployOptions & Partial<Waiting>, io: Io): Promise<ExitCode> {
  const { pollMs = POLL_MS, waitMs = WAIT_MS } = options
  return attempt(io, options.region ?? io.env['AWS_REGION'] ?? '', async () => {
    const plan = makePlan(options, io)
    if (options.dryRun === true) {
      io.stdout.write(`${describePlan(plan)}Nothing was made (--dry-run).\n`)
      return EXIT.ok
    }
    const scaling = plan.scale && (await connectAutoScaling(plan.region, io.env))
    const plane = await connectControlPlane(plan.region, io.env)
    const work: Work = { plan, plane, made: [], say: (text) => void io.stderr.write(`${text}\n`) }
    const serve = async (state: string): Promise<ExitCode> => {
      if (plan.scale) await scaling?.apply(plan.name, plan.scale)
      return ready(plan, io, state)
    }
    try {
      const { name } = plan
      const before = (await plane.describeEndpoint(name))?.EndpointStatus
      if (before === 'InService') return await serve('is already in service')
      if (before === 'Failed' || before === 'OutOfService')
        throw new Error(`The endpoint exists and is ${before}. Take it away first: ${deletionOf(plan)}`)
      if (before === undefined) await createAll(work)
      const end = await waitFor(plane, name, BUSY, { io, pollMs, waitMs })
      if (end?.status === 'InService') return await serve('is in service')
      if (end === undefined || !BUSY.includes(end.status))
        throw new Error(`The endpoint is ${end?.status ?? 'gone'}${end?.reason ? `: ${end.reason}` : ''}`)
      warn(
        io,
        `The endpoint ${name} is still ${end.status}, and is charged for. Run the same command again to go on ` +
          'waiting, or delete it.',
      )
      return EXIT.failed
    } catch (error) {
      const failed = `Deploying ${plan.model.id} failed. ${explain(error, plan.region)}`
      work.say(painter(io.stderr, io.env)('red', failed))
      await takeAway(work)
      return EXIT.failed
    } finally {
      plane.destroy()
      scaling?.destroy()
    }
  })
}

/** One deployment in progress. */
interface Work {
  readonly plan: Plan
  readonly plane: ControlPlane
  /** What this run made, newest first. */
  readonly made: Resource[]
  say(text: string): void
}

/** Makes what does not exist. Throws when a resource of the name exists with other settings. */
async function createAll({ plan, plane, made, say }: Work): Promise<void> {
  const { name, region, createModel, createConfig, tags } = plan
  say(describePlan(plan).trimEnd())
  const model = (await plane.describeModel(name))?.PrimaryContainer
  const { Image, Environment, ModelDataSource } = createModel.PrimaryContainer ?? {}
  if (model === undefined) {
    await plane.createModel(createModel)
    made.unshift({ kind: 'model', name })
    say(`Created the model ${name} (${plan.model.id} ${plan.model.version}).`)
  } else if (
    model.Image !== Image ||
    !isDeepStrictEqual({ ...model.Environment }, { ...Environment }) ||
    model.ModelDataSource?.S3DataSource?.S3Uri !== ModelDataSource?.S3DataSource?.S3Uri
  )
    throw taken('model', name)

  const config = (await plane.describeConfig(name))?.ProductionVariants?.[0]
  const variant = createConfig.ProductionVariants?.[0]
  if (config === undefined) {
    await plane.createConfig(createConfig)
    made.unshift({ kind: 'endpoint configuration', name })
    say(`Created the endpoint configuration ${name} (${variant?.InstanceType}).`)
  } else if (config.InstanceType !== variant?.InstanceType || config.ModelName !== variant?.ModelName)
    throw taken('endpoint configuration', name)

  await plane.createEndpoint(name, tags)
  made.unshift({ kind: 'endpoint', name })
  say(`Creating the endpoint ${name} in ${region}. This takes some minutes; it is charged for until you delete it.`)
}

/**
 * Removes what this run made, the newest first: an endpoint before the configuration that it uses. A failure here is
 * reported and does not hide the failure of the deployment.
 */
async function takeAway({ plane, plan, made, say }: Work): Promise<void> {
  for (const { kind, name } of made)
    try {
      await plane.remove(kind, name)
      say(`Took away the ${kind} ${name} again.`)
    } catch (error) {
      say(`The ${kind} ${name} could not be taken away and may be charged for. ${explain(error, plan.region)}`)
    }
}

function taken(kind: string, name: string): Error {
  return new Error(
    `There is another ${kind} of the name ${name}. Delete it (express-llama-guard delete --endpoint ${name}) or give ` +
      '--endpoint another name.',
  )
}

const deletionOf = ({ name, region }: Plan): string =>
  `npx express-llama-guard delete --endpoint ${name} --region ${region}`

function ready(plan: Plan, { stdout }: Io, state: string): ExitCode {
  const { name, region, model } = plan
  stdout.write(
    `The endpoint ${name} ${state} in ${region}.\n${howToUse(name, region, model.guardModel)}\n` +
      `Take it away:\n  ${deletionOf(plan)}\n`,
  )
  return EXIT.ok
}

function howToUse(name: string, region: string, guard: Plan['model']['guardModel']): string {
  if (guard === undefined) return `Use it behind the guard:\n  export LLAMA_GUARD_UPSTREAM_ENDPOINT=${name}`
  return isPromptGuard(guard)
    ? `Use it beside a guard that judges replies too:\n  export LLAMA_GUARD_GUARDS=${guard}@${name}`
    : `Use it:\n  export AWS_REGION=${region} LLAMA_GUARD_ENDPOINT=${name} LLAMA_GUARD_MODEL=${guard}`
}
