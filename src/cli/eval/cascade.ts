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
  const change = sorted.findIndex(saysUnsafe)
  const middle = change < 0 ? size : change
  const low = longest(sorted.slice(0, middle), budget)
  const high = longest(sorted.slice(middle).reverse(), budget)
  // So many of the lowest texts and of the highest are answered.
  let [below, above] = [0, 0]
  for (let errors = 0; errors <= budget; errors++) {
    const [fromBelow, fromAbove] = [low[errors]!, high[budget - errors]!]
    if (fromBelow + fromAbove > below + above) [below, above] = [fromBelow, fromAbove]
  }
  const score = (at: number, otherwise: number): number => sorted[at]?.small ?? otherwise
  return describe(sorted, {
    safeBelow: below === 0 ? 0 : between(score(below - 1, 0), score(below, 1)),
    unsafeAbove: above === 0 ? 1 : between(score(size - above - 1, 0), score(size - above, 1)),
  })
}

/**
 * For each number of errors, the longest run from the start that has no more of them. It ends where the score changes,
 * because no threshold can separate equal scores.
 */
function longest(rows: readonly CascadeRow[], budget: number): readonly number[] {
  const found = Array.from({ length: budget + 1 }, () => 0)
  let errors = 0
  for (const [at, row] of rows.entries()) {
    if (saysUnsafe(row) !== row.largeUnsafe) errors++
    if (errors > budget) break
    if (rows[at + 1]?.small !== row.small) found[errors] = at + 1
  }
  for (let at = 1; at <= budget; at++) found[at] = Math.max(found[at]!, found[at - 1]!)
  return found
}

/** A number between two scores, with as few digits as possible. */
function between(below: number, above: number): number {
  const middle = below + (above - below) / 2
  for (let digits = 1; digits <= 17; digits++) {
    const value = Number(middle.toFixed(digits))
    if (value > below && value < above) return value
  }
  return middle
}

/** What the thresholds do to the texts they were chosen on. */
function describe(sorted: readonly CascadeRow[], thresholds: CascadeThresholds): CascadePlan {
  const sure = sorted.filter((row) => isSure({ safe: !saysUnsafe(row), score: row.small, categories: [] }, thresholds))
  const missed = sure.filter((row) => !saysUnsafe(row) && row.largeUnsafe)
  const flagged = sure.filter((row) => saysUnsafe(row) && !row.largeUnsafe)
  const found = sorted.filter(({ largeUnsafe }) => largeUnsafe)
  const share = (count: number, of: number): Share => ({ count, of, interval: wilson(count, of) })
  const labelled = (rows: readonly CascadeRow[]): number => rows.filter(({ unsafe }) => unsafe === true).length
  return {
    ...thresholds,
    saved: share(sure.length, sorted.length),
    disagreed: share(missed.length + flagged.length, sorted.length),
    missed: share(missed.length, found.length),
    flagged: share(flagged.length, sorted.length - found.length),
    missedLabelled: share(labelled(missed), labelled(found)),
  }
}

/** A share and its interval in per cent, for people. */
const percent = ({ count, of, interval }: Share): string =>
  of === 0
    ? '–'
    : `${count} of ${of}, ${shown(count / of)} %` +
      (interval === undefined ? '' : ` (${shown(interval.low)} to ${shown(interval.high)} %)`)

const shown = (share: number): string => (100 * share).toFixed(1)

/** The plan as text. `costRatio`: the cost of a small check over that of a large one, where it is known. */
export function describeCascade(plan: CascadePlan, bound: number, costRatio?: number): string {
  const { saved, disagreed, missed, flagged, missedLabelled, safeBelow, unsafeAbove } = plan
  const none = saved.count === 0
  const lines = [
    none
      ? `Cascade: no two thresholds keep the disagreement at or below ${shown(bound)} % and save a check.`
      : `Cascade for a disagreement of at most ${shown(bound)} %: safeBelow ${safeBelow}, unsafeAbove ${unsafeAbove}`,
    `  checks of the large guard saved  ${percent(saved)}`,
    ...(costRatio === undefined ? [] : [`  cost saved                       ${costOf(saved, costRatio)}`]),
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
function costOf({ count, of, interval = { low: 0, high: 0 } }: Share, ratio: number): string {
  const net = (share: number): string => shown(share - ratio)
  return (
    `${net(count / of)} % (${net(interval.low)} to ${net(interval.high)} %), a small check at ${shown(ratio)} % of a ` +
    'large one, their times here'
  )
}
