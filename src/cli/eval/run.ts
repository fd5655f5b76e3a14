// `eval FILE...`: reads labelled texts, estimates what judging them takes, judges them, prints the numbers and writes
// the report.
import { appendFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { toLlamaGuardError } from '../../errors.js'
import type { OutputFormat } from '../flags.js'
import type { Output } from '../io.js'
import { EXIT, type ExitCode } from '../io.js'
import { describeCascade, planCascade } from './cascade.js'
import { type Candidate, judgeAll, keyOf, lineOf, type Outcome, remembered } from './judge-all.js'
import { printed } from './print.js'
import { duration, progressOf } from './progress.js'
import { report } from './report.js'
import { type Mapping, readRows, type Row } from './rows.js'
import { type Summary, summarise } from './summary.js'

export interface CascadeOptions {
  /** The share of all texts, 0 to 1, on which the cascade may decide differently from the large guard. */
  readonly bound: number
  /** Cost of a small check over that of a large one. Default: the ratio of their median times. */
  readonly costRatio?: number
}

export interface EvalOptions extends Mapping {
  readonly files: readonly string[]
  /** The most judgements in flight. Default: 8. */
  readonly concurrency?: number
  /** The most times a row is tried, the first included. Default: 3. */
  readonly attempts?: number
  /**
   * The file that remembers answers, so that a second run goes on where the first stopped. It holds hashes and
   * verdicts, and no texts. Default: none.
   */
  readonly resumeFile?: string
  /** Path of the HTML report. Default: no report is written. */
  readonly reportFile?: string
  /** Default: `text`. */
  readonly output?: OutputFormat
  /** Path of a file for the wrongly judged texts, as JSON Lines. Default: none. */
  readonly mistakesFile?: string
  /** The exit code is 1 when a measure of the first guard is below its bound here. Default: no bounds. */
  readonly least?: Bounds
  /** The same for a measure above its bound. */
  readonly most?: Bounds
  /** Share of safe texts that may be flagged, for the recommended threshold. Default: 0.03. */
  readonly targetFalsePositiveRate?: number
  /** Price of the endpoint's instance, for the estimate. */
  readonly dollarsPerHour?: number
  /** Time one judgement is expected to take, for the estimate. Default: 250. */
  readonly expectedMs?: number
  /** True prints the estimate and stops. Default: false. */
  readonly dryRun?: boolean
  /** The number of draws of each bootstrap interval. Default: 1000. */
  readonly draws?: number
  /** Chooses the thresholds of a cascade: `judge` is the large guard and `against` the small one. */
  readonly cascade?: CascadeOptions
}

/** By measure: `recall`, `falsePositiveRate`. */
export type Bounds = Readonly<Record<string, number>>

export interface EvalIo {
  readonly judge: Candidate
  /** A second guard, judged on the same rows and compared with the first. */
  readonly against?: Candidate
  readonly stdout: Output
  readonly stderr: Output
  readonly signal?: AbortSignal
}

function estimate(rows: readonly Row[], candidates: readonly Candidate[], options: EvalOptions): string {
  const known = remembered(options.resumeFile)
  const asked = candidates.flatMap((candidate) =>
    [...new Set(rows.map(({ conversation }) => keyOf(candidate, conversation)))].filter((key) => !known.has(key)),
  ).length
  const seconds = (asked * (options.expectedMs ?? 250)) / 1000 / (options.concurrency ?? 8)
  const cost =
    options.dollarsPerHour === undefined
      ? ''
      : `, about $${((seconds / 3600) * options.dollarsPerHour).toFixed(2)} of instance time`
  const labels = options.unlabelled === true ? 'without labels' : `${rows.filter((row) => row.unsafe).length} unsafe`
  return (
    `${rows.length} texts (${labels}), ${asked} judgements to make: about ${duration(seconds)} ` +
    `at ${options.concurrency ?? 8} in flight${cost}\n`
  )
}

/**
 * Runs an evaluation. Returns the exit code: 1 for a measure beyond its bound, 2 for a wrong call, 3 when a text could
 * not be judged or the run was interrupted.
 */
export async function runEval(options: EvalOptions, io: EvalIo): Promise<ExitCode> {
  const candidates = [io.judge, ...(io.against === undefined ? [] : [io.against])]
  let rows: readonly Row[]
  try {
    rows = await readRows(options.files, options)
  } catch (error) {
    const { code, message } = toLlamaGuardError(error)
    io.stderr.write(`${code}: ${message}\n`)
    return EXIT.usage
  }
  io.stderr.write(estimate(rows, candidates, options))
  if (options.dryRun === true) return EXIT.ok
  const summaries: Summary[] = []
  const judged: { candidate: Candidate; outcomes: readonly (Outcome | undefined)[] }[] = []
  for (const candidate of candidates) {
    const outcomes = await judgeAll(rows, candidate, {
      concurrency: options.concurrency ?? 8,
      attempts: options.attempts ?? 3,
      resumeFile: options.resumeFile,
      signal: io.signal,
      onProgress: progressOf(io.stderr, candidate.name),
    })
    judged.push({ candidate, outcomes })
    summaries.push(
      summarise(candidate.name, rows, outcomes, {
        targetFalsePositiveRate: options.targetFalsePositiveRate,
        draws: options.draws,
        labelled: options.unlabelled !== true,
        model: candidate.model,
        threshold: candidate.threshold,
        onDraw: progressOf(io.stderr, `${candidate.name}: intervals`, 'draws'),
      }),
    )
  }
  const code = await publish(summaries, options, io)
  if (io.signal?.aborted) return interrupted(options, io, rows, judged)
  return options.cascade === undefined
    ? code
    : (Math.max(code, tellCascade(summaries, options.cascade, io)) as ExitCode)
}

/** What was judged was paid for, so it is kept, and the way to go on is told. */
function interrupted(
  { resumeFile, files }: EvalOptions,
  { stderr }: EvalIo,
  rows: readonly Row[],
  judged: readonly { readonly candidate: Candidate; readonly outcomes: readonly (Outcome | undefined)[] }[],
): ExitCode {
  const file = resumeFile ?? `${basename(files[0] ?? 'eval')}.state`
  let kept = 0
  for (const { candidate, outcomes } of judged)
    for (const [at, row] of rows.entries()) {
      const outcome = outcomes[at]
      if (outcome === undefined || 'failed' in outcome) continue
      kept++
      if (resumeFile === undefined) appendFileSync(file, lineOf(keyOf(candidate, row.conversation), outcome))
    }
  stderr.write(`Interrupted. ${kept} verdicts are kept in ${file}: run it again with --resume ${file} to go on.\n`)
  return EXIT.failed
}

/** Prints the numbers and writes the files. Returns the exit code. */
async function publish(
  summaries: readonly Summary[],
  { output, reportFile, mistakesFile, least = {}, most = {} }: EvalOptions,
  io: Pick<EvalIo, 'stdout' | 'stderr'>,
): Promise<ExitCode> {
  io.stdout.write(printed(summaries, output))
  const wrote = (file: string): void =>
    void io.stderr.write(`${file} written. It holds texts of the corpora: share it with care.\n`)
  if (reportFile !== undefined) {
    await writeFile(reportFile, report(summaries, new Date()))
    wrote(reportFile)
  }
  if (mistakesFile !== undefined) {
    await writeFile(mistakesFile, summaries.flatMap(mistakesOf).join(''))
    wrote(mistakesFile)
  }
  const values: Readonly<Record<string, number | undefined>> = summaries[0]?.values ?? {}
  const beyond = [
    ...Object.entries(least).filter(([name, value]) => !((values[name] ?? Number.NaN) >= value)),
    ...Object.entries(most).filter(([name, value]) => !((values[name] ?? Number.NaN) <= value)),
  ]
  for (const [name, value] of beyond) io.stderr.write(`${name} is ${values[name] ?? 'not known'}, beyond ${value}.\n`)
  if (summaries.some(({ failed }) => Object.keys(failed).length > 0)) return EXIT.failed
  return beyond.length > 0 ? EXIT.unsafe : EXIT.ok
}

function mistakesOf({ guard, judged, labelled }: Summary): string[] {
  return judged
    .filter((one) => labelled && one.flagged !== one.unsafe)
    .map(({ row: { id, source, conversation }, unsafe, flagged, score, categories }) => {
      const messages = conversation.map(({ role, text }) => ({
        role: role === 'Agent' ? 'assistant' : 'user',
        content: text,
      }))
      return `${JSON.stringify({ id, source, guard, unsafe, flagged, score, categories, messages })}\n`
    })
}

/** The second guard is the small one. A text that one of the two could not judge counts in no number of the cascade. */
function tellCascade(
  [large, small]: readonly Summary[],
  { bound, costRatio }: CascadeOptions,
  io: Pick<EvalIo, 'stdout' | 'stderr'>,
): ExitCode {
  const scores = new Map(small?.judged.map(({ row, score }) => [row, score]))
  const rows = (large?.judged ?? []).flatMap(({ row, flagged, unsafe }) => {
    const score = scores.get(row)
    return score === undefined ? [] : [{ small: score, largeUnsafe: flagged, ...(large?.labelled && { unsafe }) }]
  })
  if (rows.length === 0) {
    io.stderr.write(
      `invalid_option: ${small?.guard ?? 'The small guard'} gives no scores, and without them a cascade has no ` +
        'thresholds. Use a guard whose server gives token log probabilities.\n',
    )
    return EXIT.usage
  }
  const [cheap, dear] = [small?.latency.p50, large?.latency.p50]
  const measured = cheap !== undefined && dear !== undefined && dear > 0 ? cheap / dear : undefined
  if (costRatio === undefined && measured !== undefined)
    io.stderr.write(
      `Cost: a small check is taken as ${(100 * measured).toFixed(1)} % of a large one, their times here (p50). ` +
        '--cost-ratio sets it.\n',
    )
  io.stdout.write(describeCascade(planCascade(rows, bound), bound, costRatio ?? measured))
  return EXIT.ok
}

/** Reads the scores of both guards from columns of the files and asks no guard. */
export async function runCascade(
  options: Mapping & {
    readonly files: readonly string[]
    readonly threshold: number
    readonly cascade: CascadeOptions
  },
  io: Pick<EvalIo, 'stdout' | 'stderr'>,
): Promise<ExitCode> {
  const rows = await readRows(options.files, options)
  const scored = rows.flatMap(({ scores, unsafe }) =>
    scores === undefined
      ? []
      : [
          {
            small: scores.small,
            largeUnsafe: scores.large >= options.threshold,
            ...(!options.unlabelled && { unsafe }),
          },
        ],
  )
  const { bound, costRatio } = options.cascade
  io.stderr.write(`${scored.length} texts; the large guard finds a text unsafe from ${options.threshold} on.\n`)
  io.stdout.write(describeCascade(planCascade(scored, bound), bound, costRatio))
  return EXIT.ok
}
