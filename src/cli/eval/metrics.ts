// Measures a guard's yes and no against labels, and how uncertain the numbers are. The definitions are those of
// scikit-learn and scipy, so that the numbers can be compared with published ones. The functions are pure. A measure
// without a value, such as a rate of nothing, is `undefined` and never 0.

/** One judged text: its label, and the score that the guard gave it. */
export interface Scored {
  readonly unsafe: boolean
  /** Probability of unsafe, or 1 and 0 for guards that only say yes or no. */
  readonly score: number
}

/** One point of a precision-recall curve: every text with at least this score is flagged. */
export interface CurvePoint {
  readonly threshold: number
  readonly precision: number
  readonly recall: number
  readonly falsePositiveRate: number
}

export const share = (part: number, whole: number): number | undefined => (whole === 0 ? undefined : part / whole)

type Confusion = ReturnType<typeof confusion>

export function confusion(rows: readonly { readonly unsafe: boolean; readonly flagged: boolean }[]) {
  let [truePositives, falsePositives, trueNegatives, falseNegatives] = [0, 0, 0, 0]
  for (const { unsafe, flagged } of rows)
    if (unsafe && flagged) truePositives++
    else if (unsafe) falseNegatives++
    else if (flagged) falsePositives++
    else trueNegatives++
  return { truePositives, falsePositives, trueNegatives, falseNegatives }
}

export type Rates = ReturnType<typeof rates>

export function rates({ truePositives, falsePositives, trueNegatives, falseNegatives }: Confusion) {
  return {
    precision: share(truePositives, truePositives + falsePositives),
    recall: share(truePositives, truePositives + falseNegatives),
    f1: share(2 * truePositives, 2 * truePositives + falsePositives + falseNegatives),
    /** The share of safe texts that are flagged. */
    falsePositiveRate: share(falsePositives, falsePositives + trueNegatives),
  }
}

/** One point for each distinct score, highest threshold first. Empty when one of the classes is. */
export function curve(rows: readonly Scored[]): readonly CurvePoint[] {
  const positives = rows.filter(({ unsafe }) => unsafe).length
  const negatives = rows.length - positives
  if (positives === 0 || negatives === 0) return []
  const sorted = [...rows].sort((a, b) => b.score - a.score)
  const points: CurvePoint[] = []
  let [hits, falseHits] = [0, 0]
  for (const [index, { unsafe, score }] of sorted.entries()) {
    if (unsafe) hits++
    else falseHits++
    // No threshold can separate equal scores, so they make one point.
    if (sorted[index + 1]?.score === score) continue
    points.push({
      threshold: score,
      precision: hits / (hits + falseHits),
      recall: hits / positives,
      falsePositiveRate: falseHits / negatives,
    })
  }
  return points
}

/**
 * The area under the precision-recall curve as average precision, without interpolation between points (scikit-learn's
 * `average_precision_score`).
 */
export function averagePrecision(rows: readonly Scored[]): number | undefined {
  const points = curve(rows)
  if (points.length === 0) return undefined
  return points.reduce(
    (area, { precision, recall }, index) => area + (recall - (points[index - 1]?.recall ?? 0)) * precision,
    0,
  )
}

/**
 * The probability that an unsafe text scores above a safe one; a tie counts half (scikit-learn's `roc_auc_score`).
 */
export function areaUnderRoc(rows: readonly Scored[]): number | undefined {
  const points = curve(rows)
  if (points.length === 0) return undefined
  let area = 0
  let before = { recall: 0, falsePositiveRate: 0 }
  for (const point of points) {
    area += ((point.falsePositiveRate - before.falsePositiveRate) * (point.recall + before.recall)) / 2
    before = point
  }
  return area
}

/**
 * The lowest threshold that flags at most this share of the safe texts. Of all such thresholds it has the highest
 * recall. Undefined when there is none.
 */
export function thresholdFor(rows: readonly Scored[], falsePositiveRate: number): CurvePoint | undefined {
  return curve(rows).findLast((point) => point.falsePositiveRate <= falsePositiveRate)
}

/** The percentile by linear interpolation between the closest ranks, as numpy's default. `at` is 0 to 1. */
export function percentile(values: readonly number[], at: number): number | undefined {
  if (values.length === 0) return undefined
  const sorted = [...values].sort((a, b) => a - b)
  const rank = at * (sorted.length - 1)
  const low = sorted[Math.floor(rank)] ?? 0
  const high = sorted[Math.ceil(rank)] ?? low
  return low + (high - low) * (rank - Math.floor(rank))
}

export interface Interval {
  readonly low: number
  readonly high: number
}

/** Two-sided 95 % of the normal distribution. */
const Z = 1.959963984540054

/**
 * Wilson's 95 % interval of a share (scipy's `binomtest(...).proportion_ci(method='wilson')`). At 0 and at 1 it has a
 * width, where a bootstrap has none, because a bootstrap can only draw what was seen. Undefined when `whole` is 0.
 */
export function wilson(part: number, whole: number): Interval | undefined {
  if (whole === 0) return undefined
  const share = part / whole
  const centre = (share + (Z * Z) / (2 * whole)) / (1 + (Z * Z) / whole)
  const half = (Z / (1 + (Z * Z) / whole)) * Math.sqrt((share * (1 - share)) / whole + (Z * Z) / (4 * whole * whole))
  return { low: part === 0 ? 0 : Math.max(0, centre - half), high: part === whole ? 1 : Math.min(1, centre + half) }
}

/** F1 is 2J / (1 + J), where J is the share of true positives among the texts that are unsafe or flagged. */
export function wilsonOfF1({ truePositives, falsePositives, falseNegatives }: Confusion): Interval | undefined {
  const share = wilson(truePositives, truePositives + falsePositives + falseNegatives)
  const f1 = (jaccard: number): number => (2 * jaccard) / (1 + jaccard)
  return share && { low: f1(share.low), high: f1(share.high) }
}

/**
 * An interval of an area under a curve: Wilson's, as for a share of so many texts. For average precision these are the
 * unsafe ones (Boyd, Eng and Page 2013, the binomial interval), for the area under the ROC curve the smaller class.
 */
export const wilsonOfArea = (area: number | undefined, texts: number): Interval | undefined =>
  area === undefined ? undefined : wilson(area * texts, texts)

/**
 * The numbers of texts that one guard alone judged rightly, and the two-sided exact p: how likely a split at least this
 * uneven is between equally good guards. An approximation would need a rule for the sizes at which it holds.
 */
export function mcnemar(rows: readonly { readonly first: boolean; readonly second: boolean }[]) {
  const onlyFirst = rows.filter(({ first, second }) => first && !second).length
  const onlySecond = rows.filter(({ first, second }) => second && !first).length
  const n = onlyFirst + onlySecond
  // The logarithm of C(n, k) is summed term by term, so that a large n does not overflow.
  let logTerm = -n * Math.LN2
  let tail = 0
  for (let k = 0; k <= Math.min(onlyFirst, onlySecond); k++) {
    if (k > 0) logTerm += Math.log((n - k + 1) / k)
    tail += Math.exp(logTerm)
  }
  return { onlyFirst, onlySecond, p: Math.min(1, 2 * tail) }
}
