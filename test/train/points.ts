// An example as the fits see it: the same evidence that the guard reads, plus the mean vector of its words.
import { features } from '../../src/guard/backends/local/features.js'
import { type Evidence, meaningShare } from '../../src/guard/backends/local/model.js'
import { windows } from '../../src/guard/backends/local/screen.js'
import type { Example } from './seeds.js'
import { DIMENSIONS, type Vectors } from './vectors.js'

export interface Point {
  readonly example: Example
  readonly evidence: Evidence
  /** Vector of the known words together, as the guard averages them. */
  readonly mean: Float64Array
}

function meanOf({ values, known }: Vectors, slots: readonly number[]): Float64Array {
  const mean = new Float64Array(DIMENSIONS)
  const found = slots.filter((slot) => known[slot] === 1)
  const share = meaningShare(found.length)
  for (const slot of found)
    for (let at = 0; at < DIMENSIONS; at++) mean[at] = (mean[at] ?? 0) + (values[slot * DIMENSIONS + at] ?? 0) * share
  return mean
}

/** The first window of an unsafe text, every window of a safe one: only "safe" is true of each part. */
export function points(examples: readonly Example[], vectors: Vectors): Point[] {
  return examples.flatMap((example) => {
    const parts = windows(example.text)
    return (example.unsafe ? parts.slice(0, 1) : parts).map((part) => {
      const found = features(part.words, part.first, part.end)
      return {
        example,
        evidence: { ...found, listed: part.listed.categories, asks: part.listed.asks },
        mean: meanOf(vectors, found.meanings),
      }
    })
  })
}
