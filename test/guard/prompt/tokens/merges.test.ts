// Byte pair encoding, beside the same in few lines that search the whole text for each merge.
import { brotliCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Merges, MOST_UNITS } from '../../../../src/guard/prompt/tokens/merges.js'
import { rounds } from '../../../helpers/sampled.js'

type Pair = readonly [left: number, right: number]

const UNITS = 4

function packed(pairs: readonly Pair[]): string {
  return brotliCompressSync(Buffer.from(Uint16Array.from(pairs.flat()).buffer)).toString('base64')
}

function merged(pairs: readonly Pair[], units: readonly number[], limit: number): number[] {
  const tokens = new Map(pairs.map(([left, right], index) => [`${left} ${right}`, UNITS + index]))
  const left = [...units]
  for (;;) {
    const joined = left.slice(1).map((unit, at) => tokens.get(`${left[at]} ${unit}`) ?? Infinity)
    const first = Math.min(...joined)
    if (first >= limit) return left
    left.splice(joined.indexOf(first), 2, first)
  }
}

/** Each pair is of units and of tokens before it. */
const vocabulary = fc
  .array(fc.tuple(fc.nat(), fc.nat()), { minLength: 1, maxLength: 30 })
  .map((numbers) => numbers.map(([left, right], index): Pair => [left % (UNITS + index), right % (UNITS + index)]))
  .map((pairs) => [...new Map(pairs.map((pair) => [pair.join(' '), pair])).values()])
const text = fc.array(fc.nat({ max: UNITS - 1 }), { maxLength: MOST_UNITS })

it('Tokens are merged earliest first and then from left to right, up to a limit.', () => {
  fc.assert(
    fc.property(vocabulary, text, fc.nat({ max: UNITS + 30 }), (pairs, units, limit) => {
      const merges = new Merges(packed(pairs), UNITS)
      for (const most of [limit, undefined]) {
        merges.units.set(units)
        expect(merges.merge(units.length, most)).toBe(merged(pairs, units, most ?? 1e9).length)
      }
    }),
    { numRuns: rounds(200) },
  )
})
