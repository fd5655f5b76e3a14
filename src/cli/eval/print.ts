// Prints the numbers of an evaluation: a block for each guard, and a table of both when there are two.
import { describeFlips } from './flips.js'
import { wilson } from './significance.js'
import { compare, type Measured, type Summary } from './summary.js'

export const number = (value: number | undefined): string => (value === undefined ? '–' : value.toFixed(3))

const milliseconds = (ms: number | undefined): string => `${ms?.toFixed(1) ?? '–'} ms`

export function printed(summaries: readonly Summary[]): string {
  const [first, second] = summaries
  const blocks = summaries.map((summary) => `${block(summary)}\n`)
  if (first === undefined || second === undefined) return blocks.join('')
  return [...blocks, first.labelled ? `${sideBySide(first, second)}\n` : '', versus(first, second)].join('')
}

function block(summary: Summary): string {
  const missing = [
    ...Object.entries(summary.failed).map(([code, count]) => `  ${count} not judged: ${code}`),
    ...(summary.left > 0 ? [`  ${summary.left} not reached`] : []),
  ]
  const { p50, p99 } = summary.latency
  return [
    `${summary.guard}: ${summary.judged.length} judged`,
    ...missing,
    ...(summary.labelled ? [...measures(summary), advice(summary)] : [flaggedShare(summary)]),
    `  latency p50 ${milliseconds(p50)}, p99 ${milliseconds(p99)}`,
    ...(summary.labelled ? groups(summary) : []),
    '',
  ].join('\n')
}

function measures({ values, intervals }: Summary): string[] {
  return (Object.entries(values) as [Measured, number | undefined][]).map(([name, value]) => {
    const sure = intervals[name]
    const interval = sure === undefined ? '' : `  (${number(sure.low)} to ${number(sure.high)})`
    return `  ${name.padEnd(18)} ${number(value)}${interval}`
  })
}

function flaggedShare({ judged }: Summary): string {
  const flagged = judged.filter((one) => one.flagged).length
  const sure = wilson(flagged, judged.length)
  const interval = sure === undefined ? '' : ` (${number(sure.low)} to ${number(sure.high)})`
  return `  flagged ${flagged} of ${judged.length}${interval}; without labels there are no rates`
}

function advice({ recommended }: Summary): string {
  if (recommended === undefined) return '  no scores, so no threshold to recommend'
  const { target, threshold, measured } = recommended
  if (threshold === undefined || measured === undefined) return `  no threshold keeps the FPR at or below ${target}`
  return (
    `  threshold ${threshold} for FPR <= ${target}: recall ${number(measured.recall)}, precision ` +
    `${number(measured.precision)}, FPR ${number(measured.falsePositiveRate)} when it is applied to these texts`
  )
}

function groups({ bySource, byCategory }: Summary): string[] {
  const all = [
    ...bySource.map((group) => ['source', group] as const),
    ...byCategory.map((group) => ['category', group] as const),
  ]
  return all.map(
    ([kind, { name, rows, rates }]) =>
      `  ${`${kind} ${name}`.padEnd(32)} ${String(rows).padStart(6)} texts  recall ` +
      `${number(rates.recall)}  FPR ${number(rates.falsePositiveRate)}  F1 ${number(rates.f1)}`,
  )
}

function sideBySide(first: Summary, second: Summary): string {
  const cell = ({ values, intervals }: Summary, name: Measured): string => {
    const sure = intervals[name]
    return `${number(values[name])}${sure === undefined ? '' : ` (${number(sure.low)} to ${number(sure.high)})`}`
  }
  const width = Math.max(26, first.guard.length + 2)
  return [
    `Side by side`.padEnd(21) + first.guard.padEnd(width) + second.guard,
    ...(Object.keys(first.values) as Measured[]).map((name) =>
      `  ${name.padEnd(19)}${cell(first, name).padEnd(width)}${cell(second, name)}`.trimEnd(),
    ),
    `  ${'latency p50'.padEnd(19)}${milliseconds(first.latency.p50).padEnd(width)}${milliseconds(second.latency.p50)}`,
    '',
  ].join('\n')
}

function versus(first: Summary, second: Summary): string {
  const flips = describeFlips(first, second)
  if (!first.labelled) return flips
  const { rows, onlyFirst, onlySecond, p } = compare(first, second)
  return (
    `McNemar on ${rows} texts: only ${first.guard} right ${onlyFirst}, only ${second.guard} right ` +
    `${onlySecond}, p = ${p.toPrecision(3)}\n${flips}`
  )
}
