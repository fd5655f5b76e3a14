// When a breaker opens, whom it lets probe, how long it rests, and that no clock that people set can hold it open.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { CircuitBreaker, type BreakerOptions } from '../../../src/guard/resilience/admission.js'
import { guardCircuit } from '../../../src/guard/resilience/index.js'
import { LlamaGuardError } from '../../../src/types/errors.js'
import { createCache } from '../../../src/guard/cache/index.js'
import { guardThat, judgeOf, never, outcome, SAFE, says, sleep as really } from '../fake-guards.js'

const REFUSED = new Error('refused')
const SICK = new Error('sick')
const LEFT = new Error('left')
const breakerOf = (rest: Partial<BreakerOptions> = {}): CircuitBreaker =>
  new CircuitBreaker({
    share: 0.5,
    size: 20,
    least: 6,
    firstRestMs: 20,
    longestRestMs: 80,
    probes: 2,
    judge: (error) => (error === SICK ? 'sick' : error === LEFT ? 'unknown' : 'well'),
    refusal: () => REFUSED,
    ...rest,
  })
const run = (breaker: CircuitBreaker, call: () => Promise<unknown>): Promise<unknown> =>
  breaker.execute(call).then(
    () => 'fine',
    (error: unknown) => (error === REFUSED ? 'refused' : error === SICK ? 'sick' : 'other'),
  )
const fail = (breaker: CircuitBreaker): Promise<unknown> => run(breaker, () => Promise.reject(SICK))
const pass = (breaker: CircuitBreaker): Promise<unknown> => run(breaker, () => Promise.resolve())
async function open(breaker: CircuitBreaker): Promise<void> {
  for (let call = 0; call < 6; call++) await fail(breaker)
}

afterEach(() => vi.restoreAllMocks())

