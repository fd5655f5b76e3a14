// `doctor`: checks each step of a judgement, prints what it found, and says at the first failure what to do. Every
// guard of a panel is examined by itself, so that the report names the one that fails.
import { guardsOf, type Member, membersOf } from '../../services/create-guard.js'
import { isLlamaGuardError, toLlamaGuardError } from '../../types/errors.js'
import { requireBothSides } from '../../services/index.js'
import { type Config, parseOptions } from '../../options/config.js'
import type { LlamaGuardOptions } from '../../options/index.js'
import type { OutputFormat } from '../flags.js'
import { EXIT, type ExitCode, type Io } from '../io.js'
import { guardName } from '../names.js'
import { connectAws, examineEndpoint, explainFailure } from './examine-endpoint.js'
import { examineGuard } from './examine-guard.js'
import { examineLatency } from './latency.js'
import { createReport, type Report } from './report.js'

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
  const report = createReport(io, options.output)
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
  const names = members.map((member) => `${member.option} ${guardName(member.config)}`).join('; ')
  report.ok('settings', members.length > 1 ? `${members.length} guards: ${names}` : names)
  const aws = members.some(onSageMaker) ? await connectAws(options.region, report) : undefined
  try {
    for (const member of members) {
      if (members.length > 1) report.begin(member.option, guardName(member.config))
      const before = report.failures()
      if (!onSageMaker(member)) await examineGuard(member, report)
      else if (aws === undefined) continue
      else {
        await examineEndpoint(member.config.endpoint ?? '', aws.region, io, report)
        await examineGuard(member, report, () => explainFailure(aws, member.config))
      }
      if (latency && report.failures() === before) await examineLatency(member, report, io, samples)
    }
  } finally {
    aws?.client.destroy()
  }
  report.end(conclusion(report))
  return report.failures() > 0 ? EXIT.failed : EXIT.ok
}

const onSageMaker = ({ config }: Member): boolean => config.guard === 'sagemaker'

/** Throws for guards that cannot judge together, as the middleware does when it is built. */
async function checkTogether(config: Config): Promise<void> {
  try {
    const { guard } = guardsOf(config)
    await guard.close?.()
    requireBothSides(guard)
  } catch (error) {
    // A missing region has a line of its own.
    if (!isLlamaGuardError(error) || error.code !== 'region_missing') throw error
  }
}

function conclusion(report: Report): string {
  if (report.failures() === 0) return 'The guard is ready.'
  const broken = report.broken()
  return `The guard cannot be relied on yet${broken.length === 0 ? '' : `: ${broken.join(' and ')} failed`}.`
}
