// The guard is called within bounds of time, number and concurrency, and left alone when it is sick.
import { syncBuiltinESMExports } from 'node:module'
import timers from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import { LlamaGuardError, isLlamaGuardError } from '../../../src/types/errors.js'
import { createBudget, type ResilienceOptions, resilient } from '../../../src/guard/resilience/index.js'
import type { Guard } from '../../../src/types.js'
import { SAFE, UNSAFE, guardThat, never, says, sleep } from '../fake-guards.js'

const throttled = () => new LlamaGuardError('guard_throttled', undefined, { retryable: true })
const around = (guard: Guard, rest: Partial<ResilienceOptions> = {}) =>
  resilient(guard, { timeoutMs: 10_000, maxAttempts: 2, concurrency: 64, queue: 1000, breaker: false, ...rest })
const ask = (member: ReturnType<typeof around>, text = 'a', signal?: AbortSignal) =>
  member.judge(says(text), signal ? { signal } : {}).then(
    (verdict) => (verdict.safe ? 'safe' : 'unsafe'),
    (error: unknown) => (isLlamaGuardError(error) ? error.code : `foreign: ${String(error)}`),
  )

describe('retries', () => {
  it('come after an error that is marked retryable, and the verdict counts the attempts', async () => {
    const guard = guardThat((call) => (call === 1 ? Promise.reject(throttled()) : SAFE))
    expect(await around(guard).judge(says('a'), {})).toMatchObject({ safe: true, attempts: 2 })
  })
  it('do not come after any other error', async () => {
    const guard = guardThat(() => Promise.reject(new LlamaGuardError('guard_rejected')))
    expect(await ask(around(guard, { maxAttempts: 5 }))).toBe('guard_rejected')
    expect(guard.calls).toHaveLength(1)
  })
  it('end at maxAttempts with the last error', async () => {
    const guard = guardThat(() => Promise.reject(throttled()))
    expect(await ask(around(guard, { maxAttempts: 3 }))).toBe('guard_throttled')
    expect(guard.calls).toHaveLength(3)
  })
  it('do not start when the deadline would cut them off: the cause is reported, not the deadline', async () => {
    const guard = guardThat(() => Promise.reject(throttled()))
    expect(await ask(around(guard, { maxAttempts: 50, timeoutMs: 50 }))).toBe('guard_throttled')
    expect(guard.calls).toHaveLength(1)
  })
  it('wait up to 100 ms, twice as long each time, and up to a second at most', async () => {
    const slept = vi.spyOn(timers, 'setTimeout').mockResolvedValue(undefined)
    const chance = vi.spyOn(Math, 'random').mockReturnValue(0.5)
    syncBuiltinESMExports()
    try {
      await ask(
        around(
          guardThat(() => Promise.reject(throttled())),
          { maxAttempts: 7 },
        ),
      )
      expect(slept.mock.calls.map(([ms]) => ms)).toEqual([50, 100, 200, 400, 500, 500])
    } finally {
      chance.mockRestore()
      slept.mockRestore()
      syncBuiltinESMExports()
    }
  })
  it('stay at a tenth of the traffic, and ten, when everything fails', async () => {
    const guard = guardThat(() => Promise.reject(throttled()))
    const member = around(guard, { maxAttempts: 3 })
    await Promise.all(Array.from({ length: 400 }, (_, index) => ask(member, `${index}`)))
    expect(member.stats().retries).toBeLessThanOrEqual(50)
    expect(member.stats().retries).toBeGreaterThan(10)
    expect(guard.calls.length).toBe(400 + member.stats().retries)
  })
})

describe('the budget', () => {
  it('allows exactly its share, and never saves without end', () => {
    const budget = createBudget({ share: 0.05, floor: 0 })
    const spent = (traffic: number): number => {
      for (let index = 0; index < traffic; index++) budget.earn()
      let calls = 0
      while (budget.spend()) calls++
      return calls
    }
    expect(spent(19)).toBe(0)
    expect(spent(1)).toBe(1)
    expect(spent(1000)).toBe(50)
    expect(spent(1_000_000)).toBe(100)
  })
})

describe('the deadline', () => {
  it('covers waiting for a place', async () => {
    const member = around(guardThat(never), { concurrency: 1, timeoutMs: 80 })
    expect(await Promise.all([ask(member), ask(member), ask(member)])).toEqual([
      'guard_timeout',
      'guard_timeout',
      'guard_timeout',
    ])
    await expect.poll(() => member.stats().inFlight).toBe(0)
  })
  it('aborts the signal that the guard was given', async () => {
    const guard = guardThat(never)
    await ask(around(guard, { timeoutMs: 30 }))
    expect(guard.calls[0]?.options.signal?.aborted).toBe(true)
  })
  it('may be longer than a timer can wait', async () => {
    expect(
      await ask(
        around(
          guardThat(() => sleep(5).then(() => SAFE)),
          { timeoutMs: 2 ** 40 },
        ),
      ),
    ).toBe('safe')
  })
})

