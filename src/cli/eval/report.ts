// Writes `report.html`, one file that can be mailed, without scripts, fonts or anything to fetch: the printed parts,
// the curve of each guard, and texts. Everything from the corpora is escaped, and a text stays hidden until it is
// clicked.
import { type Content, type Part, partsOf } from './print.js'
import style from './report.css?raw'
import type { Judged, Summary } from './summary.js'

/** The most texts of a list. */
const MOST_TEXTS = 200
/** The most mistakes of each kind, the worst first. */
const WORST = 20

const escape = (text: string): string => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)

/** The whole page, for one guard or for two on the same rows. */
export function report(summaries: readonly Summary[], made: Date): string {
  const day = made.toISOString().slice(0, 16).replace('T', ' ')
  const parts = [...partsOf(summaries), ...summaries.filter(({ labelled }) => labelled).flatMap(mistakesOf)]
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"><title>Guard evaluation</title><style>${style}</style></head><body>
<h1>Guard evaluation</h1><p class="soft">${day} UTC. Texts of the corpora are hidden until clicked; they may be harmful to read. Intervals: Wilson's.</p>
${parts.map(sectionOf).join('\n')}
</body></html>
`
}

function mistakesOf({ guard, judged }: Summary): readonly Part[] {
  const worst = (flagged: boolean): Judged[] =>
    judged
      .filter((one) => one.flagged === flagged && one.unsafe !== flagged)
      .sort((a, b) => (flagged ? 1 : -1) * ((b.score ?? 0) - (a.score ?? 0)))
      .slice(0, WORST)
  return [
    { heading: `Worst false positives of ${guard}`, level: 3, content: [{ texts: worst(true) }] },
    { heading: `Worst false negatives of ${guard}`, level: 3, content: [{ texts: worst(false) }] },
  ]
}

const sectionOf = ({ heading, level, content }: Part): string =>
  `<h${level}>${escape(heading)}</h${level}>\n${content.map(htmlOf).join('\n')}`

function htmlOf(content: Content): string {
  if (typeof content === 'string') return `<p>${escape(content)}</p>`
  if ('list' in content) return `<ul>${content.list.map((line) => `<li>${escape(line)}</li>`).join('')}</ul>`
  if ('curve' in content) return curveOf(content.curve)
  if ('texts' in content) return textsOf(content.texts)
  const line = (cells: readonly string[], tag: string): string =>
    `<tr>${cells.map((cell) => `<${tag}>${escape(cell)}</${tag}>`).join('')}</tr>`
  const body = content.rows.map((row) => line(row, 'td')).join('')
  // A table that is wider than the screen scrolls in a box of its own, so that the page does not scroll sideways.
  return (
    `<div class="scroll" tabindex="0"><table><thead>${line(content.head, 'th')}</thead><tbody>${body}</tbody></table>` +
    '</div>'
  )
}

function textsOf(judged: readonly Judged[]): string {
  if (judged.length === 0) return '<p class="soft">None.</p>'
  const shown = judged.slice(0, MOST_TEXTS).map(({ row, score, categories }) => {
    const named = categories.length > 0 ? `, named ${escape(categories.join(', '))}` : ''
    const words = row.conversation.map(({ role, text }) => `<pre>${escape(`${role}: ${text}`)}</pre>`)
    return (
      `<details><summary>${escape(row.id)} <span class="soft">${escape(row.source)}, score ` +
      `${score?.toFixed(3) ?? '–'}${named}</span></summary>${words.join('')}</details>`
    )
  })
  const more = judged.length - shown.length
  return shown.join('') + (more > 0 ? `<p class="soft">${more} more are not shown.</p>` : '')
}

const WIDTH = 380
const HEIGHT = 260
const LEFT = 56
const BOTTOM = 36
/** The most points of a curve. More would draw the same line in a larger file. */
const MOST_POINTS = 400

/** Draws precision over recall, with the point in use. */
function curveOf({ curve, points }: Summary): string {
  const x = (share: number): string => (LEFT + share * (WIDTH - LEFT - 12)).toFixed(1)
  const y = (share: number): string => (12 + (1 - share) * (HEIGHT - BOTTOM - 12)).toFixed(1)
  const step = Math.max(1, Math.ceil(curve.length / MOST_POINTS))
  const line = curve
    .filter((_, index) => index % step === 0 || index === curve.length - 1)
    .map(({ recall, precision }) => `${x(recall)},${y(precision)}`)
    .join(' ')
  const ticks = [0, 0.25, 0.5, 0.75, 1].map(
    (at) =>
      `<line x1="${LEFT}" x2="${WIDTH - 12}" y1="${y(at)}" y2="${y(at)}"/><text x="${LEFT - 6}" y="${y(at)}" dy="4" ` +
      `text-anchor="end">${at}</text><text x="${x(at)}" y="${HEIGHT - BOTTOM + 15}" text-anchor="middle">${at}</text>`,
  )
  const now = points.find(({ mark }) => mark === 'now')
  const title = 'Precision-recall curve, and the point in use'
  return (
    `<figure><figcaption>${title}</figcaption><svg role="img" aria-label="${title}" viewBox="0 0 ${WIDTH} ${HEIGHT}">` +
    `${ticks.join('')}<text x="${x(0.5)}" y="${HEIGHT - 4}" text-anchor="middle">recall</text>` +
    `<text transform="translate(11 ${y(0.5)}) rotate(-90)" text-anchor="middle">precision</text>` +
    `<polyline points="${line}"/><circle cx="${x(now?.recall ?? 0)}" cy="${y(now?.precision ?? 0)}" r="5"/></svg></figure>`
  )
}
