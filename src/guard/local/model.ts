// The linear half of the baseline screen: one weight a feature for "unsafe", six for the category. Int8, decoded once when first needed.
// A sum over a table is all it does, so its cost is the cost of hashing the text.
import { Buffer } from 'node:buffer'
import { BUCKETS, type Features } from './features.js'

export const CATEGORY_IDS = ['O1', 'O2', 'O3', 'O4', 'O5', 'O6'] as const
/** The category heads read words only, from a smaller table: they say which hazard, not whether. */
export const CATEGORY_BUCKETS = 1 << 12

/** Trained numbers, as the trainer writes them. */
export interface Parameters {
  /** Base64 of `BUCKETS` int8 for unsafe, then `CATEGORY_BUCKETS` int8 for each category. */
  readonly weights: string
  /** Value of one int8 step: unsafe first, then each category. */
  readonly scales: readonly number[]
  readonly biases: readonly number[]
  /** Platt calibration of the unsafe margin: probability = sigmoid(slope * margin + offset). */
  readonly slope: number
  readonly offset: number
  /** Probability of unsafe that a hit of the word list alone stands for. */
  readonly lexicon: number
  /** Score from which a text is unsafe unless the caller says otherwise. */
  readonly threshold: number
}

export interface Model {
  /** Calibrated probability of unsafe, 0 to 1. */
  score(features: Features): number
  /** Share of each category in {@link CATEGORY_IDS}, given that the text is unsafe. */
  categories(features: Features): readonly number[]
}

export const sigmoid = (margin: number): number => 1 / (1 + Math.exp(-margin))

/** Words and characters weigh the same whatever their number, and a long text no more than a short one. */
export function margin(weights: ArrayLike<number>, { words, chars }: Features): number {
  let word = 0
  let char = 0
  for (const bucket of words) word += weights[bucket] ?? 0
  for (const bucket of chars) char += weights[bucket] ?? 0
  return word / Math.sqrt(words.length || 1) + char / Math.sqrt(chars.length || 1)
}

export function createModel(parameters: Parameters): Model {
  const bytes = Buffer.from(parameters.weights, 'base64')
  const table = (start: number, length: number): Int8Array => new Int8Array(bytes.buffer, bytes.byteOffset + start, length)
  if (bytes.length !== BUCKETS + CATEGORY_IDS.length * CATEGORY_BUCKETS) {
    throw new RangeError(`The weights of the baseline screen hold ${bytes.length} bytes, which is not what features.ts hashes to: run \`npm run train\`.`)
  }
  const unsafe = table(0, BUCKETS)
  const heads = CATEGORY_IDS.map((_, index) => table(BUCKETS + index * CATEGORY_BUCKETS, CATEGORY_BUCKETS))
  return {
    score: (found) => sigmoid(parameters.slope * (margin(unsafe, found) * (parameters.scales[0] ?? 0) + (parameters.biases[0] ?? 0)) + parameters.offset),
    categories(found) {
      const words = { words: found.words.map((bucket) => bucket & (CATEGORY_BUCKETS - 1)), chars: [] }
      return heads.map((head, index) => sigmoid(margin(head, words) * (parameters.scales[index + 1] ?? 0) + (parameters.biases[index + 1] ?? 0)))
    },
  }
}
