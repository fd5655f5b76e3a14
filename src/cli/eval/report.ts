// Writes `report.html`, one file that can be mailed. Everything from the corpora is escaped, and a text stays hidden
// until it is clicked.
import { flipsOf } from './flips.js'
import type { Calibration } from './operating.js'
import { BIN_HEAD, CATEGORY_HEAD, categoryRow, number, POINT_HEAD, pointRow, SLICE_HEAD, sliceRow } from './print.js'
import style from './report.css?raw'
import { heat, interval, mistakes, NAMES, table } from './report-parts.js'
import { wilson } from './significance.js'
import type { Judged, Measured, Summary } from './summary.js'
import { compare } from './summary.js'
import { barChart, escape, histogram, lineChart } from './svg.js'

/** The most mistakes of each kind that are shown, the worst first. */
const WORST = 20
/** The most texts of each direction that are shown. */
const MOST_FLIPS = 200

function guardSection(summary: Summary): string {
  const { judged, latency } = summary
  const failures = Object.entries(summary.failed)
  const lost = [
    ...failures.map(([code, count]) => `${count} could not be judged (${code})`),
    ...(summary.left > 0 ? [`${summary.left} not reached`] : []),
  ]
  const warning = lost.length === 0 ? '' : `<p class="warn">In no number below: ${escape(lost.join(', '))}.</p>`
  const flagged = judged.filter((one) => one.flagged).length
  const unlabelled =
    `<p>${flagged} of ${judged.length} texts flagged (${interval(wilson(flagged, judged.length))}). ` +
    'Without labels there are no rates.</p>'
  const times = barChart(
    'Latency percentiles',
    Object.entries(latency).map(([name, ms]) => ({
      name,
      value: ms ?? 0,
      label: ms === undefined ? '–' : `${ms < 10 ? ms.toFixed(2) : ms.toFixed(0)} ms`,
    })),
  )
  return `<h2>${escape(summary.guard)}</h2>
${warning}
${summary.labelled ? measures(summary) : unlabelled}
<div class="charts">
${summary.curve.length === 0 ? '' : curves(summary)}
<figure><figcaption>Latency of one judgement</figcaption>${times}</figure>
</div>
${summary.labelled ? breakdown(summary) : ''}`
}

function calibrationTable({ expectedError, brier, bins }: Calibration): string {
  const rows = bins.map((bin) => [String(bin.from), String(bin.rows), number(bin.score), number(bin.unsafe)])
  return (
    `<h3>Calibration</h3><p>Expected calibration error ${number(expectedError)}, Brier score ${number(brier)}.</p>` +
    table(BIN_HEAD, rows)
  )
}

function measures({ values, intervals, confusion, recommended, points, calibration }: Summary): string {
  const { truePositives, falseNegatives, falsePositives, trueNegatives } = confusion
  const advice =
    recommended === undefined
      ? 'This guard gives no scores, so there is no curve and no threshold to choose.'
      : recommended.threshold === undefined
        ? `No threshold keeps false positives at or below ${recommended.target}.`
        : `For a false positive rate of at most ${recommended.target}: threshold ` +
          `<b>${recommended.threshold}</b>, recall ${number(recommended.measured?.recall)}, precision ` +
          `${number(recommended.measured?.precision)}. Chosen on these very texts: check it on others.`
  const rows = (Object.keys(NAMES) as Measured[]).map((name) => [
    NAMES[name],
    number(values[name]),
    interval(intervals[name]),
  ])
  return `${table(['measure', 'value', '95 % interval'], rows)}
<p>${truePositives} unsafe texts flagged, ${falseNegatives} missed; ${falsePositives} safe texts flagged, ${trueNegatives} let by.
${advice}</p>
${points.length === 0 ? '' : `<h3>Operating points</h3>${table(POINT_HEAD, points.map(pointRow))}`}
${calibration === undefined ? '' : calibrationTable(calibration)}`
}

/** The most points of a curve. More would draw the same line in a larger file. */
const MOST_POINTS = 400

