// `doctor` on a healthy set-up and on each broken one: it must find the break and name the cure.
import { describe, expect, test } from 'vitest'
import { doctor } from '../../../src/cli/endpoint/doctor.js'
import { containerOf } from '../../../src/cli/endpoint/examine-endpoint.js'
import type { EmulatorOptions } from '../../emulator/index.js'
import { deploy } from '../../../src/cli/endpoint/deploy.js'
import { promptGuardLabels, qwen3Guard } from '../../emulator/other-models.js'
import { catchIo } from '../helpers.js'
import { GUARD, planes } from './plane.js'

async function setup(options?: EmulatorOptions): ReturnType<typeof planes> {
  const started = await planes(options)
  const made = { ...GUARD, model: 'llama-guard-1', endpoint: 'llama-guard', container: 'tgi' } as const
  await deploy(made, catchIo(started.env))
  return started
}

test('A healthy guard is shown with region, key, endpoint, instance, container, examples and what its answers hold', async () => {
  const { env } = await setup()
  const io = catchIo(env)
  expect(await doctor({}, io)).toBe(0)
  const report = io.out()
  for (const line of [
    /ok {4}region +eu-west-1/,
    /credentials +key \.\.\.MPLE/,
    /endpoint +llama-guard is InService/,
    /instance +1 x ml\.g5\.2xlarge/,
    /container +Text Generation Inference 3\.2\.3/,
    /example +a harmless question: safe, score 0\.\d\d in \d+ ms/,
    /example +a harmless answer: safe/,
    /example +a harmful request: unsafe O3/,
    /scores +given/,
    /The guard is ready/,
  ])
    expect(report).toMatch(line)
  expect(report).not.toContain(env['AWS_SECRET_ACCESS_KEY'])
})

test('A role that may only invoke is a warning, not a failure', async () => {
  const { cloud, env } = await setup()
  cloud.fail('DescribeEndpoint', 'AccessDeniedException', 'not authorized to perform: sagemaker:DescribeEndpoint')
  const io = catchIo(env)
  expect(await doctor({}, io)).toBe(0)
  expect(io.out()).toMatch(/warn {2}endpoint +could not be looked at. AccessDeniedException/)
})

test('A model that answers as no guard would is told with the likely reason', async () => {
  const { guard, env } = await setup()
  guard.behave((call) => call.answer({ text: 'safe' }))
  const io = catchIo(env)
  expect(await doctor({}, io)).toBe(0)
  expect(io.out()).toMatch(
    /warn {2}example +a harmful request: safe.* unsafe was expected\n +Is a llama-guard-1 behind it\?/,
  )
})

test.each<[string, Record<string, string>, RegExp, number]>([
  ['no endpoint is set', { LLAMA_GUARD_ENDPOINT: '' }, /FAIL {2}settings +.*needs a SageMaker endpoint name/, 2],
  ['an unknown variable is set', { LLAMA_GUARD_ENDPOIND: 'x' }, /FAIL {2}settings +.*LLAMA_GUARD_ENDPOINT/, 2],
  [
    'the endpoint does not exist',
    { LLAMA_GUARD_ENDPOINT: 'other' },
    /FAIL {2}endpoint +there is no endpoint other in eu-west-1\n +Check the name and the region/,
    3,
  ],
])('When %s, the report says so', async (_, over, message, code) => {
  const { env } = await setup()
  const io = catchIo({ ...env, ...over })
  expect(await doctor({}, io)).toBe(code)
  expect(io.out()).toMatch(message)
})

test('An endpoint that is still being created is told to wait for', async () => {
  const { cloud, guard, env } = await setup()
  Object.assign(cloud.endpoints.get('llama-guard') ?? {}, { EndpointStatus: 'Creating', left: 9 })
  guard.behave((call) => call.fail({ status: 429, name: 'ModelNotReadyException', body: '{"Message":"loading"}' }))
  const io = catchIo(env)
  expect(await doctor({}, io)).toBe(3)
  expect(io.out()).toMatch(/FAIL {2}endpoint +llama-guard is Creating\n +Wait until it is InService/)
  expect(io.out()).toMatch(/FAIL {2}example +guard_not_ready/)
})

test('The local screen is examined without AWS', async () => {
  const io = catchIo({ LLAMA_GUARD_BACKEND: 'local' })
  expect(await doctor({}, io)).toBe(0)
  expect(io.out()).toMatch(/example +a harmless question: safe/)
})

