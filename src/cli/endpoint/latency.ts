// `doctor --latency` times checks one after the other, with a cold and a warm prefix, then a growing number at once
// until the rate stops growing. It tells how long a check takes, how many a second there can be, and which settings the
// guard cannot meet.
import { randomBytes } from 'node:crypto'
import { guardOfMember, type Member, prompterOf } from '../../services/create-guard.js'
import { sagemakerComplete } from '../../guard/backends/sagemaker/index.js'
import { isPromptGuard } from '../../guard/prompt/index.js'
import { estimateTokens } from '../../guard/prompt/tokens/counter.js'
import type { Config } from '../../options/config.js'
import { toLlamaGuardError } from '../../types/errors.js'
import type { Io } from '../io.js'
import { percentile } from '../eval/metrics.js'
import { QUESTION } from './examine-guard.js'
import type { Report } from './report.js'

/** SageMaker's own limit for an answer, in milliseconds. A check is timed to its end, whatever `timeoutMs` is. */
const LONGEST_MS = 60_000
const MOST_IN_FLIGHT = 256
/** The guard is at its limit when doubling the load gains less than this factor. */
const GAIN = 1.1
const LEAST_CHECKS = 8
const ROUNDS = 3

interface Times {
  readonly p50: number
  readonly p99: number
}

interface Level {
  readonly inFlight: number
  readonly checksPerSecond: number
  readonly times: Times
  /** Why no higher level was tried. */
  readonly stopped?: string
}

/** One check of a text that the guard has not seen, in milliseconds. */
type Check = () => Promise<number>

/** `samples` checks are timed one after the other. Default: 20. */
export async function examineLatency(member: Member, report: Report, io: Io, samples = 20): Promise<void> {
  const { config } = member
  // A model in this process works on as many as it was loaded for.
  const concurrency = config.guard === 'llama-cpp' ? config.concurrency : MOST_IN_FLIGHT
  const guard = guardOfMember({ ...member, config: { ...config, timeoutMs: LONGEST_MS, concurrency } })
  const check: Check = async () => {
    const words = randomBytes(6).toString('hex')
    const started = performance.now()
    await guard.judge([{ role: 'User', text: `${QUESTION} (${words})` }], { signal: AbortSignal.timeout(LONGEST_MS) })
    return performance.now() - started
  }
  io.stderr.write(
    `Measuring: ${samples} checks one after the other, then up to a few hundred at once. They count as traffic.\n`,
  )
  try {
    const alone: number[] = []
    while (alone.length < samples && !io.signal?.aborted) alone.push(await check())
    const times = timesOf(alone)
    report.ok('latency', shown(times))
    if (config.guard === 'sagemaker' && !isPromptGuard(config.model)) await examinePrefix(config, report, io, samples)
    const levels: Level[] = []
    for await (const level of climb(check, config.timeoutMs, io.signal)) {
      levels.push(level)
      report.ok('load', loadLine(level))
    }
    tellTimeout(times, config, report)
    tellLoad(levels, config, report)
  } catch (error) {
    const { code, message } = toLlamaGuardError(error, 'guard_error')
    report.fail('latency', `${code}: ${message}`)
  } finally {
    await guard.close?.()
  }
}

/** When a warm prefix is at least this many times as fast as a cold one, the endpoint has a prefix cache. */
const CACHE_GAIN = 1.2
const OPTIONS = { logprobs: false }

/** Times a prompt of which nothing was seen before, one whose policy was, and of that an answer of one token. */
async function examinePrefix(config: Config, report: Report, { signal }: Io, samples: number): Promise<void> {
  const { endpoint = '', inferenceComponent, targetVariant } = config
  const prompter = prompterOf(config)
  const asking = { endpoint, inferenceComponent, targetVariant, concurrency: 1, timeoutMs: LONGEST_MS }
  const whole = sagemakerComplete({ ...asking, maxNewTokens: prompter.maxNewTokens })
  const one = sagemakerComplete({ ...asking, maxNewTokens: 1 })
  const fresh = (): string => randomBytes(6).toString('hex')
  const prompt = (): string => prompter.render([{ role: 'User', text: `${QUESTION} (${fresh()})` }])
  const timed = async (call: () => Promise<unknown>): Promise<Times> => {
    const measured: number[] = []
    while (measured.length < samples && !signal?.aborted) {
      const started = performance.now()
      await call()
      measured.push(performance.now() - started)
    }
    return timesOf(measured)
  }
  try {
    const cold = await timed(() => whole(`${fresh()} ${prompt()}`, OPTIONS))
    await whole(prompt(), OPTIONS)
    const warm = await timed(() => whole(prompt(), OPTIONS))
    const first = await timed(() => one(prompt(), OPTIONS))
    report.ok('cold prefix', `${shown(cold)}, whole answer`)
    report.ok('warm prefix', `${shown(warm)}, whole answer`)
    report.ok('first token', `${shown(first)}, warm prefix`)
    report.ok('tokens', `about ${estimateTokens(prompt())} a prompt (an estimate on the high side)`)
    const gain = cold.p50 / Math.max(0.001, warm.p50)
    if (gain >= CACHE_GAIN)
      report.ok('prefix cache', `on: a warm prefix is ${gain.toFixed(1)} times as fast as a cold one`)
    else
      report.warn(
        'prefix cache',
        `off, or of no use: a warm prefix takes ${ms(warm.p50)}, a cold one ${ms(cold.p50)}`,
        'Most of a guard prompt never changes. LMI 11: OPTION_ENABLE_PREFIX_CACHING=true and no ' +
          'OPTION_ENABLE_CHUNKED_PREFILL; TGI 2 has none, TGI 3 and vLLM have. `deploy` sets it.',
      )
  } finally {
    await Promise.all([whole.close(), one.close()])
  }
}

