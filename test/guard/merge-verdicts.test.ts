// Several answers about one text read as the strictest of them.
import { describe, expect, it } from 'vitest'
import { anyUnsafe } from '../../src/index.js'
import { anyUnsafeOf, merge } from '../../src/guard/pieces.js'
import { LazyAbortController } from '../../src/utils/deadline.js'
import type { Verdict } from '../../src/types.js'
import { guardThat, judgeOf, never, outcome, SAFE, says, sleep, UNSAFE } from './fake-guards.js'

describe('Merged verdicts', () => {
  const orders = (one: Verdict, other: Verdict): readonly Verdict[] => [merge([one, other]), merge([other, one])]

  it('are truncated when one that is unsafe is, whose leniency nobody may then use', () => {
    for (const merged of orders({ safe: false, categories: ['O1'], truncated: true }, UNSAFE))
      expect(merged).toMatchObject({ safe: false, truncated: true })
    for (const merged of orders({ ...SAFE, truncated: true }, UNSAFE)) expect(merged).not.toHaveProperty('truncated')
  })

  it('take one without a score at its word', () => {
    for (const merged of orders(UNSAFE, { ...SAFE, score: 0.01 })) expect(merged.score).toBe(1)
    for (const merged of orders(SAFE, { ...UNSAFE, score: 0.7 })) expect(merged.score).toBe(0.7)
  })

  it('keep a category that was named without a score, whatever a safe piece scored it', () => {
    const safe = { ...SAFE, score: 0.1, categoryScores: { O1: 0.1 } }
    const named = { safe: false, categories: ['O1'] }
    for (const merged of orders(safe, named)) expect(merged.categoryScores).toEqual({ O1: 1 })
    for (const merged of orders(safe, { ...named, score: 0.6 })) expect(merged.categoryScores).toEqual({ O1: 0.6 })
    for (const merged of orders(safe, SAFE)) expect(merged.categoryScores).toEqual({ O1: 0.1 })
  })
})

describe('Questions that are called off', () => {
  it('are not asked any more, although the one before ignores its signal', async () => {
    const stop = new LazyAbortController()
    let asked = 0
    const ask = (): Promise<never> => (asked++, never())
    const answer = anyUnsafeOf([ask, ask, ask], { signal: stop, blocks: () => true, atOnce: 1 })
    const rejected = expect(answer).rejects.toMatchObject({ code: 'guard_unavailable' })
    stop.abort()
    await rejected
    await sleep(5)
    expect(asked).toBe(1)
  })
})

describe('The vote of a panel', () => {
  it('does not count when it is no verdict', async () => {
    const panel = anyUnsafe([guardThat(() => SAFE), guardThat(() => 'safe')])
    await expect(panel.judge(says('a'), {})).rejects.toMatchObject({ code: 'unparseable_verdict' })
  })
})

describe('The pieces into which a guard cuts a text', () => {
  it.each([[[]], [[[]]], ['pieces'], [[undefined]], [[says('a'), []]], [null]])(
    'are an error (%j) unless each piece has a turn',
    async (pieces) => {
      const guard = guardThat(() => SAFE, { fit: () => pieces as never })
      expect(await outcome(judgeOf(guard), says('a'))).toBe(pieces === null ? 'safe' : 'guard_error')
    },
  )
})

describe('A remembered verdict', () => {
  it('is given to nobody who has left', async () => {
    const judge = judgeOf(guardThat(() => SAFE))
    expect(await outcome(judge, says('a'))).toBe('safe')
    expect(await outcome(judge, says('a'), AbortSignal.abort())).toBe('guard_unavailable')
  })
})

describe('A call that is called off', () => {
  it('is not made again', async () => {
    const { LlamaGuardError } = await import('../../src/types/errors.js')
    const guard = guardThat(() => {
      return Promise.reject(new LlamaGuardError('guard_throttled', undefined, { retryable: true }))
    })
    const judge = judgeOf(guard, { maxAttempts: 8, breaker: false })
    const caller = new AbortController()
    const leaving = outcome(judge, says('b'), caller.signal)
    await sleep(0)
    caller.abort()
    expect(await leaving).toBe('guard_unavailable')
    const made = guard.calls.length
    await sleep(1200)
    expect(guard.calls).toHaveLength(made)
  })
})
