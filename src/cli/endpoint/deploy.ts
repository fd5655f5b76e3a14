// `deploy`: puts a JumpStart model on an endpoint, without Python. A second run finds what exists. When a step fails,
// everything it made is removed, because a forgotten GPU endpoint costs money by the hour.
import { isPromptGuard } from '../../guard/prompt/index.js'
import { EXIT, type ExitCode, type Io, painter } from '../io.js'
import { alarmCommand, type AutoScaling, connectAutoScaling } from './autoscale.js'
import { connectControlPlane, type ControlPlane } from './control-plane.js'
import { type DeployOptions, makePlan, type Plan, wrong } from './plan.js'
import { explain } from './explain.js'
import { describePlan } from './plan-text.js'
import { remove, type Resource, waitFor, type Waiting } from './resources.js'

export type { DeployOptions } from './plan.js'

const BUSY = ['Creating', 'Updating', 'SystemUpdating', 'RollingBack']

export async function deploy(options: DeployOptions, io: Io): Promise<ExitCode> {
  const paint = painter(io.stderr, io.env)
  const say = (text: string): void => void io.stderr.write(`${text}\n`)
  let work: Work
  try {
    const plan = makePlan(options, io)
    if (options.dryRun === true) {
      io.stdout.write(`${describePlan(plan, options.dollarsPerHour)}Nothing was made (--dry-run).\n`)
      return EXIT.ok
    }
    const scaling = plan.scale && (await connectAutoScaling(plan.region, io.env))
    work = { plan, plane: await connectControlPlane(plan.region, io.env), scaling, made: [], options, io, say }
  } catch (error) {
    say(paint('red', explain(error, options.region ?? '')))
    return EXIT.usage
  }
  const { plan, plane } = work
  try {
    return await carryOut(work)
  } catch (error) {
    say(paint('red', `Deploying ${plan.model.id} failed. ${explain(error, plan.region)}`))
    await takeAway(work)
    return EXIT.failed
  } finally {
    plane.destroy()
    work.scaling?.destroy()
  }
}

async function carryOut(work: Work): Promise<ExitCode> {
  const { plan, plane, options, io, say } = work
  const paint = painter(io.stderr, io.env)
  const status = (await plane.describeEndpoint(plan.name))?.EndpointStatus
  if (status === 'InService') return await complete(work, 'is already in service')
  if (status === 'Failed' || status === 'OutOfService') {
    say(
      paint(
        'red',
        `The endpoint ${plan.name} exists and is ${status}. Take it away first: express-llama-guard ` +
          `delete --endpoint ${plan.name}`,
      ),
    )
    return EXIT.failed
  }
  if (status === undefined) {
    say(describePlan(plan, options.dollarsPerHour).trimEnd())
    await createAll(work)
  } else {
    say(`The endpoint ${plan.name} exists and is ${status}.`)
  }
  if (options.wait === false) return ready(plan, io, 'is being created')
  const end = await waitFor(plane, { kind: 'endpoint', name: plan.name }, [...BUSY, 'Deleting'], waitingOf(work))
  if (end?.status === 'InService') return await complete(work, 'is in service')
  if (end && BUSY.includes(end.status)) return stillBusy(work, `endpoint ${plan.name}`, end.status)
  throw new Error(`The endpoint is ${end?.status ?? 'gone'}${end?.reason ? `: ${end.reason}` : ''}`)
}

function stillBusy({ io, say }: Work, what: string, status: string): ExitCode {
  say(
    painter(io.stderr, io.env)(
      'yellow',
      `The ${what} is still ${status}, and is charged for. Run the same command again to go on waiting, or delete it.`,
    ),
  )
  return EXIT.failed
}

/** Makes what needs an endpoint in service: the inference component and its scaling. */
async function complete(work: Work, state: string): Promise<ExitCode> {
  const { plan, plane, io, made, say } = work
  const { createComponent, scale, name, region } = plan
  if (createComponent !== undefined) {
    if ((await plane.describeComponent(name)) === undefined) {
      await plane.createComponent(createComponent)
      made.unshift({ kind: 'inference component', name })
      say(`Created the inference component ${name}.`)
    }
    const end = await waitFor(plane, { kind: 'inference component', name }, BUSY, waitingOf(work))
    if (end && BUSY.includes(end.status)) return stillBusy(work, `inference component ${name}`, end.status)
    if (end?.status !== 'InService')
      throw new Error(`The inference component is ${end?.status ?? 'gone'}${end?.reason ? `: ${end.reason}` : ''}`)
  }
  if (scale === undefined || work.scaling === undefined) return ready(plan, io, state)
  const scaled = { endpoint: name, ...(createComponent && { component: name }) }
  const { wakePolicyArn } = await work.scaling.apply(scaled, scale)
  say(`Scaling from ${scale.min} to ${scale.max}, at ${scale.target} requests in flight for each.`)
  const code = ready(plan, io, state)
  if (wakePolicyArn !== undefined)
    io.stdout.write(
      `Scaled to zero it wakes only by this alarm, which you have to make:\n  ` +
        `${alarmCommand(scaled, wakePolicyArn, region)}\n`,
    )
  return code
}

