// `report.html`: one file that can be mailed. Everything from the corpora is escaped, and texts stay hidden
// until they are clicked.
import type { Interval } from './significance.js'
import type { Group, Judged, Measured, Summary } from './summary.js'
import { compare } from './summary.js'
import { barChart, escape, histogram, lineChart } from './svg.js'

/** Worst mistakes shown of each kind. */
const WORST = 20

const STYLE = `
:root{color-scheme:light dark;--ink:#1c2733;--soft:#5b6b7b;--rule:#d9e0e7;--page:#fff;--safe:#2a78b8;--unsafe:#c8452e}
@media (prefers-color-scheme:dark){:root{--ink:#e6ebf0;--soft:#9aa9b8;--rule:#344250;--page:#141b22;--safe:#5aa9e6;--unsafe:#f07a60}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--page);max-width:1000px;margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem;margin-bottom:0}h2{font-size:1.15rem;margin-top:2.2rem;border-bottom:1px solid var(--rule)}p.soft,.soft{color:var(--soft)}
table{border-collapse:collapse;margin:.6rem 0}th,td{padding:.25rem .7rem;text-align:right;border-bottom:1px solid var(--rule);font-variant-numeric:tabular-nums}th:first-child,td:first-child{text-align:left}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(380px,1fr));gap:1.5rem}figure{margin:0}figcaption{font-weight:600;margin-bottom:.3rem}
svg{width:100%;height:auto}svg text{font:11px system-ui,sans-serif;fill:var(--soft)}.grid{stroke:var(--rule)}
.line{fill:none;stroke-width:2}.line.series0{stroke:var(--unsafe)}.line.series1{stroke:var(--safe)}.mark.series0{fill:var(--unsafe)}.mark.series1{fill:var(--safe)}
rect.safe,.bar{fill:var(--safe)}rect.unsafe{fill:var(--unsafe)}.key b{display:inline-block;width:.8em;height:.8em;margin:0 .3em 0 1em}.key .safe{background:var(--safe)}.key .unsafe{background:var(--unsafe)}
details{border-bottom:1px solid var(--rule);padding:.3rem 0}summary{cursor:pointer}pre{white-space:pre-wrap;overflow-wrap:anywhere;font:13px/1.45 ui-monospace,monospace;margin:.4rem 0}
.heat td{text-align:center}.warn{border-left:4px solid var(--unsafe);padding:.3rem .8rem}`

const NAMES: Readonly<Record<Measured, string>> = {
  precision: 'Precision',
  recall: 'Recall',
  f1: 'F1',
  falsePositiveRate: 'False positive rate',
  auprc: 'AUPRC (average precision)',
  auroc: 'AUROC',
}

export const number = (value: number | undefined): string => (value === undefined ? '–' : value.toFixed(3))
const interval = (value: Interval | undefined): string =>
  value === undefined ? '' : `${number(value.low)} to ${number(value.high)}`
const table = (head: readonly string[], rows: readonly (readonly string[])[], name = ''): string =>
  '<table ' +
  `class="${name}"><thead><tr>${head.map((cell) => `<th>${escape(cell)}</th>`).join('')}</tr></thead><tbody>${rows.map((row) => `<tr>${row.map((cell) => `<td>${escape(cell)}</td>`).join('')}</tr>`).join('')}</tbody></table>`

function groupTable(first: string, groups: readonly Group[]): string {
  return table(
    [first, 'texts', 'unsafe', 'precision', 'recall', 'F1', 'FPR'],
    groups.map(({ name, rows, unsafe, rates }) => [
      name,
      String(rows),
      String(unsafe),
      number(rates.precision),
      number(rates.recall),
      number(rates.f1),
      number(rates.falsePositiveRate),
    ]),
  )
}

function heat({ categories }: Summary): string {
  const rows = categories.counts.map((counts, index) => {
    const total = counts.reduce((sum, count) => sum + count, 0) || 1
    const cells = counts.map(
      (count) =>
        '<td style="background:color-mix(in srgb,var(--safe) ' +
        `${Math.round((70 * count) / total)}%,transparent)">${count}</td>`,
    )
    return `<tr><td>${escape(categories.categories[index] ?? '')}</td>${cells.join('')}</tr>`
  })
  return (
    '<table class="heat"><thead><tr><th>labelled \\ ' +
    `named</th>${categories.categories.map((name) => `<th>${escape(name)}</th>`).join('')}</tr></thead><tbody>${rows.join('')}</tbody></table>`
  )
}

function mistakes(judged: readonly Judged[]): string {
  const shown = judged.map(
    ({ row, score, categories }) =>
      `<details><summary>${escape(row.id)} <span class="soft">${escape(row.source)}, score ` +
      `${number(score)}${categories.length > 0 ? `, named ${escape(categories.join(', '))}` : ''}</span></summary>${row.conversation.map((turn) => `<pre>${escape(`${turn.role}: ${turn.text}`)}</pre>`).join('')}</details>`,
  )
  return shown.length === 0 ? '<p class="soft">None.</p>' : shown.join('')
}

