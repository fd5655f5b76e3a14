// A window against an exact one: quantiles within a tenth, seconds that leave in time, and a size that stays.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Window } from '../../src/dashboard/recent.js'
import { rounds } from '../helpers/sampled.js'

it('Quantiles are within a tenth of the exact ones, for any durations.', () => {
  const duration = fc.double({ min: 0.2, max: 60_000, noNaN: true })
  fc.assert(
    fc.property(fc.array(duration, { minLength: 1, maxLength: 200 }), (durations) => {
      const minute = new Window('minute', 1, () => 7)
      for (const ms of durations) minute.judged('input', ms)
      const sorted = [...durations].sort((a, b) => a - b)
      const { judged, p50, p99 } = minute.seen().latency.input
      expect(judged).toBe(durations.length)
      for (const [value, share] of [
        [p50!, 0.5],
        [p99!, 0.99],
      ] as const) {
        const exact = sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)]!
        expect(Math.abs(value - exact) / exact).toBeLessThan(0.1)
      }
    }),
    { numRuns: rounds(200) },
  )
})

it('Odd durations are counted, and break nothing.', () => {
  const minute = new Window('minute', 1, () => 7)
  for (const ms of [0, -1, NaN, Infinity, 1e12]) minute.judged('output', ms)
  expect(minute.seen().latency.output.judged).toBe(5)
  expect(minute.seen().latency.input).toEqual({ judged: 0 })
})

it('A second leaves after a minute, and the oldest comes first.', () => {
  let now = 100
  const minute = new Window('minute', 1, () => now)
  minute.ended('blocked')
  minute.judged('input', 5)
  const blocked = (): number[] => minute.seen().bars.map(([, count]) => count!)
  expect(blocked().at(-1)).toBe(1)
  now = 159
  minute.ended('released')
  expect([blocked().length, blocked()[0], blocked().at(-1)]).toEqual([60, 1, 0])
  expect(minute.seen().latency.input.judged).toBe(1)
  now = 160
  expect(blocked().every((count) => count === 0)).toBe(true)
  expect(minute.seen().latency.input.judged).toBe(0)
  minute.ended('unjudged')
  expect(minute.seen().bars.at(-1)).toEqual([0, 0, 1])
  now = 100_000
  expect(
    minute
      .seen()
      .bars.flat()
      .every((count) => count === 0),
  ).toBe(true)
})

it('A day is held in sixty slots of 24 minutes.', () => {
  let now = 0
  const day = new Window('day', 24 * 60, () => now)
  for (let hour = 0; hour < 30; hour++) {
    now = hour * 3600
    day.ended('released')
  }
  const { bars } = day.seen()
  expect(bars).toHaveLength(60)
  expect(bars.flat().reduce((sum, count) => sum + count, 0)).toBe(24)
})
