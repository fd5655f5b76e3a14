// The two SageMaker calls of a batch evaluation: one starts a transform job, the other asks for its state. The SDK
// client is an optional dependency.
import type { CreateTransformJobCommandInput, TransformInstanceType } from '@aws-sdk/client-sagemaker'
import type * as Sdk from '@aws-sdk/client-sagemaker'
import { LlamaGuardError } from '../../../errors.js'
import type { Io } from '../../io.js'

export interface TransformJob {
  readonly jobName: string
  /** Name of the SageMaker model, as in CreateModel. It is not the name of the endpoint. */
  readonly modelName: string
  /** S3 folder, without a slash at its end. */
  readonly folder: string
  readonly instanceType: string
  readonly instanceCount: number
}

export interface JobState {
  readonly status: string
  readonly reason?: string
}

/**
 * The folders of a job, without a slash at the end. The input has a file for each instance, because SageMaker gives
 * whole files to an instance.
 */
export const inputUri = ({ folder, jobName }: Pick<TransformJob, 'folder' | 'jobName'>): string =>
  `${folder}/${jobName}/input`
export const outputUri = ({ folder, jobName }: Pick<TransformJob, 'folder' | 'jobName'>): string =>
  `${folder}/${jobName}/output`

/** The requests that an instance works on at once. This number times the payload limit in MB may be at most 100. */
const AT_ONCE = 16
const PAYLOAD_MB = 1

export function requestOf(job: TransformJob): CreateTransformJobCommandInput {
  return {
    TransformJobName: job.jobName,
    ModelName: job.modelName,
    // Each line is a request, because a container for text generation does not read several lines at once.
    BatchStrategy: 'SingleRecord',
    MaxConcurrentTransforms: AT_ONCE,
    MaxPayloadInMB: PAYLOAD_MB,
    TransformInput: {
      DataSource: { S3DataSource: { S3DataType: 'S3Prefix', S3Uri: `${inputUri(job)}/` } },
      ContentType: 'application/json',
      SplitType: 'Line',
      CompressionType: 'None',
    },
    TransformOutput: { S3OutputPath: outputUri(job), Accept: 'application/json', AssembleWith: 'Line' },
    // The container gets the payload without the id. The output has the id and the answer, and no second copy of the
    // texts.
    DataProcessing: {
      InputFilter: "$['inputs','parameters']",
      JoinSource: 'Input',
      OutputFilter: "$['id','SageMakerOutput']",
    },
    TransformResources: { InstanceType: job.instanceType as TransformInstanceType, InstanceCount: job.instanceCount },
  }
}

export interface TransformJobs {
  start(job: TransformJob): Promise<void>
  /** Undefined when there is no job of this name. */
  state(jobName: string): Promise<JobState | undefined>
  destroy(): void
}

/** Throws `dependency_missing` when the SDK's control plane client is not installed. */
export async function connectTransformJobs(
  region: string,
  env: Io['env'],
  load: () => Promise<typeof Sdk> = () => import('@aws-sdk/client-sagemaker'),
): Promise<TransformJobs> {
  const sdk = await load().catch((cause: unknown) => {
    throw new LlamaGuardError(
      'dependency_missing',
      'A batch evaluation needs the AWS SDK client for SageMaker, which is not installed. Install it: ' +
        'npm install @aws-sdk/client-sagemaker',
      { cause },
    )
  })
  const endpoint = env['AWS_ENDPOINT_URL_SAGEMAKER'] ?? env['AWS_ENDPOINT_URL']
  const client = new sdk.SageMakerClient({ region, ...(endpoint && { endpoint }) })
  return {
    async start(job) {
      await client.send(new sdk.CreateTransformJobCommand(requestOf(job)))
    },
    async state(jobName) {
      try {
        const { TransformJobStatus, FailureReason } = await client.send(
          new sdk.DescribeTransformJobCommand({ TransformJobName: jobName }),
        )
        return {
          status: TransformJobStatus ?? 'Unknown',
          ...(FailureReason !== undefined && { reason: FailureReason }),
        }
      } catch (error) {
        if (error instanceof Error && /could not find|not found|does not exist/i.test(error.message)) return undefined
        throw error
      }
    },
    destroy: () => client.destroy(),
  }
}
