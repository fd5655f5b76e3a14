// A batch evaluation from files to numbers: real SDK, emulated Batch Transform; what `aws s3 cp` would do is
// done by hand.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { prepareBatch, readBatch } from '../../../../src/cli/eval/batch/lines.js'
import { type BatchOptions, runBatch } from '../../../../src/cli/eval/batch/index.js'
import { readRows } from '../../../../src/cli/eval/rows.js'
import { connectTransformJobs } from '../../../../src/cli/eval/batch/transform-job.js'
import { createPrompter } from '../../../../src/guard/prompt/index.js'
import { type BatchTransform, startBatchTransform } from '../../../emulator/batch-transform.js'

const open: BatchTransform[] = []
afterEach(async () => {
  vi.unstubAllEnvs()
  await Promise.all(open.splice(0).map((one) => one.close()))
})

const FOLDER = 's3://my-bucket/guard'

/** As TGI answers: unsafe for texts that say "bad", with log probabilities. */
const container = (payload: Record<string, unknown>): unknown => {
  const bad = /User: bad/.test(String(payload['inputs']))
  const token = bad ? 'unsafe' : 'safe'
  return [
    {
      generated_text: bad ? 'unsafe\nO3' : 'safe',
      details: {
        finish_reason: 'eos_token',
        generated_tokens: 2,
        tokens: [{ id: 1, text: token, logprob: -0.1, special: false }],
      },
    },
  ]
}

async function setUp(more: { answer?: typeof container; failWith?: string } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'batch-'))
  const file = join(folder, 'rows.jsonl')
  writeFileSync(
    file,
    Array.from({ length: 12 }, (_, index) =>
      JSON.stringify({ text: `${index % 3 === 0 ? 'bad' : 'good'} text ${index}`, unsafe: index % 3 === 0 }),
    ).join('\n'),
  )
  const aws = await startBatchTransform({ answer: container, ...more })
  open.push(aws)
  for (const [name, value] of Object.entries(aws.env)) vi.stubEnv(name, value)
  const said: string[] = []
  const write = (text: string): void => void said.push(text)
  const options: BatchOptions = {
    files: [file],
    batch: `${FOLDER}/`,
    model: 'llama-guard-1',
    folder: join(folder, 'work'),
    instanceCount: 2,
    draws: 10,
  }
  const run = async (extra: Partial<BatchOptions> = {}) => {
    said.length = 0
    const code = await runBatch({ ...options, ...extra }, { stdout: { write }, stderr: { write }, env: aws.env })
    return { code, text: said.join('') }
  }
  const job = (): string => readdirSync(join(folder, 'work'))[0] ?? ''
  const upload = (): void => {
    for (const name of readdirSync(join(folder, 'work', job(), 'input')))
      aws.s3.set(`${FOLDER}/${job()}/input/${name}`, readFileSync(join(folder, 'work', job(), 'input', name), 'utf8'))
  }
  const download = (): void => {
    const to = join(folder, 'work', job(), 'output')
    mkdirSync(to, { recursive: true })
    for (const [uri, text] of aws.s3)
      if (uri.includes('/output/')) writeFileSync(join(to, uri.split('/').at(-1) ?? ''), text)
  }
  return { aws, file, run, upload, download, job }
}

describe('eval --batch', () => {
  it('goes from files to numbers in the steps it names', async () => {
    const { aws, run, upload, download, job } = await setUp()
    const written = await run()
    expect(written.code).toBe(4)
    expect(written.text).toContain(`aws s3 cp`)
    expect(written.text).toContain(`${FOLDER}/${job()}/input --recursive`)
    upload()
    expect(await run({ start: true, sagemakerModel: 'guard-7b' })).toMatchObject({
      code: 4,
      text: expect.stringContaining('started on 2 ml.g5.2xlarge') as string,
    })
    expect(await run({ start: true, sagemakerModel: 'guard-7b' })).toMatchObject({
      code: 4,
      text: expect.stringContaining('InProgress') as string,
    })
    expect(await run()).toMatchObject({ code: 4, text: expect.stringContaining('Completed') as string })
    download()
    const scored = await run()
    expect(scored.code).toBe(0)
    expect(scored.text).toMatch(/12 judged/)
    expect(scored.text).toMatch(/recall\s+1\.000/)
    expect(aws.requests.filter(({ operation }) => operation === 'CreateTransformJob')).toHaveLength(1)
  })

  it('sends the container what the sagemaker guard would, without the id, and keeps the texts out of the output', async () => {
    const { aws, run, upload, job } = await setUp()
    await run()
    upload()
    await run({ start: true, sagemakerModel: 'guard-7b' })
    await run()
    await run()
    expect(aws.payloads).toHaveLength(12)
    for (const payload of aws.payloads) {
      expect(Object.keys(payload)).toEqual(['inputs', 'parameters'])
      expect(payload['parameters']).toEqual({
        max_new_tokens: 32,
        do_sample: false,
        return_full_text: false,
        details: true,
      })
    }
    const outputs = [...aws.s3].filter(([uri]) => uri.startsWith(`${FOLDER}/${job()}/output/`))
    expect(outputs).toHaveLength(2)
    expect(outputs.map(([, text]) => text).join()).not.toContain('text 3')
    expect(aws.requests.find(({ operation }) => operation === 'CreateTransformJob')?.input).toMatchObject({
      ModelName: 'guard-7b',
      BatchStrategy: 'SingleRecord',
      TransformInput: { SplitType: 'Line', ContentType: 'application/json' },
      TransformOutput: { AssembleWith: 'Line' },
      DataProcessing: { JoinSource: 'Input' },
      TransformResources: { InstanceType: 'ml.g5.2xlarge', InstanceCount: 2 },
    })
  })

  it('says why a job failed', async () => {
    const { run, upload } = await setUp({ failWith: 'ClientError: bad payload' })
    await run()
    upload()
    await run({ start: true, sagemakerModel: 'guard-7b' })
    await run()
    expect(await run()).toMatchObject({ code: 1, text: expect.stringContaining('ClientError: bad payload') as string })
  })

  it('wants the name of a SageMaker model before it starts anything', async () => {
    const { aws, run } = await setUp()
    expect(await run({ start: true })).toMatchObject({
      code: 2,
      text: expect.stringMatching(/--sagemaker-model/) as string,
    })
    expect(aws.requests.some(({ operation }) => operation === 'CreateTransformJob')).toBe(false)
  })

  it.each(['my-bucket/x', 's3://', 's3://B/x', 'https://bucket.s3.amazonaws.com', 's3://bucket/a b'])(
    'refuses %s as an S3 folder',
    async (batch) => {
      const { run } = await setUp()
      expect(await run({ batch })).toMatchObject({ code: 2, text: expect.stringMatching(/no S3 folder/) as string })
    },
  )

  it('says what to install when the SDK client is missing', async () => {
    await expect(
      connectTransformJobs('us-east-1', {}, () => Promise.reject(new Error('not found'))),
    ).rejects.toMatchObject({ code: 'dependency_missing' })
  })
})

