// The pace of stream checks: as fast as the guard while nothing waits there, and no faster than the window otherwise.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createPace } from '../../src/guard/pace.js'

describe('The pace of a guard', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }))
  afterEach(() => void vi.useRealTimers())

  /** What each of so many streams waits for its turn. */
  function gap(pace: ReturnType<typeof createPace>, { streams = 40, windowMs = 1000 } = {}): number {
    vi.advanceTimersByTime(10_000)
    const turns = Array.from({ length: streams }, () => pace.turn(windowMs) - performance.now())
    return Math.round(Math.max(...turns))
  }

  /** `streams` ask as often as the pace lets them, of a guard that answers after `ms`. Returns the gap after a while. */
  function run(pace: ReturnType<typeof createPace>, ms: number | undefined, { calls = 400 } = {}): number {
    for (let call = 0; call < calls; call += 1) {
      vi.advanceTimersByTime(50)
      pace.took(ms)
    }
    return gap(pace)
  }
  const withStreams = (count: number): ReturnType<typeof createPace> => {
    const pace = createPace()
    for (let stream = 0; stream < count; stream += 1) pace.join()
    return pace
  }

  it('asks one stream for no gap, whatever the window', () => {
    const pace = withStreams(1)
    expect([gap(pace), run(pace, 250)]).toEqual([0, 0])
  })

  it('lets many streams wait for their turn until the guard has shown that it has room', () => {
    const pace = withStreams(40)
    pace.took(250)
    expect(gap(pace)).toBe(1000)
    expect(run(pace, 250)).toBe(0)
  })

  it('widens the gap to the window while calls come late or fail, and narrows it when they come in time again', () => {
    for (const late of [700, undefined]) {
      const pace = withStreams(40)
      run(pace, 250)
      expect([late, run(pace, late)]).toEqual([late, 1000])
      expect(gap(pace, { windowMs: 300 })).toBe(300)
      expect(run(pace, 250, { calls: 4000 })).toBeLessThan(510)
    }
  })

  it('takes one late call for an accident', () => {
    const pace = withStreams(40)
    run(pace, 250)
    pace.took(900)
    for (let call = 0; call < 64; call += 1) pace.took(250)
    expect(gap(pace)).toBe(0)
  })

  it('narrows when streams have ended, each counted once', () => {
    const pace = createPace()
    const leaves = Array.from({ length: 40 }, () => pace.join())
    pace.took(250)
    for (const leave of [...leaves.slice(1), ...leaves.slice(1)]) leave()
    expect(gap(pace)).toBe(0)
    pace.join()
    expect(gap(pace)).toBe(0)
  })

  it('gives streams their turns one after the other, evenly', () => {
    const pace = withStreams(40)
    pace.took(100)
    const turns = Array.from({ length: 8 }, () => pace.turn(1000) - performance.now())
    expect(turns).toEqual([0, 25, 50, 75, 100, 125, 150, 175])
  })

  it('looks beyond the window at which a queue showed only after some minutes', () => {
    const pace = withStreams(40)
    // The window doubles from 4 to 16, where calls come late: there is room for 8, of which half are used.
    // The queue needs a while to drain.
    for (let call = 0; call < 14; call += 1) pace.took(100)
    run(pace, 200, { calls: 14 })
    const settled = run(pace, 100, { calls: 1000 })
    expect(settled).toBeCloseTo((100 * 40) / (8 * 0.5), -2)
    expect(run(pace, 100, { calls: 4000 })).toBeCloseTo(settled, -1)
    expect(run(pace, 100, { calls: 6000 })).toBeLessThan(settled)
  })

  it('takes a guard that has been slower for ten minutes for that one', () => {
    const pace = withStreams(40)
    run(pace, 100)
    expect(run(pace, 400)).toBe(1000)
    expect(run(pace, 400, { calls: 20_000 })).toBe(0)
  })
})
