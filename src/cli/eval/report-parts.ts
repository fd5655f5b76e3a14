// The parts of `report.html` that several sections share: tables, the matrix of categories, and lists of texts.
import { number } from './print.js'
import type { Interval } from './significance.js'
import type { Judged, Measured, Summary } from './summary.js'
import { escape } from './svg.js'

export const NAMES: Readonly<Record<Measured, string>> = {
  precision: 'Precision',
  recall: 'Recall',
  f1: 'F1',
  falsePositiveRate: 'False positive rate',
  auprc: 'AUPRC (average precision)',
  auroc: 'AUROC',
}

export const interval = (value: Interval | undefined): string =>
  value === undefined ? '' : `${number(value.low)} to ${number(value.high)}`

/** A box in which a table that is wider than the screen scrolls, so that the page does not scroll sideways. */
const scrolling = (html: string): string => `<div class="scroll" tabindex="0">${html}</div>`

export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string => {
  const line = (cells: readonly string[], tag: string): string =>
    `<tr>${cells.map((cell) => `<${tag}>${escape(cell)}</${tag}>`).join('')}</tr>`
  const body = rows.map((row) => line(row, 'td')).join('')
  return scrolling(`<table><thead>${line(head, 'th')}</thead><tbody>${body}</tbody></table>`)
}

/** The matrix of labelled and named categories, darker where a row has more of its texts. */
export function heat({ categories }: Summary): string {
  const rows = categories.counts.map((counts, index) => {
    const total = counts.reduce((sum, count) => sum + count, 0) || 1
    const cells = counts.map(
      (count) =>
        '<td style="background:color-mix(in srgb,var(--safe) ' +
        `${Math.round((70 * count) / total)}%,transparent)">${count}</td>`,
    )
    return `<tr><td>${escape(categories.categories[index] ?? '')}</td>${cells.join('')}</tr>`
  })
  const head = categories.categories.map((name) => `<th>${escape(name)}</th>`).join('')
  return scrolling(
    `<table class="heat"><thead><tr><th>labelled \\ named</th>${head}</tr></thead><tbody>${rows.join('')}</tbody></table>`,
  )
}

/** A list of texts. Each stays hidden until it is clicked. */
export function mistakes(judged: readonly Judged[]): string {
  const shown = judged.map(
    ({ row, score, categories }) =>
      `<details><summary>${escape(row.id)} <span class="soft">${escape(row.source)}, score ` +
      `${number(score)}${categories.length > 0 ? `, named ${escape(categories.join(', '))}` : ''}</span></summary>` +
      `${row.conversation.map((turn) => `<pre>${escape(`${turn.role}: ${turn.text}`)}</pre>`).join('')}</details>`,
  )
  return shown.length === 0 ? '<p class="soft">None.</p>' : shown.join('')
}
