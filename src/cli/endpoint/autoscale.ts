// `deploy --autoscale MIN..MAX`: Application Auto Scaling of instances, by the requests that each works on at once.
// SageMaker publishes that metric every ten seconds. The SDK client is an optional dependency.
import { type Io, peer } from '../io.js'

export interface Scale {
  readonly min: number
  readonly max: number
}

/** Requests in flight for each instance, as in AWS's own example. `doctor --latency` measures an endpoint's value. */
export const SCALE_TARGET = 5
/** Loading the model takes a GPU instance minutes, so an instance is not removed in a short lull. */
const SCALE_IN_COOLDOWN_S = 600
const SCALE_OUT_COOLDOWN_S = 60

/** Throws `dependency_missing` when the SDK's client for Application Auto Scaling is not installed. */
export async function connectAutoScaling(region: string, env: Io['env']) {
  const name = '@aws-sdk/client-application-auto-scaling'
  const sdk = await peer(name, '--autoscale', () => import('@aws-sdk/client-application-auto-scaling'))
  const url = env['AWS_ENDPOINT_URL_APPLICATION_AUTO_SCALING'] ?? env['AWS_ENDPOINT_URL']
  const client = new sdk.ApplicationAutoScalingClient({ region, ...(url && { endpoint: url }) })
  const resourceOf = (endpoint: string) =>
    ({
      ServiceNamespace: 'sagemaker',
      ResourceId: `endpoint/${endpoint}/variant/AllTraffic`,
      ScalableDimension: 'sagemaker:variant:DesiredInstanceCount',
    }) as const
  return {
    async apply(endpoint: string, { min, max }: Scale): Promise<void> {
      const resource = resourceOf(endpoint)
      await client.send(new sdk.RegisterScalableTargetCommand({ ...resource, MinCapacity: min, MaxCapacity: max }))
      await client.send(
        new sdk.PutScalingPolicyCommand({
          ...resource,
          PolicyName: `${endpoint}-concurrent-requests`,
          PolicyType: 'TargetTrackingScaling',
          TargetTrackingScalingPolicyConfiguration: {
            TargetValue: SCALE_TARGET,
            PredefinedMetricSpecification: {
              PredefinedMetricType: 'SageMakerVariantConcurrentRequestsPerModelHighResolution',
            },
            ScaleInCooldown: SCALE_IN_COOLDOWN_S,
            ScaleOutCooldown: SCALE_OUT_COOLDOWN_S,
          },
        }),
      )
    },
    /** A target outlives its endpoint, and would scale the next one of the name. False when there was none. */
    async remove(endpoint: string): Promise<boolean> {
      try {
        await client.send(new sdk.DeregisterScalableTargetCommand(resourceOf(endpoint)))
        return true
      } catch (error) {
        if (error instanceof Error && error.name === 'ObjectNotFoundException') return false
        throw error
      }
    },
    destroy: () => client.destroy(),
  }
}
