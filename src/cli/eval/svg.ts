// Draws the charts of the report as inline SVG, without scripts, fonts or anything to fetch. It takes numbers and
// returns markup. Labels are escaped here.

export const escape = (text: string): string => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)

const WIDTH = 380
const HEIGHT = 260
const LEFT = 56
const BOTTOM = 36
const TOP = 12
const PLOT_WIDTH = WIDTH - LEFT - 12
const PLOT_HEIGHT = HEIGHT - BOTTOM - TOP

const x = (share: number): string => (LEFT + share * PLOT_WIDTH).toFixed(1)
const y = (share: number): string => (TOP + (1 - share) * PLOT_HEIGHT).toFixed(1)

function frame(
  title: string,
  across: string,
  up: string,
  ticks: { readonly across: readonly [number, string][]; readonly up: readonly [number, string][] },
  inside: string,
): string {
  const lines = ticks.up.map(
    ([at, name]) =>
      `<line class="grid" x1="${LEFT}" x2="${WIDTH - 12}" y1="${y(at)}" y2="${y(at)}"/><text ` +
      `x="${LEFT - 6}" y="${y(at)}" dy="4" text-anchor="end">${escape(name)}</text>`,
  )
  const names = ticks.across.map(
    ([at, name]) => `<text x="${x(at)}" y="${HEIGHT - BOTTOM + 15}" text-anchor="middle">${escape(name)}</text>`,
  )
  return `<svg role="img" aria-label="${escape(title)}" viewBox="0 0 ${WIDTH} ${HEIGHT}"><title>${escape(title)}</title>${lines.join('')}${names.join('')}
<text x="${x(0.5)}" y="${HEIGHT - 4}" text-anchor="middle">${escape(across)}</text><text transform="translate(11 ${y(0.5)}) rotate(-90)" text-anchor="middle">${escape(up)}</text>${inside}</svg>`
}

const QUARTERS: readonly [number, string][] = [0, 0.25, 0.5, 0.75, 1].map((at) => [at, String(at)])

/** Draws a line for each guard through points between 0 and 1, and marks points on it. */
export function lineChart(
  title: string,
  across: string,
  up: string,
  series: readonly {
    readonly points: readonly (readonly [number, number])[]
    readonly marks?: readonly (readonly [number, number])[]
  }[],
): string {
  const drawn = series.map(({ points, marks = [] }, index) => {
    const line = points.map(([px, py]) => `${x(px)},${y(py)}`).join(' ')
    return (
      `<polyline class="line series${index}" ` +
      `points="${line}"/>${marks.map(([px, py]) => `<circle class="mark series${index}" cx="${x(px)}" cy="${y(py)}" r="5"/>`).join('')}`
    )
  })
  return frame(title, across, up, { across: QUARTERS, up: QUARTERS }, drawn.join(''))
}

/**
 * Draws two classes side by side over the scores from 0 to 1. Each bar is a share of its own class, so that a rare
 * class can be seen.
 */
export function histogram(
  title: string,
  across: string,
  classes: readonly { readonly values: readonly number[]; readonly className: string }[],
  bins = 20,
): string {
  const shares = classes.map(({ values }) => {
    const counts = Array.from({ length: bins }, () => 0)
    for (const value of values) {
      const bin = Math.min(bins - 1, Math.max(0, Math.floor(value * bins)))
      counts[bin] = (counts[bin] ?? 0) + 1
    }
    return counts.map((count) => count / (values.length || 1))
  })
  const highest = Math.max(0.01, ...shares.flat())
  const bar = PLOT_WIDTH / bins / classes.length
  const bars = shares.flatMap((line, index) =>
    line.map((share, bin) => {
      const height = (share / highest) * PLOT_HEIGHT
      return (
        `<rect class="${classes[index]?.className ?? ''}" ` +
        `x="${(LEFT + (bin * classes.length + index) * bar).toFixed(1)}" ` +
        `y="${(TOP + PLOT_HEIGHT - height).toFixed(1)}" width="${(bar - 0.5).toFixed(1)}" ` +
        `height="${height.toFixed(1)}"/>`
      )
    }),
  )
  const up: [number, string][] = [0, 0.5, 1].map((at) => [at, `${(100 * at * highest).toFixed(0)} %`])
  return frame(title, across, 'share of class', { across: QUARTERS, up }, bars.join(''))
}

/** Draws horizontal bars with their values beside them. */
export function barChart(
  title: string,
  bars: readonly { readonly name: string; readonly value: number; readonly label: string }[],
): string {
  const highest = Math.max(1e-9, ...bars.map(({ value }) => value))
  const height = 30 * bars.length + 8
  const rows = bars.map(
    ({ name, value, label }, index) =>
      `<text x="${LEFT - 6}" y="${30 * index + 23}" text-anchor="end">${escape(name)}</text><rect ` +
      `class="bar" x="${LEFT}" y="${30 * index + 8}" ` +
      `width="${((value / highest) * (PLOT_WIDTH - 80)).toFixed(1)}" height="20"/><text ` +
      `x="${(LEFT + (value / highest) * (PLOT_WIDTH - 80) + 6).toFixed(1)}" ` +
      `y="${30 * index + 23}">${escape(label)}</text>`,
  )
  return (
    `<svg role="img" aria-label="${escape(title)}" viewBox="0 0 ${WIDTH} ` +
    `${height}"><title>${escape(title)}</title>${rows.join('')}</svg>`
  )
}
