// Measures a guard's yes and no against labels. The definitions are those of scikit-learn, so that the numbers can be
// compared with published ones. The functions are pure. A measure without a value, such as a rate of nothing, is
// `undefined` and never 0.

/** One judged text: its label, and the score that the guard gave it. */
export interface Scored {
  readonly unsafe: boolean
  /** Probability of unsafe, or 1 and 0 for guards that only say yes or no. */
  readonly score: number
}

/** One judged text: its label, and whether it was flagged. */
export interface Flagged {
  readonly unsafe: boolean
  readonly flagged: boolean
}

export interface Confusion {
  readonly truePositives: number
  readonly falsePositives: number
  readonly trueNegatives: number
  readonly falseNegatives: number
}

export interface Rates {
  readonly precision: number | undefined
  readonly recall: number | undefined
  readonly f1: number | undefined
  /** The share of safe texts that are flagged. */
  readonly falsePositiveRate: number | undefined
  readonly accuracy: number | undefined
}

/** One point of a precision-recall curve: every text with at least this score is flagged. */
export interface CurvePoint {
  readonly threshold: number
  readonly precision: number
  readonly recall: number
  readonly falsePositiveRate: number
}

const share = (part: number, whole: number): number | undefined => (whole === 0 ? undefined : part / whole)

export function confusion(rows: readonly Flagged[]): Confusion {
  let [truePositives, falsePositives, trueNegatives, falseNegatives] = [0, 0, 0, 0]
  for (const { unsafe, flagged } of rows) {
    if (unsafe && flagged) truePositives++
    else if (unsafe) falseNegatives++
    else if (flagged) falsePositives++
    else trueNegatives++
  }
  return { truePositives, falsePositives, trueNegatives, falseNegatives }
}

export function rates({ truePositives, falsePositives, trueNegatives, falseNegatives }: Confusion): Rates {
  return {
    precision: share(truePositives, truePositives + falsePositives),
    recall: share(truePositives, truePositives + falseNegatives),
    f1: share(2 * truePositives, 2 * truePositives + falsePositives + falseNegatives),
    falsePositiveRate: share(falsePositives, falsePositives + trueNegatives),
    accuracy: share(truePositives + trueNegatives, truePositives + falsePositives + trueNegatives + falseNegatives),
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

/**
 * Counts texts by their labelled category (rows) and by the category that the guard named (columns). A text with
 * several categories counts in each. `safe` is a category of its own.
 */
export function confusionByCategory(
  rows: readonly { readonly expected: readonly string[]; readonly named: readonly string[] }[],
): {
  readonly categories: readonly string[]
  readonly counts: readonly (readonly number[])[]
} {
  const key = (names: readonly string[]): readonly string[] => (names.length === 0 ? ['safe'] : names)
  const categories = [...new Set(rows.flatMap(({ expected, named }) => [...key(expected), ...key(named)]))].sort(
    (a, b) => Number(a === 'safe') - Number(b === 'safe') || a.localeCompare(b, 'en', { numeric: true }),
  )
  const counts = categories.map(() => categories.map(() => 0))
  for (const { expected, named } of rows) {
    for (const row of key(expected)) {
      for (const column of key(named)) {
        const line = counts[categories.indexOf(row)]
        const at = categories.indexOf(column)
        if (line !== undefined) line[at] = (line[at] ?? 0) + 1
      }
    }
  }
  return { categories, counts }
}
