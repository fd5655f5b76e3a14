// A remembered verdict belongs to exactly one question: same guard, policy, tenant, stage and turns. Nothing
// else is remembered.
import { getEventListeners } from 'node:events'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cacheKey, type CacheKeyParts, createCache } from '../../../src/guard/cache/index.js'
import type { Verdict } from '../../../src/types.js'
import type { CacheStore } from '../../../src/guard/cache/store.js'
import type { Conversation, Turn } from '../../../src/types.js'
import { SAFE, UNSAFE, judgeOf, guardSaying, guardThat, never, outcome, says, sleep } from '../fake-guards.js'

const parts: CacheKeyParts = { identity: 'i', model: 'm', policyHash: 'p', tenant: undefined, stage: 'input' }
const turn: fc.Arbitrary<Turn> = fc.record(
  {
    role: fc.constantFrom('User' as const, 'Agent' as const),
    text: fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('\ud800', '\udfff', '"],["', '\\ud800', '')),
    images: fc.array(fc.record({ url: fc.string() }), { minLength: 1, maxLength: 2 }),
  },
  { requiredKeys: ['role', 'text'] },
)

function memoryStore(): CacheStore & { entries: Map<string, string> } {
  const entries = new Map<string, string>()
  return {
    entries,
    get: (key) => Promise.resolve(entries.get(key)),
    async set(key, value) {
      entries.set(key, value)
    },
  }
}

describe('the key', () => {
  it('is the same only for the same question', () => {
    const question = fc.record({
      identity: fc.string(),
      model: fc.string(),
      policyHash: fc.string(),
      tenant: fc.option(fc.string(), { nil: undefined }),
      stage: fc.constantFrom('input' as const, 'output' as const),
    })
    const conversation = fc.array(turn, { minLength: 1, maxLength: 3 })
    fc.assert(
      fc.property(question, conversation, question, conversation, (a, x, b, y) => {
        const equal =
          JSON.stringify([a.identity, a.model, a.policyHash, a.tenant ?? null, a.stage, x]) ===
          JSON.stringify([b.identity, b.model, b.policyHash, b.tenant ?? null, b.stage, y])
        expect(cacheKey(a, x) === cacheKey(b, y)).toBe(equal)
        expect(cacheKey(a, x)).toBe(cacheKey({ ...a }, structuredClone(x) as Conversation))
      }),
    )
  })
  it('does not let fields run into each other', () => {
    const key = (rest: Partial<CacheKeyParts>, turns: Conversation = says('a')): string =>
      cacheKey({ ...parts, ...rest }, turns)
    const keys = [
      key({}),
      key({ stage: 'output' }),
      key({ tenant: '' }),
      key({ tenant: 'null' }),
      key({ tenant: 't' }),
      key({ identity: 'j' }),
      key({ model: 'b' }),
      key({ identity: 'im', model: '' }),
      key({ identity: '', model: 'im' }),
      key({ policyHash: 'p2' }),
      key({ blocks: 'x' }),
      key({}, [{ role: 'Agent', text: 'a' }]),
      ...[['x'], ['y'], ['x', 'y'], ['y', 'x']].map((urls) =>
        key({}, [{ role: 'User', text: 'a', images: urls.map((url) => ({ url })) }]),
      ),
      key({}, says('a1:a,')),
      key({}, [
        { role: 'User', text: 'a' },
        { role: 'User', text: '' },
      ]),
      key({}, [...says('a'), ...says('a')]),
      key({}, [{ role: 'User', text: '\ud800' }]),
      key({}, [{ role: 'User', text: '\udbff' }]),
      key({}, [{ role: 'User', text: '\ufffd' }]),
    ]
    expect(new Set(keys).size).toBe(keys.length)
  })
  it('holds no text', () => {
    expect(cacheKey(parts, says('my secret'))).toMatch(/^[0-9a-f]{64}$/)
  })
})

