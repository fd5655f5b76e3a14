// `deploy`: puts a JumpStart model on an endpoint, without Python. A second run finds what exists. When a step fails,
// everything it made is removed, because a forgotten GPU endpoint costs money by the hour.
import { isPromptGuard } from '../../guard/prompt/index.js'
import { EXIT, painter } from '../io.js'
import type { ExitCode, Io } from '../io.js'
import { alarmCommand, connectAutoScaling } from './autoscale.js'
import { connectControlPlane } from './control-plane.js'
import type { DeployOptions, Plan } from './deploy-options.js'
import { makePlan } from './deploy-plan.js'
import { createAll, takeAway, waitOf } from './deploy-resources.js'
import type { Work } from './deploy-resources.js'
import { explain } from './explain.js'
import { describePlan } from './plan-text.js'
import { waitForComponent, waitForEndpoint } from './wait.js'

export type { DeployOptions } from './deploy-options.js'

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
  const end = await waitForEndpoint(plane, plan.name, [...BUSY, 'Deleting'], io, waitOf(options))
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
  const { plan, plane, options, io, made, say } = work
  const { createComponent, scale, name, region } = plan
  if (createComponent !== undefined) {
    if ((await plane.describeComponent(name)) === undefined) {
      await plane.createComponent(createComponent)
      made.unshift({ kind: 'inference component', name })
      say(`Created the inference component ${name}.`)
    }
    const end = await waitForComponent(plane, name, BUSY, io, waitOf(options))
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
