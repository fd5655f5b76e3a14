// What `deploy` asks of AWS, request by request, against files that were read by a person; and what it says before.
import { expect, test } from 'vitest'
import { CONTAINERS, containerFor } from '../../../src/cli/endpoint/containers.js'
import { deleteEndpoint } from '../../../src/cli/endpoint/delete.js'
import { deploy } from '../../../src/cli/endpoint/deploy.js'
import type { DeployOptions } from '../../../src/cli/endpoint/plan.js'
import { gpuName, gpusOf } from '../../../src/cli/endpoint/hardware.js'
import { JUMPSTART_MODELS } from '../../../src/cli/endpoint/jumpstart.js'
import { run } from '../../../src/cli/index.js'
import type { ControlPlane } from '../../emulator/control-plane.js'
import { catchIo } from '../helpers.js'
import { GUARD, operations, plane } from './plane.js'

const made = (cloud: ControlPlane) => cloud.calls.filter(({ operation }) => !operation.startsWith('Describe'))

test.each<[string, Partial<DeployOptions>]>([
  ['llama-guard-3-8b', {}],
  ['llama-guard-3-1b', { model: 'llama-guard-3-1b' }],
  ['llama-guard-1', { model: 'llama-guard-1' }],
  ['llama-guard-1.tgi', { model: 'llama-guard-1', container: 'tgi' }],
  ['llama-guard-3-8b.vllm', { container: 'vllm', instanceType: 'ml.g6.12xlarge' }],
  ['llama-guard-3-8b.fp8', { instanceType: 'ml.g6.4xlarge', quantize: 'fp8' }],
  ['llama-guard-1.two', { model: 'llama-guard-1', instanceCount: 2 }],
  ['llama-guard-3-8b.lmi-11', { container: 'lmi-11' }],
  ['llama-guard-3-8b.g7e', { instanceType: 'ml.g7e.12xlarge' }],
  ['llama-guard-3-8b.autoscale', { autoscale: { min: 1, max: 4 }, instanceCount: 2 }],
  ['llama-guard-3-11b-vision', { model: 'llama-guard-3-11b-vision' }],
  ['llama-prompt-guard-1', { model: 'llama-prompt-guard-1' }],
  ['llama-2-7b-chat', { model: 'llama-2-7b-chat' }],
])('The requests of %s are those of its file', async (name, options) => {
  const cloud = await plane({ describesUntilReady: 0 })
  const io = catchIo(cloud.env)
  expect(await deploy({ ...GUARD, ...options }, io), io.err()).toBe(0)
  await expect(`${JSON.stringify(made(cloud), null, 2)}\n`).toMatchFileSnapshot(
    `../../fixtures/control-plane/deploy.${name}.json`,
  )
})

test('No container of any model is told to use a prefix cache and chunked prefill, or more context than its model has', () => {
  for (const model of JUMPSTART_MODELS)
    for (const instance of model.instances)
      for (const chosen of [undefined, ...CONTAINERS]) {
        const classifies = model.guardModel?.startsWith('llama-prompt-guard') === true
        const own = model.guardModel === undefined || model.guardModel.endsWith('vision') || classifies
        if (chosen !== undefined && own) continue
        const { environment, image } = containerFor(model, instance, chosen)
        expect(Object.values(environment).every((value) => typeof value === 'string')).toBe(true)
        expect(environment['OPTION_ENABLE_CHUNKED_PREFILL'] ?? 'false').toBe('false')
        // A classifier reads no policy that a prefix cache could hold.
        if (image.startsWith('djl-inference') && !classifies)
          expect(environment['OPTION_ENABLE_PREFIX_CACHING']).toBe('true')
        if (model.guardModel === 'llama-guard-1')
          for (const key of ['OPTION_MAX_MODEL_LEN', 'MAX_TOTAL_TOKENS', 'SM_VLLM_MAX_MODEL_LEN'])
            expect(Number(environment[key] ?? 0)).toBeLessThanOrEqual(4096)
        const gpus = environment['SM_NUM_GPUS'] ?? environment['SM_VLLM_TENSOR_PARALLEL_SIZE']
        if (gpus !== undefined && model.guardModel !== undefined) expect(Number(gpus)).toBe(gpusOf(instance))
        expect(Object.keys(environment).length).toBeLessThanOrEqual(16)
      }
})

