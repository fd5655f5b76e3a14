// The numbers of an evaluation in parts, a heading each: first each guard, then both when there are two. The text is
// Markdown, which people read as well on a terminal; JSON is one object; report.ts makes a page of them.
import type { OutputFormat } from '../flags.js'
import { table } from '../io.js'
import { type Interval, wilson } from './metrics.js'
import { compare, type Comparison, type Judged, type Measured, type Summary } from './summary.js'

export interface Part {
  readonly heading: string
  readonly level: 2 | 3
  readonly content: readonly Content[]
}

/** A paragraph, a list of lines, a table, or what a page alone shows: the curve of a guard, texts. */
export type Content =
  | string
  | { readonly list: readonly string[] }
  | { readonly head: readonly string[]; readonly rows: readonly (readonly string[])[] }
  | { readonly curve: Summary }
  | { readonly texts: readonly Judged[] }

const number = (value: number | undefined): string => (value === undefined ? '–' : value.toFixed(3))
const between = (value: Interval | undefined): string => (value ? `${number(value.low)} to ${number(value.high)}` : '')
const milliseconds = (ms: number | undefined): string => `${ms?.toFixed(1) ?? '–'} ms`

export function printed(summaries: readonly Summary[], output: OutputFormat = 'text'): string {
  if (output === 'json') return `${JSON.stringify(jsonOf(summaries))}\n`
  return partsOf(summaries)
    .map(({ heading, level, content }) => [`${'#'.repeat(level)} ${heading}\n`, ...content.flatMap(textOf)].join('\n'))
    .join('\n')
}

function textOf(content: Content): readonly string[] {
  if (typeof content === 'string') return [`${content}\n`]
  if ('list' in content) return [`${content.list.map((line) => `- ${line}`).join('\n')}\n`]
  return 'rows' in content ? [table(content.head, content.rows)] : []
}

export function partsOf(summaries: readonly Summary[]): readonly Part[] {
  const [first, second] = summaries
  const parts = summaries.flatMap(guardParts)
  return first !== undefined && second !== undefined ? [...parts, ...versus(first, second)] : parts
}

function guardParts(summary: Summary): readonly Part[] {
  const { guard, judged, failed, left, labelled, latency, values, intervals } = summary
  const flagged = judged.filter((one) => one.flagged).length
  const list = [
    `${judged.length} judged`,
    ...Object.entries(failed).map(([code, count]) => `${count} not judged: ${code}`),
    ...(left > 0 ? [`${left} not reached`] : []),
    ...(labelled
      ? []
      : [
          `flagged ${flagged} of ${judged.length} (${between(wilson(flagged, judged.length))}); without labels there ` +
            'are no rates',
        ]),
    `Latency of one judgement: p50 ${milliseconds(latency.p50)}, p99 ${milliseconds(latency.p99)}`,
  ]
  if (!labelled) return [{ heading: guard, level: 2, content: [{ list }] }]
  const rows = (Object.entries(values) as [Measured, number | undefined][]).map(([name, value]) => [
    name,
    number(value),
    between(intervals[name]),
  ])
  return [
    { heading: guard, level: 2, content: [{ list }, { head: ['Measure', 'Value', '95 % interval'], rows }] },
    ...details(summary),
  ]
}

function details(summary: Summary): readonly Part[] {
  const { points, calibration, byCategory, slices } = summary
  const part = (heading: string, ...content: Content[]): Part => ({ heading, level: 3, content })
  return [
    points.length === 0
      ? part('Operating points', 'No scores, so there are no operating points and no threshold to recommend.')
      : part('Operating points', pointTable(summary), advice(summary.recommended), { curve: summary }),
    ...(calibration === undefined ? [] : [part('Calibration', ...calibrationParts(calibration))]),
    ...(byCategory.length === 0
      ? []
      : [
          part('Categories, each against the safe texts', {
            head: ['Category', 'Texts', 'Recall', 'AUPRC', 'Precision', 'False alarms'],
            rows: byCategory.map((one) => [
              one.name,
              String(one.rows),
              number(one.recall),
              number(one.auprc),
              number(one.precision),
              String(one.falseAlarms),
            ]),
          }),
        ]),
    part('Slices', {
      head: ['Texts by', 'Texts', 'Unsafe', 'Recall', '95 % interval', 'FPR', '95 % interval', 'F1'],
      rows: slices.map(({ kind, name, rows, unsafe, ...slice }) => [
        `${kind} ${name}`,
        String(rows),
        String(unsafe),
        number(slice.rates.recall),
        between(slice.recall),
        number(slice.rates.falsePositiveRate),
        between(slice.falsePositiveRate),
        number(slice.rates.f1),
      ]),
    }),
  ]
}