describe('The output of a batch', () => {
  const prompter = createPrompter('llama-guard-1')

  async function prepared() {
    const { file } = await setUp()
    const rows = await readRows([file])
    const input = prepareBatch(rows, prompter)
    const lines = input.lines.map((line) => {
      const record = JSON.parse(line) as { id: string; inputs: string }
      return JSON.stringify({ id: record.id, SageMakerOutput: container(record) })
    })
    return { rows, input, lines }
  }

  it('is matched by id, whatever the order of its lines', async () => {
    const { rows, input, lines } = await prepared()
    const outcomes = readBatch(input, lines.reverse().join('\n'), prompter)
    expect(outcomes.map((outcome) => 'safe' in outcome && !outcome.safe)).toEqual(rows.map(({ unsafe }) => unsafe))
  })

  it('never makes a lost, cut, foreign or failed line a safe one', async () => {
    const { input, lines } = await prepared()
    const [, , third = '', fourth = ''] = lines
    const id = (JSON.parse(fourth) as { id: string }).id
    const outcomes = readBatch(
      input,
      [
        third.slice(0, -5),
        JSON.stringify({ id, SageMakerOutput: { error: 'out of memory', code: 424 } }),
        ...lines.slice(5),
        'safe',
        '{"id":"x","SageMakerOutput":"safe"}',
      ].join('\n'),
      prompter,
    )
    expect(outcomes.slice(0, 5).every((outcome) => 'failed' in outcome)).toBe(true)
    expect(outcomes.slice(5).every((outcome) => 'safe' in outcome)).toBe(true)
  })

  it('judges a text that is longer than the context in pieces, and needs an answer for each', () => {
    const row = {
      id: '1',
      conversation: [{ role: 'User' as const, text: 'good words '.repeat(4000) }],
      unsafe: false,
      categories: null,
      source: 's',
    }
    const input = prepareBatch([row], prompter)
    expect(input.ids[0]?.length).toBeGreaterThan(1)
    const output = input.lines.map((line) =>
      JSON.stringify({ id: (JSON.parse(line) as { id: string }).id, SageMakerOutput: [{ generated_text: 'safe' }] }),
    )
    expect(readBatch(input, output.join('\n'), prompter)).toEqual([{ safe: true, categories: [] }])
    expect(readBatch(input, output.slice(1).join('\n'), prompter)[0]).toHaveProperty('failed')
  })

  it('follows a threshold, and fails a row that has no score to hold against it', async () => {
    const { input, lines } = await prepared()
    expect(
      readBatch(input, lines.join('\n'), prompter, 0.999).every((outcome) => 'safe' in outcome && outcome.safe),
    ).toBe(true)
    const plain = lines.map((line) =>
      JSON.stringify({ id: (JSON.parse(line) as { id: string }).id, SageMakerOutput: [{ generated_text: 'safe' }] }),
    )
    expect(readBatch(input, plain.join('\n'), prompter, 0.5)[0]).toEqual({ failed: 'score_unavailable' })
  })

  it('lets each model write an answer as long as its own.', () => {
    const row = {
      id: '1',
      conversation: [{ role: 'User', text: 'Hello' }],
      unsafe: false,
      categories: [],
      source: 's',
    } as const
    const limits = (['llama-guard-3-8b', 'qwen3guard-gen', 'granite-guardian-3.0'] as const).map((model) => {
      const [line = ''] = prepareBatch([row], createPrompter(model)).lines
      return (JSON.parse(line) as { parameters: { max_new_tokens: number } }).parameters.max_new_tokens
    })
    expect(limits).toEqual([32, 96, 8])
  })

  it('has the same job name for the same texts and another for others', async () => {
    const { rows, input } = await prepared()
    expect(prepareBatch(rows, prompter).jobName).toBe(input.jobName)
    expect(prepareBatch(rows.slice(1), prompter).jobName).not.toBe(input.jobName)
    expect(input.jobName.length).toBeLessThanOrEqual(63)
  })
})
