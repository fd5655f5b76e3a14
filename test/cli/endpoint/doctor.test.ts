// `doctor` on a healthy set-up and on each broken one: it must find the break and name the cure.
import { afterEach, expect, test, vi } from 'vitest'
import { doctor } from '../../../src/cli/endpoint/doctor.js'
import { containerOf } from '../../../src/cli/endpoint/probe.js'
import { startControlPlane } from '../../emulator/control-plane.js'
import type { ControlPlane } from '../../emulator/control-plane.js'
import { startEmulator } from '../../emulator/index.js'
import type { Emulator, EmulatorOptions } from '../../emulator/index.js'
import { deploy } from '../../../src/cli/endpoint/deploy.js'
import { catchIo } from '../helpers.js'

const closers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  vi.unstubAllEnvs()
  for (const close of closers.splice(0)) await close()
})

async function setup(
  options?: EmulatorOptions,
): Promise<{ cloud: ControlPlane; guard: Emulator; env: Record<string, string> }> {
  const cloud = await startControlPlane({ describesUntilReady: 0 })
  const guard = await startEmulator(options)
  closers.push(
    () => cloud.close(),
    () => guard.close(),
  )
  const env = { ...cloud.env, ...guard.env, LLAMA_GUARD_ENDPOINT: 'llama-guard' }
  await deploy(
    {
      model: 'llama-guard-7b',
      acceptEula: true,
      role: 'arn:aws:iam::123456789012:role/r',
      endpoint: 'llama-guard',
      container: 'tgi',
      pollMs: 1,
    },
    catchIo(env),
  )
  return { cloud, guard, env }
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
    /example +a harmless question: "safe" in \d+ ms/,
    /example +a harmless answer: "safe"/,
    /example +a harmful request: "unsafe O3"/,
    /answers +in the shape of TGI/,
    /logprobs +given/,
    /prompt echo +on by default/,
    /The guard is ready/,
  ])
    expect(report).toMatch(line)
  expect(report).not.toContain(env['AWS_SECRET_ACCESS_KEY'])
})

test('An LMI container is recognised', async () => {
  const { env } = await setup({ container: 'lmi-0.29' })
  const io = catchIo(env)
  await doctor({}, io)
  expect(io.out()).toMatch(/answers +in the shape of LMI/)
  expect(io.out()).toMatch(/prompt echo +none/)
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
    /warn {2}example +a harmful request: "safe" .* unsafe was expected\n +Is a llama-guard-1 behind the endpoint\?/,
  )
})

test.each<[string, Record<string, string>, RegExp, number]>([
  ['no endpoint is set', { LLAMA_GUARD_ENDPOINT: '' }, /FAIL {2}settings +.*needs a SageMaker endpoint name/, 2],
  ['an unknown variable is set', { LLAMA_GUARD_ENDPOIND: 'x' }, /FAIL {2}settings +.*LLAMA_GUARD_ENDPOINT/, 2],
  [
    'the endpoint does not exist',
    { LLAMA_GUARD_ENDPOINT: 'other' },
    /FAIL {2}endpoint +there is no endpoint other in eu-west-1\n +Check the name and the region/,
    1,
  ],
  ['the credentials are wrong', { AWS_ACCESS_KEY_ID: 'AKIAWRONG' }, /FAIL {2}example +guard_rejected/, 1],
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
  expect(await doctor({}, io)).toBe(1)
  expect(io.out()).toMatch(/FAIL {2}endpoint +llama-guard is Creating\n +Wait until it is InService/)
  expect(io.out()).toMatch(/FAIL {2}example +guard_not_ready/)
})

test('The local screen is examined without AWS', async () => {
  const io = catchIo({ LLAMA_GUARD_BACKEND: 'local' })
  expect(await doctor({}, io)).toBe(0)
  expect(io.out()).toMatch(/example +a harmless question: safe/)
})

test.each([
  ['763104351884.dkr.ecr.us-east-1.amazonaws.com/djl-inference:0.29.0-lmi11.0.0-cu124', 'LMI (djl-serving 0.29.0)'],
  ['x/huggingface-pytorch-tgi-inference:2.6.0-tgi3.2.3-gpu-py311-cu124-ubuntu22.04', 'Text Generation Inference 3.2.3'],
  ['x/my-own:1', 'my-own:1'],
])('the image %s is recognised as %s', (image, container) => {
  expect(containerOf(image)).toBe(container)
})
