// `eval`: makes one guard or two from the flags, and runs the evaluation.
import { LlamaGuardError, toLlamaGuardError } from '../../errors.js'
import type { LlamaGuardOptions } from '../../options/index.js'
import type { OutputFormat } from '../flags.js'
import { EXIT, type ExitCode, type Io, painter } from '../io.js'
import { type CandidateSettings, type OpenCandidate, openCandidate, settingsNamed } from './candidate.js'
import type { Mapping } from './rows.js'
import { type Bounds, runCascade, runEval } from './run.js'

export interface EvaluateFlags {
  text?: string
  label?: string
  unsafeValue?: string
  categories?: string
  threshold?: number
  scores: boolean
  policy?: string
  against?: string
  labels: boolean
  cascade?: boolean
  maxDisagreement: number
  costRatio?: number
  scoreColumns?: readonly [small: string, large: string]
  concurrency: number
  attempts: number
  resume?: string
  report?: string
  targetFpr: number
  dollarsPerHour?: number
  expectedMs: number
  dryRun?: boolean
  output: OutputFormat
  mistakes?: string
  least: Bounds
  most: Bounds
}

/** The score from which the large guard of a cascade finds a text unsafe, when no threshold is given. */
const LARGE_THRESHOLD = 0.5

export async function evaluate(
  files: readonly string[],
  flags: EvaluateFlags,
  options: LlamaGuardOptions,
  io: Io,
): Promise<ExitCode> {
  const open: OpenCandidate[] = []
  try {
    const env = flags.policy === undefined ? io.env : { ...io.env, LLAMA_GUARD_POLICY: flags.policy }
    const cascade = flags.cascade === true ? { bound: flags.maxDisagreement, costRatio: flags.costRatio } : undefined
    const { threshold, scores, concurrency, scoreColumns } = flags
    const mapping = mappingOf(flags)
    if (scoreColumns !== undefined && cascade !== undefined)
      return await runCascade({ files, ...mapping, cascade, threshold: threshold ?? LARGE_THRESHOLD }, io)
    checkCascade(flags)
    const common = { ...options, ...(threshold !== undefined && { threshold }), concurrency }
    const settings: CandidateSettings = { options: common, env, scores }
    open.push(openCandidate(settings))
    if (flags.against !== undefined) open.push(openCandidate(settingsNamed(flags.against, settings)))
    const [judge, against] = open
    if (judge === undefined || judge.name === against?.name)
      throw new LlamaGuardError(
        'invalid_option',
        `--against names the very guard that is measured (${judge?.name}). Name another backend, model, endpoint or ` +
          'policy.',
      )
    return await runEval(
      {
        files,
        ...mapping,
        concurrency,
        attempts: flags.attempts,
        resumeFile: flags.resume,
        reportFile: flags.report,
        targetFalsePositiveRate: flags.targetFpr,
        dollarsPerHour: flags.dollarsPerHour,
        expectedMs: flags.expectedMs,
        dryRun: flags.dryRun,
        output: flags.output,
        mistakesFile: flags.mistakes,
        least: flags.least,
        most: flags.most,
        ...(cascade && { cascade }),
      },
      { judge, against, stdout: io.stdout, stderr: io.stderr, signal: io.signal },
    )
  } catch (error) {
    return tellWrongCall(error, io)
  } finally {
    await Promise.all(open.map((one) => one.close()))
  }
}

function mappingOf(flags: EvaluateFlags): Mapping {
  return {
    textField: flags.text,
    labelField: flags.label,
    unsafeValue: flags.unsafeValue,
    categoriesField: flags.categories,
    unlabelled: !flags.labels,
    scoreFields: flags.scoreColumns,
  }
}

function checkCascade({ cascade, against, scores, scoreColumns }: EvaluateFlags): void {
  if (scoreColumns !== undefined)
    throw new LlamaGuardError('invalid_option', '--score-columns are read with --cascade alone. Add --cascade.')
  if (cascade !== true) return
  if (against === undefined)
    throw new LlamaGuardError(
      'invalid_option',
      'A cascade has two guards. Name the small one with --against, or two score columns of the file with ' +
        '--score-columns SMALL,LARGE.',
    )
  if (!scores) throw new LlamaGuardError('invalid_option', 'A cascade is chosen by scores. Leave out --no-scores.')
}

function tellWrongCall(error: unknown, io: Io): ExitCode {
  const { code, message } = toLlamaGuardError(error)
  io.stderr.write(`${painter(io.stderr, io.env)('red', `${code}: ${message}`)}\n`)
  return EXIT.usage
}
