// `eval FILE...`: reads labelled texts, says what judging them will take, judges them, prints the numbers and
// writes the report.
import { writeFile } from 'node:fs/promises'
import { toLlamaGuardError } from '../../errors.js'
import type { Output } from '../io.js'
import { EXIT, type ExitCode } from '../io.js'
import { type Judge, judgeAll, keyOf, remembered } from './judge-all.js'
import { number, report } from './report.js'
import { type Mapping, readRows, type Row } from './rows.js'
import { compare, type Measured, type Summary, summarise } from './summary.js'

export interface EvalOptions extends Mapping {
  readonly files: readonly string[]
  /** Judgements in flight. Default: 8. */
  readonly concurrency?: number
  /** Tries a row, the first included. Default: 3. */
  readonly attempts?: number
  /**
   * Remembers answers (hashes and verdicts, no texts), so that a second run goes on where the first stopped.
   * Default: none.
   */
  readonly resumeFile?: string
  /** Where the report goes. Default: none is written. */
  readonly reportFile?: string
  /** Share of safe texts that may be flagged, for the recommended threshold. Default: 0.03. */
  readonly targetFalsePositiveRate?: number
  /** Price of the endpoint's instance, for the estimate. */
  readonly dollarsPerHour?: number
  /** Time one judgement is expected to take, for the estimate. Default: 250. */
  readonly expectedMs?: number
  /** Says what it would take, and stops. */
  readonly dryRun?: boolean
  /** Draws of each bootstrap interval. Default: 1000. */
  readonly draws?: number
}

export interface EvalIo {
  readonly judge: Judge
  /** A second guard, judged on the same rows and compared with the first. */
  readonly against?: Judge
  readonly stdout: Output
  readonly stderr: Output
  readonly signal?: AbortSignal
}

const PROGRESS_EVERY_MS = 200

function estimate(rows: readonly Row[], judges: readonly Judge[], options: EvalOptions): string {
  const known = remembered(options.resumeFile)
  const asked = judges.flatMap((judge) =>
    [...new Set(rows.map(({ conversation }) => keyOf(judge, conversation)))].filter((key) => !known.has(key)),
  ).length
  const seconds = (asked * (options.expectedMs ?? 250)) / 1000 / (options.concurrency ?? 8)
  const cost =
    options.dollarsPerHour === undefined
      ? ''
      : `, about $${((seconds / 3600) * options.dollarsPerHour).toFixed(2)} of instance time`
  const unsafe = rows.filter((row) => row.unsafe).length
  return (
    `${rows.length} texts (${unsafe} unsafe), ${asked} judgements to make: about ${duration(seconds)} ` +
    `at ${options.concurrency ?? 8} in flight${cost}\n`
  )
}

const duration = (seconds: number): string =>
  seconds < 90
    ? `${Math.ceil(seconds)} s`
    : seconds < 5400
      ? `${Math.ceil(seconds / 60)} min`
      : `${(seconds / 3600).toFixed(1)} h`

/** A bar that is redrawn on a terminal; silence in a log file, which wants no thousand lines. */
function progressBar(output: Output, name: string): (done: number, total: number) => void {
  const start = performance.now()
  let drawn = 0
  return (done, total) => {
    const now = performance.now()
    if (output.isTTY !== true || (now - drawn < PROGRESS_EVERY_MS && done < total)) return
    drawn = now
    const rate = done / Math.max(0.001, (now - start) / 1000)
    const filled = Math.round((24 * done) / total)
    output.write(
      `\r\u001b[K${name} [${'#'.repeat(filled)}${'.'.repeat(24 - filled)}] ${done}/${total} ` +
        `${rate.toFixed(1)}/s ETA ${duration((total - done) / rate)}${done === total ? '\n' : ''}`,
    )
  }
}

