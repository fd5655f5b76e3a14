// `doctor`: checks each step of a judgement, prints what it found, and says at the first failure what to do. Every
// guard of a panel or a cascade is examined by itself, so that the report names the one that fails.
import { guardOf, type Member, membersOf } from '../../services/create-guard.js'
import { isLlamaGuardError, LlamaGuardError, toLlamaGuardError } from '../../types/errors.js'
import { isPromptGuard } from '../../guard/prompt/index.js'
import { requireBothSides } from '../../services/index.js'
import { parseOptions } from '../../options/config.js'
import type { Config } from '../../options/config.js'
import { guardsNamed } from '../../options/guards.js'
import type { LlamaGuardOptions } from '../../options/index.js'
import type { OutputFormat } from '../flags.js'
import { EXIT } from '../io.js'
import type { ExitCode, Io } from '../io.js'
import { type Aws, connectAws, examineEndpoint } from './examine-endpoint.js'
import { examineGuard } from './examine-guard.js'
import { examineLatency } from './latency.js'
import { asking } from './probe.js'
import { Report } from './report.js'

export interface DoctorOptions {
  /** Default: `text`. */
  readonly output?: OutputFormat
  /** Default: that of the variables. */
  readonly guard?: LlamaGuardOptions
  /** Default: LLAMA_GUARD_ENDPOINT. */
  readonly endpoint?: string
  readonly region?: string
  /** Default: LLAMA_GUARD_MODEL. */
  readonly model?: string
  /**
   * The small guard of a cascade, as `LLAMA_GUARD_GUARDS` names guards: `model@endpoint`. An app sets its cascade in
   * code, where this command does not see it. Default: none.
   */
  readonly cascade?: string
  /** Also measures how long checks take and how many a second there can be: a few hundred requests. Default: false. */
  readonly latency?: boolean
  /** Checks of each kind that are timed one after the other. Default: 20. */
  readonly samples?: number
}

export async function doctor(options: DoctorOptions, io: Io): Promise<ExitCode> {
  const report = new Report(io, options.output)
  let config: Config
  let members: readonly Member[]
  try {
    config = configOf(options, io.env)
    members = membersOf(config)
    await checkTogether(config)
  } catch (error) {
    report.fail('settings', toLlamaGuardError(error).message)
    if (options.output !== 'text') report.end(conclusion(report))
    return EXIT.usage
  }
  report.ok('settings', settingsOf(members))
  const aws = members.some(onSageMaker) ? await connectAws(options.region, report) : undefined
  try {
    for (const member of members) {
      if (members.length > 1) report.begin(member.option, nameOf(member))
      if (!onSageMaker(member)) await examineGuard(member, report)
      else if (aws !== undefined) await examineSageMaker(member, { config, aws, options, io, report })
      if (options.latency === true && !onSageMaker(member))
        report.warn('latency', 'not measured', '--latency measures a SageMaker endpoint.')
    }
  } finally {
    aws?.client.destroy()
  }
  report.end(conclusion(report))
  return report.failures > 0 ? EXIT.failed : EXIT.ok
}

/** The thresholds of the cascade play no part here: every guard is asked. */
function configOf({ guard, endpoint, model, cascade }: DoctorOptions, env: Io['env']): Config {
  const [first, second] = cascade === undefined ? [] : guardsNamed(cascade, '--cascade')
  if (second !== undefined)
    throw new LlamaGuardError(
      'invalid_option',
      `--cascade ${cascade} names several guards; a cascade has one small guard.`,
    )
  const panel =
    guard?.guards ?? (env['LLAMA_GUARD_GUARDS'] ? guardsNamed(env['LLAMA_GUARD_GUARDS'], 'LLAMA_GUARD_GUARDS') : [])
  return parseOptions(
    {
      ...guard,
      ...(endpoint !== undefined && { endpoint }),
      ...(model !== undefined && { model: model as Config['model'] }),
      ...(first && { guards: [...panel, { first, safeBelow: 0, unsafeAbove: 1 }] }),
    },
    env,
  )
}

const onSageMaker = ({ config }: Member): boolean => config.guard === 'sagemaker'

/** Throws for guards that cannot judge together, as the middleware does when it is built. */
async function checkTogether(config: Config): Promise<void> {
  try {
    const guard = guardOf(config)
    await guard.close?.()
    requireBothSides(guard)
  } catch (error) {
    // A missing region has a line of its own.
    if (!isLlamaGuardError(error) || error.code !== 'region_missing') throw error
  }
}

function settingsOf(members: readonly Member[]): string {
  const [only] = members
  if (members.length === 1 && only !== undefined) {
    const { guard, model } = only.config
    return typeof guard !== 'string'
      ? 'guard of your own'
      : `guard ${guard}${guard === 'local' ? '' : `, model ${model}`}`
  }
  return `${members.length} guards: ${members.map((member) => `${member.option} ${nameOf(member)}`).join('; ')}`
}

/** A guard in words: its model and its place. */
function nameOf({ config: { guard, model, endpoint, guardUrl, guardModel } }: Member): string {
  if (typeof guard !== 'string') return guard.model ?? 'a guard of your own'
  return guard === 'local' ? 'the local screen' : `${model} at ${endpoint ?? guardUrl ?? guardModel}`
}

function conclusion({ failures, broken }: Report): string {
  if (failures === 0) return 'The guard is ready.'
  return `The guard cannot be relied on yet${broken.length === 0 ? '' : `: ${broken.join(' and ')} failed`}.`
}

/** What is common to all guards that are examined. */
interface Examination {
  readonly config: Config
  readonly aws: Aws
  readonly options: DoctorOptions
  readonly io: Io
  readonly report: Report
}

async function examineSageMaker(
  member: Member,
  { config: whole, aws, options, io, report }: Examination,
): Promise<void> {
  const { latency = false, samples } = options
  const { endpoint = '', inferenceComponent, targetVariant, timeoutMs, concurrency, model } = member.config
  const target = { endpoint, inferenceComponent, targetVariant, timeoutMs }
  const before = report.failures
  await examineEndpoint(endpoint, aws.region, io, report)
  const probe = asking(aws.client, target)
  await examineGuard(member, report, { region: aws.region, ask: () => probe('Hello', 1) })
  if (!latency) return
  if (isPromptGuard(model)) report.warn('latency', 'not measured', '--latency measures guards that read a prompt.')
  else if (report.failures === before)
    await examineLatency({ aws, target, member, config: { ...whole, timeoutMs, concurrency }, samples, io, report })
}
