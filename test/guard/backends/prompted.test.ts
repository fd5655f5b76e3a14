// The guard of every backend with a Llama Guard model: real prompts, the emulated model, and an endpoint that
// takes less than it should.
import { describe, expect, it } from 'vitest'
import { LlamaGuardError } from '../../../src/types/errors.js'
import type { Complete } from '../../../src/guard/backends/prompted.js'
import { promptedGuard } from '../../../src/guard/backends/prompted.js'
import { createPrompter, LLAMA_GUARDS } from '../../../src/guard/prompt/index.js'
import { sagemakerComplete } from '../../../src/guard/backends/sagemaker/index.js'
import type { Conversation } from '../../../src/types.js'
import type { EmulatorOptions } from '../../emulator/index.js'
import { says, sends } from '../../emulator/faults.js'
import { closing, endpoint } from '../../helpers/closing.js'

const user = (text: string): Conversation => [{ role: 'User', text }]
const tooLong = expect.objectContaining({ code: 'guard_input_too_long' }) as Error

async function start(options: EmulatorOptions = {}, model: (typeof LLAMA_GUARDS)[number] = 'llama-guard-1') {
  const emulator = await endpoint(options)
  const complete = sagemakerComplete({ endpoint: 'llama-guard', concurrency: 4, timeoutMs: 20_000 })
  const guard = closing(promptedGuard({ prompter: createPrompter(model), complete, identity: complete.identity }))
  return { emulator, guard }
}

/** A guard whose server completes like this. */
const guardOf = (complete: Complete, model: (typeof LLAMA_GUARDS)[number] = 'llama-guard-1') =>
  promptedGuard({ prompter: createPrompter(model), complete, identity: 'own' })

describe('A prompted guard', () => {
  it.each(LLAMA_GUARDS)('shows %s the whole conversation and gives its verdict on the last turn.', async (model) => {
    const { emulator, guard } = await start({}, model)
    const conversation: Conversation = [...user('Hello there'), { role: 'Agent', text: 'Buy a bomb.' }]
    expect(await guard.judge(conversation, {})).toMatchObject({
      safe: false,
      categories: [expect.stringMatching(/^[OS]\d$/)],
      score: expect.any(Number) as number,
    })
    expect(await guard.judge([...conversation, ...user('Thanks, no.')], {})).toMatchObject({
      safe: true,
      categories: [],
    })
    expect(emulator.conversations()).toMatchObject([
      { version: model === 'llama-guard-1' ? 1 : Number(model[12]), judges: 'Agent', turns: conversation },
      { judges: 'User', turns: [...conversation, ...user('Thanks, no.')] },
    ])
  })

  it('is known by its endpoint, its model and every word of its prompt.', async () => {
    const complete: Complete = () => Promise.resolve({ text: 'safe' })
    const identity = (identity: string, ...prompter: Parameters<typeof createPrompter>) =>
      promptedGuard({ prompter: createPrompter(...prompter), complete, identity }).identity
    const policy = { categories: [{ id: 'O1', name: 'Spoilers' }] }
    const identities = [
      identity('one', 'llama-guard-1'),
      identity('two', 'llama-guard-1'),
      identity('one', 'llama-guard-2'),
      identity('one', 'llama-guard-1', policy),
      identity('one', 'llama-guard-1', { ...policy, instruction: 'Say safe or unsafe about {role}.' }),
    ]
    expect(new Set(identities).size).toBe(identities.length)
    expect(identity('one', 'llama-guard-1', policy)).toBe(identities[3])
  })

  it('asks for logarithms and hands on the signal.', async () => {
    const seen: unknown[] = []
    const complete: Complete = (_, options) => (seen.push(options), Promise.resolve({ text: 'safe' }))
    const guard = promptedGuard({ prompter: createPrompter('llama-guard-1'), complete, identity: 'x', logprobs: true })
    const { signal } = new AbortController()
    await guard.judge(user('hello'), { signal })
    expect(seen).toEqual([{ logprobs: true, signal }])
    expect(guard.close).toBeUndefined()
  })
})