test('The plan is told before anything is made, with its price', async () => {
  const cloud = await plane()
  const io = catchIo(cloud.env)
  let told = ''
  const stderr = {
    write(text: string) {
      if (operations(cloud).some((name) => name.startsWith('Create'))) return
      told += text
    },
  }
  expect(
    await deploy(
      { ...GUARD, instanceType: 'ml.g5.2xlarge', model: 'llama-guard-1', instanceCount: 2 },
      { ...io, stderr },
    ),
  ).toBe(0)
  expect(told).toMatch(/In eu-west-1 will be made:\n {2}model +llama-guard-1/)
  expect(told).toMatch(/2 x ml\.g5\.2xlarge \(1 A10G\), PREFIX_AWARE by \d{4} bytes, up to 10 requests in flight/)
  expect(told).toMatch(/OPTION_ENABLE_PREFIX_CACHING=true/)
  expect(told).toMatch(
    /Price: about \$3\.04 an hour .*, from its creation until: express-llama-guard delete --endpoint/,
  )
})

test('A dry run says everything, calls nobody, and needs neither role nor accepted licence', async () => {
  const cloud = await plane()
  const io = catchIo(cloud.env)
  const argv = ['deploy', '--model', 'llama-guard-3-1b', '--dry-run']
  expect(await run(argv, io), io.err()).toBe(0)
  expect(cloud.calls).toEqual([])
  expect(io.out()).toMatch(/Price: about \$1\.13 an hour \(on demand in us-east-1/)
  expect(io.out()).toContain('Nothing was made')
})

test('Prompt Guard is offered beside a guard that judges replies', async () => {
  const cloud = await plane({ describesUntilReady: 0 })
  const io = catchIo(cloud.env)
  expect(await deploy({ ...GUARD, model: 'llama-prompt-guard-1' }, io), io.err()).toBe(0)
  expect(io.out()).toContain('export LLAMA_GUARD_GUARDS=llama-prompt-guard-1@llama-prompt-guard-1')
})

test('Scaling is said, applied to the endpoint in service, and ends with it', async () => {
  const cloud = await plane({ describesUntilReady: 0 })
  const io = catchIo(cloud.env)
  expect(await deploy({ ...GUARD, model: 'llama-guard-1', autoscale: { min: 1, max: 3 } }, io), io.err()).toBe(0)
  expect(io.err()).toMatch(/scaling +1 to 3 instances, at 5 requests in flight/)
  expect(io.err()).toMatch(/Price: about \$1\.52 an hour, up to \$4\.56 \(on demand/)
  expect(cloud.targets.get('endpoint/llama-guard-1/variant/AllTraffic')).toMatchObject({
    MinCapacity: 1,
    MaxCapacity: 3,
  })
  const gone = catchIo(cloud.env)
  expect(await deleteEndpoint({ endpoint: 'llama-guard-1', pollMs: 5 }, gone), gone.err()).toBe(0)
  expect(gone.out()).toMatch(/^Stopped the scaling of llama-guard-1\.\nDeleted the endpoint llama-guard-1\./)
  expect(cloud.targets.size).toBe(0)
})

test.each(['RegisterScalableTarget', 'PutScalingPolicy'])(
  'When %s fails, what was made is taken away',
  async (operation) => {
    const cloud = await plane({ describesUntilReady: 0 })
    cloud.fail(operation, 'AccessDeniedException', 'not authorized')
    const io = catchIo(cloud.env)
    expect(await deploy({ ...GUARD, autoscale: { min: 1, max: 2 } }, io)).toBe(3)
    expect(io.err()).toMatch(/not authorized/)
    expect([cloud.models.size, cloud.configs.size]).toEqual([0, 0])
  },
)

test('A model with other settings under the same name is not used in place of the one that was asked for', async () => {
  const cloud = await plane()
  await deploy(GUARD, catchIo(cloud.env))
  ;(cloud.endpoints as Map<string, unknown>).clear()
  const io = catchIo(cloud.env)
  expect(await deploy({ ...GUARD, container: 'tgi' }, io)).toBe(3)
  expect(io.err()).toMatch(/another model of the name llama-guard-3-8b/)
  expect(cloud.models.size).toBe(1)
})

test('The GPU of every instance that a model runs on is known', () => {
  for (const { instances } of JUMPSTART_MODELS)
    for (const instance of instances) expect(gpuName(instance)).not.toBe('GPU')
  expect(['ml.g5.12xlarge', 'ml.g5.2xlarge', 'ml.p4d.24xlarge'].map(gpusOf)).toEqual([4, 1, 8])
})
