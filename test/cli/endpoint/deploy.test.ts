// `deploy` and `delete` with the real AWS SDK against SageMaker's control plane, the happy way and every way it fails.
import { expect, test } from 'vitest'
import { peer } from '../../../src/cli/io.js'
import { deleteEndpoint } from '../../../src/cli/endpoint/delete.js'
import { deploy } from '../../../src/cli/endpoint/deploy.js'
import type { DeployOptions } from '../../../src/cli/endpoint/plan.js'
import { JUMPSTART_MODELS } from '../../../src/cli/endpoint/jumpstart.js'
import { imageUri } from '../../../src/cli/endpoint/regions.js'
import { catchIo } from '../helpers.js'
import { GUARD, operations, plane } from './plane.js'

test('A deployed guard has the tags that were asked for, is waited for, and its settings are told', async () => {
  const cloud = await plane()
  const io = catchIo(cloud.env)
  expect(await deploy({ ...GUARD, tags: { team: 'trust' } }, io)).toBe(0)
  expect(cloud.models.get('llama-guard-3-8b')).toMatchObject({
    Tags: expect.arrayContaining([
      { Key: 'created-by', Value: 'express-llama-guard' },
      { Key: 'team', Value: 'trust' },
    ]) as unknown,
  })
  expect(cloud.endpoints.get('llama-guard-3-8b')).toMatchObject({ EndpointStatus: 'InService' })
  expect(io.out()).toContain(
    'export AWS_REGION=eu-west-1 LLAMA_GUARD_ENDPOINT=llama-guard-3-8b LLAMA_GUARD_MODEL=llama-guard-3-8b',
  )
  expect(io.err()).toContain('llama-guard-3-8b: Creating (0m 00s)')
})

test('A second run finds the endpoint in service and makes nothing', async () => {
  const cloud = await plane()
  await deploy(GUARD, catchIo(cloud.env))
  const before = cloud.calls.length
  const io = catchIo(cloud.env)
  expect(await deploy(GUARD, io)).toBe(0)
  expect(operations(cloud).slice(before)).toEqual(['DescribeEndpoint'])
  expect(io.out()).toContain('is already in service')
})

test('A run that was cut off is taken up where it stopped', async () => {
  const cloud = await plane({ describesUntilReady: 4 })
  expect(await deploy({ ...GUARD, waitMs: 0 }, catchIo(cloud.env))).toBe(3)
  expect(cloud.endpoints.size).toBe(1)
  expect(await deploy(GUARD, catchIo(cloud.env))).toBe(0)
  expect(operations(cloud).filter((name) => name === 'CreateEndpoint')).toHaveLength(1)
})

test('A model and configuration that a run left behind are used again', async () => {
  const cloud = await plane()
  await deploy(GUARD, catchIo(cloud.env))
  ;(cloud.endpoints as Map<string, unknown>).clear()
  expect(await deploy(GUARD, catchIo(cloud.env))).toBe(0)
  expect(operations(cloud).filter((name) => name === 'CreateModel')).toHaveLength(1)
})

test.each([
  [
    'CreateEndpointConfig',
    'AccessDeniedException',
    'User is not authorized to perform: sagemaker:CreateEndpointConfig',
    /lacks this permission/,
  ],
  [
    'CreateEndpoint',
    'ResourceLimitExceeded',
    "The account-level service limit 'ml.g5.4xlarge for endpoint usage' is 0 Instances",
    /Service Quotas console of eu-west-1/,
  ],
])('When %s fails, what was made is taken away and the cure is told', async (operation, type, message, cure) => {
  const cloud = await plane()
  cloud.fail(operation, type, message)
  const io = catchIo(cloud.env)
  expect(await deploy(GUARD, io)).toBe(3)
  expect(io.err()).toContain(message)
  expect(io.err()).toMatch(cure)
  expect([cloud.models.size, cloud.configs.size, cloud.endpoints.size]).toEqual([0, 0, 0])
})

