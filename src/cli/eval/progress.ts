// Shows how far an evaluation is. On a terminal it redraws a bar. In a pipe or a log it prints a plain line now and
// then, because a bar would be one endless line there.
import type { Output } from '../io.js'

const REDRAW_MS = 200
const LINE_MS = 5_000
const WIDTH = 24

export type Tell = (done: number, total: number) => void

export function progressOf(output: Output, name: string, what = 'texts'): Tell {
  const start = performance.now()
  const terminal = output.isTTY === true
  let told = terminal ? 0 : start
  return (done, total) => {
    const now = performance.now()
    if (now - told < (terminal ? REDRAW_MS : LINE_MS) && done < total) return
    told = now
    const rate = done / Math.max(0.001, (now - start) / 1000)
    const left = done < total ? `, about ${duration((total - done) / rate)} left` : ''
    const state = `${done}/${total} ${what}, ${rate.toFixed(1)}/s${left}`
    const filled = Math.round((WIDTH * done) / total)
    output.write(
      terminal
        ? `\r\u001b[K${name} [${'#'.repeat(filled)}${'.'.repeat(WIDTH - filled)}] ${state}${done === total ? '\n' : ''}`
        : `${name}: ${state}\n`,
    )
  }
}

export const duration = (seconds: number): string =>
  seconds < 90
    ? `${Math.ceil(seconds)} s`
    : seconds < 5400
      ? `${Math.ceil(seconds / 60)} min`
      : `${(seconds / 3600).toFixed(1)} h`
