// `doctor --latency` against an endpoint whose time follows its tokens; and what doctor
// says of a host that does not answer and of credentials that are wrong in one part.
import { expect, test } from 'vitest'
import { doctor } from '../../../src/cli/endpoint/doctor.js'
import { run } from '../../../src/cli/index.js'
import type { EmulatorOptions } from '../../emulator/index.js'
import { LONG } from '../../helpers/sampled.js'
import { catchIo } from '../helpers.js'
import { planes } from './plane.js'

const setup = (options: EmulatorOptions) => planes({ container: 'lmi-0.29', ...options })

/** The control plane knows no such endpoint; what is asked here is the data plane alone. */
async function diagnose(env: Record<string, string>, latency = true) {
  const io = catchIo(env)
  const code = await doctor({ latency, samples: 8 }, io)
  return { code, out: io.out() }
}

const withoutEndpoint = (env: Record<string, string>) => ({ ...env, AWS_ENDPOINT_URL_SAGEMAKER: 'http://127.0.0.1:9' })

test.runIf(LONG)(
  'A warm prefix is told to be fast, and the load is raised until it bends',
  { timeout: 180_000 },
  async () => {
    const { guard, env } = await setup({
      timing: { msPerPromptToken: 0.4, msPerToken: 25, baseMs: 2, prefixCache: true },
    })
    const { code, out } = await diagnose(withoutEndpoint(env))
    expect(code, out).toBe(0)
    expect(out).toMatch(/latency +p50 \d+ ms, p99 \d+ ms/)
    const p50 = (row: string): number => Number(new RegExp(`${row} +p50 ([\\d.]+) ms`).exec(out)?.[1])
    expect(p50('cold prefix')).toBeGreaterThan(1.2 * p50('warm prefix'))
    expect(p50('first token')).toBeLessThan(p50('warm prefix'))
    expect(out).toMatch(/tokens +about \d{3,} a prompt/)
    expect(out).toMatch(/ok {4}prefix cache +on: a warm prefix is [\d.]+ times as fast/)
    expect(out).toMatch(/load +1 in flight: +[\d.]+ checks\/s[\s\S]*load +2 in flight/)
    expect(out).toMatch(/bend +at \d+ in flight: [\d.]+ checks\/s/)
    expect(out).toMatch(/ok {4}timeoutMs +10000, beyond the p99/)
    expect(guard.peak).toBeGreaterThan(1)
  },
)

test.runIf(LONG)(
  'A timeout that the endpoint cannot keep is a failure, exit code 1, with the number to set',
  { timeout: 180_000 },
  async () => {
    const kept = await setup({ timing: { msPerPromptToken: 0, baseMs: 10 } })
    const fast = await diagnose({ ...withoutEndpoint(kept.env), LLAMA_GUARD_TIMEOUT_MS: '2000' })
    expect(fast.code, fast.out).toBe(0)
    const slow = await setup({ timing: { msPerPromptToken: 0, baseMs: 10 } })
    let asked = 0
    slow.guard.behave(async (call) => {
      asked += 1
      // Not the examples, which come first and are no part of the measurement.
      if (asked > 4 && asked % 7 === 0) await new Promise((wake) => setTimeout(wake, 2500))
      call.answer()
    })
    const late = await diagnose({ ...withoutEndpoint(slow.env), LLAMA_GUARD_TIMEOUT_MS: '2000' })
    expect(late.code, late.out).toBe(3)
    expect(late.out).toMatch(
      /FAIL {2}timeoutMs +2000, and one check in a hundred takes \d+ ms.*\n +Set LLAMA_GUARD_TIMEOUT_MS to \d{4,}/,
    )
    expect(late.out).toContain('The guard cannot be relied on yet.')
  },
)

