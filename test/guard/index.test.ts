// The door's promises: it never rejects, never hangs, and nothing but a well-formed "safe" of a whole text is safe.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LlamaGuardError } from '../../src/types/errors.js'
import { anyUnsafe } from '../../src/guard/panel.js'
import type { CompareEvent, Conversation, Guard } from '../../src/types.js'
import { SAFE, UNSAFE, judgeOf, guardSaying, guardThat, never, outcome, says, sleep } from './fake-guards.js'

describe('what a custom guard answers', () => {
  const wrong: [string, unknown][] = [
    ['nothing', undefined],
    ['null', null],
    ['true', true],
    ['the word safe', 'safe'],
    ['a string for safe', { safe: 'yes', categories: [] }],
    ['a number for safe', { safe: 1, categories: [] }],
    ['a list', [SAFE]],
    ['safe with violated categories', { safe: true, categories: ['S1'] }],
    ['safe with unknown categories', { safe: true, categories: [], unknown: ['S99'] }],
    ['categories that are no list', { safe: false, categories: 'S1' }],
    ['a score of NaN', { safe: true, categories: [], score: NaN }],
    ['a score above one', { safe: true, categories: [], score: 1.5 }],
    ['a judge without a name', { safe: true, categories: [], judgedBy: 1 }],
    ['names that are no texts', { safe: true, categories: [], namedBy: { S1: 1 } }],
    ['less than no attempt', { safe: true, categories: [], attempts: -1 }],
    ['tokens that are words', { safe: true, categories: [], tokens: { input: 'two' } }],
    ['a cached that is a word', { safe: true, categories: [], cached: 'yes' }],
    ['a truncated that is a word', { safe: true, categories: [], truncated: 'no' }],
    ['category scores that are words', { safe: true, categories: [], categoryScores: { S1: 'low' } }],
  ]
  it.each(wrong)('is unparseable_verdict when it is %s', async (_name, answer) => {
    const judge = judgeOf(guardThat(() => answer))
    expect(await outcome(judge, says('a'))).toBe('unparseable_verdict')
  })
  it('is never safe for an arbitrary value, unless it is a verdict that says so', async () => {
    await fc.assert(
      fc.asyncProperty(fc.anything({ withNullPrototype: true }), async (answer) => {
        const judged = await outcome(judgeOf(guardThat(() => answer)), says('a'))
        if (judged === 'safe') expect(answer).toMatchObject({ safe: true })
        else if (judged === 'unsafe') expect(answer).toMatchObject({ safe: false })
        else expect(['unparseable_verdict', 'guard_error']).toContain(judged)
      }),
    )
  })
  it('is guard_error when it throws at once, rejects, or throws in fit', async () => {
    const throwing: Guard = {
      judge() {
        throw new Error('boom')
      },
    }
    expect(await outcome(judgeOf(throwing), says('a'))).toBe('guard_error')
    expect(await outcome(judgeOf(guardThat(() => Promise.reject(new Error('boom')))), says('a'))).toBe('guard_error')
    const fit = (): never => {
      throw new Error('boom')
    }
    expect(await outcome(judgeOf(guardThat(() => SAFE, { fit })), says('a'))).toBe('guard_error')
  })
  it('is an error, and no exception, for a conversation that is none', async () => {
    const guard = guardThat(() => SAFE)
    for (const wrong of [[{ role: 'User' }], [undefined], [{ role: 'User', text: 1 }]])
      expect(await outcome(judgeOf(guard), wrong as never)).toBe('guard_error')
    expect(guard.calls).toHaveLength(0)
  })
  it('is guard_timeout when it never comes, even if the guard ignores its signal', async () => {
    const judge = judgeOf(guardThat(never), { timeoutMs: 60 })
    const judgement = await judge.judge(says('a'), { stage: 'input' })
    expect(judgement).toMatchObject({ error: { code: 'guard_timeout', status: 503 }, model: 'fake' })
    expect(judgement.ms).toBeLessThan(2000)
  })
  it('is waited for no longer than the deadline, however many ask the same in turn', async () => {
    const guard = guardThat((call) => (call === 1 ? never() : SAFE))
    const judge = judgeOf(guard, { timeoutMs: 400, maxAttempts: 1, breaker: false })
    // Each asks while the one before still waits: a call that hangs must not be handed down for ever.
    const answers = await Promise.all([0, 200, 500, 800].map((ms) => sleep(ms).then(() => outcome(judge, says('a')))))
    expect(answers).toEqual(['guard_timeout', 'guard_timeout', 'safe', 'safe'])
    expect(guard.calls).toHaveLength(2)
  })
  it('cannot be changed by who got it, not even for those who get it from the cache', async () => {
    const judge = judgeOf(guardThat(() => ({ safe: false, categories: ['O3'] })))
    const first = await judge.judge(says('a'), { stage: 'input' })
    expect(() => ('verdict' in first ? (first.verdict.categories as string[]).pop() : undefined)).toThrow(TypeError)
    expect(await judge.judge(says('a'), { stage: 'input' })).toMatchObject({
      verdict: { categories: ['O3'], cached: true },
    })
  })
})

