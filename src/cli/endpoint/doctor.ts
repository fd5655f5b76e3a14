// `doctor`: checks each step of a judgement, prints what it found, and says at the first failure what to do. Every
// guard of a panel is examined by itself, so that the report names the one that fails.
import { guardOf, type Member, membersOf } from '../../services/create-guard.js'
import { isLlamaGuardError, toLlamaGuardError } from '../../types/errors.js'
import { requireBothSides } from '../../services/index.js'
import { parseOptions } from '../../options/config.js'
import type { Config } from '../../options/config.js'
import type { LlamaGuardOptions } from '../../options/index.js'
import type { OutputFormat } from '../flags.js'
import { EXIT } from '../io.js'
import type { ExitCode, Io } from '../io.js'
import { connectAws, examineEndpoint, explainFailure } from './examine-endpoint.js'
import { examineGuard } from './examine-guard.js'
import { examineLatency } from './latency.js'
import { Report } from './report.js'

export interface DoctorOptions {
  /** Settings that win over the variables. */
  readonly options?: LlamaGuardOptions
  /** Default: `text`. */
  readonly output?: OutputFormat
  readonly region?: string
  /** Also measures how long checks take and how many a second there can be: a few hundred requests. Default: false. */
  readonly latency?: boolean
  /** Checks that are timed one after the other. Default: 20. */
  readonly samples?: number
}

export async function doctor(options: DoctorOptions, io: Io): Promise<ExitCode> {
  const { latency = false, samples } = options
  const report = new Report(io, options.output)
  let members: readonly Member[]
  try {
    const config = parseOptions(options.options, io.env)
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
      const before = report.failures
      if (!onSageMaker(member)) await examineGuard(member, report)
      else if (aws === undefined) continue
      else {
        await examineEndpoint(member.config.endpoint ?? '', aws.region, io, report)
        await examineGuard(member, report, () => explainFailure(aws, member.config))
      }
      if (latency && report.failures === before) await examineLatency(member, report, io, samples)
    }
  } finally {
    aws?.client.destroy()
  }
  report.end(conclusion(report))
  return report.failures > 0 ? EXIT.failed : EXIT.ok
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
