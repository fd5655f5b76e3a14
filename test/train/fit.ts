// Logistic regression by AdaGrad, one example at a time, in a seeded order: the same data gives the same bytes.
import { features } from '../../src/guard/local/features.js'
import { CATEGORY_BUCKETS, CATEGORY_IDS, sigmoid } from '../../src/guard/local/model.js'
import { hazards } from '../../src/guard/local/lexicon.js'
import { windows } from '../../src/guard/local/screen.js'
import { BUCKETS } from '../../src/guard/local/features.js'
import { SOURCE_WEIGHTS } from './data.js'
import type { Example } from './seeds.js'

const EPOCHS = 8
const RATE = 0.025
const CATEGORY_RATE = 0.1
const DECAY = 1e-6
const SEED = 20240607

/** An example as the fit sees it. */
export interface Point {
  readonly example: Example
  readonly words: Uint32Array
  readonly chars: Uint32Array
  readonly listed: readonly string[]
}

export interface Head {
  readonly weights: Float32Array
  readonly bias: number
}

/** mulberry32: small, seeded, the same on every machine. */
export function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** The first window of an unsafe text, every window of a safe one: only "safe" is true of each part. */
export function points(examples: readonly Example[]): Point[] {
  return examples.flatMap((example) => {
    const parts = windows(example.text)
    return (example.unsafe ? parts.slice(0, 1) : parts).map((part) => {
      const { words, chars } = features(part)
      return { example, words: Uint32Array.from(words), chars: Uint32Array.from(chars), listed: hazards(part) }
    })
  })
}

interface Task {
  readonly buckets: number
  readonly rate: number
  readonly chars: boolean
  readonly truth: (point: Point) => boolean
  readonly weight: (point: Point) => number
}

function fit(all: readonly Point[], task: Task): Head {
  const weights = new Float32Array(task.buckets)
  const squares = new Float32Array(task.buckets).fill(1e-8)
  const mask = task.buckets - 1
  const sum = (positive: boolean): number => all.reduce((total, point) => total + (task.truth(point) === positive ? task.weight(point) : 0), 0)
  const balance = sum(false) / (sum(true) || 1)
  let bias = 0
  let biasSquares = 1e-8
  const order = all.map((_, index) => index)
  const next = random(SEED)
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    for (let at = order.length - 1; at > 0; at--) {
      const other = Math.floor(next() * (at + 1))
      ;[order[at], order[other]] = [order[other] ?? 0, order[at] ?? 0]
    }
    for (const index of order) {
      const point = all[index]
      if (point === undefined) continue
      const blocks = [point.words, ...(task.chars ? [point.chars] : [])].map((buckets) => ({ buckets, share: 1 / Math.sqrt(buckets.length || 1) }))
      let margin = bias
      for (const { buckets, share } of blocks) for (const bucket of buckets) margin += (weights[bucket & mask] ?? 0) * share
      const positive = task.truth(point)
      const error = (sigmoid(margin) - (positive ? 1 : 0)) * task.weight(point) * (positive ? balance : 1)
      for (const { buckets, share } of blocks) {
        for (const bucket of buckets) {
          const slot = bucket & mask
          const weight = weights[slot] ?? 0
          const slope = error * share + DECAY * weight
          const square = (squares[slot] ?? 0) + slope * slope
          squares[slot] = square
          weights[slot] = weight - (task.rate * slope) / Math.sqrt(square)
        }
      }
      biasSquares += error * error
      bias -= (task.rate * error) / Math.sqrt(biasSquares)
    }
  }
  return { weights, bias }
}

export function fitUnsafe(all: readonly Point[]): Head {
  return fit(all, { buckets: BUCKETS, rate: RATE, chars: true, truth: ({ example }) => example.unsafe, weight: ({ example }) => SOURCE_WEIGHTS[example.source] ?? 1 })
}

/** One head a category, on unsafe texts alone. Where a corpus has no labels, the word list's own stand in. */
export function fitCategories(all: readonly Point[]): readonly Head[] {
  const labels = ({ example, listed }: Point): readonly string[] => (example.categories === null || example.categories.length === 0 ? listed : example.categories)
  const labelled = all.filter((point) => point.example.unsafe && labels(point).length > 0)
  // Half-way to balance: rare categories are heard, and do not shout.
  return CATEGORY_IDS.map((id) => {
    const share = labelled.filter((point) => labels(point).includes(id)).length / (labelled.length || 1)
    const caution = Math.sqrt(share || 1)
    return fit(labelled, { buckets: CATEGORY_BUCKETS, rate: CATEGORY_RATE, chars: false, truth: (point) => labels(point).includes(id), weight: (point) => (labels(point).includes(id) ? caution : 1) })
  })
}