describe('a text in pieces', () => {
  const inWords = (conversation: Conversation): Conversation[] => (conversation[0]?.text ?? '').split(' ').map(says)
  const byWord = (answers: Record<string, unknown>) =>
    guardThat(
      async (_call, conversation) => {
        const answer = answers[conversation[0]?.text ?? '']
        return typeof answer === 'function' ? answer() : (answer ?? SAFE)
      },
      { fit: inWords },
    )
  const fails = (): Promise<never> => Promise.reject(new LlamaGuardError('guard_rejected'))

  it('is safe when every piece is, with the highest score and the sum of the cost', async () => {
    const guard = byWord({
      one: { ...SAFE, score: 0.1, tokens: { input: 10, output: 2 } },
      two: { ...SAFE, score: 0.4, tokens: { input: 7, output: 2 } },
    })
    const judgement = await judgeOf(guard).judge(says('one two'), { stage: 'input' })
    expect(judgement).toMatchObject({
      verdict: { safe: true, score: 0.4, attempts: 2, tokens: { input: 17, output: 4 } },
    })
    expect('verdict' in judgement && judgement.verdict.cached).toBeFalsy()
  })
  it('is cached only when every piece was', async () => {
    const judge = judgeOf(byWord({}))
    await judge.judge(says('one'), { stage: 'input' })
    expect(await judge.judge(says('one two'), { stage: 'input' })).not.toMatchObject({ verdict: { cached: true } })
    expect(await judge.judge(says('one two'), { stage: 'input' })).toMatchObject({ verdict: { cached: true } })
  })
  it('is unsafe when one piece is and another could not be judged', async () => {
    expect(await outcome(judgeOf(byWord({ down: fails, bad: UNSAFE })), says('down bad'))).toBe('unsafe')
  })
  it('is an error when one piece could not be judged and the others are safe', async () => {
    expect(await outcome(judgeOf(byWord({ down: fails })), says('one down two'))).toBe('guard_rejected')
  })
  it('is looked at to its end when an unsafe piece does not block', async () => {
    const guard = byWord({
      mild: { safe: false, categories: ['S5'] },
      bad: async () => {
        await sleep(20)
        return { safe: false, categories: ['S1'] }
      },
    })
    const judge = judgeOf(guard, { blocks: (verdict) => verdict.categories.includes('S1') })
    expect(await judge.judge(says('mild bad'), { stage: 'input' })).toMatchObject({
      verdict: { safe: false, categories: ['S5', 'S1'] },
    })
    const halfDown = judgeOf(byWord({ mild: { safe: false, categories: ['S5'] }, down: fails }), {
      blocks: (verdict) => verdict.categories.includes('S1'),
    })
    expect(await outcome(halfDown, says('mild down'))).toBe('guard_rejected')
  })
  it('is not asked about when a remembered text of its request is unsafe', async () => {
    const guard = guardThat((_call, [turn]) => (turn!.text === 'bad' ? UNSAFE : SAFE))
    const judge = judgeOf(guard)
    expect(await outcome(judge, says('bad'))).toBe('unsafe')
    const judged = await judge.judgeAll([says('new'), says('bad')], { stage: 'input' })
    expect([judged.length, guard.calls.length]).toEqual([1, 1])
  })
  it('is an error, not safe, when it has no turn', async () => {
    expect(await outcome(judgeOf(guardThat(() => SAFE)), [])).toBe('internal_error')
  })
  it.each([0, 1000])(
    'costs one call for equal pieces, and no more than maxChecks with a cache of %i',
    async (cacheMax) => {
      const words = (different: number) => says(Array.from({ length: 188 }, (_, i) => i % different).join(' '))
      const slow = async () => (await sleep(1), SAFE)
      const equal = guardThat(slow, { fit: inWords })
      expect(await outcome(judgeOf(equal, { cacheMax }), words(1))).toBe('safe')
      expect(equal.calls).toHaveLength(1)
      const failing = guardThat(fails, { fit: inWords })
      expect(await outcome(judgeOf(failing, { cacheMax }), words(1))).toBe('guard_rejected')
      expect(failing.calls).toHaveLength(1)
      const other = guardThat(slow, { fit: inWords })
      expect(await outcome(judgeOf(other, { cacheMax }), words(33))).toBe('too_many_checks')
      expect(await outcome(judgeOf(other, { cacheMax }), words(32))).toBe('safe')
      expect(other.calls).toHaveLength(32)
    },
  )
  it('has at most eight pieces at the guard at a time', async () => {
    let now = 0
    let most = 0
    const guard = guardThat(
      async () => {
        most = Math.max(most, ++now)
        await sleep(2)
        now--
        return SAFE
      },
      { fit: () => Array.from({ length: 50 }, (_, index) => says(`piece ${index}`)) },
    )
    expect(await outcome(judgeOf(guard, { maxChecks: 50 }), says('a'))).toBe('safe')
    expect(guard.calls.length).toBe(50)
    expect(most).toBeLessThanOrEqual(8)
  })
})

