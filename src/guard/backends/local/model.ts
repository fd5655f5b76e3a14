// The linear model of the baseline screen: one weight a feature for "unsafe", and six heads for the category. Weights
// are int8 and are decoded on first use. The model only sums table entries, so hashing the text is most of its cost.
import { Buffer } from 'node:buffer'
import { BUCKETS, CONCEPTS, type Features, MEANINGS } from './features.js'

export const CATEGORY_IDS = ['O1', 'O2', 'O3', 'O4', 'O5', 'O6'] as const
/**
 * The category heads read words only, from a smaller table. They say which category, not whether the text is unsafe.
 */
export const CATEGORY_BUCKETS = 1 << 12

/** The weight of each kind of feature relative to words, chosen in training. */
export const SHARES = { listed: 0.5, concepts: 0.2 } as const

/** Trained numbers, as the trainer writes them. */
export interface Parameters {
  /**
   * Base64 of int8 values: `BUCKETS` for words, `MEANINGS`, `CONCEPTS`, one for each category of the word list, then
   * `CATEGORY_BUCKETS` for each category.
   */
  readonly weights: string
  /** The value of one int8 step: words, meanings, concepts, word list, then each category. */
  readonly scales: readonly number[]
  /** The bias of unsafe, then of each category. */
  readonly biases: readonly number[]
  /** Platt calibration of the unsafe margin: probability = sigmoid(slope * margin + offset). */
  readonly slope: number
  readonly offset: number
  /**
   * Added to the offset by kind of window ({@link kindOf}), so that one threshold serves all kinds. A kind in which
   * harmless texts score high gets a lower offset.
   */
  readonly shifts: readonly number[]
  /** The score from which a text is unsafe, unless the caller gives a threshold. */
  readonly threshold: number
}

/** The evidence in one window of text. */
export interface Evidence extends Features {
  /** Ids of the categories whose words or phrases the word list found. */
  readonly listed: readonly string[]
  /** Whether the text asks for something. */
  readonly asks: boolean
}

/** The most words of a brief text, which is a request of one sentence. */
const BRIEF = 15

/** The kinds of windows by number: asks briefly, asks at length, tells briefly, tells at length. */
export const KINDS = [0, 1, 2, 3] as const

export const kindOf = ({ asks, length }: Pick<Evidence, 'asks' | 'length'>): number =>
  (asks ? 0 : 2) + (length <= BRIEF ? 0 : 1)

export interface Model {
  /** Calibrated probability of unsafe, 0 to 1. */
  score(evidence: Evidence): number
  /** The share of each category in {@link CATEGORY_IDS}, given that the text is unsafe. */
  categories(features: Features): readonly number[]
}

export const sigmoid = (margin: number): number => 1 / (1 + Math.exp(-margin))

/**
 * The weight of one of `count` words or pairs. A long text weighs more than a short one, but not in proportion. The
 * constant 20 gives texts of two or three words little weight, because so few words rarely tell what is meant.
 */
export const wordShare = (count: number): number => 1 / Math.sqrt(count + 20)

/** The weight of one of `count` known meanings. Their sum is a mean that is drawn towards zero when there are few. */
export const meaningShare = (count: number): number => 1 / (count + 6)

function sumOf(weights: ArrayLike<number>, buckets: readonly number[]): number {
  let sum = 0
  for (const bucket of buckets) sum += weights[bucket] ?? 0
  return sum
}

/** A weight of zero marks an empty slot. */
function meanOfKnown(weights: ArrayLike<number>, slots: readonly number[]): number {
  let sum = 0
  let known = 0
  for (const slot of slots) {
    const weight = weights[slot] ?? 0
    if (weight !== 0) known++
    sum += weight
  }
  return sum * meaningShare(known)
}

export function createModel(parameters: Parameters): Model {
  const bytes = Buffer.from(parameters.weights, 'base64')
  let read = 0
  const table = (length: number): Int8Array =>
    new Int8Array(bytes.buffer, bytes.byteOffset + (read += length) - length, length)
  const sizes = BUCKETS + MEANINGS + CONCEPTS + CATEGORY_IDS.length * (1 + CATEGORY_BUCKETS)
  if (bytes.length !== sizes)
    throw new RangeError(
      `The weights of the baseline screen hold ${bytes.length} bytes where its features want ${sizes}: ` +
        'run `npm run train`.',
    )
  const [words, meanings, concepts, listed] = [
    table(BUCKETS),
    table(MEANINGS),
    table(CONCEPTS),
    table(CATEGORY_IDS.length),
  ]
  const heads = CATEGORY_IDS.map(() => table(CATEGORY_BUCKETS))
  const scale = (index: number): number => parameters.scales[index] ?? 0
  return {
    score(evidence) {
      let margin =
        (parameters.biases[0] ?? 0) +
        sumOf(words, evidence.words) * wordShare(evidence.words.length) * scale(0) +
        meanOfKnown(meanings, evidence.meanings) * scale(1)
      for (const concept of evidence.concepts) margin += (concepts[concept] ?? 0) * scale(2) * SHARES.concepts
      for (const id of evidence.listed)
        margin += (listed[CATEGORY_IDS.indexOf(id as (typeof CATEGORY_IDS)[number])] ?? 0) * scale(3) * SHARES.listed
      return sigmoid(parameters.slope * margin + parameters.offset + (parameters.shifts[kindOf(evidence)] ?? 0))
    },
    categories(found) {
      const buckets = found.words.map((bucket) => bucket & (CATEGORY_BUCKETS - 1))
      const share = 1 / Math.sqrt(buckets.length || 1)
      return heads.map((head, index) =>
        sigmoid(sumOf(head, buckets) * share * scale(index + 4) + (parameters.biases[index + 1] ?? 0)),
      )
    },
  }
}
