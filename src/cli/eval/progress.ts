// Shows how far an evaluation is. On a terminal it redraws a bar. In a pipe or a log it prints a plain line now and
// then, because a bar would be one endless line there.
import type { Output } from '../io.js'

const REDRAW_MS = 200
const LINE_MS = 5_000
const BAR = 24
/** Of a terminal that does not say how wide it is. */
const COLUMNS = 80

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
    if (!terminal) return void output.write(`${name}: ${state}\n`)
    const line = fitted(name, state, done / total, (output.columns || COLUMNS) - 1)
    output.write(`\r\u001b[K${line}${done === total ? '\n' : ''}`)
  }
}

/** A line that wraps could not be drawn over: first the bar gets shorter, then the name, then the rest. */
function fitted(name: string, state: string, share: number, columns: number): string {
  const room = Math.min(BAR, columns - name.length - state.length - 4)
  if (room < 4) return `${name.slice(0, Math.max(0, columns - state.length - 1))} ${state}`.slice(0, columns)
  const filled = Math.round(room * share)
  return `${name} [${'#'.repeat(filled)}${'.'.repeat(room - filled)}] ${state}`
}

export const duration = (seconds: number): string =>
  seconds < 90
    ? `${Math.ceil(seconds)} s`
    : seconds < 5400
      ? `${Math.ceil(seconds / 60)} min`
      : `${(seconds / 3600).toFixed(1)} h`
