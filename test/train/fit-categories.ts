// The six category heads: logistic regression over words by AdaGrad, one example at a time, in a seeded order.
import { CATEGORY_BUCKETS, CATEGORY_IDS, sigmoid } from '../../src/guard/backends/local/model.js'
import type { Point } from './points.js'
import { random } from '../helpers/random.js'

const EPOCHS = 8
const RATE = 0.1
const DECAY = 1e-6
const SEED = 20240607

export interface Head {
  readonly weights: Float32Array
  readonly bias: number
}

function fit(all: readonly Point[], truth: (point: Point) => boolean, weight: (point: Point) => number): Head {
  const weights = new Float32Array(CATEGORY_BUCKETS)
  const squares = new Float32Array(CATEGORY_BUCKETS).fill(1e-8)
  const sum = (positive: boolean): number =>
    all.reduce((total, point) => total + (truth(point) === positive ? weight(point) : 0), 0)
  const balance = sum(false) / (sum(true) || 1)
  let bias = 0
  let biasSquares = 1e-8
  const order = [...all]
  const next = random(SEED)
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    for (let at = order.length - 1; at > 0; at--) {
      const other = Math.floor(next() * (at + 1))
      const [a, b] = [order[at], order[other]]
      if (a !== undefined && b !== undefined) [order[at], order[other]] = [b, a]
    }
    for (const point of order) {
      const slots = point.evidence.words.map((bucket) => bucket & (CATEGORY_BUCKETS - 1))
      const share = 1 / Math.sqrt(slots.length || 1)
      const margin = slots.reduce((total, slot) => total + (weights[slot] ?? 0) * share, bias)
      const positive = truth(point)
      const error = (sigmoid(margin) - (positive ? 1 : 0)) * weight(point) * (positive ? balance : 1)
      for (const slot of slots) {
        const before = weights[slot] ?? 0
        const slope = error * share + DECAY * before
        const square = (squares[slot] ?? 0) + slope * slope
        squares[slot] = square
        weights[slot] = before - (RATE * slope) / Math.sqrt(square)
      }
      biasSquares += error * error
      bias -= (RATE * error) / Math.sqrt(biasSquares)
    }
  }
  return { weights, bias }
}

/** One head a category, on unsafe texts alone. Where a corpus has no labels, the word list's own stand in. */
export function fitCategories(all: readonly Point[]): readonly Head[] {
  const labels = ({ example, evidence }: Point): readonly string[] =>
    example.categories === null || example.categories.length === 0 ? evidence.listed : example.categories
  const labelled = all.filter((point) => point.example.unsafe && labels(point).length > 0)
  // Half-way to balance: rare categories are heard, and do not shout.
  return CATEGORY_IDS.map((id) => {
    const caution = Math.sqrt(
      labelled.filter((point) => labels(point).includes(id)).length / (labelled.length || 1) || 1,
    )
    return fit(
      labelled,
      (point) => labels(point).includes(id),
      (point) => (labels(point).includes(id) ? caution : 1),
    )
  })
}
