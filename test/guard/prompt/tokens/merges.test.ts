// Byte pair encoding, beside the same in few lines that search the whole text for each merge.
import { brotliCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Merges, MOST_UNITS } from '../../../../src/guard/prompt/tokens/merges.js'
import { rounds } from '../../../helpers/sampled.js'

type Pair = readonly [left: number, right: number]

const UNITS = 4

function packed(pairs: readonly Pair[]): string {
  const bytes = [0, 1].flatMap((side) =>
    [0, 8, 16].flatMap((shift) => pairs.map((pair) => (pair[side]! >> shift) & 255)),
  )
  return brotliCompressSync(Buffer.from(bytes)).toString('base64')
}

function merged(pairs: readonly Pair[], units: readonly number[]): number[] {
  const tokens = new Map(pairs.map(([left, right], index) => [`${left} ${right}`, UNITS + index]))
  const left = [...units]
  for (;;) {
    const joined = left.slice(1).map((unit, at) => tokens.get(`${left[at]} ${unit}`) ?? Infinity)
    const first = Math.min(...joined)
    if (first === Infinity) return left
    left.splice(joined.indexOf(first), 2, first)
  }
}

/** Each pair is of units and of tokens before it. */
const vocabulary = fc
  .array(fc.tuple(fc.nat(), fc.nat()), { minLength: 1, maxLength: 30 })
  .map((numbers) => numbers.map(([left, right], index): Pair => [left % (UNITS + index), right % (UNITS + index)]))
  .map((pairs) => [...new Map(pairs.map((pair) => [pair.join(' '), pair])).values()])
const text = fc.array(fc.nat({ max: UNITS - 1 }), { maxLength: MOST_UNITS })

it('Tokens are merged earliest first and then from left to right.', () => {
  fc.assert(
    fc.property(vocabulary, text, (pairs, units) => {
      const merges = new Merges(packed(pairs), UNITS)
      merges.units.set(units)
      expect(merges.merge(units.length)).toBe(merged(pairs, units).length)
    }),
    { numRuns: rounds(200) },
  )
})
