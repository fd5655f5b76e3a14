// When a check of a stream starts, what it covers, and what it may still do after the end.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { StreamJudge } from '../../../src/response/stream/stream-judge.js'
import type { Decision, Judgement } from '../../../src/types.js'

interface Check {
  readonly text: string
  readonly calledOff: { readonly aborted: boolean }
  readonly passing: boolean
  answer(safe?: boolean): Promise<void>
}

/** The gap that the guard's pace asks for. */
let gap = 0
/** Streams that share the pace. */
let streams = 0
const took: (number | undefined)[] = []

function judging(settings: { windowChars?: number; windowMs?: number; streaming?: 'fixed' } = {}): {
  judge: StreamJudge
  checks: Check[]
  told: string[]
  say(text: string, choice?: number, aside?: boolean): number
} {
  const checks: Check[] = []
  const told: string[] = []
  const judge = new StreamJudge({
    settings: { windowChars: 100, windowMs: 1000, streaming: 'window', ...settings },
    pace: {
      join: () => {
        streams += 1
        return () => void (streams -= 1)
      },
      turn: (windowMs) => performance.now() + Math.min(gap, windowMs),
      took: (ms) => void took.push(ms),
    },
    judge: (text, _choice, calledOff, passing) =>
      new Promise<Judgement>((resolve) =>
        checks.push({
          text,
          calledOff,
          passing,
          async answer(safe = true) {
            resolve({ verdict: { safe, categories: [] }, ms: 1, model: 'fake' })
            for (let turn = 0; turn < 5; turn += 1) await Promise.resolve()
          },
        }),
      ),
    decide: (judgements) => {
      const safe = judgements.every((each) => 'verdict' in each && each.verdict.safe)
      return { action: safe ? 'allow' : 'block' } as Decision
    },
    onAllowed: () => void told.push('allowed'),
    onRefused: () => void told.push('refused'),
  })
  return {
    judge,
    checks,
    told,
    say(text, choice = 0, aside = false) {
      const position = judge.add({ choice, channel: 'c', text, aside })
      judge.consider()
      return position
    },
  }
}