function curves({ curve, points: operating, judged }: Summary): string {
  const step = Math.max(1, Math.ceil(curve.length / MOST_POINTS))
  const points = curve.filter((_, index) => index % step === 0 || index === curve.length - 1)
  const now = operating.find(({ mark }) => mark === 'now')
  const line = lineChart('Precision-recall curve', 'recall', 'precision', [
    {
      points: points.map(({ recall, precision }) => [recall, precision] as const),
      // The point in use.
      marks: [[now?.recall ?? 0, now?.precision ?? 0]],
    },
  ])
  const scores = (unsafe: boolean): number[] => judged.flatMap((one) => (one.unsafe === unsafe ? [one.score ?? 0] : []))
  const bars = histogram('Histogram of scores', 'score', [
    { values: scores(false), className: 'safe' },
    { values: scores(true), className: 'unsafe' },
  ])
  const key = '<span class="key soft"><b class="safe"></b>safe<b class="unsafe"></b>unsafe</span>'
  return `<figure><figcaption>Precision and recall</figcaption>${line}</figure>
<figure><figcaption>Scores ${key}</figcaption>${bars}</figure>`
}

function breakdown(summary: Summary): string {
  const worst = (flagged: boolean): Judged[] =>
    summary.judged
      .filter((one) => one.flagged === flagged && one.unsafe !== flagged)
      .sort((a, b) => (flagged ? 1 : -1) * ((b.score ?? 0) - (a.score ?? 0)))
      .slice(0, WORST)
  const categories =
    summary.byCategory.length === 0
      ? ''
      : '<h3>Categories</h3><p class="soft">Each against the safe texts alone. Recall: flagged, whatever the guard ' +
        `called it.</p>${table(CATEGORY_HEAD, summary.byCategory.map(categoryRow))}<h3>Labelled and named categories</h3><p ` +
        'class="soft">A text with several categories counts in each; unsafe texts without a label are ' +
        `left out.</p>${heat(summary)}`
  return `<h3>By source, length and language</h3>${table(SLICE_HEAD, summary.slices.map(sliceRow))}
${categories}
<h3>Worst false positives</h3>${mistakes(worst(true))}<h3>Worst false negatives</h3>${mistakes(worst(false))}`
}

function comparison(first: Summary, second: Summary): string {
  const { rows, onlyFirst, onlySecond, p } = flipsOf(first, second)
  const right = compare(first, second)
  const probability = (value: number): string => (value < 0.001 ? value.toExponential(1) : value.toFixed(3))
  const both = (name: Measured): string[] =>
    [first, second].map(({ values, intervals }) => {
      const sure = intervals[name]
      return `${number(values[name])}${sure === undefined ? '' : ` (${interval(sure)})`}`
    })
  const measured = `<p>On the ${right.rows} texts both judged: only the first was right on ${right.onlyFirst}, only the
second on ${right.onlySecond}; exact McNemar p = ${probability(right.p)}.</p>
${table(
  ['measure', first.guard, second.guard],
  (Object.keys(NAMES) as Measured[]).map((name) => [NAMES[name], ...both(name)]),
)}`
  const side = (one: Summary, other: Summary, flipped: readonly Judged[]): string =>
    `<h4>Flagged by ${escape(one.guard)} and not by ${escape(other.guard)}: ${flipped.length}</h4>` +
    (flipped.length === 0
      ? ''
      : `<details><summary>Which</summary>${mistakes(flipped.slice(0, MOST_FLIPS))}</details>`) +
    (flipped.length > MOST_FLIPS ? `<p class="soft">${flipped.length - MOST_FLIPS} more are not shown.</p>` : '')
  return `<h2>${escape(first.guard)} against ${escape(second.guard)}</h2>
${first.labelled ? measured : ''}
<h3>What changes</h3><p>${onlyFirst.length + onlySecond.length} of ${rows} texts flip; exact McNemar p of flagging =
${probability(p)}.</p>
${side(first, second, onlyFirst)}${side(second, first, onlySecond)}`
}

/** The whole page, for one guard or for two on the same rows. */
export function report(summaries: readonly Summary[], made: Date): string {
  const [first, second] = summaries
  const day = made.toISOString().slice(0, 16).replace('T', ' ')
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"><title>Guard evaluation</title><style>${style}</style></head><body>
<h1>Guard evaluation</h1><p class="soft">${day} UTC. Texts of the corpora are hidden until clicked; they may be harmful to read. Intervals: Wilson for shares and F1, bootstrap over texts for the areas.</p>
${first !== undefined && second !== undefined ? comparison(first, second) : ''}
${summaries.map(guardSection).join('\n')}
</body></html>
`
}