function guardSection(summary: Summary): string {
  const { judged, values, intervals, confusion, recommended, latency } = summary
  const worst = (flagged: boolean): Judged[] =>
    judged
      .filter((one) => one.flagged === flagged && one.unsafe !== flagged)
      .sort((a, b) => (flagged ? 1 : -1) * ((b.score ?? 0) - (a.score ?? 0)))
      .slice(0, WORST)
  const failures = Object.entries(summary.failed)
  const point = recommended?.point
  return `<h2>${escape(summary.guard)}</h2>
${
  failures.length > 0 || summary.left > 0
    ? '<p class="warn">In no number below: ' +
      `${escape([...failures.map(([code, count]) => `${count} could not be judged (${code})`), ...(summary.left > 0 ? [`${summary.left} not reached`] : [])].join(', '))}.</p>`
    : ''
}
${table(
  ['measure', 'value', '95 % interval'],
  (Object.keys(NAMES) as Measured[]).map((name) => [NAMES[name], number(values[name]), interval(intervals[name])]),
)}
<p>${confusion.truePositives} unsafe texts flagged, ${confusion.falseNegatives} missed; ${confusion.falsePositives} safe texts flagged, ${confusion.trueNegatives} let by.
${
  recommended === undefined
    ? 'This guard gives no scores, so there is no curve and no threshold to choose.'
    : point === undefined
      ? `No threshold keeps false positives at or below ${recommended.target}.`
      : `For a false positive rate of at most ${recommended.target}: threshold ` +
        `<b>${point.threshold.toFixed(4)}</b>, recall ${number(point.recall)}, precision ` +
        `${number(point.precision)}. Chosen on these very texts: check it on others.`
}</p>
<div class="charts">
${
  summary.curve.length === 0
    ? ''
    : `<figure><figcaption>Precision and recall</figcaption>${lineChart('Precision-recall curve', 'recall', 'precision', [{ points: summary.curve.map(({ recall, precision }) => [recall, precision]), marks: point === undefined ? [] : [[point.recall, point.precision]] }])}</figure>
<figure><figcaption>Scores <span class="key soft"><b class="safe"></b>safe<b class="unsafe"></b>unsafe</span></figcaption>${histogram(
        'Histogram of scores',
        'score',
        [
          { values: judged.filter(({ unsafe }) => !unsafe).map(({ score }) => score ?? 0), className: 'safe' },
          { values: judged.filter(({ unsafe }) => unsafe).map(({ score }) => score ?? 0), className: 'unsafe' },
        ],
      )}</figure>`
}
<figure><figcaption>Latency of one judgement</figcaption>${barChart(
    'Latency percentiles',
    Object.entries(latency).map(([name, ms]) => ({
      name,
      value: ms ?? 0,
      label: ms === undefined ? '–' : `${ms < 10 ? ms.toFixed(2) : ms.toFixed(0)} ms`,
    })),
  )}</figure>
</div>
<h3>By source</h3>${groupTable('source', summary.bySource)}
${
  summary.byCategory.length === 0
    ? ''
    : '<h3>By labelled category</h3><p class="soft">Recall: flagged, whatever the guard called ' +
      `it.</p>${groupTable('category', summary.byCategory)}<h3>Labelled and named categories</h3><p ` +
      'class="soft">A text with several categories counts in each; unsafe texts without a label are ' +
      `left out.</p>${heat(summary)}`
}
<h3>Worst false positives</h3>${mistakes(worst(true))}<h3>Worst false negatives</h3>${mistakes(worst(false))}`
}

/** A whole page for one guard, or two on the same rows. */
export function report(summaries: readonly Summary[], made: Date): string {
  const [first, second] = summaries
  const versus = first !== undefined && second !== undefined ? compare(first, second) : undefined
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"><title>Guard evaluation</title><style>${STYLE}</style></head><body>
<h1>Guard evaluation</h1><p class="soft">${escape(made.toISOString().slice(0, 16).replace('T', ' '))} UTC. Texts of the corpora are hidden until clicked; they may be harmful to read. Intervals: bootstrap over texts.</p>
${
  versus === undefined
    ? ''
    : `<h2>${escape(first?.guard ?? '')} against ${escape(second?.guard ?? '')}</h2><p>On the ` +
      `${versus.rows} texts both judged: only the first was right on ${versus.onlyFirst}, only the ` +
      `second on ${versus.onlySecond}; exact McNemar p = ` +
      `${versus.p < 0.001 ? versus.p.toExponential(1) : versus.p.toFixed(3)}.</p>`
}
${summaries.map(guardSection).join('\n')}
</body></html>
`
}
