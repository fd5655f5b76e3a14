// `deploy`: a JumpStart model on an endpoint of one's own, without Python. Run again it finds what is there;
// when a step fails it takes away what it made, because a forgotten GPU endpoint costs money by the hour.
import { connectControlPlane, explain } from './control-plane.js'
import type { ControlPlane, Kind } from './control-plane.js'
import { makePlan, wrong } from './deploy-plan.js'
import type { DeployOptions, Plan } from './deploy-plan.js'
import { EXIT, painter } from '../io.js'
import type { ExitCode, Io } from '../io.js'
import { waitForEndpoint } from './wait.js'

export type { DeployOptions } from './deploy-plan.js'

const BUSY = ['Creating', 'Updating', 'SystemUpdating', 'RollingBack']

export async function deploy(options: DeployOptions, io: Io): Promise<ExitCode> {
  const paint = painter(io.stderr, io.env)
  const say = (text: string): void => void io.stderr.write(`${text}\n`)
  let plan: Plan
  let plane: ControlPlane
  try {
    plan = makePlan(options, io)
    plane = await connectControlPlane(plan.region, io.env)
  } catch (error) {
    say(paint('red', explain(error, options.region ?? '')))
    return EXIT.usage
  }

  const made: { kind: Kind; name: string }[] = []
  try {
    const status = (await plane.describeEndpoint(plan.name))?.EndpointStatus
    if (status === 'InService') return ready(plan, io, 'is already in service')
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
      await createAll(plane, plan, made, say)
    } else {
      say(`The endpoint ${plan.name} exists and is ${status}.`)
    }
    if (options.wait === false) return ready(plan, io, 'is being created')
    const end = await waitForEndpoint(plane, plan.name, [...BUSY, 'Deleting'], io, {
      pollMs: options.pollMs ?? 15_000,
      waitMs: options.waitMs ?? 45 * 60_000,
    })
    if (end?.status === 'InService') return ready(plan, io, 'is in service')
    if (end && BUSY.includes(end.status)) {
      say(
        paint(
          'yellow',
          `The endpoint ${plan.name} is still ${end.status}, and is charged for. Run the same command again ` +
            'to go on waiting, or delete it.',
        ),
      )
      return EXIT.pending
    }
    throw new Error(`The endpoint is ${end?.status ?? 'gone'}${end?.reason ? `: ${end.reason}` : ''}`)
  } catch (error) {
    say(paint('red', `Deploying ${plan.model.id} failed. ${explain(error, plan.region)}`))
    await takeAway(plane, made, plan.region, say)
    return EXIT.failed
  } finally {
    plane.destroy()
  }
}

async function createAll(
  plane: ControlPlane,
  plan: Plan,
  made: { kind: Kind; name: string }[],
  say: (text: string) => void,
): Promise<void> {
  const { name, createModel, createConfig } = plan
  const model = await plane.describeModel(name)
  const wanted = createModel.PrimaryContainer
  if (model === undefined) {
    await plane.createModel(createModel)
    made.unshift({ kind: 'model', name })
    say(`Created the model ${name} (${plan.model.id} ${plan.model.version}).`)
  } else if (
    model.PrimaryContainer?.Image !== wanted?.Image ||
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
    config.ProductionVariants?.[0]?.ModelName !== name
  ) {
    throw taken('endpoint configuration', name)
  }

  await plane.createEndpoint(name, name, plan.tags)
  made.unshift({ kind: 'endpoint', name })
  say(
    `Creating the endpoint ${name} in ${plan.region}. This takes some minutes; it is charged for until you delete it.`,
  )
}

function ready({ name, model, region }: Plan, { stdout }: Io, state: string): ExitCode {
  stdout.write(`The endpoint ${name} ${state} in ${region}.\n`)
  const guard = model.guardModel
  if (guard !== undefined)
    stdout.write(`Use it:\n  export AWS_REGION=${region} LLAMA_GUARD_ENDPOINT=${name} LLAMA_GUARD_MODEL=${guard}\n`)
  else stdout.write(`Use it behind the guard:\n  export LLAMA_GUARD_UPSTREAM_ENDPOINT=${name}\n`)
  stdout.write(`Take it away:\n  npx express-llama-guard delete --endpoint ${name} --region ${region}\n`)
  return EXIT.ok
}

// Newest first: an endpoint before the configuration it uses. A failure here is told, and does not hide the first one.
async function takeAway(
  plane: ControlPlane,
  made: readonly { kind: Kind; name: string }[],
  region: string,
  say: (text: string) => void,
): Promise<void> {
  for (const { kind, name } of made) {
    try {
      await plane.remove(kind, name)
      say(`Took away the ${kind} ${name} again.`)
    } catch (error) {
      say(`The ${kind} ${name} could not be taken away and may be charged for. ${explain(error, region)}`)
    }
  }
}

function taken(kind: string, name: string): Error {
  return wrong(
    `There is another ${kind} of the name ${name}. Delete it (express-llama-guard delete --endpoint ` +
      `${name}) or give --endpoint another name.`,
  )
}
