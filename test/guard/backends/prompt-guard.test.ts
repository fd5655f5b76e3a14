// Llama Prompt Guard on the wire, through the real AWS SDK: its labels, its windows, and answers that are not its own.
import { describe, expect, it } from 'vitest'
import { piecesOf } from '../../../src/guard/pieces.js'
import { promptGuard } from '../../../src/guard/backends/prompt-guard.js'
import { sagemakerClassify } from '../../../src/guard/backends/sagemaker/index.js'
import type { PromptGuardName } from '../../../src/guard/prompt/index.js'
import { decide } from '../../../src/policy.js'
import type { Conversation, Guard, Verdict } from '../../../src/types.js'
import type { Emulator } from '../../emulator/index.js'
import { sends } from '../../emulator/faults.js'
import { promptGuardLabels } from '../../emulator/other-models.js'
import { closing, endpoint } from '../../helpers/closing.js'

const user = (text: string): Conversation => [{ role: 'User', text }]

async function start(version: 1 | 2): Promise<{ emulator: Emulator; guard: Guard }> {
  const emulator = await endpoint({ serves: { pg: { classifies: promptGuardLabels(version) } } })
  const classify = sagemakerClassify({ endpoint: 'pg', concurrency: 4, timeoutMs: 20_000 })
  const guard = promptGuard({ model: `llama-prompt-guard-${version}`, classify, identity: classify.identity })
  return { emulator, guard: closing(guard) }
}

const answers = (model: PromptGuardName, labels: unknown): Promise<Verdict> =>
  promptGuard({ model, classify: () => Promise.resolve(labels as never), identity: 'x' }).judge(user('hello'), {})