describe('A panel', () => {
  const PANEL = 'prompt-guard-1@pg,qwen3guard-4b@qwen,local'
  const SERVES = { pg: { classifies: promptGuardLabels(1) }, qwen: { generates: qwen3Guard } }

  async function panel(serves: EmulatorOptions['serves'] = SERVES, over: Record<string, string> = {}) {
    const { cloud, guard, env } = await setup({ serves })
    const quiet = catchIo(env)
    expect(await deploy({ ...GUARD, model: 'llama-prompt-guard-1', endpoint: 'pg' }, quiet), quiet.err()).toBe(0)
    expect(await deploy({ ...GUARD, endpoint: 'qwen' }, quiet), quiet.err()).toBe(0)
    return { cloud, guard, io: catchIo({ ...env, LLAMA_GUARD_GUARDS: PANEL, ...over }) }
  }

  test('is examined guard by guard, with the prompt, the labels and the limits of each.', async () => {
    const { guard, io } = await panel()
    expect(await doctor({}, io), io.out()).toBe(0)
    const [head, ...parts] = io.out().split(/\n(?=guard[^\n]*: )/)
    expect(head).toMatch(
      /settings +4 guards: guard llama-guard-1 at llama-guard; guards\[0\] llama-prompt-guard-1 at pg;/,
    )
    expect(parts.map((part) => part.split('\n', 1)[0])).toEqual([
      'guard: llama-guard-1 at llama-guard',
      'guards[0]: llama-prompt-guard-1 at pg',
      'guards[1]: qwen3guard-gen at qwen',
      'guards[2]: the local screen',
    ])
    expect(parts[0]).toMatch(/example +a harmful request: unsafe O3/)
    expect(parts[1]).toMatch(/instance +1 x ml\.g5\.xlarge/)
    expect(parts[1]).toMatch(/example +an ordinary question: safe, score 0\.02/)
    expect(parts[1]).toMatch(/example +a prompt attack: unsafe P2, score 0\.97/)
    expect(parts[2]).toMatch(/example +a harmful request: unsafe/)
    expect(parts[3]).toMatch(/example +a harmless question: safe/)
    expect(io.out()).toMatch(/The guard is ready/)
    expect(io.out()).not.toContain('warn')
    const limits = guard.requests.flatMap(({ endpoint, body }) => {
      const { max_new_tokens: most } = (body?.['parameters'] ?? {}) as Record<string, unknown>
      return endpoint === 'qwen' ? [most] : []
    })
    expect(limits).toEqual([96, 96, 96])
  })

  test.each<[string, EmulatorOptions['serves'], string, RegExp, string]>([
    [
      'a Prompt Guard of another version',
      { ...SERVES, pg: { classifies: promptGuardLabels(2) } },
      PANEL,
      /FAIL {2}example +unparseable_verdict: .*llama-prompt-guard-1 does not have/,
      'guards[0] (llama-prompt-guard-1 at pg)',
    ],
    [
      'an endpoint that does not exist',
      SERVES,
      'prompt-guard-1@gone,local',
      /FAIL {2}endpoint +there is no endpoint gone/,
      'guards[0] (llama-prompt-guard-1 at gone)',
    ],
    [
      'two broken guards',
      { ...SERVES, pg: { classifies: promptGuardLabels(2) }, qwen: { generates: () => ({ text: 'safe' }) } },
      PANEL,
      /FAIL/,
      'guards[0] (llama-prompt-guard-1 at pg) and guards[1] (qwen3guard-gen at qwen)',
    ],
  ])('with %s is broken, and the last line names what failed.', async (_, serves, guards, message, broken) => {
    const { io } = await panel(serves, { LLAMA_GUARD_GUARDS: guards })
    expect(await doctor({}, io)).toBe(3)
    expect(io.out()).toMatch(message)
    expect(io.out().trimEnd().split('\n').at(-1)).toBe(`The guard cannot be relied on yet: ${broken} failed.`)
  })

  test('of one guard is examined like a guard.', async () => {
    const { env } = await setup()
    const { LLAMA_GUARD_ENDPOINT: _, ...rest } = env
    const io = catchIo({ ...rest, LLAMA_GUARD_ENDPOINT: '', LLAMA_GUARD_GUARDS: 'llama-guard-1@llama-guard' })
    expect(await doctor({}, io), io.out()).toBe(0)
    expect(io.out()).toMatch(/settings +guards\[0\] llama-guard-1 at llama-guard\n/)
    expect(io.out()).toMatch(/endpoint +llama-guard is InService/)
  })

  test('with --latency times each.', async () => {
    const { io } = await panel(SERVES, { LLAMA_GUARD_GUARDS: 'prompt-guard-1@pg', LLAMA_GUARD_CONCURRENCY: '1' })
    expect(await doctor({ latency: true, samples: 1 }, io), io.out()).toBe(0)
    expect(io.out().match(/latency +p50/g)).toHaveLength(2)
  })
})

test('A threshold needs scores.', async () => {
  const { guard, env } = await setup()
  guard.behave((call) => call.send([{ generated_text: 'safe' }]))
  const io = catchIo({ ...env, LLAMA_GUARD_THRESHOLD: '0.5' })
  expect(await doctor({}, io)).toBe(3)
  expect(io.out()).toMatch(/FAIL {2}scores +not given, but a threshold is set/)
})

test('An image that no container of AWS has is called by its name', () => {
  expect(containerOf('x/my-own:1')).toBe('my-own:1')
})
