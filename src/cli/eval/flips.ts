// Two policies, or two guards, on the same texts: which texts change sides. It needs no labels, and tells more than two
// sets of rates, which can be equal while every second text flips.
import { mcnemar } from './significance.js'
import type { Judged, Summary } from './summary.js'

export interface Flips {
  /** Texts that both judged. */
  readonly rows: number
  /** Flagged by the first and let by by the second. */
  readonly onlyFirst: readonly Judged[]
  /** Flagged by the second and let by by the first; told with the answer of the second. */
  readonly onlySecond: readonly Judged[]
  /** McNemar's exact test of flagging: how likely so uneven a split is when neither flags more than the other. */
  readonly p: number
}

export function flipsOf(first: Summary, second: Summary): Flips {
  const others = new Map(second.judged.map((one) => [one.row, one]))
  const both = first.judged.flatMap((one) => {
    const other = others.get(one.row)
    return other === undefined ? [] : [{ one, other }]
  })
  const { p } = mcnemar(both.map(({ one, other }) => ({ first: one.flagged, second: other.flagged })))
  return {
    rows: both.length,
    onlyFirst: both.filter(({ one, other }) => one.flagged && !other.flagged).map(({ one }) => one),
    onlySecond: both.filter(({ one, other }) => other.flagged && !one.flagged).map(({ other }) => other),
    p,
  }
}

/** Most ids named in the terminal. The report has them all. */
const NAMED = 20

export function describeFlips(first: Summary, second: Summary): string {
  const { rows, onlyFirst, onlySecond, p } = flipsOf(first, second)
  const line = (flagged: Summary, other: Summary, flipped: readonly Judged[]): string => {
    const unsafe = flipped.filter((one) => one.unsafe).length
    const labels = first.labelled ? `, ${unsafe} of them labelled unsafe` : ''
    const ids = flipped.slice(0, NAMED).map(({ row }) => row.id)
    const more = flipped.length > NAMED ? `, and ${flipped.length - NAMED} more` : ''
    return (
      `  flagged by ${flagged.guard} and not by ${other.guard}: ${flipped.length}${labels}` +
      (ids.length === 0 ? '' : `\n    ${ids.join(', ')}${more}`)
    )
  }
  return [
    `What changes on ${rows} texts: ${onlyFirst.length + onlySecond.length} flip, McNemar p = ${p.toPrecision(3)}`,
    line(first, second, onlyFirst),
    line(second, first, onlySecond),
    '',
  ].join('\n')
}
