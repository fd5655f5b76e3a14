// The head for "unsafe": logistic regression over words, meanings, concepts and hits of the word list
// together, solved to its one minimum.
import { BUCKETS, CONCEPTS, MEANINGS } from '../../src/guard/backends/local/features.js'
import { CATEGORY_IDS, SHARES, sigmoid, wordShare } from '../../src/guard/backends/local/model.js'
import { SOURCE_WEIGHTS } from './data.js'
import { minimise } from './minimise.js'
import type { Point } from './points.js'
import { DIMENSIONS, type Vectors } from './vectors.js'

/**
 * How much the examples count against the wish for small weights, and a meaning against a word. Chosen by
 * leave-one-family-out.
 */
const TRUST = 3
const MEANING_SHARE = 0.3

export interface Unsafe {
  readonly words: Float64Array
  readonly meanings: Float64Array
  readonly concepts: Float64Array
  readonly listed: Float64Array
  readonly bias: number
}

const MEANING_AT = BUCKETS
const CONCEPT_AT = MEANING_AT + DIMENSIONS
const LISTED_AT = CONCEPT_AT + CONCEPTS
const BIAS_AT = LISTED_AT + CATEGORY_IDS.length
const SIZE = BIAS_AT + 1

/** The examples as one matrix by rows: the places and values of each row's features, one row behind another. */
interface Rows {
  /** Where each row starts; the last entry is where all end. */
  readonly starts: Int32Array
  readonly places: Int32Array
  readonly values: Float64Array
}

function placesOf({ evidence, mean }: Point, add: (place: number, value: number) => void): void {
  const share = wordShare(evidence.words.length)
  for (const bucket of evidence.words) add(bucket, share)
  for (let at = 0; at < DIMENSIONS; at++) if (mean[at]) add(MEANING_AT + at, MEANING_SHARE * (mean[at] ?? 0))
  for (const concept of evidence.concepts) add(CONCEPT_AT + concept, SHARES.concepts)
  for (const [index, id] of CATEGORY_IDS.entries())
    if (evidence.listed.includes(id)) add(LISTED_AT + index, SHARES.listed)
  add(BIAS_AT, 1)
}

function rowsOf(all: readonly Point[]): Rows {
  const starts = new Int32Array(all.length + 1)
  const places: number[] = []
  const values: number[] = []
  for (const [index, point] of all.entries()) {
    placesOf(point, (place, value) => {
      places.push(place)
      values.push(value)
    })
    starts[index + 1] = places.length
  }
  return { starts, places: Int32Array.from(places), values: Float64Array.from(values) }
}

/** Weight of each point: its source's, and both classes the same in sum. */
function weigh(all: readonly Point[]): Float64Array {
  const weights = Float64Array.from(all, ({ example }) => SOURCE_WEIGHTS[example.source] ?? 1)
  const sum = (unsafe: boolean): number =>
    all.reduce((total, { example }, index) => total + (example.unsafe === unsafe ? (weights[index] ?? 0) : 0), 0)
  const [safe, unsafe] = [sum(false) || 1, sum(true) || 1]
  return weights.map(
    (weight, index) => (weight * all.length) / 2 / (all[index]?.example.unsafe === true ? unsafe : safe),
  )
}

export function fitUnsafe(all: readonly Point[], vectors: Vectors): Unsafe {
  const weights = weigh(all)
  const { starts, places, values } = rowsOf(all)
  const solved = minimise(SIZE, (at, gradient) => {
    let loss = 0
    for (let index = 0; index < SIZE; index++) {
      const weight = at[index] ?? 0
      loss += (weight * weight) / 2
      gradient[index] = weight
    }
    for (const [index, { example }] of all.entries()) {
      const [start = 0, end = 0] = [starts[index], starts[index + 1]]
      let margin = 0
      for (let next = start; next < end; next++) margin += (at[places[next] ?? 0] ?? 0) * (values[next] ?? 0)
      const sign = example.unsafe ? 1 : -1
      const cost = TRUST * (weights[index] ?? 0)
      const against = -sign * margin
      loss += cost * (against > 30 ? against : Math.log1p(Math.exp(against)))
      const slope = -sign * cost * sigmoid(against)
      for (let next = start; next < end; next++) {
        const place = places[next] ?? 0
        gradient[place] = (gradient[place] ?? 0) + slope * (values[next] ?? 0)
      }
    }
    return loss
  })
  const direction = solved.subarray(MEANING_AT, CONCEPT_AT)
  const meanings = new Float64Array(MEANINGS)
  for (let slot = 0; slot < MEANINGS; slot++) {
    if (vectors.known[slot] !== 1) continue
    for (let at = 0; at < DIMENSIONS; at++)
      meanings[slot] =
        (meanings[slot] ?? 0) + MEANING_SHARE * (direction[at] ?? 0) * (vectors.values[slot * DIMENSIONS + at] ?? 0)
  }
  return {
    words: solved.subarray(0, BUCKETS),
    meanings,
    concepts: solved.subarray(CONCEPT_AT, LISTED_AT),
    listed: solved.subarray(LISTED_AT, BIAS_AT),
    bias: solved[BIAS_AT] ?? 0,
  }
}
