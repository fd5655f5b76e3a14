// `eval`: from flags to one guard, or two, and on to the evaluation. The guards judge as the middleware
// would, but remember nothing and try once, so that every text is measured and the evaluation alone decides
// about trying again.
import { createHash } from 'node:crypto'
import { guardOf } from '../../create-guard.js'
import { LlamaGuardError, toLlamaGuardError } from '../../errors.js'
import { identityOf } from '../../guard/cache/key.js'
import { readCategories } from '../../options/categories.js'
import { type Config, parseOptions } from '../../options/config.js'
import { type Backend, BACKENDS, type ModelName, MODELS, type Options } from '../../options/index.js'
import { decide } from '../../policy.js'
import { createServices } from '../../services.js'
import type { Logger } from '../../types.js'
import { EXIT, type ExitCode, type Io, painter } from '../io.js'
import { runBatch } from './batch/index.js'
import type { Judge } from './judge-all.js'
import { runEval } from './run.js'

export interface EvaluateFlags {
  text?: string
  label?: string
  unsafeValue?: string
  categories?: string
  threshold?: number
  scores: boolean
  against?: string
  concurrency: number
  attempts: number
  resume?: string
  report?: string
  targetFpr: number
  dollarsPerHour?: number
  expectedMs: number
  dryRun?: boolean
  batch?: string
  start?: boolean
  sagemakerModel?: string
  instanceType?: string
  instanceCount: number
  batchFolder: string
}

export interface OpenJudge extends Judge {
  close(): Promise<void>
}

const SILENT: Logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }

export async function evaluate(
  files: readonly string[],
  flags: EvaluateFlags,
  options: Options,
  io: Io,
): Promise<ExitCode> {
  if (flags.batch !== undefined) return await evaluateInBatch(files, flags.batch, flags, options, io)
  const open: OpenJudge[] = []
  try {
    const { threshold, scores, concurrency } = flags
    const common = { ...options, ...(threshold !== undefined && { threshold }), concurrency }
    open.push(openJudge(common, scores, io.env))
    if (flags.against !== undefined) open.push(openJudge({ ...common, ...guardNamed(flags.against) }, scores, io.env))
    const [judge, against] = open
    if (judge === undefined || judge.name === against?.name)
      throw new LlamaGuardError(
        'invalid_option',
        `--against names the very guard that is measured (${judge?.name}). Name another backend, model or endpoint.`,
      )
    return await runEval(
      {
        files,
        textField: flags.text,
        labelField: flags.label,
        unsafeValue: flags.unsafeValue,
        categoriesField: flags.categories,
        concurrency,
        attempts: flags.attempts,
        resumeFile: flags.resume,
        reportFile: flags.report,
        targetFalsePositiveRate: flags.targetFpr,
        dollarsPerHour: flags.dollarsPerHour,
        expectedMs: flags.expectedMs,
        dryRun: flags.dryRun,
      },
      { judge, against, stdout: io.stdout, stderr: io.stderr, signal: io.signal },
    )
  } catch (error) {
    const { code, message } = toLlamaGuardError(error)
    io.stderr.write(`${painter(io.stderr, io.env)('red', `${code}: ${message}`)}\n`)
    return EXIT.usage
  } finally {
    await Promise.all(open.map((one) => one.close()))
  }
}

/** A guard under measurement. Its `safe` is the middleware's decision: threshold, actions and all. */
export function openJudge(options: Options, scores: boolean, env: Io['env']): OpenJudge {
  const config = parseOptions({ logger: SILENT, ...options }, env)
  // Any threshold makes a guard ask for log probabilities; the decision below still follows the configured
  // one, or the model's own word.
  const guard = guardOf(scores ? { ...config, threshold: config.threshold ?? 0.5 } : config)
  const services = createServices({
    ...config,
    guard,
    fallback: undefined,
    shadowGuard: undefined,
    upstream: undefined,
    cacheMax: 0,
    cacheStore: undefined,
    maxAttempts: 1,
    hedgeAfterMs: undefined,
    breaker: false,
  })
  const settings = { ...config, mode: 'enforce', onError: 'closed' } as const
  return {
    name: nameOf(config, guard.model ?? 'custom', identityOf(guard)),
    async judge(conversation, { signal, stage = 'input' }) {
      const judgement = await services.judge.judge(conversation, { stage, signal })
      if ('error' in judgement) throw judgement.error
      const { outcome, categories, error } = decide(stage, [judgement], settings, services.categories)
      if (error !== undefined) throw error
      return { ...judgement.verdict, safe: outcome.state === 'safe', categories: categories.map(({ code }) => code) }
    },
    close: () => services.close(),
  }
}

/**
 * For people, and for the resume file: verdicts of another endpoint, prompt, policy or threshold must not
 * pass for this guard's.
 */
function nameOf(
  { guard, endpoint, guardUrl, threshold, categoryThresholds, actions }: Config,
  model: string,
  identity: string,
): string {
  const where = guard === 'sagemaker' ? endpoint : guard === 'openai' ? new URL(guardUrl ?? '').host : undefined
  const policy = createHash('sha256')
    .update(JSON.stringify([identity, threshold, categoryThresholds, actions]))
    .digest('hex')
    .slice(0, 8)
  return (
    `${model}${where === undefined ? '' : ` at ${where}`}${threshold === undefined ? '' : ` from ${threshold}`} ` +
    `(${policy})`
  )
}

/** `local`; `llama-guard-3-8b`; `llama-guard-3-8b/my-endpoint`. */
function guardNamed(text: string): Options {
  const slash = text.indexOf('/')
  const name = slash < 0 ? text : text.slice(0, slash)
  const endpoint = slash < 0 ? undefined : text.slice(slash + 1)
  if (endpoint === undefined && BACKENDS.includes(name as Backend)) return { guard: name as Backend }
  if (MODELS.includes(name as ModelName) && endpoint !== '')
    return { model: name as ModelName, ...(endpoint !== undefined && { guard: 'sagemaker', endpoint }) }
  throw new LlamaGuardError(
    'invalid_option',
    `--against ${JSON.stringify(text)} names no guard. Give a backend (${BACKENDS.join(', ')}), a ` +
      `model (${MODELS.join(', ')}), or model/endpoint.`,
  )
}

/** Nothing is judged from here, so no guard is made: only the prompts are, and the job's answers are read. */
async function evaluateInBatch(
  files: readonly string[],
  batch: string,
  flags: EvaluateFlags,
  options: Options,
  io: Io,
): Promise<ExitCode> {
  let config: Config
  try {
    config = parseOptions(
      { ...options, guard: 'local', ...(flags.threshold !== undefined && { threshold: flags.threshold }) },
      io.env,
    )
  } catch (error) {
    const { code, message } = toLlamaGuardError(error)
    io.stderr.write(`${painter(io.stderr, io.env)('red', code)}: ${message}\n`)
    return EXIT.usage
  }
  const { model, task, instruction } = config
  const categories = config.categories === undefined ? undefined : readCategories(config.categories, 'categories')
  return await runBatch(
    {
      files,
      batch,
      model,
      policy: { categories, task, instruction },
      sagemakerModel: flags.sagemakerModel,
      instanceType: flags.instanceType,
      instanceCount: flags.instanceCount,
      start: flags.start,
      folder: flags.batchFolder,
      threshold: config.threshold,
      reportFile: flags.report,
      targetFalsePositiveRate: flags.targetFpr,
      textField: flags.text,
      labelField: flags.label,
      unsafeValue: flags.unsafeValue,
      categoriesField: flags.categories,
    },
    io,
  )
}