describe('A check of a stream', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
  afterEach(() => void vi.useRealTimers())

  beforeEach(() => void ((gap = 0), (took.length = 0)))

  it('starts with the first word, and then when the last has returned and there is new text', async () => {
    const { checks, say } = judging()
    say('x')
    say('y')
    await vi.advanceTimersByTimeAsync(250)
    await checks[0]!.answer()
    expect(checks.map(({ text }) => text)).toEqual(['x', 'xy'])
    await vi.advanceTimersByTimeAsync(250)
    await checks[1]!.answer()
    expect(checks).toHaveLength(2)
    say('z')
    expect([checks.map(({ text }) => text), took]).toEqual([
      ['x', 'xy', 'xyz'],
      [250, 250],
    ])
  })

  it('waits as long as the pace says, and no longer for a window of text', async () => {
    gap = 600
    const { checks, say } = judging()
    say('x')
    await vi.advanceTimersByTimeAsync(100)
    await checks[0]!.answer()
    say('y')
    await vi.advanceTimersByTimeAsync(599)
    expect(checks).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(2)
    expect(checks).toHaveLength(2)
    await checks[1]!.answer()
    say('z'.repeat(100))
    expect(checks).toHaveLength(3)
  })

  it('does not come more often than readers see', async () => {
    const { checks, say } = judging()
    say('x')
    await checks[0]!.answer()
    say('y')
    await vi.advanceTimersByTimeAsync(39)
    expect(checks).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(2)
    expect(checks).toHaveLength(2)
  })

  it('starts at once when the stream ends, and calls off the one in flight', async () => {
    const { checks, say, judge, told } = judging()
    const position = say('a')
    await checks[0]!.answer()
    await vi.advanceTimersByTimeAsync(50)
    say('b')
    const last = say('c')
    judge.end()
    expect(checks.map(({ text, calledOff, passing }) => [text, calledOff.aborted, passing])).toEqual([
      ['a', false, false],
      ['ab', true, true],
      ['abc', false, false],
    ])
    await checks[1]!.answer(false)
    expect([judge.covers(0, position), judge.covers(0, last), told]).toEqual([true, false, ['allowed']])
    await checks[2]!.answer()
    expect([judge.covers(0, last), told, judge.judgements().length]).toEqual([true, ['allowed', 'allowed'], 2])
  })

  it('lets the first words leave that wait for theirs when the stream ends', async () => {
    for (const order of [
      [0, 1],
      [1, 0],
    ]) {
      const { checks, say, judge } = judging()
      const first = say('a')
      const last = say('b')
      judge.end()
      expect(checks.map(({ calledOff }) => calledOff.aborted)).toEqual([false, false])
      await checks[order[0]!]!.answer()
      expect([judge.covers(0, first), judge.covers(0, last)]).toEqual([true, order[0] === 1])
      await checks[order[1]!]!.answer()
      expect(judge.covers(0, last)).toBe(true)
    }
  })

  it('with fixed starts when text has waited for windowMs, and not before', async () => {
    const { checks, say } = judging({ streaming: 'fixed' })
    say('a')
    await checks[0]!.answer()
    say('b')
    await vi.advanceTimersByTimeAsync(999)
    expect(checks).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(2)
    expect(checks.map(({ text }) => text)).toEqual(['a', 'ab'])
  })

  it('is the only one of its choice in flight', async () => {
    const { checks, say } = judging()
    say('a')
    say('b'.repeat(500))
    expect(checks).toHaveLength(1)
    await checks[0]!.answer()
    expect(checks).toHaveLength(2)
  })

  it('covers what had come when it began', async () => {
    const { checks, say, judge } = judging()
    const first = say('a')
    const second = say('b')
    expect([judge.covers(0, first), judge.covers(1, 0)]).toEqual([false, false])
    await checks[0]!.answer()
    expect([judge.covers(0, first), judge.covers(0, second), judge.waiting]).toEqual([true, false, true])
  })

  it('of names and comments alone starts when they have waited, and lets nothing begin', async () => {
    const { checks, say, judge, told } = judging()
    say('a comment of some length', 0, true)
    expect([checks.length, judge.hasWords]).toEqual([0, false])
    await vi.advanceTimersByTimeAsync(1001)
    await checks[0]!.answer()
    expect([told, judge.hasAllowed]).toEqual([['allowed'], false])
    say('word')
    expect([checks.length, judge.hasWords]).toEqual([2, true])
    await checks[1]!.answer()
    expect(judge.hasAllowed).toBe(true)
  })

  it('shares the pace from its first check to the end of its reply', async () => {
    streams = 0
    const { judge, checks, say } = judging()
    say('x')
    expect(streams).toBe(1)
    judge.end()
    expect(streams).toBe(0)
    await checks[0]!.answer()
    expect(streams).toBe(0)
  })

  it('starts no more and changes nothing once it is stopped, and leaves no timer', async () => {
    const { checks, say, judge, told } = judging()
    say('a')
    say('a', 1)
    await checks[1]!.answer()
    say('b', 1)
    expect(vi.getTimerCount()).toBe(1)
    judge.stop()
    expect(vi.getTimerCount()).toBe(0)
    say('c', 1)
    say('d', 2)
    await checks[0]!.answer(false)
    await vi.advanceTimersByTimeAsync(5000)
    expect([checks.length, told, judge.judgements().length]).toEqual([2, ['allowed'], 1])
  })

  it('is waited for by settled, and so is the one that it starts', async () => {
    const { checks, say, judge } = judging()
    say('a')
    say('b')
    judge.end()
    let settled = false
    void judge.settled().then(() => (settled = true))
    await checks[0]!.answer()
    expect([settled, checks.length]).toEqual([false, 2])
    await checks[1]!.answer()
    await vi.advanceTimersByTimeAsync(1)
    expect(settled).toBe(true)
  })

  it('is refused for more choices than any API gives', () => {
    const { say } = judging()
    for (let choice = 0; choice < 128; choice += 1) say('a', choice)
    expect(() => say('a', 128)).toThrow(expect.objectContaining({ code: 'unreadable_response' }))
    expect(() => say('a', 5)).not.toThrow()
  })
})
