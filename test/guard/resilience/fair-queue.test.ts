// Requests take turns at the guard: a long one holds up a short one by one slot, and nobody waits without bound.
import { describe, expect, it } from 'vitest'
import { FairQueue } from '../../../src/guard/resilience/admission.js'
import { LazyAbortController } from '../../../src/utils/deadline.js'
import { outcome, SAFE, UNSAFE, guardThat, judgeOf, says, sleep } from '../fake-guards.js'
import type { Conversation } from '../../../src/types.js'

const inWords = ([turn]: Conversation): Conversation[] => turn!.text.split(' ').map(says)
const long = (name: string): Conversation => says(Array.from({ length: 24 }, (_, index) => `${name}${index}`).join(' '))

/** A queue whose calls end when they are told to, in the order they started. */
function manual(concurrency: number, queue: number) {
  const slots = new FairQueue({ concurrency, queue })
  const started: string[] = []
  const ends: (() => void)[] = []
  const add = (request: object, name: string, signal = new LazyAbortController()): Promise<void> | undefined =>
    slots.run(request, signal, () => {
      started.push(name)
      return new Promise<void>((resolve) => ends.push(resolve))
    })
  const end = async (): Promise<void> => {
    ends.shift()?.()
    await sleep(0)
  }
  return { slots, started, add, end }
}

describe('the queue before the guard', () => {
  it('lets requests take turns: one call waits for one slot, however many calls were there before', async () => {
    const { started, add, end } = manual(1, 10)
    const [long, short, other] = [{}, {}, {}]
    for (let index = 0; index < 32; index++) void add(long, `long ${index}`)
    void add(short, 'short')
    void add(other, 'other 0')
    void add(other, 'other 1')
    for (let index = 0; index < 6; index++) await end()
    expect(started).toEqual(['long 0', 'long 1', 'short', 'other 0', 'long 2', 'other 1', 'long 3'])
  })

  it('counts requests, not calls: one request cannot fill it for another', async () => {
    const { slots, started, add, end } = manual(2, 1)
    const long = {}
    for (let index = 0; index < 32; index++) expect(add(long, 'long')).toBeDefined()
    expect(add({}, 'second')).toBeDefined()
    expect(add({}, 'third')).toBeUndefined()
    expect(slots).toMatchObject({ inFlight: 2, queued: 31, free: 0 })
    for (let index = 0; index < 33; index++) await end()
    expect(started.filter((name) => name === 'second')).toHaveLength(1)
    expect(slots).toMatchObject({ inFlight: 0, queued: 0, free: 2 })
  })

  it('knows a request no more whose calls are over: its next call is a newcomer', async () => {
    const { add, end } = manual(1, 1)
    const request = {}
    void add(request, 'over')
    await end()
    void add({}, 'first')
    void add({}, 'second')
    expect(add(request, 'third')).toBeUndefined()
  })

  it('is left by a call that is called off, whose place is free at once', async () => {
    const { slots, started, add, end } = manual(1, 1)
    const leaver = new LazyAbortController()
    void add({}, 'first')
    const left = add({}, 'left', leaver)
    expect(add({}, 'too many')).toBeUndefined()
    leaver.abort()
    await expect(left).rejects.toMatchObject({ code: 'guard_unavailable' })
    expect(slots.queued).toBe(0)
    void add({}, 'next')
    await end()
    expect(started).toEqual(['first', 'next'])
  })

  it('goes on after work that fails, or throws at once', async () => {
    const slots = new FairQueue({ concurrency: 1, queue: 10 })
    const signal = new LazyAbortController()
    const thrown = slots.run({}, signal, () => {
      throw new Error('at once')
    })!
    const failed = slots.run({}, signal, () => Promise.reject(new Error('later')))!
    const fine = slots.run({}, signal, () => Promise.resolve('fine'))!
    expect(await Promise.allSettled([thrown, failed, fine])).toMatchObject([
      { status: 'rejected' },
      { status: 'rejected' },
      { value: 'fine' },
    ])
    expect(slots).toMatchObject({ inFlight: 0, queued: 0 })
  })
})

