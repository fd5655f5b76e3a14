// Sums outcomes up in the numbers that the terminal and the report print. The functions are pure.
import type { Outcome } from './judge-all.js'
import {
  areaUnderRoc,
  averagePrecision,
  confusion,
  curve,
  mcnemar,
  percentile,
  rates,
  type Scored,
  thresholdFor,
  wilson,
  wilsonOfArea,
  wilsonOfF1,
} from './metrics.js'
import type { Row } from './rows.js'
import { calibration, categoryRates, type Judged, operatingPoints, slices } from './operating.js'

export type { Judged } from './operating.js'

export type Measured = 'precision' | 'recall' | 'f1' | 'falsePositiveRate' | 'auprc' | 'auroc'

export type Summary = ReturnType<typeof summarise>

export interface SummaryOptions {
  /** The share of safe texts that may be flagged, for the recommended threshold. */
  readonly targetFalsePositiveRate: number
  /** False when the rows have no labels. Default: true. */
  readonly labelled?: boolean
  /** The threshold in use. Default: the guard's own word decides. */
  readonly threshold?: number
}

export function summarise(
  guard: string,
  rows: readonly Row[],
  outcomes: readonly (Outcome | undefined)[],
  options: SummaryOptions,
) {
  const judged: Judged[] = []
  const failed: Record<string, number> = {}
  let left = 0
  for (const [index, row] of rows.entries()) {
    const outcome = outcomes[index]
    if (outcome === undefined) left++
    else if ('failed' in outcome) failed[outcome.failed] = (failed[outcome.failed] ?? 0) + 1
    else judged.push({ ...outcome, row, unsafe: row.unsafe, flagged: !outcome.safe })
  }
  // A curve needs a score for every row. A curve of the rows that have one would be wrong.
  const scores = judged.flatMap(({ unsafe, score }) => (score === undefined ? [] : { unsafe, score }))
  const isLabelled = options.labelled !== false
  const scored = isLabelled && judged.length > 0 && scores.length === judged.length
  const counts = confusion(judged)
  const { precision, recall, f1, falsePositiveRate } = rates(counts)
  const { truePositives, falsePositives, trueNegatives, falseNegatives } = counts
  const best = scored ? thresholdFor(scores, options.targetFalsePositiveRate) : undefined
  const recommended = best && { ...best, threshold: shortened(best.threshold, scores) }
  const auprc = scored ? averagePrecision(scores) : undefined
  const auroc = scored ? areaUnderRoc(scores) : undefined
  const unsafe = truePositives + falseNegatives
  const times = judged.flatMap(({ ms }) => ms ?? [])
  return {
    guard,
    /** False when the texts have no labels. Then there are no rates, and `unsafe` means nothing. */
    labelled: isLabelled,
    judged,
    /** The number of rows that could not be judged, by error code. They count in no rate. */
    failed,
    /** The number of rows that were not reached before an interrupt. */
    left,
    confusion: counts,
    values: { precision, recall, f1, falsePositiveRate, auprc, auroc },
    intervals: {
      precision: wilson(truePositives, truePositives + falsePositives),
      recall: wilson(truePositives, unsafe),
      f1: f1 === undefined ? undefined : wilsonOfF1(counts),
      falsePositiveRate: wilson(falsePositives, falsePositives + trueNegatives),
      auprc: wilsonOfArea(auprc, unsafe),
      auroc: wilsonOfArea(auroc, Math.min(unsafe, judged.length - unsafe)),
    } satisfies Record<Measured, unknown>,
    slices: isLabelled ? slices(judged) : [],
    byCategory: categoryRates(judged),
    // What needs scores is empty or undefined where the guard gives none.
    curve: scored ? curve(scores) : [],
    points: scored ? operatingPoints(judged, options.threshold, recommended?.threshold) : [],
    calibration: scored ? calibration(scores) : undefined,
    recommended,
    /** Milliseconds of the judgements that had no neighbour. */
    latency: { p50: percentile(times, 0.5), p99: percentile(times, 0.99) },
  }
}

/** With four digits, where these flag the same texts. */
function shortened(threshold: number, rows: readonly Scored[]): number {
  const short = Math.floor(threshold * 10_000) / 10_000
  return rows.some(({ score }) => score >= short && score < threshold) ? threshold : short
}

export type Comparison = ReturnType<typeof compare>

/** Compares two guards on the rows that both judged. Two sets of rates can be equal while every second text flips. */
export function compare(first: Summary, second: Summary) {
  const others = new Map(second.judged.map((one) => [one.row, one]))
  const both = first.judged.flatMap((one) => {
    const other = others.get(one.row)
    return other === undefined ? [] : [{ one, other }]
  })
  const flips = both.filter(({ one, other }) => one.flagged !== other.flagged)
  return {
    rows: both.length,
    /** Which of the two is right where the other is not. */
    right: mcnemar(
      both.map(({ one, other }) => ({ first: one.flagged === one.unsafe, second: other.flagged === other.unsafe })),
    ),
    /** The texts that only the first flagged, and those that only the second did, with the answer of the second. */
    flips: [
      flips.flatMap(({ one }) => (one.flagged ? one : [])),
      flips.flatMap(({ other }) => (other.flagged ? other : [])),
    ] as const,
    /** P value of McNemar's exact test, whose null hypothesis is that both flag equally often. */
    p: mcnemar(both.map(({ one, other }) => ({ first: one.flagged, second: other.flagged }))).p,
  }
}