test('An endpoint that fails to start is told with its reason and taken away', async () => {
  const cloud = await plane({
    failWith: 'The primary container for production variant AllTraffic did not pass the ping health check.',
  })
  const io = catchIo(cloud.env)
  expect(await deploy(GUARD, io)).toBe(3)
  expect(io.err()).toContain('did not pass the ping health check')
  expect([cloud.models.size, cloud.configs.size]).toEqual([0, 0])
  expect(cloud.endpoints.get('llama-guard-3-8b')).toMatchObject({ EndpointStatus: 'Deleting' })
})

test('A clean-up that fails is told, and hides neither the first failure nor the rest of the clean-up', async () => {
  const cloud = await plane()
  cloud.fail('CreateEndpoint', 'ResourceLimitExceeded', 'no quota')
  cloud.fail('DeleteEndpointConfig', 'AccessDeniedException', 'not authorized to delete')
  const io = catchIo(cloud.env)
  expect(await deploy(GUARD, io)).toBe(3)
  expect(io.err()).toMatch(/no quota[\s\S]*could not be taken away[\s\S]*Took away the model/)
  expect(cloud.models.size).toBe(0)
})

test.each<[string, Partial<DeployOptions>, Record<string, string>, RegExp]>([
  ['no accepted licence', { acceptEula: undefined }, {}, /licence[\s\S]*llama3_1Eula\.txt[\s\S]*--accept-eula/],
  [
    'an unknown model',
    { model: 'llama-guard-9' },
    {},
    /"llama-guard-9" cannot be deployed; the ones that can are llama-guard-1/,
  ],
  [
    'an instance the model does not run on',
    { instanceType: 'ml.t2.medium' },
    {},
    /ml\.t2\.medium is not an instance type/,
  ],
  ['a name that no endpoint has', { endpoint: 'a b', dryRun: true }, {}, /--endpoint should be the name .* got "a b"/],
  ['a role that is no ARN', { role: 'admin' }, {}, /"admin" is no role ARN/],
  ['a region without the image', { region: 'xx-north-9' }, {}, /No image .* xx-north-9/],
  [
    'everything',
    { model: undefined, role: undefined, acceptEula: undefined, region: '' },
    {},
    /- a model: --model.*\n {2}- a region: --region.*\n {2}- an execution role.*\n {2}- your acceptance/,
  ],
  [
    'another container for the vision guard',
    { model: 'llama-guard-3-11b-vision', container: 'lmi' },
    {},
    /Leave out --container/,
  ],
  [
    'FP8 on a GPU that has none',
    { quantize: 'fp8' },
    {},
    /ml\.g5\.4xlarge has none\. Take an ml\.g6, ml\.g6e or ml\.p5/,
  ],
  [
    'FP8 for a chat model',
    { model: 'llama-2-7b-chat', instanceType: 'ml.g6.12xlarge', quantize: 'fp8' },
    {},
    /Leave out --quantize/,
  ],
  ['a range that is none', { autoscale: { min: 3, max: 2 } }, {}, /3\.\.2 is no range/],
  ['scaling to zero', { autoscale: { min: 0, max: 2 } }, {}, /0\.\.2 is no range from 1/],
  ['no region', {}, { AWS_REGION: '' }, /- a region: --region/],
])('%s is refused before anything is called', async (_, options, env, message) => {
  const cloud = await plane()
  const io = catchIo({ ...cloud.env, ...env })
  expect(await deploy({ ...GUARD, ...options }, io)).toBe(2)
  expect(io.err()).toMatch(message)
  expect(cloud.calls).toEqual([])
})