test.runIf(LONG)('Without a prefix cache the report says how to turn it on', { timeout: 180_000 }, async () => {
  const { env } = await setup({ timing: { msPerPromptToken: 0.4, msPerToken: 25, baseMs: 2 } })
  const { code, out } = await diagnose(withoutEndpoint(env))
  expect(code, out).toBe(0)
  expect(out).toMatch(/warn {2}concurrency +256: so many checks at once take .*\n +Set LLAMA_GUARD_CONCURRENCY to \d+/)
  expect(out).toMatch(/warn {2}prefix cache +off.*\n +.*OPTION_ENABLE_PREFIX_CACHING=true and no/)
})

test('An endpoint that fails while it is measured is told with its error, and a check that fails under load ends the load', async () => {
  const { guard, env } = await setup({})
  guard.behave((call) => call.answer(), { times: 4 })
  guard.behave((call) => call.fail({ status: 400, name: 'ThrottlingException', body: '{"Message":"Rate exceeded"}' }))
  const broken = await diagnose(withoutEndpoint(env))
  expect(broken.code).toBe(3)
  expect(broken.out).toMatch(/FAIL {2}latency +guard_throttled: /)
  guard.reset()
  guard.behave((call) => call.fail({ status: 400, name: 'ThrottlingException', body: '{"Message":"Rate exceeded"}' }), {
    when: () => guard.requests.length > 50,
  })
  const loaded = await diagnose(withoutEndpoint(env))
  expect(loaded.out).toMatch(/load +\d+ in flight.*a check failed: guard_throttled/)
})

test('An endpoint with the image of vLLM is measured on the route that it has', async () => {
  const { env } = await setup({ container: 'vllm', timing: { msPerPromptToken: 0, baseMs: 10 } })
  const { code, out } = await diagnose({ ...withoutEndpoint(env), LLAMA_GUARD_CONCURRENCY: '2' })
  expect(out).toMatch(/ok {4}concurrency +2/)
  expect(code, out).toBe(0)
})

test('The command line has the flag, and another guard is measured as well', async () => {
  const io = catchIo({ LLAMA_GUARD_BACKEND: 'local' })
  expect(await run(['doctor', '--latency'], io)).toBe(0)
  expect(io.out()).toMatch(/ok {4}latency +p50/)
})

test.each<[string, Record<string, string>, RegExp]>([
  [
    'a host that refuses',
    { AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME: 'http://127.0.0.1:9' },
    /FAIL {2}example +guard_unavailable: ECONNREFUSED at 127\.0\.0\.1:9\n +AWS could not be reached in eu-west-1/,
  ],
  [
    'a host that does not exist',
    { AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME: 'http://runtime.sagemaker.mars.invalid' },
    /FAIL {2}example +guard_unavailable: (?:ENOTFOUND|EAI_AGAIN) at runtime\.sagemaker\.mars\.invalid/,
  ],
  [
    'an access key that AWS does not know',
    { AWS_ACCESS_KEY_ID: 'AKIAWRONG' },
    /FAIL {2}example +guard_rejected: UnrecognizedClientException.*\n +AWS does not know this access key.*AWS_ACCESS_KEY_ID/,
  ],
  [
    'a secret of another key',
    { AWS_SECRET_ACCESS_KEY: 'wrong' },
    /FAIL {2}example +guard_rejected: InvalidSignatureException.*\n +AWS knows the access key but not the secret.*AWS_SECRET_ACCESS_KEY/,
  ],
  [
    'another region',
    { AWS_REGION: 'us-east-1' },
    /FAIL {2}example +guard_rejected: InvalidSignatureException.*\n +The request is signed for us-east-1, and another region answers/,
  ],
])('Doctor tells %s apart', async (_, over, message) => {
  const { env } = await setup({})
  const { code, out } = await diagnose({ ...env, ...over }, false)
  expect(code).toBe(3)
  expect(out).toMatch(message)
})

test('The host of another guard is named too', async () => {
  const io = catchIo({ LLAMA_GUARD_BACKEND: 'openai', LLAMA_GUARD_URL: 'http://127.0.0.1:9/v1' })
  expect(await doctor({}, io)).toBe(3)
  expect(io.out()).toMatch(/FAIL {2}example +guard_unavailable: ECONNREFUSED at 127\.0\.0\.1:9/)
})
