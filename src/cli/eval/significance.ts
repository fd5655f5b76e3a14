// The uncertainty of measured numbers: Wilson and bootstrap intervals, and McNemar's test for two guards on the same
// texts. The random numbers are seeded, so that a report can be made again.
import type { Confusion } from './metrics.js'

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

/** The generator mulberry32. Equal seeds give equal numbers on every machine. */
export function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export interface McNemar {
  /** The number of texts that only the first guard judged rightly. `onlySecond` is the same for the second. */
  readonly onlyFirst: number
  readonly onlySecond: number
  /** Two-sided exact p: how likely a split at least this uneven is between equally good guards. */
  readonly p: number
}

/** The sum is exact at every size. An approximation would need a rule for the sizes at which it holds. */
export function mcnemar(rows: readonly { readonly first: boolean; readonly second: boolean }[]): McNemar {
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
