// A process whose clock is wrong is judged all the same: the SDK learns the time of the server from its refusal, and
// the call is made again once.
import { describe, expect, it } from 'vitest'
import { promptedGuard } from '../../../../src/guard/backends/prompted.js'
import { sagemakerComplete } from '../../../../src/guard/backends/sagemaker/index.js'
import { createPrompter } from '../../../../src/guard/prompt/index.js'
import type { EmulatorOptions } from '../../../emulator/index.js'
import { closing, endpoint } from '../../../helpers/closing.js'
import { judgeOf, outcome, says } from '../../fake-guards.js'

async function around(options: EmulatorOptions, env: Record<string, string> = {}) {
  const emulator = await endpoint(options, env)
  const complete = sagemakerComplete({ endpoint: 'llama-guard', concurrency: 4, timeoutMs: 5000 })
  const guard = promptedGuard({ prompter: createPrompter('llama-guard-1'), complete, identity: complete.identity })
  const judge = closing(judgeOf(guard, { maxAttempts: 2, cacheMax: 0 }))
  return { emulator, judge }
}

describe('A clock that differs from that of SageMaker', () => {
  for (const error of ['InvalidSignatureException', 'SignatureDoesNotMatch', 'RequestTimeTooSkewed'])
    for (const aheadMs of [3_600_000, -3_600_000])
      it(`by ${aheadMs} ms, told as ${error}, costs one more call, once`, async () => {
        const { emulator, judge } = await around({ clock: { aheadMs, error } })
        expect(await outcome(judge, says('hello'))).toBe('safe')
        expect(judge.stats().guards[0]).toMatchObject({ calls: 2, retries: 1 })
        expect(await outcome(judge, says('UNSAFE_O3'))).toBe('unsafe')
        expect(judge.stats().guards[0]).toMatchObject({ calls: 3, retries: 1 })
        expect(emulator.requests).toHaveLength(2)
      })

  it('makes a wrong secret be tried once more, and no further', async () => {
    const { judge } = await around({ clock: { aheadMs: 3_600_000 } }, { AWS_SECRET_ACCESS_KEY: 'wrong' })
    expect(await outcome(judge, says('hello'))).toBe('guard_rejected')
    expect(judge.stats().guards[0]).toMatchObject({ calls: 2 })
  })

  it('is no reason to try a wrong secret again where the clocks agree', async () => {
    const { judge } = await around({}, { AWS_SECRET_ACCESS_KEY: 'wrong' })
    expect(await outcome(judge, says('hello'))).toBe('guard_rejected')
    expect(judge.stats().guards[0]).toMatchObject({ calls: 1 })
  })
})