function lines(summary: Summary): string {
  const measured = (Object.entries(summary.values) as [Measured, number | undefined][]).map(([name, value]) => {
    const sure = summary.intervals[name]
    return (
      `  ${name.padEnd(18)} ` +
      `${number(value)}${sure === undefined ? '' : `  (${number(sure.low)} to ${number(sure.high)})`}`
    )
  })
  const groups = [
    ...summary.bySource.map((group) => ['source', group] as const),
    ...summary.byCategory.map((group) => ['category', group] as const),
  ].map(
    ([kind, { name, rows, rates }]) =>
      `  ${`${kind} ${name}`.padEnd(32)} ${String(rows).padStart(6)} texts  recall ` +
      `${number(rates.recall)}  FPR ${number(rates.falsePositiveRate)}  F1 ${number(rates.f1)}`,
  )
  const { recommended, latency } = summary
  const advice =
    recommended === undefined
      ? '  no scores, so no threshold to recommend'
      : recommended.point === undefined
        ? `  no threshold keeps the FPR at or below ${recommended.target}`
        : `  threshold ${recommended.point.threshold.toFixed(4)} for FPR <= ${recommended.target}: recall ` +
          `${number(recommended.point.recall)}, precision ${number(recommended.point.precision)}`
  const missing = [
    ...Object.entries(summary.failed).map(([code, count]) => `  ${count} not judged: ${code}`),
    ...(summary.left > 0 ? [`  ${summary.left} not reached`] : []),
  ]
  return [
    `${summary.guard}: ${summary.judged.length} judged`,
    ...missing,
    ...measured,
    advice,
    `  latency p50 ${latency.p50?.toFixed(1) ?? '–'} ms, p99 ${latency.p99?.toFixed(1) ?? '–'} ms`,
    ...groups,
    '',
  ].join('\n')
}

/**
 * Runs an evaluation. Returns the exit code: 2 for a wrong call, 3 when a text could not be judged, 4 when
 * interrupted.
 */
export async function runEval(options: EvalOptions, io: EvalIo): Promise<ExitCode> {
  const judges = [io.judge, ...(io.against === undefined ? [] : [io.against])]
  let rows: readonly Row[]
  try {
    rows = await readRows(options.files, options)
  } catch (error) {
    const { code, message } = toLlamaGuardError(error)
    io.stderr.write(`${code}: ${message}\n`)
    return EXIT.usage
  }
  io.stderr.write(estimate(rows, judges, options))
  if (options.dryRun === true) return EXIT.ok
  const summaries: Summary[] = []
  for (const judge of judges) {
    const outcomes = await judgeAll(rows, judge, {
      concurrency: options.concurrency ?? 8,
      attempts: options.attempts ?? 3,
      resumeFile: options.resumeFile,
      signal: io.signal,
      onProgress: progressBar(io.stderr, judge.name),
    })
    summaries.push(
      summarise(judge.name, rows, outcomes, {
        targetFalsePositiveRate: options.targetFalsePositiveRate,
        draws: options.draws,
      }),
    )
  }
  const code = await publish(summaries, options.reportFile, io)
  return io.signal?.aborted ? EXIT.pending : code
}

/** Prints the numbers and writes the report. Returns the exit code: 3 when a text could not be judged. */
export async function publish(
  summaries: readonly Summary[],
  reportFile: string | undefined,
  io: Pick<EvalIo, 'stdout' | 'stderr'>,
): Promise<ExitCode> {
  for (const summary of summaries) io.stdout.write(`${lines(summary)}\n`)
  const [first, second] = summaries
  if (first !== undefined && second !== undefined) {
    const { rows: both, onlyFirst, onlySecond, p } = compare(first, second)
    io.stdout.write(
      `McNemar on ${both} texts: only ${first.guard} right ${onlyFirst}, only ${second.guard} right ` +
        `${onlySecond}, p = ${p.toPrecision(3)}\n`,
    )
  }
  if (reportFile !== undefined) {
    await writeFile(reportFile, report(summaries, new Date()))
    io.stderr.write(`${reportFile} written. It holds texts of the corpora: share it with care.\n`)
  }
  return summaries.some(({ failed }) => Object.keys(failed).length > 0) ? EXIT.unjudged : EXIT.ok
}