describe('fallback guards', () => {
  const second = (answer: unknown = SAFE) => guardThat(() => answer, { model: 'second', identity: 'second' })

  it('judge when the first could not, and the verdict says who judged', async () => {
    const judge = judgeOf(
      guardThat(() => Promise.reject(new Error('down'))),
      { fallback: [second()] },
    )
    expect(await judge.judge(says('a'), { stage: 'input' })).toMatchObject({
      verdict: { safe: true, judgedBy: 'second' },
      model: 'second',
    })
  })
  it('are not asked when the first says unsafe', async () => {
    const other = second()
    expect(await outcome(judgeOf(guardSaying(UNSAFE), { fallback: [other] }), says('a'))).toBe('unsafe')
    expect(other.calls).toHaveLength(0)
  })
  it('are not asked about what is the fault of the client', async () => {
    const other = second()
    const judge = judgeOf(
      guardThat(() => Promise.reject(new LlamaGuardError('unsupported_content'))),
      { fallback: [other] },
    )
    expect(await outcome(judge, says('a'))).toBe('unsupported_content')
    expect(other.calls).toHaveLength(0)
  })
  it('leave a text that none can read to the client, unless it is short', async () => {
    const judge = judgeOf(guardThat(() => Promise.reject(new LlamaGuardError('guard_input_too_long'))))
    const image = { url: 'data:image/png;base64,iVBORw0KGgo=' }
    const turns = (...lengths: number[]): Conversation =>
      lengths.map((length, index) => ({ role: index % 2 === 0 ? 'User' : 'Agent', text: 'a'.repeat(length) }))
    const asked: [Conversation, boolean][] = [
      [turns(256), false],
      [turns(257), true],
      [turns(100, 100, 56), false],
      [turns(100, 100, 57), true],
      [[{ role: 'User', text: 'a', images: [image] }], true],
      [[{ role: 'User', text: 'a', images: [] }], false],
    ]
    for (const [conversation, clientFault] of asked) {
      const judgement = await judge.judge(conversation, { stage: 'input' })
      expect(judgement).toMatchObject({ error: { code: 'guard_input_too_long', clientFault } })
    }
  })
  it.each([1, 3])('have time left when %i before them hang', async (count) => {
    const hanging = Array.from({ length: count }, (_, at) => guardThat(never, { identity: `hangs ${at}` }))
    const judge = judgeOf(hanging[0]!, { fallback: [...hanging.slice(1), second()], timeoutMs: 400 })
    expect(await outcome(judge, says('a'))).toBe('safe')
    expect(hanging.map(({ calls }) => calls.length)).toEqual(hanging.map(() => 1))
  })
  it('have time left when more pieces hang than are asked at once', async () => {
    const pieces = Array.from({ length: 17 }, (_, index) => says(`piece ${index}`))
    const judge = judgeOf(guardThat(never, { fit: () => pieces }), { fallback: [second()], timeoutMs: 400 })
    expect(await outcome(judge, says('a'))).toBe('safe')
  })
  it('never lend their verdict to the first one', async () => {
    const first = guardThat((call) => (call === 1 ? Promise.reject(new Error('down')) : UNSAFE))
    const judge = judgeOf(first, { fallback: [second()] })
    expect(await outcome(judge, says('a'))).toBe('safe')
    expect(await outcome(judge, says('a'))).toBe('unsafe')
  })
  it('leave the first error standing when nobody could judge', async () => {
    const first = guardThat(() => Promise.reject(new LlamaGuardError('guard_rejected')))
    const judge = judgeOf(first, { fallback: [guardThat(() => 'garbage')] })
    expect(await outcome(judge, says('a'))).toBe('guard_rejected')
  })
  it('get the text cut as they need it, not as the first one does', async () => {
    const other = second()
    const first = guardThat(() => Promise.reject(new Error('down')), { fit: () => [says('half'), says('other half')] })
    await outcome(judgeOf(first, { fallback: [other] }), says('whole'))
    expect(other.calls.map((call) => call.conversation)).toEqual([says('whole')])
  })
})