async function* climb(check: Check, timeoutMs: number, signal: AbortSignal | undefined): AsyncGenerator<Level> {
  let before = 0
  for (let inFlight = 1; inFlight <= MOST_IN_FLIGHT && !signal?.aborted; inFlight *= 2) {
    const level = await loadOf(check, inFlight, timeoutMs)
    yield level
    if (level.stopped !== undefined || level.checksPerSecond < GAIN * before) return
    before = level.checksPerSecond
  }
}

async function loadOf(check: Check, inFlight: number, timeoutMs: number): Promise<Level> {
  const measured: number[] = []
  let left = Math.max(LEAST_CHECKS, ROUNDS * inFlight)
  let failure: string | undefined
  const started = performance.now()
  const worker = async (): Promise<void> => {
    while (left-- > 0 && failure === undefined)
      try {
        measured.push(await check())
      } catch (error) {
        failure ??= `a check failed: ${toLlamaGuardError(error, 'guard_error').code}`
      }
  }
  await Promise.all(Array.from({ length: inFlight }, worker))
  const seconds = (performance.now() - started) / 1000
  const times = timesOf(measured)
  const stopped = failure ?? (times.p99 > timeoutMs ? `p99 is beyond timeoutMs (${timeoutMs})` : undefined)
  return { inFlight, checksPerSecond: measured.length / seconds, times, ...(stopped && { stopped }) }
}

function tellTimeout({ p99 }: Times, { timeoutMs }: Config, report: Report): void {
  if (p99 <= timeoutMs) return report.ok('timeoutMs', `${timeoutMs}, beyond the p99 of ${ms(p99)}`)
  report.fail(
    'timeoutMs',
    `${timeoutMs}, and one check in a hundred takes ${ms(p99)} on an idle guard`,
    `Set LLAMA_GUARD_TIMEOUT_MS to ${roundedUp(2 * p99)} or more, or take a faster instance, a newer container or a ` +
      'smaller model.',
  )
}

function tellLoad(levels: readonly Level[], { timeoutMs, concurrency }: Config, report: Report): void {
  // The level after which more checks at once raise the rate by less than a tenth.
  const bend = levels.find((level, at) => {
    const next = levels[at + 1]
    return next !== undefined && (next.stopped !== undefined || next.checksPerSecond < GAIN * level.checksPerSecond)
  })
  if (bend !== undefined)
    report.ok('bend', `at ${bend.inFlight} in flight: ${rate(bend)}; more at once only wait longer`)
  const best = bend ?? levels.at(-1)
  if (best === undefined || best.checksPerSecond === 0) return
  const fits = Math.max(1, Math.floor((best.checksPerSecond * timeoutMs) / 1000))
  if (concurrency <= fits)
    return report.ok('concurrency', `${concurrency}, which the guard can answer within timeoutMs`)
  report.warn(
    'concurrency',
    `${concurrency}: so many checks at once take ${ms((1000 * concurrency) / best.checksPerSecond)}, and timeoutMs is ` +
      String(timeoutMs),
    `Set LLAMA_GUARD_CONCURRENCY to ${Math.min(fits, 2 * best.inFlight)}, over all processes, or add instances: each ` +
      'as many checks a second again (`deploy --instance-count`, `--autoscale`).',
  )
}

const ms = (value: number): string => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`
const shown = ({ p50, p99 }: Times): string => `p50 ${ms(p50)}, p99 ${ms(p99)}`
const rate = ({ checksPerSecond }: Level): string => `${checksPerSecond.toFixed(1)} checks/s`

const loadLine = (level: Level): string =>
  `${String(level.inFlight).padStart(3)} in flight: ${rate(level).padStart(15)}, ${shown(level.times)}` +
  (level.stopped === undefined ? '' : `; ${level.stopped}`)

/** The number rounded up to two digits, as a person would set it. */
function roundedUp(value: number): number {
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, value))) - 1)
  return Math.ceil(value / unit) * unit
}

const timesOf = (values: readonly number[]): Times => ({
  p50: percentile(values, 0.5) ?? 0,
  p99: percentile(values, 0.99) ?? 0,
})