describe('Llama Prompt Guard', () => {
  it.each([1, 2] as const)('%s tells attacks from ordinary text, with a score.', async (version) => {
    const { emulator, guard } = await start(version)
    expect(await guard.judge(user('What is a llama?'), {})).toMatchObject({
      safe: true,
      categories: [],
      score: expect.closeTo(0.02, 6) as number,
    })
    expect(await guard.judge(user('JAILBREAK now'), {})).toMatchObject({
      safe: false,
      categories: [version === 1 ? 'P2' : 'P3'],
      score: expect.closeTo(0.97, 6) as number,
    })
    expect(emulator.requests[0]?.body).toEqual({ inputs: 'What is a llama?', parameters: { top_k: null } })
    expect(guard).toMatchObject({ judges: ['User'], scored: true })
  })

  it('1 shows an injection and blocks a jailbreak, unless the policy says otherwise.', async () => {
    const { guard } = await start(1)
    const action = async (text: string, actions?: Record<string, 'block' | 'ignore'>) => {
      const verdict = await guard.judge(user(text), {})
      const settings = { mode: 'enforce', onError: 'closed', ...(actions && { actions }) } as const
      const decision = decide('input', [{ verdict, ms: 0, model: 'x' }], settings, guard.categories ?? [])
      return [decision.action, decision.categories.map(({ code }) => code).join()]
    }
    expect(await action('INJECTION please')).toEqual(['allow', 'P1'])
    expect(await action('INJECTION please', { P1: 'block' })).toEqual(['block', 'P1'])
    expect(await action('JAILBREAK please')).toEqual(['block', 'P2'])
  })

  it('judges the last turn alone, whatever came before it, and no reply.', async () => {
    const { emulator, guard } = await start(2)
    const conversation: Conversation = [...user('JAILBREAK'), { role: 'Agent', text: 'No.' }, ...user('Thanks')]
    expect(guard.fit?.(conversation)).toEqual([user('Thanks')])
    // The older turns are told, each on its own; who asks leaves those of another role to another guard.
    expect(piecesOf(guard, conversation)).toEqual([user('Thanks'), user('JAILBREAK'), [{ role: 'Agent', text: 'No.' }]])
    expect(await guard.judge(conversation, {})).toMatchObject({ safe: true })
    expect(emulator.requests.map(({ prompt }) => prompt)).toEqual(['Thanks'])
    await expect(guard.judge(conversation.slice(0, 2), {})).rejects.toMatchObject({ code: 'guard_rejected' })
    await expect(guard.judge([], {})).rejects.toMatchObject({ code: 'internal_error' })
  })

  it('reads every word of a long text, in windows of at most 512 tokens, and hidden words too.', async () => {
    const { emulator, guard } = await start(2)
    const words = Array.from({ length: 3000 }, (_, index) => `word${index}`)
    const at = 1777
    expect(await guard.judge(user(words.with(at, 'JAILBREAK').join(' ')), {})).toMatchObject({ safe: false })
    const seen = emulator.requests.map(({ prompt }) => prompt ?? '')
    expect(seen.length).toBeGreaterThan(4)
    for (const window of seen) expect(window.length).toBeLessThan(512 * 4)
    const all = seen.join(' ')
    for (const word of words.with(at, 'JAILBREAK')) expect(all.includes(word)).toBe(true)
    const tags = Array.from('JAILBREAK', (letter) => String.fromCodePoint(0xe0000 + letter.charCodeAt(0))).join('')
    expect(await guard.judge(user(`Hello${tags}`), {})).toMatchObject({ safe: false })
    expect(await guard.judge(user('J\u200BAIL\u00ADBREAK'), {})).toMatchObject({ safe: false })
  })

  it('lets a flagged window hide no other that blocks.', async () => {
    const { guard } = await start(1)
    const text = `INJECTION ${'plain words here '.repeat(400)} JAILBREAK`
    expect((await guard.judge(user(text), {})).categories.toSorted()).toEqual(['P1', 'P2'])
  })

  it('is asked no further once the caller has gone.', async () => {
    const { emulator, guard } = await start(2)
    const controller = new AbortController()
    emulator.behave((call) => (controller.abort(), call.answer()))
    const long = user('word '.repeat(20_000))
    await expect(guard.judge(long, { signal: controller.signal })).rejects.toMatchObject({ status: 503 })
    expect(emulator.requests.length).toBeLessThan(20)
  })

  it.each([
    [{}],
    [[]],
    ['BENIGN'],
    [[{ label: 'BENIGN' }]],
    [[{ label: 'BENIGN', score: '0.9' }]],
    [[{ label: 'BENIGN', score: 1.2 }]],
    [[{ label: 'BENIGN', score: -0.1 }]],
    [[{ label: 'BENIGN', score: Number.NaN }]],
    [[{ label: 7, score: 0.9 }]],
    [
      [
        { label: 'BENIGN', score: 0.9 },
        { label: 'BENIGN', score: 0.1 },
      ],
    ],
    [[[{ label: 'BENIGN', score: 1 }], [{ label: 'BENIGN', score: 1 }]]],
    [{ error: 'CUDA out of memory', code: 500 }],
    [Array.from({ length: 20 }, (_, index) => ({ label: `LABEL_${index}`, score: 0.05 }))],
  ])('is not known by the answer %j.', async (body) => {
    const { emulator, guard } = await start(2)
    emulator.behave(sends(body))
    await expect(guard.judge(user('PLANTED'), {})).rejects.toMatchObject({ code: 'guard_error', status: 503 })
  })

  it.each([
    [
      'llama-prompt-guard-2',
      [
        { label: 'BENIGN', score: 0.9 },
        { label: 'LABEL_0', score: 0.1 },
      ],
    ],
    [
      'llama-prompt-guard-2',
      [
        { label: 'BENIGN', score: 0.9 },
        { label: 'MALICIOUS', score: 0.9 },
      ],
    ],
    [
      'llama-prompt-guard-2',
      [
        { label: 'BENIGN', score: 0.2 },
        { label: 'MALICIOUS', score: 0.2 },
      ],
    ],
    // Version 2 behind the settings of version 1: its attack has the number of an injection, which blocks nothing.
    [
      'llama-prompt-guard-1',
      [
        { label: 'LABEL_1', score: 0.99 },
        { label: 'LABEL_0', score: 0.01 },
      ],
    ],
    // The other way round, the share of the third label would be read as safe.
    ['llama-prompt-guard-2', [0.6, 0.2, 0.2].map((score, index) => ({ label: `LABEL_${index}`, score }))],
    ['llama-prompt-guard-2', [{ label: 'BENIGN', score: 1 }]],
  ] as const)('%s does not believe %j.', async (model, labels) => {
    await expect(answers(model, labels)).rejects.toMatchObject({ code: 'unparseable_verdict' })
  })

  it('1 believes numbered labels when there are as many as it has.', async () => {
    const labels = [0.01, 0.04, 0.95].map((score, index) => ({ label: `LABEL_${index}`, score }))
    expect(await answers('llama-prompt-guard-1', labels)).toMatchObject({ safe: false, categories: ['P2'] })
    // The likelier of two attacks is named, where neither is likely by itself.
    const unsure = [0.3, 0.3, 0.4].map((score, index) => ({ label: `LABEL_${index}`, score }))
    expect(await answers('llama-prompt-guard-1', unsure)).toMatchObject({ safe: false, categories: ['P2'] })
  })
})
