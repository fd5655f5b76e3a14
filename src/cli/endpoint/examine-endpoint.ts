// `doctor` looks at an endpoint as SageMaker's control plane describes it: its state, its instances, its container.
import type { Io } from '../io.js'
import { connectControlPlane } from './control-plane.js'
import type { ControlPlane } from './control-plane.js'
import { explain } from './explain.js'
import { containerOf } from './probe.js'
import { type Report, twoLines } from './report.js'
import { partsOf } from './resources.js'

/**
 * A role that may only invoke the endpoint is a good role, and the app needs no more. What this role cannot see is
 * therefore a warning.
 */
export async function examineEndpoint(name: string, region: string, io: Io, report: Report): Promise<void> {
  let plane: ControlPlane | undefined
  try {
    plane = await connectControlPlane(region, io.env)
    const { status, reason, instances, image } = await partsOf(plane, name)
    if (status === undefined)
      return report.fail(
        'endpoint',
        `there is no endpoint ${name} in ${region}`,
        'Check the name and the region, or make one: express-llama-guard deploy --help',
      )
    if (status === 'InService') report.ok('endpoint', `${name} is InService`)
    else
      report.fail(
        'endpoint',
        `${name} is ${status}${reason ? `: ${reason}` : ''}`,
        status === 'Failed'
          ? `Delete it and deploy again: express-llama-guard delete --endpoint ${name}`
          : 'Wait until it is InService; loading a model takes minutes.',
      )
    if (instances !== undefined) report.ok('instance', instances)
    const container = containerOf(image)
    if (container !== undefined) report.ok('container', container)
  } catch (error) {
    const [found, cure] = twoLines(explain(error, region))
    report.warn(
      'endpoint',
      `could not be looked at. ${found}`,
      cure ?? 'Going on: the middleware needs sagemaker:InvokeEndpoint alone.',
    )
  } finally {
    plane?.destroy()
  }
}