describe('a circuit breaker', () => {
  // A busy machine would rest longer than it is told.
  beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
  afterEach(() => vi.useRealTimers())
  const sleep = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms)

  it('tells once that it has closed', async () => {
    const onClose = vi.fn()
    const breaker = breakerOf({ onClose, probes: 1 })
    await open(breaker)
    expect(onClose).not.toHaveBeenCalled()
    await sleep(20)
    expect(await pass(breaker)).toBe('fine')
    await pass(breaker)
    expect([breaker.state, onClose.mock.calls.length]).toEqual(['closed', 1])
  })
  it('opens when more than half of the last calls failed, and not before there were enough', async () => {
    const breaker = breakerOf()
    for (let call = 0; call < 5; call++) await fail(breaker)
    expect(breaker.state).toBe('closed')
    await fail(breaker)
    expect(breaker.state).toBe('open')
    const half = breakerOf()
    for (let call = 0; call < 60; call++) await (call % 2 === 0 ? pass(half) : fail(half))
    expect(half.state).toBe('closed')
    await fail(half)
    expect(half.state).toBe('open')
    // What happened more than twenty calls ago counts no more.
    const late = breakerOf()
    for (let call = 0; call < 100; call++) await pass(late)
    for (let call = 0; call < 10; call++) await fail(late)
    expect(late.state).toBe('closed')
    await fail(late)
    expect(late.state).toBe('open')
  })

  it('does not count calls that prove nothing', async () => {
    const breaker = breakerOf()
    for (let call = 0; call < 5; call++) await fail(breaker)
    for (let call = 0; call < 20; call++) await run(breaker, () => Promise.reject(LEFT))
    expect(breaker.state).toBe('closed')
    await fail(breaker)
    expect(breaker.state).toBe('open')
  })

  it('refuses while it rests, and rests longer after each probe that fails, up to its bound', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.999999)
    const breaker = breakerOf()
    await open(breaker)
    expect(await pass(breaker)).toBe('refused')
    for (const rest of [20, 40, 80, 80, 80]) {
      const started = performance.now()
      while ((await fail(breaker)) === 'refused') await sleep(1)
      expect(Math.abs(performance.now() - started - rest)).toBeLessThanOrEqual(1)
    }
  })

  it('rests for half the time at least, so that many processes do not probe at once', async () => {
    const rests = await Promise.all(
      Array.from({ length: 40 }, async () => {
        let ms = 0
        const breaker = breakerOf({ onOpen: (wait) => (ms = wait), firstRestMs: 1000, longestRestMs: 1000 })
        await open(breaker)
        return ms
      }),
    )
    expect(Math.min(...rests)).toBeGreaterThan(450)
    expect(Math.max(...rests)).toBeLessThanOrEqual(1000)
    expect(new Set(rests.map((ms) => Math.round(ms / 50))).size).toBeGreaterThan(3)
  })

  it('closes with the first probe that is answered, although another one hangs', async () => {
    const breaker = breakerOf()
    await open(breaker)
    await sleep(25)
    void run(breaker, never)
    expect(breaker.state).toBe('half-open')
    expect(await pass(breaker)).toBe('refused')
    await sleep(45)
    expect(await pass(breaker)).toBe('fine')
    expect(breaker.state).toBe('closed')
  })

  it('never has more probes out than it may', async () => {
    const breaker = breakerOf()
    await open(breaker)
    let out = 0
    for (let tries = 0; tries < 60; tries++) {
      void run(breaker, () => (out++, never()))
      await sleep(5)
    }
    expect(out).toBe(2)
  })

  it('does not close for a probe that proved nothing, and lets the next one try at once', async () => {
    const breaker = breakerOf({ firstRestMs: 30, longestRestMs: 10_000 })
    await open(breaker)
    await sleep(35)
    expect(await run(breaker, () => Promise.reject(LEFT))).toBe('other')
    expect(breaker.state).toBe('open')
    expect(await pass(breaker)).toBe('fine')
    expect(breaker.state).toBe('closed')
  })

  it('learns nothing from calls that began before it opened or closed', async () => {
    const breaker = breakerOf()
    let answer = (): void => undefined
    const early = run(breaker, () => new Promise<void>((resolve) => (answer = resolve)))
    await open(breaker)
    answer()
    await early
    expect(breaker.state).toBe('open')
    await sleep(25)
    let failLate = (): void => undefined
    const probe = run(breaker, () => new Promise((_, reject) => (failLate = () => reject(SICK))))
    await sleep(45)
    expect(await pass(breaker)).toBe('fine')
    failLate()
    await probe
    for (let call = 0; call < 5; call++) await fail(breaker)
    expect(breaker.state).toBe('closed')
  })

  it('of a guard finds within two seconds that it works again, and hardly asks it before', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.999999)
    const breaker = guardCircuit('m')
    const asked: number[] = []
    const down = () => (asked.push(performance.now()), Promise.reject(new LlamaGuardError('guard_unavailable')))
    for (let ms = 0; ms < 30_000; ms += 20) await Promise.all([run(breaker, down), sleep(20)])
    expect(asked.length).toBeLessThan(30)
    expect(Math.max(...asked.slice(1).map((at, index) => at - asked[index]!))).toBeLessThanOrEqual(2020)
  })

  it('starts its rests anew after each opening', async () => {
    const breaker = breakerOf({ longestRestMs: 5000 })
    for (let round = 0; round < 3; round++) {
      await open(breaker)
      await sleep(25)
      expect(await pass(breaker)).toBe('fine')
    }
  })
})

describe('a system clock that is set back by an hour, or ahead', () => {
  const down = () => Promise.reject(new LlamaGuardError('guard_unavailable'))

  it.each([-3_600_000, 3_600_000])('(%i ms) neither keeps the circuit open nor grows Retry-After', async (shift) => {
    let sick = true
    const guard = guardThat(() => (sick ? down() : SAFE))
    const judge = judgeOf(guard, { maxAttempts: 1 })
    for (let call = 0; call < 6; call++) await outcome(judge, says(`${call}`))
    expect(judge.stats().guards[0]?.circuit).toBe('open')
    const now = Date.now
    vi.spyOn(Date, 'now').mockImplementation(() => now() + shift)
    sick = false
    expect(await judge.judge(says('a'), { stage: 'input' })).toMatchObject({
      error: { code: 'guard_circuit_open', retryAfter: 1 },
    })
    await expect.poll(() => outcome(judge, says('a')), { interval: 20 }).toBe('safe')
  })

  it.each([-3_600_000, 3_600_000])(
    '(%i ms) neither lengthens nor ends the life of remembered verdicts',
    async (shift) => {
      const cache = createCache({ max: 10, ttlMs: 60 })
      await cache.judge('a', new AbortController().signal, () => Promise.resolve(SAFE))
      const now = Date.now
      vi.spyOn(Date, 'now').mockImplementation(() => now() + shift)
      expect(cache.known('a')).toBeDefined()
      await really(120)
      expect(cache.known('a')).toBeUndefined()
    },
  )
})
