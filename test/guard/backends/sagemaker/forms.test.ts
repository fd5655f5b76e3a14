// The two forms of a raw prompt on the wire: what TGI and LMI take, and what vLLM's own image takes. The endpoint's
// refusal tells which it wants.
import { describe, expect, it } from 'vitest'
import { createGuard } from '../../../../src/index.js'
import type { Container } from '../../../emulator/index.js'
import { modelFails } from '../../../emulator/faults.js'
import { closing, endpoint } from '../../../helpers/closing.js'
import { says } from '../../fake-guards.js'

async function start(container: Container, contextTokens?: number) {
  const emulator = await endpoint({ container, ...(contextTokens !== undefined && { contextTokens }) })
  const guard = closing(createGuard({ endpoint: 'llama-guard', model: 'llama-guard-3-8b' }))
  const bodies = () =>
    emulator.requests.map(({ body, headers }) => [headers['x-amzn-sagemaker-custom-attributes'], body])
  return { emulator, guard, bodies }
}

describe('An endpoint with', () => {
  it("vLLM's own image is asked for a completion on its route, after one refusal", async () => {
    const { guard, bodies } = await start('vllm')
    expect(await guard.judge(says('hi'))).toMatchObject({ safe: true, score: expect.closeTo(0.02, 6) as number })
    expect(await guard.judge(says('UNSAFE_S9'))).toMatchObject({ safe: false, categories: ['S9'] })
    const completion = (text: string) => [
      'route=/v1/completions',
      { prompt: expect.stringContaining(`User: ${text}`) as string, max_tokens: 32, temperature: 0, logprobs: 5 },
    ]
    expect(bodies()).toEqual([
      [undefined, expect.objectContaining({ inputs: expect.any(String) as string })],
      completion('hi'),
      completion('UNSAFE_S9'),
    ])
  })

  it('vLLM that serves a shorter context gets shorter pieces', async () => {
    const { guard, emulator } = await start('vllm', 1200)
    const words = Array.from({ length: 1500 }, (_, index) => `word ${index}.`).join(' ')
    expect(await guard.judge(says(words))).toMatchObject({ safe: true })
    expect(emulator.requests.length).toBeGreaterThan(3)
  })

  it('another container than before is asked in its form', async () => {
    const { guard, emulator, bodies } = await start('vllm')
    await guard.judge(says('one'))
    emulator.behave(
      modelFails(422, 'Failed to deserialize the JSON body into the target type: missing field `inputs`'),
      {
        times: 1,
      },
    )
    // The other form is refused as well by this emulator: the endpoint's own error stays, and the form as well.
    await expect(guard.judge(says('two'))).rejects.toMatchObject({ code: 'guard_rejected' })
    expect(await guard.judge(says('three'))).toMatchObject({ safe: true })
    expect(bodies()).toHaveLength(5)
  })

  it('a failure of another kind is asked once', async () => {
    const { guard, emulator } = await start('tgi')
    for (const [status, text] of [
      [400, 'no'],
      [500, 'Cannot find the GPU'],
    ] as const) {
      emulator.reset()
      emulator.behave(modelFails(status, text))
      await expect(guard.judge(says('hi'))).rejects.toMatchObject({
        code: status === 400 ? 'guard_rejected' : 'guard_error',
      })
      expect(emulator.requests).toHaveLength(1)
    }
  })
})