const calibrationParts = ({ expectedError, brier, bins }: NonNullable<Summary['calibration']>): Content[] => [
  `Expected calibration error ${number(expectedError)}, Brier score ${number(brier)}`,
  {
    head: ['Score from', 'Texts', 'Mean score', 'Share unsafe'],
    rows: bins.map(({ from, rows, score, unsafe }) => [String(from), String(rows), number(score), number(unsafe)]),
  },
]

const pointTable = ({ points }: Summary): Content => ({
  head: ['Threshold', 'Precision', 'Recall', 'F1', 'False alarms', 'Checks saved', ''],
  rows: points.map((point) => [
    point.threshold === 'own' ? "the guard's own word" : String(point.threshold),
    number(point.precision),
    number(point.recall),
    number(point.f1),
    number(point.falsePositiveRate),
    number(point.saved),
    point.mark ?? '',
  ]),
})

function advice(point: Summary['recommended']): string {
  if (point === undefined) return 'No threshold flags as few safe texts as --target-fpr allows.'
  return (
    `Recommended: threshold ${point.threshold}, recall ${number(point.recall)}, precision ${number(point.precision)}, FPR ` +
    `${number(point.falsePositiveRate)}. Chosen on these very texts: check it on others.`
  )
}

function versus(first: Summary, second: Summary): readonly Part[] {
  const compared = compare(first, second)
  const { rows, flips, p, right } = compared
  const changes: Part = {
    heading: 'What changes',
    level: 2,
    content: [
      `What changes on ${rows} texts: ${flips[0].length + flips[1].length} flip, McNemar p = ${p.toPrecision(3)}`,
      ...flipsOf(first, second, compared),
    ],
  }
  if (!first.labelled) return [changes]
  const cell = ({ values, intervals }: Summary, name: Measured): string =>
    `${number(values[name])}${intervals[name] ? ` (${between(intervals[name])})` : ''}`
  const names = Object.keys(first.values) as Measured[]
  return [
    {
      heading: 'Side by side',
      level: 2,
      content: [
        {
          head: ['Measure', first.guard, second.guard],
          rows: [
            ...names.map((name) => [name, cell(first, name), cell(second, name)]),
            ['latency p50', ...[first, second].map(({ latency }) => milliseconds(latency.p50))],
          ],
        },
        `McNemar on ${rows} texts: only ${first.guard} right ${right.onlyFirst}, only ${second.guard} right ` +
          `${right.onlySecond}, p = ${right.p.toPrecision(3)}`,
      ],
    },
    changes,
  ]
}

/** The most ids that the terminal shows. The page has all of them. */
const NAMED = 20

function flipsOf(first: Summary, second: Summary, { flips }: Comparison): readonly Content[] {
  return [
    { guard: first.guard, other: second.guard, flipped: flips[0] },
    { guard: second.guard, other: first.guard, flipped: flips[1] },
  ].flatMap(({ guard, other, flipped }): Content[] => {
    const labels = first.labelled ? `, ${flipped.filter((one) => one.unsafe).length} of them labelled unsafe` : ''
    const more = flipped.length > NAMED ? `, and ${flipped.length - NAMED} more` : ''
    const ids = flipped.slice(0, NAMED).map(({ row }) => row.id)
    return [
      `  flagged by ${guard} and not by ${other}: ${flipped.length}${labels}` +
        (ids.length === 0 ? '' : `\n    ${ids.join(', ')}${more}`),
      { texts: flipped },
    ]
  })
}

/** Everything but the texts. */
function jsonOf(summaries: readonly Summary[]): object {
  const [first, second] = summaries
  const guards = summaries.map(({ judged, curve: _, recommended, ...rest }) => ({
    ...rest,
    judged: judged.length,
    flagged: judged.filter((one) => one.flagged).length,
    recommended: recommended?.threshold,
  }))
  if (first === undefined || second === undefined) return { guards }
  const { flips, p } = compare(first, second)
  const [onlyFirst, onlySecond] = flips.map((list) => list.map(({ row }) => row.id))
  return { guards, flips: { onlyFirst, onlySecond, p } }
}
