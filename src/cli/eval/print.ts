// Prints the numbers of an evaluation: a part for each guard, and a table of both when there are two. As text and as
// Markdown it is the same but for the headings; as JSON it is one object.
import { table } from '../table.js'
import { describeFlips, flipsOf } from './flips.js'
import type { OperatingPoint, Slice } from './operating.js'
import { type Interval, wilson } from './significance.js'
import { compare, type Measured, type Summary } from './summary.js'

export const number = (value: number | undefined): string => (value === undefined ? '–' : value.toFixed(3))
const between = (value: Interval | undefined): string => (value ? `${number(value.low)} to ${number(value.high)}` : '')
const milliseconds = (ms: number | undefined): string => `${ms?.toFixed(1) ?? '–'} ms`

export function printed(summaries: readonly Summary[], output: 'text' | 'json' | 'markdown' = 'text'): string {
  if (output === 'json') return `${JSON.stringify(jsonOf(summaries))}\n`
  const heading = (words: string, level: number): string =>
    output === 'markdown' ? `${'#'.repeat(level)} ${words}\n` : `${words}\n`
  const [first, second] = summaries
  const parts = summaries.map((summary) => part(summary, heading))
  if (first !== undefined && second !== undefined) parts.push(versus(first, second, heading))
  return parts.join('\n')
}

type Heading = (words: string, level: number) => string

function part(summary: Summary, heading: Heading): string {
  const { guard, judged, failed, left, labelled, latency } = summary
  const missing = [
    ...Object.entries(failed).map(([code, count]) => `${count} not judged: ${code}`),
    ...(left > 0 ? [`${left} not reached`] : []),
  ]
  const lines = [
    `${judged.length} judged`,
    ...missing,
    ...(labelled ? [] : [flaggedShare(summary)]),
    `Latency of one judgement: p50 ${milliseconds(latency.p50)}, p99 ${milliseconds(latency.p99)}`,
  ]
  const intro = `${heading(guard, 2)}\n${lines.map((line) => `- ${line}`).join('\n')}\n`
  return labelled ? [intro, measures(summary), ...details(summary, heading)].join('\n') : intro
}

const measures = ({ values, intervals }: Summary): string =>
  table(
    ['Measure', 'Value', '95 % interval'],
    (Object.entries(values) as [Measured, number | undefined][]).map(([name, value]) => [
      name,
      number(value),
      between(intervals[name]),
    ]),
  )

function flaggedShare({ judged }: Summary): string {
  const flagged = judged.filter((one) => one.flagged).length
  return `flagged ${flagged} of ${judged.length} (${between(wilson(flagged, judged.length))}); without labels there are no rates`
}

export const POINT_HEAD = ['Threshold', 'Precision', 'Recall', 'F1', 'False alarms', 'Checks saved', '']
export const pointRow = (point: OperatingPoint): string[] => [
  point.threshold === 'own' ? "the guard's own word" : String(point.threshold),
  number(point.precision),
  number(point.recall),
  number(point.f1),
  number(point.falsePositiveRate),
  number(point.saved),
  point.mark ?? '',
]
export const SLICE_HEAD = ['Texts by', 'Texts', 'Unsafe', 'Recall', '95 % interval', 'FPR', '95 % interval', 'F1']
export const sliceRow = ({ kind, name, rows, unsafe, ...slice }: Slice): string[] => [
  `${kind} ${name}`,
  String(rows),
  String(unsafe),
  number(slice.rates.recall),
  between(slice.recall),
  number(slice.rates.falsePositiveRate),
  between(slice.falsePositiveRate),
  number(slice.rates.f1),
]
export const CATEGORY_HEAD = ['Category', 'Texts', 'Recall', 'AUPRC', 'Precision', 'False alarms']
export const categoryRow = (one: Summary['byCategory'][number]): string[] => [
  one.name,
  String(one.rows),
  number(one.recall),
  number(one.auprc),
  number(one.precision),
  String(one.falseAlarms),
]
export const BIN_HEAD = ['Score from', 'Texts', 'Mean score', 'Share unsafe']

function details({ points, recommended, byCategory, slices, calibration }: Summary, heading: Heading): string[] {
  return [
    ...(points.length === 0
      ? ['No scores, so there are no operating points and no threshold to recommend.\n']
      : [`${heading('Operating points', 3)}\n${table(POINT_HEAD, points.map(pointRow))}`, advice(recommended)]),
    ...(calibration
      ? [
          `${heading('Calibration', 3)}\nExpected calibration error ${number(calibration.expectedError)}, Brier score ` +
            `${number(calibration.brier)}\n\n${table(
              BIN_HEAD,
              calibration.bins.map((bin) => [
                String(bin.from),
                String(bin.rows),
                number(bin.score),
                number(bin.unsafe),
              ]),
            )}`,
        ]
      : []),
    ...(byCategory.length === 0
      ? []
      : [
          `${heading('Categories, each against the safe texts', 3)}\n${table(CATEGORY_HEAD, byCategory.map(categoryRow))}`,
        ]),
    `${heading('Slices', 3)}\n${table(SLICE_HEAD, slices.map(sliceRow))}`,
  ]
}

function advice(recommended: Summary['recommended']): string {
  if (recommended === undefined) return ''
  const { target, threshold, measured } = recommended
  if (threshold === undefined || measured === undefined) return `No threshold keeps the FPR at or below ${target}.\n`
  return (
    `For FPR <= ${target}: threshold ${threshold}, recall ${number(measured.recall)}, precision ` +
    `${number(measured.precision)}, FPR ${number(measured.falsePositiveRate)}. Chosen on these very texts: check it on others.\n`
  )
}

function versus(first: Summary, second: Summary, heading: Heading): string {
  const flips = describeFlips(first, second)
  if (!first.labelled) return `${heading('What changes', 2)}\n${flips}`
  const cell = ({ values, intervals }: Summary, name: Measured): string =>
    `${number(values[name])}${intervals[name] ? ` (${between(intervals[name])})` : ''}`
  const rows = (Object.keys(first.values) as Measured[]).map((name) => [name, cell(first, name), cell(second, name)])
  const times = [first, second].map(({ latency }) => milliseconds(latency.p50))
  const { rows: count, onlyFirst, onlySecond, p } = compare(first, second)
  return (
    `${heading('Side by side', 2)}\n` +
    table(['Measure', first.guard, second.guard], [...rows, ['latency p50', ...times]]) +
    `\nMcNemar on ${count} texts: only ${first.guard} right ${onlyFirst}, only ${second.guard} right ` +
    `${onlySecond}, p = ${p.toPrecision(3)}\n\n${flips}`
  )
}

/** Everything but the texts. */
function jsonOf(summaries: readonly Summary[]): object {
  const [first, second] = summaries
  const guards = summaries.map(({ judged, curve: _, recommended, ...rest }) => ({
    ...rest,
    judged: judged.length,
    flagged: judged.filter((one) => one.flagged).length,
    recommended: recommended?.threshold === undefined ? undefined : Number(recommended.threshold),
  }))
  if (first === undefined || second === undefined) return { guards }
  const { onlyFirst, onlySecond, p } = flipsOf(first, second)
  const ids = (list: typeof onlyFirst): string[] => list.map(({ row }) => row.id)
  return { guards, flips: { onlyFirst: ids(onlyFirst), onlySecond: ids(onlySecond), p } }
}