describe('a panel of guards', () => {
  it('is unsafe at once when one guard says so, though another hangs', async () => {
    const panel = anyUnsafe([guardThat(never), guardThat(() => UNSAFE, { model: 'strict' })])
    expect(await judgeOf(panel).judge(says('a'), { stage: 'input' })).toMatchObject({
      verdict: { safe: false, judgedBy: 'strict' },
      model: 'fake+strict',
    })
  })
})

describe('a shadow guard', () => {
  it('is logged at `info` where it differs, and at `debug` where it agrees', async () => {
    const lines: string[] = []
    const note = (level: string) => (_fields: object, text: string) => void lines.push(`${level}: ${text}`)
    const logger = { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') }
    for (const verdict of [SAFE, UNSAFE]) {
      const shadow = { guard: guardThat(() => verdict, { model: 'new' }), rate: 1 }
      await outcome(judgeOf(guardSaying(SAFE), { shadow, logger }), says('a'))
      await expect.poll(() => lines.length).toBe(verdict === SAFE ? 1 : 2)
    }
    expect(lines).toEqual(['debug: shadow guard agrees', 'info: shadow guard differs'])
  })

  it('is compared and never acted on, also when it fails', async () => {
    const events: CompareEvent[] = []
    const shadow = {
      guard: guardThat(() => UNSAFE, { model: 'new' }),
      rate: 1,
      onCompare: (event: CompareEvent) => void events.push(event),
    }
    expect(await outcome(judgeOf(guardSaying(SAFE), { shadow }), says('secret words'))).toBe('safe')
    const broken = { ...shadow, guard: guardThat(() => Promise.reject(new Error('down')), { model: 'new' }) }
    expect(await outcome(judgeOf(guardSaying(SAFE), { shadow: broken }), says('secret words'))).toBe('safe')
    const down = guardThat(() => Promise.reject(new Error('down')))
    expect(await outcome(judgeOf(down, { shadow: broken }), says('secret words'))).toBe('guard_error')
    await expect.poll(() => events.length).toBe(3)
    expect(events[2]).toMatchObject({ agree: false, primary: { verdict: 'unjudged' } })
    expect(events[0]).toMatchObject({
      agree: false,
      primary: { verdict: 'safe', model: 'fake' },
      shadow: { verdict: 'unsafe', model: 'new' },
    })
    expect(events[1]).toMatchObject({ agree: false, shadow: { verdict: 'unjudged', code: 'guard_error' } })
    expect(JSON.stringify(events)).not.toContain('secret')
  })
  it('sees only its share of the traffic', async () => {
    const guard = guardThat(() => SAFE)
    const judge = judgeOf(guardSaying(SAFE), { shadow: { guard, rate: 0 } })
    for (let index = 0; index < 20; index++) await outcome(judge, says(`${index}`))
    expect(guard.calls).toHaveLength(0)
  })
})

describe('closing', () => {
  it('fails what is in flight, closes every guard once and judges nothing after', async () => {
    let closed = 0
    const close = () => void closed++
    const guard = guardThat(never, { close })
    const judge = judgeOf(guard, { fallback: [guard] })
    const ask = (text: string, passing = false) => judge.judge(says(text), { stage: 'output', passing })
    const refused = { error: { code: 'guard_unavailable' } }
    const pending = [ask('a'), ask('a', true)]
    await expect.poll(() => guard.calls.length).toBe(2)
    await Promise.all([judge.close(), judge.close()])
    for (const one of [...pending, ask('b'), ask('b', true)]) expect(await one).toMatchObject(refused)
    expect(closed).toBe(1)
  })
})
