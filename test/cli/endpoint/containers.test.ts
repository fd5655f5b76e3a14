// Containers and models: what `deploy` says and makes of each, and what `doctor` says of a guard that runs there.
import { expect, test } from 'vitest'
import { CONTAINERS } from '../../../src/cli/endpoint/containers.js'
import { deploy } from '../../../src/cli/endpoint/deploy.js'
import { doctor } from '../../../src/cli/endpoint/doctor.js'
import { JUMPSTART_MODELS } from '../../../src/cli/endpoint/jumpstart.js'
import type { Answer, Container } from '../../emulator/index.js'
import { graniteGuardian, qwen3Guard } from '../../emulator/other-models.js'
import { crossed } from '../../helpers/sampled.js'
import { catchIo } from '../helpers.js'
import { GUARD, plane, planes } from './plane.js'

/** What runs in the emulated endpoint for each container of `deploy`, and what `doctor` calls its image. */
const RUNS: Readonly<Record<(typeof CONTAINERS)[number], readonly [Container, RegExp]>> = {
  lmi: ['lmi', /ok {4}container +LMI \(djl-serving 0\.36\.0\)/],
  'lmi-11': ['lmi-0.29', /ok {4}container +LMI \(djl-serving 0\.29\.0\)/],
  tgi: ['tgi', /ok {4}container +Text Generation Inference 3\.2\.3/],
  vllm: ['vllm', /ok {4}container +vLLM 0\.27\.1/],
}
const containers = Object.fromEntries(CONTAINERS.map((name) => [name, name]))

test.each(
  crossed({ model: Object.fromEntries(JUMPSTART_MODELS.map((model) => [model.name, model])), container: containers }),
)('deploy says what an hour of $title costs and what ends it, before it makes it', async ({ model, container }) => {
  const cloud = await plane({ describesUntilReady: 0 })
  const io = catchIo(cloud.env)
  const created = (): number => cloud.calls.filter(({ operation }) => operation.startsWith('Create')).length
  let before = ''
  const stderr = { write: (text: string) => void (created() === 0 && (before += text)) }
  const chosen = container as (typeof CONTAINERS)[number]
  const code = await deploy({ ...GUARD, model: model.name, container: chosen }, { ...io, stderr })
  if (code !== 0) {
    expect(before).toMatch(/runs in the (?:TGI|LMI-11) container that JumpStart pairs with it, as it is/)
    expect([code, created(), cloud.calls]).toEqual([2, 0, []])
    // It runs there without a choice.
    expect(await deploy({ ...GUARD, model: model.name }, { ...io, stderr })).toBe(0)
  }
  expect(before).toContain('In eu-west-1 will be made:')
  expect(before).toMatch(
    new RegExp(
      `Price: about \\$\\d+\\.\\d\\d an hour \\(on demand in us-east-1, \\S+ has eu-west-1\\), from its creation until: ` +
        `express-llama-guard delete --endpoint ${model.name} --region eu-west-1`,
    ),
  )
  expect(created()).toBe(3)
  expect(io.out()).toContain(`npx express-llama-guard delete --endpoint ${model.name}`)
})

const scoreTag = (prompt: string): Answer => ({
  text: `<think>\n</think>\n<score>${/pipe bomb/.test(prompt) ? 'yes' : 'no'}</score>`,
})
const GUARDS: Readonly<Record<string, ((prompt: string) => Answer) | undefined>> = {
  'llama-guard-1': undefined,
  'llama-guard-2': undefined,
  'llama-guard-3-8b': undefined,
  'llama-guard-3-1b': undefined,
  'llama-guard-4-12b': undefined,
  'qwen3guard-gen': qwen3Guard,
  'granite-guardian-3.0': graniteGuardian,
  'granite-guardian-4.1': scoreTag,
}

test.each(
  crossed({ guard: Object.fromEntries(Object.keys(GUARDS).map((name) => [name, name])), container: containers }),
)('doctor finds $title ready', async ({ guard, container }) => {
  const [runs, called] = RUNS[container as keyof typeof RUNS]
  const generates = GUARDS[guard]
  const { env: both } = await planes({
    container: runs,
    ...(generates && { endpoints: [], serves: { 'llama-guard': { generates } } }),
  })
  const env = { ...both, LLAMA_GUARD_MODEL: guard }
  const chosen = container as keyof typeof RUNS
  await deploy({ ...GUARD, model: 'llama-guard-1', endpoint: 'llama-guard', container: chosen }, catchIo(env))
  const io = catchIo(env)
  expect(await doctor({}, io), io.out()).toBe(0)
  expect(io.out()).toMatch(called)
  expect(io.out()).toMatch(/example +a harmful request: unsafe/)
  expect(io.out()).toContain('The guard is ready')
})
