// The solver finds the minimum that can be computed by hand, and the same one each time.
import { describe, expect, it } from 'vitest'
import { minimise } from './minimise.js'

/** (x - 3)^2 + 100 (y + 1)^2 + 1: a narrow valley. */
const valley = (at: Float64Array, gradient: Float64Array): number => {
  const [x = 0, y = 0] = at
  gradient[0] = 2 * (x - 3)
  gradient[1] = 200 * (y + 1)
  return (x - 3) ** 2 + 100 * (y + 1) ** 2 + 1
}

describe('minimise', () => {
  it('finds the bottom of a narrow valley', () => {
    const [x, y] = minimise(2, valley)
    expect(x).toBeCloseTo(3, 2)
    expect(y).toBeCloseTo(-1, 2)
  })

  it('ends at the same bits twice', () => {
    expect(minimise(2, valley)).toEqual(minimise(2, valley))
  })

  it('stays where nothing can be gained', () => {
    expect([...minimise(3, () => 0)]).toEqual([0, 0, 0])
  })
})
