// `eval` from the command line: its flags, and guards that are reached as the middleware reaches them.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { run } from '../../../src/cli/index.js'
import { startEmulator } from '../../emulator/index.js'
import { ACCESS_DENIED } from '../../emulator/aws-errors.js'
import type { Emulator } from '../../emulator/index.js'
import { serve } from '../../helpers/http.js'
import { catchIo } from '../helpers.js'

let emulator: Emulator
let folder: string
let file: string

beforeAll(async () => {
  emulator = await startEmulator({ endpoints: ['guard-a', 'guard-b'] })
})
afterAll(() => emulator.close())
beforeEach(async () => {
  emulator.reset()
  folder = await mkdtemp(join(tmpdir(), 'evaluate-'))
  file = join(folder, 'rows.jsonl')
  await writeFile(
    file,
    Array.from({ length: 6 }, (_, index) =>
      JSON.stringify({
        text: `${index % 2 ? 'UNSAFE_O3' : 'fine'} ${index}`,
        unsafe: index % 2 === 1,
        categories: index % 2 ? ['O3'] : [],
      }),
    ).join('\n'),
  )
})
afterEach(() => rm(folder, { recursive: true }))

const io = (env: Record<string, string> = {}) => catchIo({ ...emulator.env, LLAMA_GUARD_ENDPOINT: 'guard-a', ...env })
const small = (...more: string[]): string[] => ['eval', file, ...more]

