// Chooses the two thresholds of a cascade from the scores of a small and a large guard on the same texts. Below the
// lower threshold the small guard's `safe` is final, above the upper one its `unsafe`. Between them the large guard
// is asked. Pure, and linear after one sort.
import { type CascadeThresholds, isSure } from '../../guard/panel.js'
import { type Interval, wilson } from './metrics.js'

export interface CascadeRow {
  /** Probability of unsafe from the small guard. */
  readonly small: number
  /** The large guard's own decision. */
  readonly largeUnsafe: boolean
  /** The label, where the text has one. */
  readonly unsafe?: boolean
}

export interface Share {
  readonly count: number
  readonly of: number
  readonly interval: Interval | undefined
}

export interface CascadePlan {
  /** A `safe` of the small guard with a score below this is final. Zero: none is. */
  readonly safeBelow: number
  /** An `unsafe` of the small guard with a score above this is final. One: none is. */
  readonly unsafeAbove: number
  /** The share of texts for which the large guard is not asked. */
  readonly saved: Share
  /** The share of texts on which the cascade and the large guard alone decide differently. */
  readonly disagreed: Share
  /** The share, among the texts that the large guard calls unsafe, that the small guard passes. */
  readonly missed: Share
  /** The share, among the texts that the large guard calls safe, that the small guard flags. */
  readonly flagged: Share
  /** The share, among the texts labelled unsafe that the large guard flags, that the cascade passes. */
  readonly missedLabelled: Share
}

/** The small guard's word. Its verdict is final only when word and score agree. */
const saysUnsafe = ({ small }: CascadeRow): boolean => small >= 0.5

/**
 * The thresholds with which the small guard answers the most texts, while at most this share of all texts is decided
 * differently.
 */
export function planCascade(rows: readonly CascadeRow[], bound: number): CascadePlan {
  const sorted = [...rows].sort((a, b) => a.small - b.small)
  const size = sorted.length
  const budget = Math.floor(bound * size + 1e-9)
  const scores = sorted.map(({ small }) => small)
  const safeWords = sumsOf(sorted.map((row) => !saysUnsafe(row)))
  // Two runs that meet are split where the small guard's word changes, so that each run ends at its own threshold.
  const change = scores.findIndex((score) => score >= 0.5)
  const low = longest(
    sorted,
    budget,
    (row) => !saysUnsafe(row) && row.largeUnsafe,
    (count) => countable(scores, count),
  )
  const high = longest(
    [...sorted].reverse(),
    budget,
    (row) => saysUnsafe(row) && !row.largeUnsafe,
    (count) => countable(scores, size - count),
  )
  let best = { below: 0, above: 0, answered: 0 }
  for (let errors = 0; errors <= budget; errors++) {
    let below = low[errors] ?? 0
    let above = high[budget - errors] ?? 0
    if (below + above > size) {
      below = Math.min(below, Math.max(size - above, change < 0 ? size : change))
      above = size - below
    }
    const answered = (safeWords[below] ?? 0) + above - ((safeWords[size] ?? 0) - (safeWords[size - above] ?? 0))
    if (answered > best.answered) best = { below, above, answered }
  }
  return describe(sorted, scores, best)
}

/** For each count, the number of true values among the first so many. */
function sumsOf(values: readonly boolean[]): readonly number[] {
  const sums = [0]
  for (const value of values) sums.push((sums.at(-1) ?? 0) + Number(value))
  return sums
}

/**
 * For each number of errors, the longest run from the start that has no more errors and ends where a threshold can
 * stand.
 */
function longest(
  rows: readonly CascadeRow[],
  budget: number,
  wrong: (row: CascadeRow) => boolean,
  mayEnd: (count: number) => boolean,
): readonly number[] {
  const found = Array.from({ length: budget + 1 }, () => 0)
  let errors = 0
  for (const [index, row] of rows.entries()) {
    if (wrong(row)) errors++
    if (errors > budget) break
    if (mayEnd(index + 1)) found[errors] = index + 1
  }
  for (let at = 1; at <= budget; at++) found[at] = Math.max(found[at] ?? 0, found[at - 1] ?? 0)
  return found
}

/** True when a threshold can separate the lowest `count` texts from the rest. It cannot separate equal scores. */
function countable(scores: readonly number[], count: number): boolean {
  const below = scores[count - 1] ?? -1
  const above = scores[count] ?? 2
  if (below < 0) return above > 0
  if (above > 1) return below < 1
  const middle = middleOf(below, above)
  return middle > below && middle < above
}

