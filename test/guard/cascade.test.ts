// A small guard before a large one: who judges, for every word and score, and whatever fails.
import { describe, expect, it } from 'vitest'
import { anyUnsafe, cascade, type CascadeOptions, isSure } from '../../src/guard/panel.js'
import type { Conversation, Guard, Verdict } from '../../src/types.js'
import { LazyAbortController } from '../../src/utils/deadline.js'
import { guardSaying, guardThat, judgeOf, never, SAFE, says, sleep } from './fake-guards.js'

const thresholds = { safeBelow: 0.2, unsafeAbove: 0.9 }
const small = (answer: (call: number) => unknown, rest: Partial<Guard> = {}) =>
  guardThat(answer, { model: 'small', identity: 'small', scored: true, ...rest })
const large = (verdict: Verdict = { safe: true, categories: [], score: 0.5 }, rest: Partial<Guard> = {}) =>
  guardThat(() => verdict, { model: 'large', identity: 'large', ...rest })
const made = (first: Guard, then: Guard, rest: Partial<CascadeOptions> = {}) =>
  cascade({ first, then, firstMs: 5000, ...thresholds, ...rest })

describe('A cascade', () => {
  it.each([
    [true, 0, 'small'],
    [true, 0.19, 'small'],
    [true, 0.2, 'large'],
    [true, 0.95, 'large'],
    [true, undefined, 'large'],
    [false, 0.91, 'small'],
    [false, 1, 'small'],
    [false, 0.9, 'large'],
    [false, 0.1, 'large'],
    [false, undefined, 'large'],
  ])('takes safe: %s with score %s from the %s guard, and says so.', async (safe, score, judgedBy) => {
    const verdict: Verdict = { safe, categories: safe ? [] : ['O3'], ...(score !== undefined && { score }) }
    const [first, then] = [small(() => verdict), large()]
    const guard = made(first, then)
    expect(await guard.judge(says('hello'), {})).toMatchObject({ judgedBy, safe: judgedBy === 'small' ? safe : true })
    expect([first.calls.length, then.calls.length]).toEqual([1, judgedBy === 'small' ? 0 : 1])
    expect(isSure(verdict, thresholds)).toBe(judgedBy === 'small')
  })

  it('does not take a cut verdict from the small guard.', () => {
    expect(isSure({ safe: false, categories: [], truncated: true, score: 1 }, thresholds)).toBe(false)
  })

  it.each([
    ['throws', () => Promise.reject(new Error('boom'))],
    ['answers what is no verdict', () => ({ safe: 'yes', score: 0 })],
    ['gives a score out of range', () => ({ safe: true, categories: [], score: -1 })],
    ['hangs', never],
  ])('asks the large guard when the small one %s.', async (_, answer) => {
    const then = large()
    const guard = made(small(answer), then, { firstMs: 100 })
    expect(await guard.judge(says('hello'), {})).toMatchObject({ judgedBy: 'large' })
    expect(then.calls).toHaveLength(1)
  })

  it('fails when the large guard fails, whatever the small one leaned to.', async () => {
    const failing = guardThat(() => Promise.reject(new Error('boom')), { model: 'large' })
    const guard = made(
      small(() => ({ safe: true, categories: [], score: 0.3 })),
      failing,
    )
    await expect(guard.judge(says('hello'), {})).rejects.toThrow('boom')
  })

  it('aborts the small guard when its time is up, and the large one when the caller leaves.', async () => {
    const signals: AbortSignal[] = []
    const hanging = (model: string) =>
      guardThat((_, __, { signal }) => (signals.push(signal!), never()), { model, scored: true })
    const controller = new AbortController()
    const judgement = made(hanging('small'), hanging('large'), { firstMs: 50 }).judge(says('hello'), {
      signal: controller.signal,
    })
    await expect.poll(() => signals.length).toBe(2)
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false])
    controller.abort()
    await expect(judgement).rejects.toMatchObject({ status: 503 })
    expect(signals[1]?.aborted).toBe(true)
  })

  it('does not ask the large guard when the caller leaves while the small one thinks.', async () => {
    const [first, then, left] = [small(never), large(), new LazyAbortController()]
    const judge = judgeOf(made(first, then))
    const judgement = judge.judge(says('hello'), { stage: 'output', signal: left, passing: true })
    await expect.poll(() => first.calls.length).toBe(1)
    left.abort()
    expect(await judgement).toMatchObject({ error: { code: 'guard_unavailable' } })
    const other = judge.judge(says('hello again'), { stage: 'output', passing: true })
    await expect.poll(() => first.calls.length).toBe(2)
    await judge.close()
    expect(await other).toMatchObject({ error: { code: 'guard_unavailable' } })
    expect(then.calls).toHaveLength(0)
  })

  it('leaves the large guard half of the time when a fallback stands behind both.', async () => {
    const then = large()
    const guard = made(small(never), then, { firstMs: 400 })
    const fallback = guardSaying(SAFE, { model: 'fallback', identity: 'fallback' })
    const judge = judgeOf(guard, { timeoutMs: 800, fallback: [fallback], maxAttempts: 1 })
    expect(await judge.judge(says('hello'), { stage: 'input' })).toMatchObject({ verdict: { judgedBy: 'large' } })
    expect(fallback.calls).toHaveLength(0)
  })

  it('on a panel is named by the guard of it that judged.', async () => {
    const sure = small(() => ({ safe: false, categories: ['O3'], score: 1 }))
    const panel = anyUnsafe([made(sure, large()), guardSaying(SAFE, { model: 'other' })])
    expect(await panel.judge(says('hello'), {})).toMatchObject({ judgedBy: 'small', namedBy: { O3: 'small' } })
  })

  it('is sure only when all pieces of the small guard are.', async () => {
    const fit = (conversation: Conversation) => conversation[0]!.text.split('|').map((text) => says(text))
    const scores = [0.1, 0.5, 0.1]
    const first = small((call) => ({ safe: true, categories: [], score: scores[call - 1] }), { fit })
    const then = large()
    await made(first, then).judge(says('a|b|c'), {})
    expect([first.calls.length, then.calls.length]).toEqual([3, 1])
    // A piece without a score is no sure piece, however sure the others are.
    const partly = small((call) => ({ safe: true, categories: [], ...(call !== 2 && { score: 0.1 }) }), { fit })
    expect(await made(partly, then).judge(says('a|b|c'), {})).toMatchObject({ judgedBy: 'large' })
    const sure = small(() => ({ safe: true, categories: [], score: 0.1 }), { fit })
    expect(await made(sure, then).judge(says('a|b|c'), {})).toMatchObject({ judgedBy: 'small', safe: true })
  })

  it('shows an image, and a side that the small guard does not judge, to the large guard alone.', async () => {
    const [first, then] = [small(() => ({ safe: true, categories: [], score: 0 }), { judges: ['User'] }), large()]
    const guard = made(first, then)
    await guard.judge([{ role: 'User', text: 'x', images: [{ url: 'data:image/png;base64,' }] }], {})
    await guard.judge([...says('x'), { role: 'Agent', text: 'y' }], {})
    expect([first.calls.length, then.calls.length]).toEqual([0, 2])
  })

  it('of a panel lets no verdict that only flags hide one that blocks.', async () => {
    const flags = guardSaying({ safe: false, categories: ['F1'] }, { model: 'flags', identity: 'flags' })
    const blocking = () => sleep(50).then(() => ({ safe: false, categories: ['B1'] }))
    const blocks = guardThat(blocking, { model: 'blocks', identity: 'blocks' })
    const guard = made(
      small(() => ({ safe: true, categories: [], score: 0.5 })),
      anyUnsafe([flags, blocks]),
    )
    const judge = judgeOf(guard, { blocks: ({ categories }) => categories.includes('B1') })
    const judgement = await judge.judge(says('hello'), { stage: 'input' })
    expect(judgement).toMatchObject({ verdict: { namedBy: { B1: 'blocks' } } })
  })

  it('is remembered under both guards and its thresholds.', () => {
    const first = small(() => undefined)
    const identities = [
      made(first, large()).identity,
      made(first, large(), { safeBelow: 0.1 }).identity,
      made(first, large(undefined, { identity: 'other' })).identity,
    ]
    expect(new Set(identities).size).toBe(3)
  })

  it('closes both guards.', async () => {
    const closed: string[] = []
    const closing = (name: string): Partial<Guard> => ({ close: () => void closed.push(name) })
    await made(
      small(() => undefined, closing('small')),
      large(undefined, closing('large')),
    ).close?.()
    expect(closed).toEqual(['small', 'large'])
  })
})