describe('sharing', () => {
  const count = async (
    ...questions: { policy?: string; tenant?: string; stage?: 'input' | 'output' }[]
  ): Promise<number> => {
    const store = memoryStore()
    const guard = guardThat(() => SAFE)
    for (const { policy = 'p', tenant, stage = 'input' } of questions) {
      const judge = judgeOf(guard, { policyHash: policy, cacheStore: store })
      await judge.judge(says('same words'), { stage, tenant })
      await expect.poll(() => store.entries.size).toBe(guard.calls.length)
    }
    return guard.calls.length
  }
  it('happens between judges with one store', async () => {
    expect(await count({}, {}, {})).toBe(1)
  })
  it('never happens between two policies, two tenants or two stages', async () => {
    expect(await count({ policy: 'a' }, { policy: 'b' })).toBe(2)
    expect(await count({ tenant: 'a' }, { tenant: 'b' }, {})).toBe(3)
    expect(await count({ stage: 'input' }, { stage: 'output' })).toBe(2)
  })
  it('never happens between tenants given with the request', async () => {
    const guard = guardThat((call) => (call === 1 ? SAFE : UNSAFE))
    const judge = judgeOf(guard)
    expect(await judge.judge(says('a'), { stage: 'input', tenant: 'x' })).toMatchObject({ verdict: { safe: true } })
    expect(await judge.judge(says('a'), { stage: 'input', tenant: 'y' })).toMatchObject({ verdict: { safe: false } })
  })
  it('never happens between two custom guards without a name', async () => {
    const store = memoryStore()
    const anonymous = { identity: undefined, model: undefined } as object
    expect(await outcome(judgeOf(guardSaying(SAFE, anonymous), { cacheStore: store }), says('a'))).toBe('safe')
    expect(await outcome(judgeOf(guardSaying(UNSAFE, anonymous), { cacheStore: store }), says('a'))).toBe('unsafe')
  })
})

describe('one question at a time', () => {
  it('makes one guard call out of a thousand equal judgements', async () => {
    const guard = guardThat(() => sleep(20).then(() => SAFE))
    const judge = judgeOf(guard)
    const answers = await Promise.all(Array.from({ length: 1000 }, () => outcome(judge, says('hello'))))
    expect(answers.every((answer) => answer === 'safe')).toBe(true)
    expect(guard.calls).toHaveLength(1)
    expect(judge.stats().cache).toMatchObject({ joined: 999, misses: 1, inFlight: 0 })
  })
  it('lets one caller leave without failing the others', async () => {
    let answer = (_verdict: unknown): void => undefined
    const guard = guardThat(() => new Promise((resolve) => (answer = resolve)))
    const judge = judgeOf(guard)
    const leaver = new AbortController()
    const first = outcome(judge, says('a'), leaver.signal)
    const second = outcome(judge, says('a'))
    await expect.poll(() => guard.calls.length).toBe(1)
    leaver.abort()
    expect(await first).toBe('guard_unavailable')
    expect(guard.calls[0]?.options.signal?.aborted).toBe(false)
    answer(UNSAFE)
    expect(await second).toBe('unsafe')
    expect(guard.calls).toHaveLength(1)
  })
  it('aborts the call when the last has left, and starts anew for who comes next', async () => {
    const guard = guardThat((call) => (call === 1 ? never() : SAFE))
    const judge = judgeOf(guard)
    const leavers = [new AbortController(), new AbortController()]
    const left = leavers.map(({ signal }) => outcome(judge, says('a'), signal))
    await expect.poll(() => guard.calls.length).toBe(1)
    for (const leaver of leavers) leaver.abort()
    expect(await Promise.all(left)).toEqual(['guard_unavailable', 'guard_unavailable'])
    expect(await outcome(judge, says('a'))).toBe('safe')
    expect(guard.calls[0]?.options.signal?.aborted).toBe(true)
    expect(guard.calls).toHaveLength(2)
  })
})

