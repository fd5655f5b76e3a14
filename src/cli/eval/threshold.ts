// The threshold to recommend, as a person will write it down: with the digits it takes to flag exactly the same texts,
// and with the numbers it has when those digits are applied to the rows. A threshold that is rounded up flags nothing.
import { confusion, type CurvePoint, rates, type Rates, type Scored, thresholdFor } from './metrics.js'

export interface Advice {
  /** The most false positives that were asked for. */
  readonly target: number
  /** Undefined when no threshold keeps the promise. */
  readonly point?: CurvePoint
  /** What to set: `LLAMA_GUARD_THRESHOLD`. */
  readonly threshold?: string
  /** The rates of the rows under that threshold. */
  readonly measured?: Rates
}

/** Fewer would move the threshold further from the score that earned it than a person means to. */
const LEAST_DIGITS = 4
/** A double has no more digits that matter. */
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
  // Checked and not trusted: what is printed is what the guard will be set to.
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