const middleOf = (below: number, above: number): number => below + (above - below) / 2

/** A number strictly between two scores and within 0 to 1, with as few digits as possible. */
function between(below: number, above: number): number {
  if (below < 0) return 0
  if (above > 1) return 1
  const middle = middleOf(below, above)
  for (let digits = 1; digits <= 17; digits++) {
    const value = Number(middle.toFixed(digits))
    if (value > below && value < above) return value
  }
  return middle
}

function describe(
  sorted: readonly CascadeRow[],
  scores: readonly number[],
  { below, above }: { below: number; above: number },
): CascadePlan {
  const size = sorted.length
  const thresholds: CascadeThresholds = {
    safeBelow: below === 0 ? 0 : between(scores[below - 1] ?? 0, scores[below] ?? 2),
    unsafeAbove: above === 0 ? 1 : between(scores[size - above - 1] ?? -1, scores[size - above] ?? 1),
  }
  const sure = sorted.filter((row) => isSure({ safe: !saysUnsafe(row), score: row.small, categories: [] }, thresholds))
  const missed = sure.filter((row) => !saysUnsafe(row) && row.largeUnsafe)
  const flagged = sure.filter((row) => saysUnsafe(row) && !row.largeUnsafe)
  const found = sorted.filter(({ largeUnsafe }) => largeUnsafe)
  const share = (count: number, of: number): Share => ({ count, of, interval: wilson(count, of) })
  const labelled = (rows: readonly CascadeRow[]): number => rows.filter(({ unsafe }) => unsafe === true).length
  return {
    ...thresholds,
    saved: share(sure.length, size),
    disagreed: share(missed.length + flagged.length, size),
    missed: share(missed.length, found.length),
    flagged: share(flagged.length, size - found.length),
    missedLabelled: share(labelled(missed), labelled(found)),
  }
}

/** A share and its interval in per cent, for people. */
export const percent = ({ count, of, interval }: Share): string =>
  of === 0
    ? '–'
    : `${count} of ${of}, ${shown(count / of)} %` +
      (interval === undefined ? '' : ` (${shown(interval.low)} to ${shown(interval.high)} %)`)

const shown = (share: number): string => (100 * share).toFixed(1)

/** The plan as text. `costRatio` is the cost of a small check divided by that of a large one, where it is known. */
export function describeCascade(plan: CascadePlan, bound: number, costRatio: number | undefined): string {
  const { saved, disagreed, missed, flagged, missedLabelled, safeBelow, unsafeAbove } = plan
  const none = saved.count === 0
  const lines = [
    none
      ? `Cascade: no two thresholds keep the disagreement at or below ${shown(bound)} % and save a check.`
      : `Cascade for a disagreement of at most ${shown(bound)} %: safeBelow ${safeBelow}, unsafeAbove ${unsafeAbove}`,
    `  checks of the large guard saved  ${percent(saved)}`,
    `  cost saved                       ${costOf(saved, costRatio)}`,
    `  decided otherwise                ${percent(disagreed)}`,
    `  missed: unsafe to the large one  ${percent(missed)}`,
    `  flagged: safe to the large one   ${percent(flagged)}`,
    ...(missedLabelled.of === 0 ? [] : [`  missed of those labelled unsafe   ${percent(missedLabelled)}`]),
  ]
  if (!none && (disagreed.interval?.high ?? 1) > bound)
    lines.push(
      `  These texts cannot show that the disagreement stays at or below ${shown(bound)} %: its interval reaches ` +
        `${shown(disagreed.interval?.high ?? 1)} %. Measure more texts.`,
    )
  lines.push('  Chosen on these very texts: check the two thresholds on others.')
  return `${lines.join('\n')}\n`
}

/** Every text costs a small check. The large check is added for the remaining texts. */
function costOf({ count, of, interval }: Share, ratio: number | undefined): string {
  if (ratio === undefined) return 'not known: give --cost-ratio, the price of a small check over that of a large one'
  const net = (share: number): string => shown(share - ratio)
  if (of === 0 || interval === undefined) return '–'
  return `${net(count / of)} % (${net(interval.low)} to ${net(interval.high)} %), a small check at ${shown(ratio)} % of a large one`
}
