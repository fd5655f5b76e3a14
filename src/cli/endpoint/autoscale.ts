// `deploy --autoscale MIN..MAX`: Application Auto Scaling on the requests that a copy of the model works on at once.
// SageMaker publishes that metric every ten seconds. The SDK client is an optional dependency.
import type {
  PutScalingPolicyCommandInput,
  RegisterScalableTargetCommandInput,
} from '@aws-sdk/client-application-auto-scaling'
import { type Io, peer } from '../io.js'

export interface Scale {
  readonly min: number
  readonly max: number
  /** The requests in flight per copy that the policy aims at. */
  readonly target: number
}

/** What is scaled: the instances of a variant, or the copies of an inference component. */
export interface Scaled {
  readonly endpoint: string
  readonly component?: string
}

/** Loading the model takes a GPU instance minutes, so an instance is not removed in a short lull. */
const SCALE_IN_COOLDOWN_S = 600
const SCALE_OUT_COOLDOWN_S = 60

const resourceOf = ({ endpoint, component }: Scaled) =>
  component === undefined
    ? ({
        ServiceNamespace: 'sagemaker',
        ResourceId: `endpoint/${endpoint}/variant/AllTraffic`,
        ScalableDimension: 'sagemaker:variant:DesiredInstanceCount',
      } as const)
    : ({
        ServiceNamespace: 'sagemaker',
        ResourceId: `inference-component/${component}`,
        ScalableDimension: 'sagemaker:inference-component:DesiredCopyCount',
      } as const)

export function targetOf(scaled: Scaled, { min, max }: Scale): RegisterScalableTargetCommandInput {
  return { ...resourceOf(scaled), MinCapacity: min, MaxCapacity: max }
}

export function trackingOf(scaled: Scaled, { target }: Scale): PutScalingPolicyCommandInput {
  return {
    ...resourceOf(scaled),
    PolicyName: `${scaled.component ?? scaled.endpoint}-concurrent-requests`,
    PolicyType: 'TargetTrackingScaling',
    TargetTrackingScalingPolicyConfiguration: {
      TargetValue: target,
      PredefinedMetricSpecification: {
        PredefinedMetricType:
          scaled.component === undefined
            ? 'SageMakerVariantConcurrentRequestsPerModelHighResolution'
            : 'SageMakerInferenceComponentConcurrentRequestsPerCopyHighResolution',
      },
      ScaleInCooldown: SCALE_IN_COOLDOWN_S,
      ScaleOutCooldown: SCALE_OUT_COOLDOWN_S,
    },
  }
}

/** Adds the first copy after a scale to zero. A CloudWatch alarm must trigger it. */
export function wakingOf(scaled: Scaled): PutScalingPolicyCommandInput {
  return {
    ...resourceOf(scaled),
    PolicyName: `${scaled.component ?? scaled.endpoint}-wake`,
    PolicyType: 'StepScaling',
    StepScalingPolicyConfiguration: {
      AdjustmentType: 'ChangeInCapacity',
      MetricAggregationType: 'Maximum',
      Cooldown: SCALE_OUT_COOLDOWN_S,
      StepAdjustments: [{ MetricIntervalLowerBound: 0, ScalingAdjustment: 1 }],
    },
  }
}

/**
 * The alarm of AWS's guide to scaling from zero. The first request that finds no copy triggers it. The command is
 * printed for a person to run, because creating the alarm here would need another client of the SDK.
 */
export function alarmCommand({ component }: Scaled, policyArn: string, region: string): string {
  return (
    `aws cloudwatch put-metric-alarm --region ${region} --alarm-name ${component}-wake --alarm-actions ${policyArn} ` +
    '--namespace AWS/SageMaker --metric-name NoCapacityInvocationFailures --statistic Sum --period 60 ' +
    '--evaluation-periods 1 --datapoints-to-alarm 1 --threshold 1 ' +
    '--comparison-operator GreaterThanOrEqualToThreshold ' +
    `--dimensions Name=InferenceComponentName,Value=${component}`
  )
}

export interface AutoScaling {
  /**
   * Registers the target and its policies. The ARN is that of the policy that adds the first copy, when copies may go
   * to zero.
   */
  apply(scaled: Scaled, scale: Scale): Promise<{ readonly wakePolicyArn?: string }>
  /** False when the resource was not scaled. */
  remove(scaled: Scaled): Promise<boolean>
  destroy(): void
}

/** Throws `dependency_missing` when the SDK's client for Application Auto Scaling is not installed. */
export async function connectAutoScaling(region: string, env: Io['env']): Promise<AutoScaling> {
  const name = '@aws-sdk/client-application-auto-scaling'
  const sdk = await peer(name, '--autoscale', () => import('@aws-sdk/client-application-auto-scaling'))
  const endpoint = env['AWS_ENDPOINT_URL_APPLICATION_AUTO_SCALING'] ?? env['AWS_ENDPOINT_URL']
  const client = new sdk.ApplicationAutoScalingClient({ region, ...(endpoint && { endpoint }) })
  return {
    async apply(scaled, scale) {
      await client.send(new sdk.RegisterScalableTargetCommand(targetOf(scaled, scale)))
      await client.send(new sdk.PutScalingPolicyCommand(trackingOf(scaled, scale)))
      if (scale.min > 0) return {}
      const { PolicyARN } = await client.send(new sdk.PutScalingPolicyCommand(wakingOf(scaled)))
      return { wakePolicyArn: PolicyARN ?? '' }
    },
    async remove(scaled) {
      try {
        await client.send(new sdk.DeregisterScalableTargetCommand(resourceOf(scaled)))
        return true
      } catch (error) {
        if (error instanceof Error && error.name === 'ObjectNotFoundException') return false
        throw error
      }
    },
    destroy: () => client.destroy(),
  }
}
