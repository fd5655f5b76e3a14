// Makes the model, the endpoint configuration and the endpoint of a deployment, and removes them after a failure.
import type { Io } from '../io.js'
import type { AutoScaling } from './autoscale.js'
import type { ControlPlane } from './control-plane.js'
import type { DeployOptions, Plan } from './deploy-options.js'
import { wrong } from './deploy-plan.js'
import { explain } from './explain.js'
import { remove, type Resource } from './resources.js'

/** One deployment in progress. */
export interface Work {
  readonly plan: Plan
  readonly plane: ControlPlane
  readonly scaling: AutoScaling | undefined
  /** What this run made, newest first. */
  readonly made: Resource[]
  readonly options: DeployOptions
  readonly io: Io
  say(text: string): void
}

/** How often the status is asked for, and how long in all. */
export const waitOf = ({ pollMs, waitMs }: DeployOptions) => ({
  pollMs: pollMs ?? 15_000,
  waitMs: waitMs ?? 45 * 60_000,
})

/** Makes what does not exist. Throws when a resource of the name exists with other settings. */
export async function createAll({ plan, plane, made, say }: Work): Promise<void> {
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
export async function takeAway({ plane, plan, made, options, io, say }: Work): Promise<void> {
  for (const resource of made) {
    const words = `${resource.kind} ${resource.name}`
    try {
      await remove(plane, resource, io, waitOf(options))
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
