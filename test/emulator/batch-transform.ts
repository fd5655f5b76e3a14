// SageMaker Batch Transform in AWS JSON 1.1, with a folder of strings for S3: a job reads its lines when it
// is created, asks the emulated guard model for each, and has its output once it was described often enough.
// Filters are the subset that selects names: $['a','b'].
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { CREDENTIALS, REGION, checkSignature } from './sigv4.js'

type Json = Record<string, unknown>

export interface BatchTransformOptions {
  /** What the container answers to one payload. */
  answer(payload: Json): unknown
  /** How many times a job is described as InProgress before it is Completed. Default: 1. */
  readonly describesUntilDone?: number
  /** Every job fails instead, with this reason. */
  readonly failWith?: string
}

export interface BatchTransform {
  readonly env: Record<string, string>
  /** Objects by URI. */
  readonly s3: Map<string, string>
  readonly requests: readonly { readonly operation: string; readonly input: Json }[]
  /** Payloads the container saw. */
  readonly payloads: readonly Json[]
  close(): Promise<void>
}

interface Job {
  readonly input: Json
  left: number
}

class Refusal extends Error {}

/** `$['a','b']` of an object; `$` is all of it. */
function select(given: unknown, value: Json): Json {
  const filter = typeof given === 'string' ? given : '$'
  if (filter === '$') return value
  const names = [...filter.matchAll(/'([^']+)'/g)].map((match) => match[1] ?? '')
  if (names.length === 0 || filter !== `$[${names.map((name) => `'${name}'`).join(',')}]`)
    throw new Refusal(`Invalid JSONPath ${filter}`)
  return Object.fromEntries(names.map((name) => [name, value[name]]))
}

export async function startBatchTransform(options: BatchTransformOptions): Promise<BatchTransform> {
  const s3 = new Map<string, string>()
  const jobs = new Map<string, Job>()
  const requests: { operation: string; input: Json }[] = []
  const payloads: Json[] = []

  function run(input: Json): void {
    const { TransformInput, TransformOutput, DataProcessing } = input as {
      TransformInput: { SplitType: string; DataSource: { S3DataSource: { S3Uri: string } } }
      TransformOutput: { S3OutputPath: string; AssembleWith: string }
      DataProcessing: Json
    }
    const prefix = TransformInput.DataSource.S3DataSource.S3Uri
    if (TransformInput.SplitType !== 'Line' || TransformOutput.AssembleWith !== 'Line')
      throw new Refusal('The emulator splits and assembles by line only.')
    for (const [uri, content] of [...s3].filter(([uri]) => uri.startsWith(prefix))) {
      const answered = content
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => {
          const record = JSON.parse(line) as Json
          const payload = select(DataProcessing['InputFilter'], record)
          payloads.push(payload)
          return JSON.stringify(
            select(DataProcessing['OutputFilter'], { ...record, SageMakerOutput: options.answer(payload) }),
          )
        })
      s3.set(`${TransformOutput.S3OutputPath}/${uri.slice(prefix.length)}.out`, answered.join('\n'))
    }
  }

  const operations: Record<string, (input: Json) => Json> = {
    CreateTransformJob(input) {
      const name = String(input['TransformJobName'])
      if (!/^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$/.test(name))
        throw new Refusal(
          `1 validation error detected: Value '${name}' at 'transformJobName' failed to satisfy constraint`,
        )
      if (jobs.has(name)) throw new Refusal(`Cannot create already existing transform job "${name}".`)
      if (Number(input['MaxConcurrentTransforms']) * Number(input['MaxPayloadInMB']) > 100)
        throw new Refusal('MaxConcurrentTransforms * MaxPayloadInMB must be at most 100 MB')
      jobs.set(name, { input, left: options.describesUntilDone ?? 1 })
      return { TransformJobArn: `arn:aws:sagemaker:${REGION}:123456789012:transform-job/${name}` }
    },
    DescribeTransformJob(input) {
      const job = jobs.get(String(input['TransformJobName']))
      if (!job) throw new Refusal(`Could not find requested job with name: ${String(input['TransformJobName'])}`)
      if (job.left-- > 0) return { ...job.input, TransformJobStatus: 'InProgress' }
      if (options.failWith !== undefined)
        return { ...job.input, TransformJobStatus: 'Failed', FailureReason: options.failWith }
      if (job.left === -1) run(job.input)
      return { ...job.input, TransformJobStatus: 'Completed' }
    },
  }

  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      const raw = Buffer.concat(chunks).toString('utf8')
      const send = (status: number, body: object): void =>
        void response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body))
      const forged = await checkSignature(request, raw)
      if (forged)
        return send(forged.status, {
          __type: forged.name,
          message: 'The security token included in the request is invalid.',
        })
      const operation = String(request.headers['x-amz-target']).replace(/^SageMaker\./, '')
      const input = JSON.parse(raw) as Json
      requests.push({ operation, input })
      try {
        send(200, operations[operation]?.(input) ?? {})
      } catch (error) {
        send(error instanceof Refusal ? 400 : 500, {
          __type: error instanceof Refusal ? 'ValidationException' : 'InternalFailure',
          message: String(error instanceof Error ? error.message : error),
        })
      }
    })()
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return {
    env: {
      AWS_REGION: REGION,
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
      AWS_ENDPOINT_URL_SAGEMAKER: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    },
    s3,
    requests,
    payloads,
    async close() {
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
    },
  }
}
