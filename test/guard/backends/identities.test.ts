// The name of a guard model in a cache key: verdicts of one model, server or component are none of another.
import { expect, it, vi } from 'vitest'
import { openAiCompatibleComplete } from '../../../src/guard/backends/openai-compatible.js'
import { sagemakerComplete } from '../../../src/guard/backends/sagemaker/index.js'

const common = { timeoutMs: 1000, concurrency: 1 }
const HTTP = [
  { url: 'http://one.test/v1' },
  { url: 'http://two.test/v1' },
  { url: 'http://one.test:81/v1' },
  { url: 'http://one.test/v2' },
  { url: 'http://one.test/v1?api-version=1' },
  { url: 'http://one.test/v1', model: 'm' },
  { url: 'http://one.test/v1', model: 'n' },
]
const SAGEMAKER = [
  { endpoint: 'one' },
  { endpoint: 'two' },
  { endpoint: 'one', inferenceComponent: 'two' },
  { endpoint: 'one', targetVariant: 'two' },
]

it.each([
  { what: 'an OpenAI-compatible server', options: HTTP, make: openAiCompatibleComplete },
  { what: 'an endpoint', options: SAGEMAKER, make: sagemakerComplete },
])('The name of $what has all that tells one model from another, and no more.', ({ options, make }) => {
  const names = new Set<string>()
  for (const one of options) {
    const made = [1000, 2000].map((timeoutMs) =>
      make({ ...common, ...one, timeoutMs, apiKey: `sk-${timeoutMs}` } as never),
    )
    expect(made[1]!.identity).toBe(made[0]!.identity)
    names.add(made[0]!.identity)
    for (const each of made) void each.close()
  }
  expect(names.size).toBe(options.length)
})

it('An endpoint of another region has another name.', () => {
  const names = new Set<string>()
  for (const region of ['eu-west-1', 'us-east-1']) {
    vi.stubEnv('AWS_REGION', region)
    const made = sagemakerComplete({ ...common, endpoint: 'one' })
    names.add(made.identity)
    void made.close()
  }
  vi.unstubAllEnvs()
  expect(names.size).toBe(2)
})