test('Every model has a short name of its own, an image in us-east-1 and its default among its instances', () => {
  const names = JUMPSTART_MODELS.flatMap(({ id, name }) => [id, name])
  expect(new Set(names).size).toBe(names.length)
  for (const model of JUMPSTART_MODELS) {
    expect(imageUri('us-east-1', model.image)).toMatch(/^763104351884\.dkr\.ecr\.us-east-1\.amazonaws\.com\//)
    expect(model.instances).toContain(model.defaultInstance)
  }
  expect(imageUri('cn-north-1', 'x:1')).toBe('727897471807.dkr.ecr.cn-north-1.amazonaws.com.cn/x:1')
})

test('A missing peer is told with the commands that install it, and another failure as it is', async () => {
  const missing = Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' })
  await expect(peer('@aws-sdk/x', 'deploy', () => Promise.reject(missing))).rejects.toMatchObject({
    code: 'dependency_missing',
    message: expect.stringMatching(
      /^deploy needs.*npm install @aws-sdk\/x\n.*npx --package.* --package @aws-sdk\/x /s,
    ) as string,
  })
  await expect(peer('@aws-sdk/x', 'deploy', () => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
})

test('Delete takes away endpoint, configuration and model, waits until the endpoint is gone, and can be run again', async () => {
  const cloud = await plane()
  await deploy(GUARD, catchIo(cloud.env))
  const io = catchIo(cloud.env)
  expect(await deleteEndpoint({ endpoint: 'llama-guard-3-8b', pollMs: 5 }, io)).toBe(0)
  expect(io.out()).toBe(
    'Deleted the endpoint llama-guard-3-8b.\nDeleted the endpoint configuration llama-guard-3-8b.\nDeleted the model llama-guard-3-8b.\n',
  )
  expect([cloud.models.size, cloud.configs.size, cloud.endpoints.size]).toEqual([0, 0, 0])
  const again = catchIo(cloud.env)
  expect(await deleteEndpoint({ endpoint: 'llama-guard-3-8b', pollMs: 5 }, again)).toBe(0)
  expect(again.out()).toContain('There is nothing named llama-guard-3-8b')
})

test('Delete leaves what bears another name alone, unless told otherwise', async () => {
  const cloud = await plane()
  const shared = new Map([
    [
      'shared-config',
      {
        EndpointConfigName: 'shared-config',
        ProductionVariants: [{ VariantName: 'v', ModelName: 'shared-model' }],
        CreationTime: 1,
      },
    ],
  ])
  for (const [name, config] of shared) (cloud.configs as Map<string, unknown>).set(name, config)
  ;(cloud.models as Map<string, unknown>).set('shared-model', { ModelName: 'shared-model', CreationTime: 1 })
  const endpoint = {
    EndpointName: 'guard',
    EndpointConfigName: 'shared-config',
    EndpointStatus: 'InService',
    CreationTime: 1,
    left: 0,
  }
  ;(cloud.endpoints as Map<string, unknown>).set('guard', { ...endpoint })
  const io = catchIo(cloud.env)
  expect(await deleteEndpoint({ endpoint: 'guard', pollMs: 5 }, io)).toBe(0)
  expect(io.out()).toMatch(/Left shared-config alone[\s\S]*Left shared-model alone/)
  expect([cloud.models.size, cloud.configs.size, cloud.endpoints.size]).toEqual([1, 1, 0])
  ;(cloud.endpoints as Map<string, unknown>).set('guard', { ...endpoint })
  expect(await deleteEndpoint({ endpoint: 'guard', all: true, pollMs: 5 }, catchIo(cloud.env))).toBe(0)
  expect([cloud.models.size, cloud.configs.size]).toEqual([0, 0])
})

test('Delete of an endpoint that is being created says when to come back', async () => {
  const cloud = await plane({ describesUntilReady: 100 })
  await deploy({ ...GUARD, waitMs: 0 }, catchIo(cloud.env))
  const io = catchIo(cloud.env)
  expect(await deleteEndpoint({ endpoint: 'llama-guard-3-8b', pollMs: 5 }, io)).toBe(3)
  expect(io.err()).toMatch(/cannot be deleted while it is being created/)
})

test('Wrong credentials are told with their cure', async () => {
  const cloud = await plane()
  const io = catchIo({ ...cloud.env, AWS_ACCESS_KEY_ID: 'AKIAWRONG' })
  expect(await deploy(GUARD, io)).toBe(3)
  expect(io.err()).toMatch(/does not accept these credentials/)
})
