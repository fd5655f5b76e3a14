// When a check of a stream starts, what it covers, and what it may still do after the end.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { StreamJudge } from '../../../src/response/stream/stream-judge.js'
import { Framer } from '../../../src/wire/framer.js'
import { HeldFrames } from '../../../src/response/stream/held-frames.js'
import type { Decision, Judgement } from '../../../src/types.js'

interface Check {
  readonly text: string
  answer(safe?: boolean): Promise<void>
}

function judging(settings = { windowChars: 100, windowMs: 1000 }): {
  judge: StreamJudge
  checks: Check[]
  told: string[]
  say(text: string, choice?: number, aside?: boolean): number
} {
  const checks: Check[] = []
  const told: string[] = []
  const judge = new StreamJudge({
    settings,
    judge: (text) =>
      new Promise<Judgement>((resolve) =>
        checks.push({
          text,
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

  it('starts with the first word, then after 16 characters, 32, 64, and so on up to the window', async () => {
    const { checks, say } = judging()
    const sizes: number[] = []
    say('x')
    let before = checks[0]!.text.length
    for (let round = 1; round < 7; round += 1) {
      await checks[round - 1]!.answer()
      while (checks.length === round) say('x')
      sizes.push(checks[round]!.text.length - before)
      before = checks[round]!.text.length
    }
    expect(sizes).toEqual([32, 64, 100, 100, 100, 100])
  })

  it('waits for as much as came during the first check, and then for twice as much after each verdict', async () => {
    const { checks, say } = judging({ windowChars: 1000, windowMs: 1000 })
    const sizes: number[] = []
    say('x')
    say('y'.repeat(100))
    for (let round = 0; round < 5; round += 1) {
      await checks[round]!.answer()
      while (checks.length === round + 1) say('z'.repeat(10))
      sizes.push(checks[round + 1]!.text.length - checks[round]!.text.length)
    }
    // The text of the first check's time is judged at once.
    expect(sizes).toEqual([100, 200, 400, 800, 1000])
  })

  it('starts when text has waited for windowMs, and not before', async () => {
    const { checks, say } = judging()
    say('a')
    await checks[0]!.answer()
    say('b')
    await vi.advanceTimersByTimeAsync(999)
    expect(checks).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(2)
    expect(checks.map(({ text }) => text)).toEqual(['a', 'ab'])
  })

  it('is the only one of its choice in flight', async () => {
    const { checks, say, judge } = judging()
    say('a')
    say('b'.repeat(500))
    judge.end()
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

describe('Frames that wait', () => {
  const frames = (count: number, from = 0): ReturnType<Framer['push']> =>
    new Framer('events').push(Buffer.from(Array.from({ length: count }, (_, at) => `data: ${from + at}\n\n`).join('')))
  const upTo = (limit: number) => {
    let taken = 0
    return () => taken++ < limit
  }
  const text = (bytes: Buffer | undefined): string | undefined => bytes?.toString()

  it('leave from the head, in order, and are forgotten', () => {
    const held = new HeldFrames()
    const told: (string | undefined)[] = []
    held.add([...frames(2), ...frames(2, 2)], () => undefined)
    const take = (limit: number): string | undefined =>
      text(held.take(upTo(limit), ({ event }) => void told.push(event.data)))
    expect(take(1)).toBe('data: 0\n\n')
    expect(held.frames().map(({ event }) => event.data)).toEqual(['1', '2', '3'])
    // Two chunks of the handler's, so their bytes do not lie side by side.
    expect(take(2)).toBe('data: 1\n\ndata: 2\n\n')
    expect(take(0)).toBeUndefined()
    expect([take(5), held.empty, told]).toEqual(['data: 3\n\n', true, ['0', '1', '2', '3']])
  })

  it('are gone once they are cleared, whatever has left before', () => {
    const held = new HeldFrames()
    held.add(frames(5), () => undefined)
    held.take(upTo(2), () => undefined)
    held.clear()
    expect([held.empty, held.frames()]).toEqual([true, []])
    held.add(frames(1, 9), () => undefined)
    expect(text(held.take(upTo(1), () => undefined))).toBe('data: 9\n\n')
  })
})