function ready(plan: Plan, { stdout }: Io, state: string): ExitCode {
  const { name, region } = plan
  stdout.write(`The endpoint ${name} ${state} in ${region}.\n${howToUse(plan)}`)
  stdout.write(`Take it away:\n  npx express-llama-guard delete --endpoint ${name} --region ${region}\n`)
  return EXIT.ok
}

function howToUse({ name, model: { guardModel }, region, createComponent }: Plan): string {
  if (guardModel === undefined) return `Use it behind the guard:\n  export LLAMA_GUARD_UPSTREAM_ENDPOINT=${name}\n`
  const component = createComponent !== undefined
  if (!isPromptGuard(guardModel))
    return (
      `Use it:\n  export AWS_REGION=${region} LLAMA_GUARD_ENDPOINT=${name} LLAMA_GUARD_MODEL=${guardModel}` +
      `${component ? ` LLAMA_GUARD_INFERENCE_COMPONENT=${name}` : ''}\n`
    )
  const options = JSON.stringify({ model: guardModel, endpoint: name, ...(component && { inferenceComponent: name }) })
  return (
    'Use it beside a guard that judges replies too:\n' +
    (component ? `  llamaGuard({ guards: [${options}] })\n` : `  export LLAMA_GUARD_GUARDS=${guardModel}@${name}\n`)
  )
}

/** One deployment in progress. */
interface Work {
  readonly plan: Plan
  readonly plane: ControlPlane
  readonly scaling: AutoScaling | undefined
  /** What this run made, newest first. */
  readonly made: Resource[]
  readonly options: DeployOptions
  readonly io: Io
  say(text: string): void
}

const waitingOf = ({ options: { pollMs = 15_000, waitMs = 45 * 60_000 }, io }: Work): Waiting => ({
  io,
  pollMs,
  waitMs,
})

/** Makes what does not exist. Throws when a resource of the name exists with other settings. */
async function createAll({ plan, plane, made, say }: Work): Promise<void> {
  const { name, createModel, createConfig } = plan
  const model = await plane.describeModel(name)
  const wanted = createModel.PrimaryContainer
  if (model === undefined) {
    await plane.createModel(createModel)
    made.unshift({ kind: 'model', name })
    say(`Created the model ${name} (${plan.model.id} ${plan.model.version}).`)
  } else if (
    model.PrimaryContainer?.Image !== wanted?.Image ||
    !sameEnvironment(model.PrimaryContainer?.Environment, wanted?.Environment) ||
    model.PrimaryContainer?.ModelDataSource?.S3DataSource?.S3Uri !== wanted?.ModelDataSource?.S3DataSource?.S3Uri
  ) {
    throw taken('model', name)
  }

  const config = await plane.describeConfig(name)
  const variant = createConfig.ProductionVariants?.[0]
  if (config === undefined) {
    await plane.createConfig(createConfig)
    made.unshift({ kind: 'endpoint configuration', name })
    say(`Created the endpoint configuration ${name} (${variant?.InstanceType}).`)
  } else if (
    config.ProductionVariants?.[0]?.InstanceType !== variant?.InstanceType ||
    config.ProductionVariants?.[0]?.ModelName !== variant?.ModelName
  ) {
    throw taken('endpoint configuration', name)
  }

  await plane.createEndpoint(name, name, plan.tags)
  made.unshift({ kind: 'endpoint', name })
  say(
    `Creating the endpoint ${name} in ${plan.region}. This takes some minutes; it is charged for until you delete it.`,
  )
}

/**
 * False for a model that an earlier run made with other settings. It must not be used in place of the requested one.
 */
function sameEnvironment(first: Record<string, string> = {}, second: Record<string, string> = {}): boolean {
  const keys = Object.keys(second)
  return keys.length === Object.keys(first).length && keys.every((key) => first[key] === second[key])
}

/**
 * Removes what this run made, the newest first: an endpoint before the configuration that it uses. A failure here is
 * reported and does not hide the failure of the deployment.
 */
async function takeAway(work: Work): Promise<void> {
  const { plane, plan, made, say } = work
  for (const resource of made) {
    const words = `${resource.kind} ${resource.name}`
    try {
      await remove(plane, resource, waitingOf(work))
      say(`Took away the ${words} again.`)
    } catch (error) {
      say(`The ${words} could not be taken away and may be charged for. ${explain(error, plan.region)}`)
    }
  }
}

function taken(kind: string, name: string): Error {
  return wrong(
    `There is another ${kind} of the name ${name}. Delete it (express-llama-guard delete --endpoint ` +
      `${name}) or give --endpoint another name.`,
  )
}
