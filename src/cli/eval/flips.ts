// Lists the texts that two policies, or two guards, decide differently. It needs no labels. Two sets of rates can be
// equal while every second text is decided differently.
import { mcnemar } from './significance.js'
import type { Judged, Summary } from './summary.js'

export interface Flips {
  /** The number of texts that both judged. */
  readonly rows: number
  /** Texts that only the first flagged. */
  readonly onlyFirst: readonly Judged[]
  /** Texts that only the second flagged, with the answer of the second. */
  readonly onlySecond: readonly Judged[]
  /** P value of McNemar's exact test, whose null hypothesis is that both flag equally often. */
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

/** The most ids that the terminal shows. The report has all of them. */
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
