// `eval FILE...`: makes one guard or two from the flags, reads labelled texts, judges them, prints the numbers and
// writes the report.
import { appendFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { invalidOption } from '../../types/errors.js'
import type { LlamaGuardOptions } from '../../options/index.js'
import type { OutputFormat } from '../flags.js'
import { EXIT, type ExitCode, type Io, type Output, progress, requireWritable } from '../io.js'
import { type CandidateSettings, type OpenCandidate, openCandidate, settingsNamed } from './candidate.js'
import { describeCascade, planCascade } from './cascade.js'
import { type Candidate, judgeAll, keyOf, lineOf, type Outcome, remembered } from './judge-all.js'
import { printed } from './print.js'
import { report } from './report.js'
import { type Mapping, readRows, type Row } from './rows.js'
import { type Summary, summarise } from './summary.js'

/** What is measured and told. The help of the command tells what each does. */
export interface EvalOptions extends Mapping {
  readonly concurrency?: number
  readonly resume?: string
  readonly report?: string
  readonly output?: OutputFormat
  readonly mistakes?: string
  readonly least?: Bounds
  readonly most?: Bounds
  readonly targetFpr?: number
  readonly cascade?: boolean
  readonly maxDisagreement?: number
}

/** By measure: `recall`, `falsePositiveRate`. */
export type Bounds = Readonly<Record<string, number>>

export interface EvaluateFlags extends EvalOptions {
  readonly threshold?: number
  readonly scores: boolean
  readonly policy?: string
  readonly against?: string
}

/** Guards, and where results are told. */
export interface EvalIo {
  readonly judge: Candidate
  /** A second guard, judged on the same rows and compared with the first. */
  readonly against?: Candidate
  readonly stdout: Output
  readonly stderr: Output
  readonly signal?: AbortSignal
}

export async function evaluate(
  files: readonly string[],
  flags: EvaluateFlags,
  options: LlamaGuardOptions,
  io: Io,
): Promise<ExitCode> {
  const { threshold, scores, concurrency, policy, against: second, cascade } = flags
  if (cascade === true && second === undefined)
    throw invalidOption('A cascade has two guards. Name the small one with --against.')
  if (cascade === true && !scores) throw invalidOption('A cascade is chosen by scores. Leave out --no-scores.')
  const settings: CandidateSettings = {
    options: { ...options, ...(threshold !== undefined && { threshold }), concurrency },
    env: policy === undefined ? io.env : { ...io.env, LLAMA_GUARD_POLICY: policy },
    scores,
  }
  const judge = openCandidate(settings)
  let against: OpenCandidate | undefined
  try {
    against = second === undefined ? undefined : openCandidate(settingsNamed(second, settings))
    if (judge.name === against?.name)
      throw invalidOption(
        `--against names the very guard that is measured (${judge.name}). Name another backend, model, endpoint or ` +
          'policy.',
      )
    return await runEval(files, flags, { ...io, judge, against })
  } finally {
    await judge.close()
    await against?.close()
  }
}

interface Judged {
  readonly candidate: Candidate
  readonly outcomes: readonly (Outcome | undefined)[]
}

/**
 * Runs an evaluation. Returns the exit code: 1 for a measure beyond its bound, 3 when a text could not be judged or the
 * run was interrupted.
 * @throws LlamaGuardError `invalid_option` for files that cannot be read, or written.
 */
export async function runEval(files: readonly string[], options: EvalOptions, io: EvalIo): Promise<ExitCode> {
  const { concurrency = 8, resume, report: reportFile, mistakes, targetFpr = 0.03, labels, cascade } = options
  const candidates = [io.judge, ...(io.against === undefined ? [] : [io.against])]
  const rows = await readRows(files, options)
  const known = remembered(resume)
  for (const file of [resume, reportFile, mistakes]) if (file !== undefined) await requireWritable(file)
  const asked = candidates.flatMap((candidate) =>
    [...new Set(rows.map(({ conversation }) => keyOf(candidate, conversation)))].filter((key) => !known.has(key)),
  )
  const unsafe = labels === false ? 'without labels' : `${rows.filter((row) => row.unsafe).length} unsafe`
  io.stderr.write(`${rows.length} texts (${unsafe}), ${asked.length} judgements to make\n`)
  const summaries: Summary[] = []
  const judged: Judged[] = []
  for (const candidate of candidates) {
    const outcomes = await judgeAll(rows, candidate, {
      concurrency,
      resumeFile: resume,
      signal: io.signal,
      onProgress: progressOf(io.stderr, candidate.name),
    })
    judged.push({ candidate, outcomes })
    summaries.push(
      summarise(candidate.name, rows, outcomes, {
        targetFalsePositiveRate: targetFpr,
        labelled: labels,
        threshold: candidate.threshold,
      }),
    )
  }
  const code = await publish(summaries, options, io)
  if (io.signal?.aborted) {
    const { file, kept } = keep(resume ?? `${basename(files[0] ?? 'eval')}.state`, resume === undefined, rows, judged)
    io.stderr.write(`Interrupted. ${kept} verdicts are kept in ${file}: run it again with --resume ${file} to go on.\n`)
    return EXIT.failed
  }
  if (cascade === true) tellCascade(summaries, options, io)
  return code
}

/** What was judged was paid for, so it is kept. A resume file has it already. */
function keep(file: string, isNew: boolean, rows: readonly Row[], judged: readonly Judged[]) {
  let kept = 0
  for (const { candidate, outcomes } of judged)
    for (const [at, row] of rows.entries()) {
      const outcome = outcomes[at]
      if (outcome === undefined || 'failed' in outcome) continue
      kept++
      if (isNew) appendFileSync(file, lineOf(keyOf(candidate, row.conversation), outcome))
    }
  return { file, kept }
}

/** Prints the numbers and writes the files. Returns the exit code. */
async function publish(
  summaries: readonly Summary[],
  { output, report: reportFile, mistakes, least = {}, most = {} }: EvalOptions,
  io: Pick<EvalIo, 'stdout' | 'stderr'>,
): Promise<ExitCode> {
  io.stdout.write(printed(summaries, output))
  const write = async (file: string | undefined, text: () => string): Promise<void> => {
    if (file === undefined) return
    await writeFile(file, text())
    io.stderr.write(`${file} written. It holds texts of the corpora: share it with care.\n`)
  }
  await write(reportFile, () => report(summaries, new Date()))
  await write(mistakes, () => summaries.flatMap(mistakesOf).join(''))
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
  { maxDisagreement: bound = 0.01 }: EvalOptions,
  io: Pick<EvalIo, 'stdout'>,
): void {
  const scores = new Map(small?.judged.map(({ row, score }) => [row, score]))
  const rows = (large?.judged ?? []).flatMap(({ row, flagged, unsafe }) => {
    const score = scores.get(row)
    return score === undefined ? [] : [{ small: score, largeUnsafe: flagged, ...(large?.labelled && { unsafe }) }]
  })
  if (rows.length === 0)
    throw invalidOption(
      `${small?.guard ?? 'The small guard'} gives no scores, and without them a cascade has no thresholds. Use a guard ` +
        'whose server gives token log probabilities.',
    )
  const [cheap, dear] = [small?.latency.p50, large?.latency.p50]
  io.stdout.write(describeCascade(planCascade(rows, bound), bound, cheap && dear && cheap / dear))
}

function progressOf(output: Output, name: string): (done: number, total: number) => void {
  const start = performance.now()
  const line = progress(output)
  return (done, total) => {
    const rate = done / Math.max(0.001, (performance.now() - start) / 1000)
    const left = done < total ? `, about ${Math.ceil((total - done) / rate)} s left` : ''
    line.show(`${name}: ${done}/${total} texts, ${rate.toFixed(1)}/s${left}`)
    if (done === total) line.end()
  }
}