describe('concurrency', () => {
  it('is limited, the queue is bounded, and one more is shed at once with guard_overloaded', async () => {
    let now = 0
    let most = 0
    const guard = guardThat(async () => {
      most = Math.max(most, ++now)
      await sleep(20)
      now--
      return SAFE
    })
    const member = around(guard, { concurrency: 2, queue: 3 })
    const answers = await Promise.all(Array.from({ length: 8 }, (_, index) => ask(member, `${index}`)))
    expect(most).toBe(2)
    expect(answers.filter((answer) => answer === 'safe')).toHaveLength(5)
    expect(answers.filter((answer) => answer === 'guard_overloaded')).toHaveLength(3)
    expect(member.stats()).toMatchObject({ shed: 3, inFlight: 0, queued: 0 })
  })
})

describe('the circuit breaker', () => {
  const down = () => Promise.reject(new LlamaGuardError('guard_unavailable'))

  it('opens when the guard keeps failing, says when to come back, probes with one call and closes again', async () => {
    let sick = true
    const guard = guardThat(() => (sick ? down() : sleep(10).then(() => SAFE)))
    const member = around(guard, { breaker: true })
    for (let index = 0; index < 6; index++) expect(await ask(member)).toBe('guard_unavailable')
    const error = await member.judge(says('a'), {}).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'guard_circuit_open', status: 503, retryAfter: 1 })
    expect(guard.calls).toHaveLength(6)
    sick = false
    await expect.poll(() => ask(member)).toBe('safe')
    expect(member.stats().circuit).toBe('closed')
    expect(guard.calls).toHaveLength(7)
  })
  it('counts calls that hang', async () => {
    const member = around(guardThat(never), { breaker: true, timeoutMs: 30 })
    await Promise.all(Array.from({ length: 6 }, (_, index) => ask(member, `${index}`)))
    // The callers are told first, and the circuit in the same tick.
    await sleep(0)
    expect(await ask(member)).toBe('guard_circuit_open')
  })
  it.each(['unparseable_verdict', 'guard_input_too_long', 'guard_rejected', 'unsupported_content'] as const)(
    'does not open for %s',
    async (code) => {
      const member = around(
        guardThat(() => Promise.reject(new LlamaGuardError(code))),
        { breaker: true },
      )
      for (let index = 0; index < 30; index++) expect(await ask(member)).toBe(code)
    },
  )
  it('does not open for callers who leave', async () => {
    const member = around(
      guardThat((_call, conversation) => (conversation[0]?.text === 'stay' ? SAFE : never())),
      { breaker: true },
    )
    for (let index = 0; index < 20; index++) {
      const leaver = new AbortController()
      const left = ask(member, 'leave', leaver.signal)
      leaver.abort()
      await left
    }
    expect(await ask(member, 'stay')).toBe('safe')
  })
})

describe('hedging', () => {
  const warmUp = async (member: ReturnType<typeof around>, judgements: number): Promise<void> => {
    for (let index = 0; index < judgements; index++) await ask(member, 'warm')
  }
  it('sends a second call when the first is slow, takes the first answer and aborts the other', async () => {
    const guard = guardThat((call, conversation) =>
      conversation[0]?.text === 'warm' ? SAFE : call % 2 === 1 ? never() : UNSAFE,
    )
    const member = around(guard, { hedgeAfterMs: 20 })
    await warmUp(member, 20)
    expect(await member.judge(says('slow'), {})).toMatchObject({ safe: false, attempts: 2 })
    expect(guard.calls.slice(20).map((call) => call.options.signal?.aborted)).toEqual([true, true])
  })
  it('waits for the first call when the second fails', async () => {
    const guard = guardThat((call, conversation) => {
      if (conversation[0]?.text === 'warm') return SAFE
      return call % 2 === 1 ? sleep(120).then(() => SAFE) : Promise.reject(new Error('second down'))
    })
    const member = around(guard, { hedgeAfterMs: 20, maxAttempts: 1 })
    await warmUp(member, 20)
    expect(await ask(member, 'slow')).toBe('safe')
    expect(member.stats().hedges).toBe(1)
  })
  it('never makes more than one extra call in twenty', async () => {
    const guard = guardThat(() => sleep(30).then(() => SAFE))
    const member = around(guard, { hedgeAfterMs: 1, concurrency: 1000 })
    for (let round = 0; round < 10; round++)
      await Promise.all(Array.from({ length: 50 }, (_, index) => ask(member, `${index}`)))
    expect(member.stats().judgements).toBe(500)
    expect(member.stats().hedges).toBe(25)
    expect(guard.calls.length).toBe(525)
  })
  it('does not happen when every place is taken', async () => {
    const guard = guardThat((_call, conversation) =>
      conversation[0]?.text === 'warm' ? SAFE : sleep(60).then(() => SAFE),
    )
    const member = around(guard, { hedgeAfterMs: 5, concurrency: 1 })
    await warmUp(member, 40)
    expect(await ask(member, 'slow')).toBe('safe')
    expect(member.stats().hedges).toBe(0)
  })
})