describe('An endpoint with less context than its model', () => {
  const long = (last: string) => user(`${'Tell me about gardens. '.repeat(250)}${last}`)

  it('is asked in pieces that fit, at once from the second conversation on.', async () => {
    const { emulator, guard } = await start({ contextTokens: 2048 })
    expect(await guard.judge(long('Bye.'), {})).toMatchObject({ safe: true })
    // The one that was too long is not sent again.
    const pieces = emulator.requests.length - 1
    expect(pieces).toBeGreaterThan(1)
    emulator.reset()
    expect(await guard.judge(long('Let us make a bomb.'), {})).toMatchObject({ safe: false, categories: ['O3'] })
    expect(emulator.requests).toHaveLength(pieces)
    emulator.reset()
    const fitted = guard.fit?.(long('Good night.')) ?? []
    expect(fitted).toHaveLength(pieces)
    for (const piece of fitted) await guard.judge(piece, {})
    expect(emulator.requests).toHaveLength(pieces)
  })

  it('does not make a short conversation shorter.', async () => {
    const { guard } = await start({ contextTokens: 2048 })
    await guard.judge(long('Bye.'), {})
    const short = [...user('Hello'), { role: 'Agent', text: 'Hi' }, ...user('Bye')] as const
    expect(guard.fit?.(short)).toEqual([short])
  })

  it('is not believed to take less when the pieces fail as well.', async () => {
    const { emulator, guard } = await start({ contextTokens: 300 })
    await expect(guard.judge(user('Tell me about gardens. '.repeat(1500)), {})).rejects.toThrow(tooLong)
    // One whole, one piece; the other pieces would only fail the same way.
    expect(emulator.requests.length).toBeLessThan(4)
    expect(guard.fit?.(long('Bye.'))).toHaveLength(1)
    await expect(guard.judge(user('short'), {})).rejects.toThrow(tooLong)
  })

  it('decides by any unsafe piece, with no leniency when another one failed.', async () => {
    const { emulator, guard } = await start({ contextTokens: 2048 })
    const conversation = user(`Let us make a bomb. ${'Tell me about gardens. '.repeat(250)}Bye.`)
    expect(await guard.judge(conversation, {})).toMatchObject({
      safe: false,
      categories: ['O3'],
      score: expect.closeTo(0.98, 3) as number,
    })
    emulator.behave(sends({}), { when: ({ prompt }) => /Bye\.\n/.test(prompt ?? '') })
    const verdict = await guard.judge(conversation, {})
    expect(verdict).toMatchObject({ safe: false, categories: ['O3'], truncated: true })
    expect(verdict.score).toBeUndefined()
  })

  it('is an error when a piece failed and none was unsafe.', async () => {
    const { emulator, guard } = await start({ contextTokens: 2048 })
    emulator.behave(says('who knows'), {
      when: ({ prompt }) => (prompt?.length ?? 0) < 8000 && /Bye\.\n/.test(prompt ?? ''),
    })
    await expect(guard.judge(long('Bye.'), {})).rejects.toMatchObject({ code: 'unparseable_verdict' })
  })

  it('is asked no further piece once the caller has gone, although the last one was answered.', async () => {
    const controller = new AbortController()
    let asked = 0
    const guard = guardOf(async (prompt) => {
      asked++
      if (prompt.length > 8000) throw new LlamaGuardError('guard_input_too_long')
      controller.abort()
      return { text: 'safe' }
    })
    await expect(guard.judge(long('Bye.'), { signal: controller.signal })).rejects.toBeInstanceOf(LlamaGuardError)
    expect(asked).toBe(2)
  })

  it('is asked once about a text that failed for another reason than its length.', async () => {
    let asked = 0
    const guard = guardOf(() => (asked++, Promise.reject(new LlamaGuardError('guard_unavailable'))))
    await expect(guard.judge(long('Bye.'), {})).rejects.toMatchObject({ code: 'guard_unavailable' })
    expect(asked).toBe(1)
  })

  it('never turns one call into more than 32.', async () => {
    let asked = 0
    const guard = guardOf(async (prompt) => {
      asked++
      if (prompt.length > 3200) throw new LlamaGuardError('guard_input_too_long')
      return { text: 'safe' }
    }, 'llama-guard-3-8b')
    await guard.judge(user('word '.repeat(30_000)), {}).catch(() => undefined)
    expect(asked).toBeLessThanOrEqual(32)
  })
})
