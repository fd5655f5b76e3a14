// `eval --batch s3://...`: each run of the command takes the next step of a Batch Transform job: write, upload, start,
// wait, download, score. The caller uploads and downloads with `aws s3 cp`, which can resume and has the rights to the
// buckets. This file does everything else.
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { LlamaGuardError, toLlamaGuardError } from '../../../errors.js'
import { createPrompter, type ModelName, type PromptPolicy } from '../../../guard/prompt/index.js'
import { regionOf } from '../../endpoint/control-plane.js'
import { explain } from '../../endpoint/explain.js'
import { EXIT, type ExitCode, type Io } from '../../io.js'
import { type BatchInput, partsOf, prepareBatch, readBatch } from './lines.js'
import { publish } from '../run.js'
import { type Mapping, readRows, type Row } from '../rows.js'
import { summarise } from '../summary.js'
import { connectTransformJobs, inputUri, outputUri, type TransformJob, type TransformJobs } from './transform-job.js'

export interface BatchOptions extends Mapping {
  readonly files: readonly string[]
  /** S3 folder for input and output, `s3://bucket/prefix`. */
  readonly batch: string
  readonly model: ModelName
  readonly policy?: PromptPolicy
  /** The most tokens that the container takes, when it takes fewer than the model. Default: the model's own. */
  readonly contextTokens?: number
  /** Name of the SageMaker model to run. A start needs it. */
  readonly sagemakerModel?: string
  /** Default: ml.g5.2xlarge. */
  readonly instanceType?: string
  /** The number of instances. Each gets an input file of its own. Default: 1. */
  readonly instanceCount?: number
  /** True starts the job, once the input was uploaded. Default: false, because a job costs money. */
  readonly start?: boolean
  /** Local folder for the input and output files. They hold the texts. Default: the working directory. */
  readonly folder?: string
  readonly region?: string
  /** The score, 0 to 1, from which a text counts as unsafe. Default: the model's own word decides. */
  readonly threshold?: number
  readonly reportFile?: string
  readonly targetFalsePositiveRate?: number
  readonly draws?: number
}

const nameOf = (part: number): string => `part-${part}.jsonl`
const BUCKET = /^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:\/[\w!'()*./-]+)?$/

function folderOf(batch: string): string {
  const folder = batch.replace(/(?<!\/)\/+$/, '')
  if (BUCKET.test(folder)) return folder
  throw new LlamaGuardError(
    'invalid_option',
    `--batch ${JSON.stringify(batch)} is no S3 folder. Give a bucket of your own and a prefix, such ` +
      'as s3://my-bucket/llama-guard.',
  )
}

/**
 * Returns the exit code: 4 while something is left to do, which the last line names, 1 when the job failed, and that
 * of `eval` at the end.
 */
export async function runBatch(options: BatchOptions, io: Io): Promise<ExitCode> {
  const say = (text: string): void => void io.stderr.write(`${text}\n`)
  let region = ''
  let jobs: TransformJobs | undefined
  try {
    const folder = folderOf(options.batch)
    const prompter = createPrompter(options.model, options.policy)
    const rows = await readRows(options.files, options)
    const input = prepareBatch(rows, prompter, options.contextTokens)
    const job: TransformJob = {
      jobName: input.jobName,
      folder,
      modelName: options.sagemakerModel ?? '',
      instanceType: options.instanceType ?? 'ml.g5.2xlarge',
      instanceCount: options.instanceCount ?? 1,
    }
    const parts = partsOf(input, job.instanceCount)
    const local = join(options.folder ?? '.', job.jobName)
    const [inputs, outputs] = [join(local, 'input'), join(local, 'output')]
    const answered = await Promise.all(
      parts.map((_, part) => readFile(join(outputs, `${nameOf(part)}.out`), 'utf8').catch(() => undefined)),
    )
    const complete = answered.filter((output) => output !== undefined)
    if (complete.length === parts.length) return await score(rows, input, complete.join('\n'), options, io)

    if (!existsSync(inputs)) {
      await mkdir(inputs, { recursive: true })
      for (const [part, text] of parts.entries()) await writeFile(join(inputs, nameOf(part)), text)
      say(
        `${inputs} written: ${input.lines.length} lines for ${rows.length} texts. It holds the texts: ` +
          'keep it and the bucket private.',
      )
    }
    region = regionOf(options.region, io.env)
    jobs = await connectTransformJobs(region, io.env)
    const state = await jobs.state(job.jobName)
    if (state === undefined && options.start !== true) {
      say(
        `Upload them, then run this command again with --start:\n  aws s3 cp ${quoted(inputs)} ` +
          `${quoted(inputUri(job))} --recursive --region ${region}`,
      )
      return EXIT.pending
    }
    if (state === undefined) {
      if (job.modelName === '')
        throw new LlamaGuardError(
          'invalid_option',
          'To start the job, name the SageMaker model that it runs (not the endpoint): --sagemaker-model ' +
            'NAME. `aws sagemaker list-models` lists them.',
        )
      await jobs.start(job)
      say(
        `${job.jobName} started on ${job.instanceCount} ${job.instanceType}. Run this command again to ` +
          'see how it stands.',
      )
      return EXIT.pending
    }
    if (state.status === 'Failed' || state.status === 'Stopped') {
      say(
        `${job.jobName}: ${state.status}${state.reason === undefined ? '' : `: ${state.reason}`}. A job's ` +
          'name is used up with it: change the texts or the policy, or read the log group ' +
          '/aws/sagemaker/TransformJobs.',
      )
      return EXIT.failed
    }
    if (state.status !== 'Completed') say(`${job.jobName}: ${state.status}. Run this command again later.`)
    else
      say(
        `${job.jobName}: Completed. Download the answers, then run this command again:\n  aws s3 cp ` +
          `${quoted(outputUri(job))} ${quoted(outputs)} --recursive --region ${region}`,
      )
    return EXIT.pending
  } catch (error) {
    const { code } = toLlamaGuardError(error)
    say(`${code}: ${explain(error, region)}`)
    return EXIT.usage
  } finally {
    jobs?.destroy()
  }
}

/** Quotes a word for a POSIX shell. */
const quoted = (text: string): string =>
  /^[\w./:=-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`

async function score(
  rows: readonly Row[],
  input: BatchInput,
  output: string,
  options: BatchOptions,
  io: Io,
): Promise<ExitCode> {
  const prompter = createPrompter(options.model, options.policy)
  const outcomes = readBatch(input, output, prompter, options.threshold)
  const summary = summarise(`${options.model} (batch)`, rows, outcomes, {
    targetFalsePositiveRate: options.targetFalsePositiveRate,
    draws: options.draws,
    labelled: options.unlabelled !== true,
    model: options.model,
  })
  return publish([summary], options.reportFile, io)
}