test('A guard on SageMaker is measured, with scores, and named by model and endpoint', async () => {
  const caught = io()
  expect(await run(small(), caught)).toBe(0)
  expect(caught.out()).toMatch(/^## llama-guard-1 at guard-a \([0-9a-f]{8}\)\n\n- 6 judged/)
  expect(caught.out()).toMatch(/recall +\| 1\.000/)
  expect(caught.out()).toMatch(/auroc +\| 1\.000/)
  expect(caught.out()).toMatch(/Recommended: threshold 0\.\d+, recall 1\.000/)
  expect(caught.err()).toContain('6 texts (3 unsafe), 6 judgements to make')
})

test('An OpenAI-compatible server is asked for log probabilities, or not when told so', async () => {
  const asked: Record<string, unknown>[] = []
  const server = await serve((req, res) => {
    void buffer(req).then((body) => {
      asked.push(JSON.parse(body.toString()) as Record<string, unknown>)
      res.setHeader('content-type', 'application/json').end('{"choices":[{"text":"safe","finish_reason":"stop"}]}')
    })
  })
  const caught = catchIo({ LLAMA_GUARD_BACKEND: 'openai', LLAMA_GUARD_URL: `${server.url}/v1` })
  expect(await run(small(), caught)).toBe(0)
  expect(asked.every((body) => 'logprobs' in body)).toBe(true)
  asked.length = 0
  expect(await run(small('--no-scores'), caught)).toBe(0)
  expect(asked.some((body) => 'logprobs' in body)).toBe(false)
  expect(caught.out()).toContain('No scores')
  await server.close()
})

test('A resume file is good for the same guard, and for no other endpoint, model or threshold', async () => {
  const resume = ['--resume', join(folder, 'state')]
  const asked = async (...flags: string[]): Promise<number> => {
    emulator.reset()
    expect(await run(small(...resume, ...flags), io())).toBe(0)
    return emulator.requests.length
  }
  expect(await asked()).toBe(6)
  expect(await asked()).toBe(0)
  expect(await asked('--endpoint', 'guard-b')).toBe(6)
  expect(await asked('--threshold', '0.7')).toBe(6)
  expect(await asked('--model', 'llama-guard-2')).toBe(6)
  expect(await readFile(join(folder, 'state'), 'utf8')).not.toMatch(/fine|UNSAFE/)
})

test('A new policy is replayed against an old one on the same guard and the same texts', async () => {
  const policy = async (name: string, ...ids: string[]): Promise<string> => {
    const path = join(folder, name)
    const categories = ids.map((id) => ({ id, name: `Category ${id}`, shouldNot: ['do it'], can: ['talk about it'] }))
    await writeFile(
      path,
      JSON.stringify({
        actions: { O3: name === 'new.json' ? 'ignore' : 'block' },
        ...(ids.length > 0 && { categories }),
      }),
    )
    return path
  }
  const caught = io()
  const flags = ['--policy', await policy('new.json'), '--against', await policy('old.json')]
  expect(await run(small(...flags), caught), caught.err()).toBe(0)
  expect(caught.out()).toMatch(/^## llama-guard-1 at guard-a \(new\.json, [0-9a-f]{8}\)\n\n- 6 judged/)
  expect(caught.out()).toMatch(/llama-guard-1 at guard-a \(old\.json, [0-9a-f]{8}\)\n\n- 6 judged/)
  expect(caught.out()).toMatch(/What changes on 6 texts: 3 flip, McNemar p = 0\.250/)
  expect(caught.out()).toMatch(
    /flagged by .*old.* and not by .*new.*: 3, 3 of them labelled unsafe\n {4}rows\.jsonl:2, /,
  )
  const same = io()
  expect(await run(small('--policy', join(folder, 'new.json'), '--against', join(folder, 'new.json')), same)).toBe(2)
  const none = io()
  expect(await run(small('--against', join(folder, 'none.json')), none)).toBe(2)
  expect(none.err()).toMatch(/none\.json/)
})

test('The thresholds of a cascade are chosen with two guards', async () => {
  await writeFile(
    file,
    Array.from({ length: 40 }, (_, at) =>
      JSON.stringify({ text: `SCORE_0.${10 + 2 * at} ${at}`, unsafe: at > 19 }),
    ).join('\n'),
  )
  const caught = io()
  const flags = ['--against', 'llama-guard-1@guard-b', '--cascade', '--max-disagreement', '0.05']
  expect(await run(small(...flags), caught), caught.err()).toBe(0)
  expect(caught.out()).toMatch(/safeBelow 0\.\d+, unsafeAbove 0\.\d+\n {2}checks of the large guard saved {2}40 of 40/)
})

test('Columns are named by flags, and the report is written where it is wanted', async () => {
  const csv = join(folder, 'tickets.csv')
  await writeFile(csv, 'message,verdict\nUNSAFE_O3 a,bad\nfine,good\n')
  const caught = io()
  expect(
    await run(
      [
        'eval',
        csv,
        '--text',
        'message',
        '--label',
        'verdict',
        '--unsafe-value',
        'bad',
        '--report',
        join(folder, 'report.html'),
      ],
      caught,
    ),
  ).toBe(0)
  expect(await readFile(join(folder, 'report.html'), 'utf8')).toContain('llama-guard-1 at guard-a')
})

test('What a guard could not judge is exit code 3, whatever onError says', async () => {
  emulator.behave((call) => call.fail(ACCESS_DENIED), { times: 1 })
  const caught = io({ LLAMA_GUARD_ON_ERROR: 'open' })
  expect(await run(small('--concurrency', '1'), caught)).toBe(3)
  expect(caught.out()).toContain('1 not judged: guard_rejected')
})

test('An interrupted run is exit code 3', async () => {
  const stop = new AbortController()
  const caught = { ...io(), signal: stop.signal }
  emulator.behave((call) => {
    stop.abort()
    call.answer()
  })
  expect(await run(small('--concurrency', '1'), caught)).toBe(3)
})

test.each([
  [[], /missing required argument 'file'/],
  [['/does/not/exist.jsonl'], /cannot be read/],
  [['FILE', '--target-fpr', '3'], /from 0 to 1/],
  [['FILE', '--against', 'gpt'], /names no guard.*local.*llama-guard-3-8b/s],
  [['FILE', '--against', 'llama-guard-1@guard-a'], /the very guard that is measured/],
  [['FILE', '--endpoint', ''], /endpoint/],
  [['FILE', '--report', '/does/not/exist.html'], /exist\.html cannot be written \(ENOENT\)/],
  [['FILE', '--mistakes', '/does/not/exist.jsonl'], /cannot be written/],
  [['FILE', '--resume', '/does/not/exist.state'], /cannot be written/],
  [['FILE', '--resume', 'FILE'], /--resume names .* holds no verdicts/],
])('eval %o is exit code 2 with a reason', async (argv, reason) => {
  const caught = io()
  expect(await run(['eval', ...argv.map((word) => (word === 'FILE' ? file : word))], caught)).toBe(2)
  expect(caught.err()).toMatch(reason)
  expect(emulator.requests).toHaveLength(0)
})

test('Eval as JSON has every number and no text, with an exit code for a pipeline', async () => {
  const caught = io()
  const mistakes = join(folder, 'mistakes.jsonl')
  const bounds = ['--least', 'recall=0.9', '--most', 'falsePositiveRate=0.1']
  await writeFile(
    file,
    `${await readFile(file, 'utf8')}\n{"text":"UNSAFE_O3 but labelled safe","unsafe":false,"lang":"nl"}`,
  )
  expect(await run(small('--output', 'json', '--mistakes', mistakes, ...bounds), caught), caught.err()).toBe(1)
  expect(caught.err()).toMatch(/falsePositiveRate is 0\.25, beyond 0\.1/)
  const [guard] = (JSON.parse(caught.out()) as { guards: Record<string, any>[] }).guards
  expect(guard).toMatchObject({ judged: 7, values: { recall: 1 } })
  expect(guard?.['points']).toContainEqual(expect.objectContaining({ threshold: 'own', mark: 'now', recall: 1 }))
  expect(guard?.['slices']).toContainEqual(expect.objectContaining({ kind: 'language', name: 'nl', rows: 1 }))
  expect(guard?.['calibration']).toMatchObject({ brier: expect.any(Number) })
  expect(JSON.stringify(guard)).not.toContain('fine')
  const [mistake, ...more] = (await readFile(mistakes, 'utf8')).trim().split('\n')
  expect(more).toEqual([])
  expect(JSON.parse(mistake ?? '')).toMatchObject({ flagged: true, unsafe: false, messages: [{ role: 'user' }] })
  const markdown = io()
  expect(await run(small('--output', 'markdown', '--most', 'recall=1'), markdown)).toBe(0)
  expect(markdown.out()).toMatch(/^## llama-guard-1 at guard-a[\s\S]*### Operating points\n\n\| Threshold/)
})
