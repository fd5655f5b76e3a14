// The last minute against an exact one: quantiles within a tenth, seconds that leave in time, and a size that stays.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { LastMinute } from '../../src/dashboard/last-minute.js'

it('Quantiles are within a tenth of the exact ones, for any durations.', () => {
  const duration = fc.double({ min: 0.2, max: 60_000, noNaN: true })
  fc.assert(
    fc.property(fc.array(duration, { minLength: 1, maxLength: 200 }), (durations) => {
      const minute = new LastMinute(() => 7)
      for (const ms of durations) minute.judged('input', ms)
      const sorted = [...durations].sort((a, b) => a - b)
      const { judged, p50, p99 } = minute.latency('input')
      expect(judged).toBe(durations.length)
      for (const [value, share] of [
        [p50!, 0.5],
        [p99!, 0.99],
      ] as const) {
        const exact = sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)]!
        expect(Math.abs(value - exact) / exact).toBeLessThan(0.1)
      }
    }),
    { numRuns: 200 },
  )
})

it('Odd durations are counted, and break nothing.', () => {
  const minute = new LastMinute(() => 7)
  for (const ms of [0, -1, NaN, Infinity, 1e12]) minute.judged('output', ms)
  expect(minute.latency('output').judged).toBe(5)
  expect(minute.latency('input')).toEqual({ judged: 0 })
})

it('A second leaves after a minute, and the oldest comes first.', () => {
  let now = 100
  const minute = new LastMinute(() => now)
  minute.ended('blocked')
  minute.judged('input', 5)
  const blocked = (): number[] => minute.endings().map((second) => second.blocked)
  expect(blocked().at(-1)).toBe(1)
  now = 159
  minute.ended('released')
  expect([blocked().length, blocked()[0], blocked().at(-1)]).toEqual([60, 1, 0])
  expect(minute.latency('input').judged).toBe(1)
  now = 160
  expect(blocked().every((count) => count === 0)).toBe(true)
  expect(minute.latency('input').judged).toBe(0)
  minute.ended('unjudged')
  expect(minute.endings().at(-1)).toEqual({ released: 0, blocked: 0, unjudged: 1 })
  now = 100_000
  expect(minute.endings().every(({ released, unjudged }) => released + unjudged === 0)).toBe(true)
})
