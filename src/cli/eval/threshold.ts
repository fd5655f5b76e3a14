// Recommends a threshold and prints it with as many digits as it takes to flag the same texts. Its rates are measured
// with these digits, because a threshold that is rounded up may flag nothing.
import { confusion, type CurvePoint, rates, type Rates, type Scored, thresholdFor } from './metrics.js'

export interface Advice {
  /** The most false positives that were asked for. */
  readonly target: number
  /** Undefined when no threshold meets the target. */
  readonly point?: CurvePoint
  /** What to set: `LLAMA_GUARD_THRESHOLD`. */
  readonly threshold?: string
  /** The rates of the rows under that threshold. */
  readonly measured?: Rates
}

/** Fewer digits would move the threshold too far from the measured score. */
const LEAST_DIGITS = 4
/** A double has no more significant digits than this. */
const MOST_DIGITS = 20

export function adviseThreshold(rows: readonly Scored[], target: number): Advice {
  const point = thresholdFor(rows, target)
  if (point === undefined) return { target }
  const below = rows.reduce(
    (highest, { score }) => (score < point.threshold && score > highest ? score : highest),
    point.threshold > 0 ? 0 : Number.NEGATIVE_INFINITY,
  )
  const threshold = shortest(below, point.threshold)
  const applied = Number(threshold)
  const measured = rates(confusion(rows.map(({ unsafe, score }) => ({ unsafe, flagged: score >= applied }))))
  // The printed threshold is checked, because the guard will be set to exactly this text.
  if (measured.recall !== point.recall || measured.falsePositiveRate !== point.falsePositiveRate)
    throw new RangeError(`The threshold ${threshold} does not flag what ${point.threshold} flags.`)
  return { target, point, threshold, measured }
}

/** A decimal without the zeros at its end. */
function withoutZeros(decimal: string): string {
  let end = decimal.length
  while (decimal[end - 1] === '0') end -= 1
  return decimal.slice(0, decimal[end - 1] === '.' ? end - 1 : end)
}

/** A decimal above `below` and not above `score`, with four digits, or more where the two are closer. */
export function shortest(below: number, score: number): string {
  for (let digits = LEAST_DIGITS; digits <= MOST_DIGITS; digits++) {
    const scale = 10 ** digits
    for (const text of [score.toFixed(digits), (Math.floor(score * scale) / scale).toFixed(digits)])
      if (Number(text) <= score && Number(text) > below) return withoutZeros(text)
  }
  return String(score)
}