describe('remembering', () => {
  it('says so, and does not count the cost twice', async () => {
    const judge = judgeOf(guardThat(() => ({ ...SAFE, tokens: { input: 100 } })))
    expect(await judge.judge(says('a'), { stage: 'input' })).toMatchObject({
      verdict: { attempts: 1, tokens: { input: 100 } },
    })
    expect(await judge.judge(says('a'), { stage: 'input' })).toMatchObject({
      verdict: { safe: true, categories: [], cached: true },
    })
    const { verdict } = (await judge.judge(says('a'), { stage: 'input' })) as { verdict: object }
    expect(Object.keys(verdict).sort()).toEqual(['cached', 'categories', 'safe'])
  })
  it('is for verdicts, not for failures', async () => {
    const guard = guardThat((call) => (call === 1 ? Promise.reject(new Error('down')) : SAFE))
    const store = memoryStore()
    const judge = judgeOf(guard, { cacheStore: store })
    expect(await outcome(judge, says('a'))).toBe('guard_error')
    expect(store.entries.size).toBe(0)
    expect(await outcome(judge, says('a'))).toBe('safe')
  })
  it('is not for a passing text, but for its pieces', async () => {
    const store = memoryStore()
    const guard = guardThat(() => SAFE, { fit: ([turn]) => turn!.text.split(' ').map((word) => says(word)) })
    const judge = judgeOf(guard, { cacheStore: store })
    const ask = async (text: string, passing: boolean): Promise<unknown> => {
      await judge.judge(says(text), { stage: 'output', passing })
      return [guard.calls.length, judge.stats().cache.entries, store.entries.size]
    }
    expect(await ask('one', true)).toEqual([1, 0, 0])
    expect(await ask('one', true)).toEqual([2, 0, 0])
    expect(await ask('one two', true)).toEqual([4, 2, 2])
    expect(await ask('one two three', true)).toEqual([5, 3, 3])
    expect(await ask('three', false)).toEqual([5, 3, 3])
    const one = judgeOf(guard, { maxChecks: 1 })
    expect(await one.judge(says('one'), { stage: 'output', passing: true })).toHaveProperty('verdict')
  })
  it('ends with the TTL', async () => {
    const guard = guardThat(() => SAFE)
    const judge = judgeOf(guard, { cacheTtlMs: 30 })
    await outcome(judge, says('a'))
    await sleep(80)
    await outcome(judge, says('a'))
    expect(guard.calls).toHaveLength(2)
  })
  it.each([{ cacheMax: 0 }, { cacheTtlMs: 0 }])('is off with %o', async (off) => {
    const guard = guardThat(() => SAFE)
    const store = memoryStore()
    const judge = judgeOf(guard, { ...off, cacheStore: store })
    await outcome(judge, says('a'))
    await outcome(judge, says('a'))
    expect(guard.calls).toHaveLength(2)
    expect(store.entries.size).toBe(0)
  })
  it('is bounded by entries and by bytes', async () => {
    const signal = new AbortController().signal
    const few = createCache({ max: 10, ttlMs: 60_000 })
    const small = createCache({ max: 1_000_000, ttlMs: 60_000, maxBytes: 20_000 })
    for (let index = 0; index < 500; index++) {
      await few.judge(`${index}`, signal, () => Promise.resolve(SAFE))
      await small.judge(`${index}`.padStart(64, '0'), signal, () => Promise.resolve(SAFE))
    }
    expect(few.stats().entries).toBe(10)
    expect(small.stats().entries).toBeGreaterThan(10)
    expect(small.stats().entries).toBeLessThan(60)
  })
  it('keeps as many entries as asked for', async () => {
    const many = createCache({ max: 40_000, ttlMs: 60_000 })
    const signal = new AbortController().signal
    for (let index = 0; index < 40_000; index++)
      await many.judge(`${index}`.padStart(64, '0'), signal, () => Promise.resolve(SAFE))
    expect(many.stats().entries).toBe(40_000)
    // A signal may outlive its judgement, so nothing of it stays there.
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })
  it('counts the bytes of a verdict with more than a word', async () => {
    const long = 'S'.repeat(2000)
    for (const verdict of [
      { safe: false, categories: [long] },
      { ...SAFE, categoryScores: { [long]: 0.1 } },
      { ...SAFE, judgedBy: long },
    ]) {
      const small = createCache({ max: 1000, ttlMs: 60_000, maxBytes: 20_000 })
      for (let index = 0; index < 20; index++)
        await small.judge(`${index}`, new AbortController().signal, () => Promise.resolve({ ...verdict }))
      expect(small.stats().entries).toBe(4)
    }
  })
})

