// The thresholds of a cascade: checked against trying every pair, and applied again to the scores they came from.
import * as fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { type CascadeRow, describeCascade, planCascade } from '../../../src/cli/eval/cascade.js'
import { run } from '../../../src/cli/index.js'
import { catchIo } from '../helpers.js'
import { rounds } from '../../helpers/sampled.js'

/** What a cascade with these thresholds does to the rows. */
function apply(rows: readonly CascadeRow[], safeBelow: number, unsafeAbove: number) {
  // As the cascade of the middleware: word and score have to agree.
  const answered = rows.filter(({ small }) => (small < 0.5 ? small < safeBelow : small > unsafeAbove))
  return {
    saved: answered.length,
    disagreed: answered.filter(({ small, largeUnsafe }) => small >= 0.5 !== largeUnsafe).length,
  }
}

/** The most texts saved by any two thresholds within the bound. */
function best(rows: readonly CascadeRow[], bound: number): number {
  const scores = [...new Set([0, 1, ...rows.map(({ small }) => small)])].sort((a, b) => a - b)
  const cuts = [0, 1, ...scores.slice(1).map((score, at) => (score + (scores[at] ?? 0)) / 2)]
  let most = 0
  for (const low of cuts)
    for (const high of cuts) {
      if (low > high) continue
      const { saved, disagreed } = apply(rows, low, high)
      if (disagreed <= bound * rows.length + 1e-9) most = Math.max(most, saved)
    }
  return most
}

describe('planCascade', () => {
  it('saves as much as the best of all pairs, and keeps the bound on its own rows', () => {
    const row = fc.record({
      small: fc.oneof(
        fc.constantFrom(0, 0.1, 0.25, 0.5, 0.9, 1),
        fc.integer({ min: 0, max: 1_000_000 }).map((millionths) => millionths / 1e6),
      ),
      largeUnsafe: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 24 }), fc.constantFrom(0, 0.05, 0.1, 0.3), (rows, bound) => {
        const plan = planCascade(rows, bound)
        const { saved, disagreed } = apply(rows, plan.safeBelow, plan.unsafeAbove)
        expect(plan.safeBelow).toBeLessThanOrEqual(plan.unsafeAbove)
        expect(saved).toBe(plan.saved.count)
        expect(disagreed).toBe(plan.disagreed.count)
        expect(disagreed).toBeLessThanOrEqual(bound * rows.length + 1e-9)
        expect(saved).toBeGreaterThanOrEqual(best(rows, bound))
      }),
      { numRuns: rounds(300) },
    )
  })

  it('has an answer for no texts at all', () => {
    expect(planCascade([], 0.01)).toMatchObject({ safeBelow: 0, unsafeAbove: 1, saved: { count: 0, of: 0 } })
  })
})

/** Every fiftieth text is one on which the small guard is wrong. */
const ROWS: readonly CascadeRow[] = Array.from({ length: 400 }, (_, at) => {
  const unsafe = at % 4 === 0
  const small = unsafe ? 0.6 + (at % 37) / 100 : (at % 41) / 100
  return { small: at % 50 === 1 ? 0.97 : small, largeUnsafe: unsafe, unsafe }
})

test('A plan tells what it saves and misses', () => {
  const told = describeCascade(planCascade(ROWS, 0.02), 0.02, 0.1)
  expect(told).toMatch(/safeBelow 0\.\d+, unsafeAbove 0\.\d+/)
  expect(told).toMatch(/checks of the large guard saved {2}\d+ of 400, \d+\.\d % \(\d+\.\d to \d+\.\d %\)/)
  expect(told).toMatch(/cost saved +\d+\.\d % \(.*a small check at 10\.0 % of a large one/)
  expect(told).toMatch(/missed: unsafe to the large one +0 of 100, 0\.0 % \(0\.0 to 3\.7 %\)/)
  expect(told).toMatch(/flagged: safe to the large one/)
  expect(told).toContain('Measure more texts')
  const exact = describeCascade(planCascade(ROWS, 0), 0)
  expect(exact).not.toContain('cost saved')
  expect(exact).toMatch(/decided otherwise +0 of 400/)
})

test.each([
  [['--cascade'], /has two guards/],
  [['--cascade', '--against', 'local', '--no-scores'], /Leave out --no-scores/],
])('eval %j is exit code 2 with a reason', async (flags, reason) => {
  const io = catchIo({ LLAMA_GUARD_BACKEND: 'local' })
  expect(await run(['eval', 'rows.jsonl', ...flags], io)).toBe(2)
  expect(io.err()).toMatch(reason)
})