describe('one judgement among others', () => {
  it('of one piece is not delayed by the pieces of a request before it, and its place is not taken', async () => {
    let done = 0
    const guard = guardThat(
      async () => {
        await sleep(10)
        done++
        return SAFE
      },
      { fit: inWords },
    )
    const judge = judgeOf(guard, { concurrency: 2, queue: 1 })
    const first = outcome(judge, long('a'))
    expect(await outcome(judge, says('short'))).toBe('safe')
    expect(done).toBeLessThan(8)
    // Its own pieces never fill the queue: overload is what others cause.
    expect(await first).toBe('safe')
    expect(judge.stats().guards[0]?.shed).toBe(0)
  })

  it('calls its other pieces off when one blocks: those in the queue never reach the guard', async () => {
    const guard = guardThat(
      async (_call, conversation) => {
        await sleep(5)
        return conversation[0]!.text === 'a0' ? UNSAFE : SAFE
      },
      { fit: inWords },
    )
    const judge = judgeOf(guard, { concurrency: 2 })
    expect(await outcome(judge, long('a'))).toBe('unsafe')
    await sleep(50)
    expect(guard.calls.length).toBeLessThanOrEqual(4)
    expect(judge.stats().guards[0]).toMatchObject({ inFlight: 0, queued: 0 })
  })

  it.each([
    [true, 4],
    [false, 24],
  ])('with failFast %s asks about at most %s pieces after the first failed', async (failFast, most) => {
    const guard = guardThat(
      async (_call, conversation) => {
        await sleep(2)
        if (conversation[0]!.text === 'a0') throw new Error('down')
        return SAFE
      },
      { fit: inWords },
    )
    const judge = judgeOf(guard, { concurrency: 2 })
    expect(await judge.judge(long('a'), { stage: 'input', failFast })).toMatchObject({ error: { code: 'guard_error' } })
    await sleep(50)
    expect(guard.calls.length).toBeLessThanOrEqual(most)
    if (!failFast) expect(guard.calls.length).toBe(24)
  })

  it('does not take a piece away from another request that waits for it too', async () => {
    const guard = guardThat(
      async (_call, conversation) => {
        await sleep(conversation[0]!.text === 'shared' ? 40 : 5)
        return conversation[0]!.text === 'bad' ? UNSAFE : SAFE
      },
      { fit: inWords },
    )
    const judge = judgeOf(guard)
    const [blocked, fine] = [outcome(judge, says('shared bad')), outcome(judge, says('shared good'))]
    expect([await blocked, await fine]).toEqual(['unsafe', 'safe'])
    expect(guard.calls.filter(({ conversation }) => conversation[0]!.text === 'shared')).toHaveLength(1)
  })
})

describe('several conversations of one request', () => {
  it('are called off when one of them blocks, or fails where that settles it', async () => {
    for (const [bad, failFast] of [
      ['UNSAFE', false],
      ['BROKEN', true],
    ] as const) {
      const guard = guardThat(async (_call, conversation, { signal }) => {
        const { text } = conversation[0]!
        if (text === 'UNSAFE') return sleep(5).then(() => UNSAFE)
        if (text === 'BROKEN') return sleep(5).then(() => Promise.reject(new Error('down')))
        await new Promise((_, reject) => signal!.addEventListener('abort', () => reject(new Error('called off'))))
      })
      const judge = judgeOf(guard, { concurrency: 2 })
      const judgements = await judge.judgeAll(['hangs', bad, 'waits', 'too'].map(says), { stage: 'input', failFast })
      expect(judgements).toHaveLength(1)
      await sleep(20)
      // The slot that the answer leaves may be taken before the answer is heard; that call is aborted.
      expect(guard.calls.map(({ conversation }) => conversation[0]!.text)).not.toContain('too')
      for (const { options } of guard.calls) expect(options.signal!.aborted).toBe(true)
      expect(judge.stats().guards[0]).toMatchObject({ inFlight: 0, queued: 0 })
    }
  })

  it('are all judged where a failure may be let through: another of them may block', async () => {
    const guard = guardThat((_call, conversation) => {
      if (conversation[0]!.text === 'BROKEN') throw new Error('down')
      return sleep(20).then(() => UNSAFE)
    })
    const judgements = await judgeOf(guard).judgeAll(['BROKEN', 'UNSAFE'].map(says), { stage: 'input' })
    expect(judgements).toMatchObject([{ verdict: { safe: false } }])
  })

  it('cost no call when they are too many, whatever each of them is', async () => {
    const guard = guardThat(() => SAFE, { fit: inWords })
    const many = [long('a'), long('b')]
    const judge = judgeOf(guard)
    expect(await judge.judgeAll(many, { stage: 'input' })).toMatchObject([
      { error: { code: 'too_many_checks', status: 413 } },
    ])
    expect(guard.calls).toHaveLength(0)
    // What is remembered is free: the second half alone is within the bound.
    expect(await outcome(judge, long('a'))).toBe('safe')
    expect(await judge.judgeAll(many, { stage: 'input' })).toMatchObject([{ verdict: {} }, { verdict: {} }])
    expect(guard.calls).toHaveLength(48)
  })
})