describe('a store that cannot be relied on', () => {
  const judgedWith = async (get: () => unknown): Promise<string> => {
    const store = { get, set: () => Promise.resolve() } as unknown as CacheStore
    return outcome(judgeOf(guardSaying(UNSAFE), { cacheStore: store }), says('a'))
  }
  const soon = Date.now() + 60_000
  const lies: [string, unknown][] = [
    ['no JSON', 'safe'],
    ['JSON null', 'null'],
    ['a bare verdict without an end', JSON.stringify(SAFE)],
    ['an entry that has ended', JSON.stringify({ until: 1, verdict: SAFE })],
    ['an end that is no number', JSON.stringify({ until: 'later', verdict: SAFE })],
    ['a verdict that is no verdict', JSON.stringify({ until: soon, verdict: { safe: 'true', categories: [] } })],
    ['an entry of enormous size', JSON.stringify({ until: soon, verdict: SAFE, padding: 'x'.repeat(100_000) })],
    ['an object instead of a string', { until: soon, verdict: SAFE }],
    ['cut JSON', JSON.stringify({ until: soon, verdict: SAFE }).slice(0, -3)],
  ]
  it.each(lies)('costs only the hit when it returns %s', async (_name, value) => {
    expect(await judgedWith(() => Promise.resolve(value))).toBe('unsafe')
  })
  it('costs only the hit when it throws, rejects or hangs', async () => {
    const throws = (): never => {
      throw new Error('boom')
    }
    expect(await judgedWith(throws)).toBe('unsafe')
    expect(await judgedWith(() => Promise.reject(new Error('down')))).toBe('unsafe')
    expect(await judgedWith(never)).toBe('unsafe')
  })
  it('is asked no more after five failures in a row, and complained about once', async () => {
    let asked = 0
    const warnings: object[] = []
    const note = (fields: object): void => void warnings.push(fields)
    const store: CacheStore = {
      get() {
        asked++
        return Promise.reject(Object.assign(new Error('redis://:password@host GET key'), { code: 'ECONNREFUSED' }))
      },
      set: () => Promise.reject(new Error('down')),
    }
    const logger = { debug: () => undefined, info: () => undefined, warn: note, error: note }
    const judge = judgeOf(guardSaying(SAFE), { cacheStore: store, logger })
    for (let index = 0; index < 50; index++) expect(await outcome(judge, says(`${index}`))).toBe('safe')
    expect(asked).toBeLessThanOrEqual(5)
    expect(warnings).toEqual([{ err: { type: 'Error', code: 'ECONNREFUSED' } }])
    expect(judge.stats().cache.store?.skipped).toBeGreaterThan(40)
  })
  it('counts what it reached, what it knew and what it left out', async () => {
    const store = memoryStore()
    const first = judgeOf(guardSaying(SAFE), { cacheStore: store })
    await outcome(first, says('a'))
    const second = judgeOf(guardSaying(UNSAFE), { cacheStore: store })
    expect(await outcome(second, says('a'))).toBe('safe')
    expect(second.stats().cache.store).toEqual({ reached: 1, hits: 1, failures: 0, skipped: 0 })
    expect(await outcome(second, says('b'))).toBe('unsafe')
    expect(second.stats().cache.store).toEqual({ reached: 3, hits: 1, failures: 0, skipped: 0 })
  })
  it('cannot make an entry live longer than the TTL', async () => {
    const store = memoryStore()
    const lying: CacheStore = {
      ...store,
      get: () => Promise.resolve(JSON.stringify({ until: Date.now() + 1e12, verdict: SAFE })),
    }
    let live = true
    const guard = guardThat(() => UNSAFE)
    const judge = judgeOf(guard, {
      cacheTtlMs: 40,
      cacheStore: { ...lying, get: (key) => (live ? lying.get(key) : Promise.resolve(undefined)) },
    })
    expect(await outcome(judge, says('a'))).toBe('safe')
    live = false
    await sleep(100)
    expect(await outcome(judge, says('a'))).toBe('unsafe')
  })
  it('cannot make an entry live longer here than it had to live there', async () => {
    const until = Date.now() + 60
    let asked = 0
    const store: CacheStore = {
      get: () => Promise.resolve(asked++ === 0 ? JSON.stringify({ until, verdict: SAFE }) : undefined),
      set: () => Promise.resolve(),
    }
    const judge = judgeOf(guardSaying(UNSAFE), { cacheTtlMs: 60_000, cacheStore: store })
    expect(await outcome(judge, says('a'))).toBe('safe')
    expect(await outcome(judge, says('a'))).toBe('safe')
    await sleep(250)
    expect(await outcome(judge, says('a'))).toBe('unsafe')
  })
  it('holds up one caller alone when it is probed', async () => {
    let hangs = false
    let asked = 0
    const store: CacheStore = {
      get: () => (asked++, hangs ? never() : Promise.reject(new Error('down'))),
      set: () => (hangs ? never() : Promise.reject(new Error('down'))),
    }
    const judge = judgeOf(guardSaying(SAFE), { cacheStore: store })
    for (let index = 0; index < 20; index++) await outcome(judge, says(`${index}`))
    hangs = true
    await sleep(1050)
    const before = asked
    await Promise.all(Array.from({ length: 20 }, (_, index) => outcome(judge, says(`probe ${index}`))))
    expect(asked - before).toBe(1)
  })
})

describe('closing', () => {
  it('forgets what was remembered, and closes the store once', async () => {
    let closed = 0
    const cache = createCache({ max: 10, ttlMs: 60_000, store: { ...memoryStore(), close: () => void closed++ } })
    await cache.judge('a', new AbortController().signal, () => Promise.resolve(SAFE))
    await cache.close()
    expect([cache.stats().entries, cache.known('a'), closed]).toEqual([0, undefined, 1])
  })
})

describe('what is remembered', () => {
  it('is frozen, for it is handed to everyone who asks', async () => {
    const cache = createCache({ max: 10, ttlMs: 60_000 })
    const signal = new AbortController().signal
    const ask = (): Promise<Verdict> => sleep(1).then(() => ({ safe: true, categories: [] }))
    const [, joined] = await Promise.all([cache.judge('a', signal, ask), cache.judge('a', signal, ask)])
    for (const verdict of [joined, cache.known('a'), await cache.judge('a', signal, ask)])
      expect(Object.isFrozen(verdict)).toBe(true)
  })
})
