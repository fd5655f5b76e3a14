// `doctor --latency` times checks one after the other, with a cold and with a warm prefix, then a growing number at
// once until the rate stops growing. It tells how long a check takes, how many a second there can be, what to change,
// and which settings the endpoint cannot meet.
import { randomBytes } from 'node:crypto'
import { type Member, prompterOf } from '../../services/create-guard.js'
import type { Config } from '../../options/config.js'
import type { Prompter } from '../../guard/prompt/index.js'
import { estimateTokens } from '../../guard/prompt/tokens/counter.js'
import type { Io } from '../io.js'
import { percentile } from '../eval/metrics.js'
import type { Aws } from './examine-endpoint.js'
import { explain } from './explain.js'
import { type Answered, asking, ProbeFailure, type Target } from './probe.js'
import { type Report, twoLines } from './report.js'
import { EXAMPLES } from './examine-guard.js'

export interface LatencyOptions {
  readonly aws: Aws
  readonly target: Target
  readonly member: Member
  /** The settings of the middleware, with the deadline and the concurrency of this guard. */
  readonly config: Config
  /** Default: 20. */
  readonly samples?: number
  readonly io: Io
  readonly report: Report
}

/** SageMaker's own limit for an answer, in milliseconds. A check is timed to its end, whatever `timeoutMs` is. */
const LONGEST_MS = 60_000
/** When a warm prefix is at least this many times as fast as a cold one, the endpoint has a prefix cache. */
const CACHE_GAIN = 1.2

export async function examineLatency(options: LatencyOptions): Promise<void> {
  const { target, member, config, samples = 20, io, report } = options
  const { client, region } = options.aws
  const prompter = prompterOf(member.config)
  const ask = asking(client, { ...target, timeoutMs: LONGEST_MS })
  const send: Send = (prompt, firstTokenOnly) => ask(prompt, firstTokenOnly ? 1 : prompter.maxNewTokens)
  io.stderr.write(
    `Measuring: ${3 * samples} checks one after the other, then up to a few hundred at once. They count as traffic.\n`,
  )
  try {
    const latency = await measure(send, prompter, {
      samples,
      timeoutMs: config.timeoutMs,
      signal: io.signal,
      onLevel: ({ inFlight, checksPerSecond }) =>
        void io.stderr.write(`${inFlight} at once: ${checksPerSecond.toFixed(1)} checks/s\n`),
    })
    tellTimes(latency, report)
    tellLoad(latency, report)
    tellCache(latency, report)
    tellPromises(latency, config, report)
  } catch (error) {
    if (!(error instanceof ProbeFailure)) throw error
    const [said, cure] = twoLines(explain(error.raw, region))
    report.fail('latency', `${error.guardError.code}: ${said}`, cure ?? error.guardError.message)
  }
}

const shown = ({ p50, p99 }: Times): string => `p50 ${ms(p50)}, p99 ${ms(p99)}`
const ms = (value: number): string => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`

function tellTimes({ cold, warm, firstToken, promptTokens, answerTokens }: Latency, report: Report): void {
  report.ok('cold prefix', `${shown(cold)}, whole answer`)
  report.ok('warm prefix', `${shown(warm)}, whole answer`)
  report.ok('first token', `${shown(firstToken)}, warm prefix, an answer of one token`)
  report.ok(
    'tokens',
    `about ${promptTokens} a prompt (an estimate on the high side)` +
      (answerTokens === undefined ? '' : `, ${answerTokens} an answer`),
  )
}

function tellLoad({ levels, bend }: Latency, report: Report): void {
  for (const level of levels) report.ok('load', loadLine(level))
  if (bend !== undefined)
    report.ok(
      'bend',
      `at ${bend.inFlight} in flight: ${bend.checksPerSecond.toFixed(1)} checks/s; more at once only wait longer`,
    )
}

const loadLine = ({ inFlight, checksPerSecond, times, stopped }: Level): string =>
  `${String(inFlight).padStart(3)} in flight: ${checksPerSecond.toFixed(1).padStart(6)} checks/s, ${shown(times)}` +
  (stopped === undefined ? '' : `; ${stopped}`)

function tellCache({ cold, warm }: Latency, report: Report): void {
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
}

function tellPromises({ cold, warm, bend, levels }: Latency, config: Config, report: Report): void {
  const { timeoutMs, hedgeAfterMs, concurrency, windowMs } = config
  const p99 = Math.max(cold.p99, warm.p99)
  if (p99 > timeoutMs)
    report.fail(
      'timeoutMs',
      `${timeoutMs}, and one check in a hundred takes ${ms(p99)} on an idle endpoint`,
      `Set LLAMA_GUARD_TIMEOUT_MS to ${roundedUp(2 * p99)} or more, or take a faster instance, a newer container or a ` +
        'smaller model.',
    )
  else report.ok('timeoutMs', `${timeoutMs}, beyond the p99 of ${ms(p99)}`)
  if (hedgeAfterMs !== undefined && hedgeAfterMs < warm.p50)
    report.warn(
      'hedgeAfterMs',
      `${hedgeAfterMs}, less than a usual check takes (${ms(warm.p50)}): most checks are asked twice`,
      `Set LLAMA_GUARD_HEDGE_AFTER_MS to ${roundedUp(warm.p99)} or more.`,
    )
  if (warm.p50 > windowMs)
    report.warn(
      'windowMs',
      `${windowMs}, less than a usual check takes (${ms(warm.p50)}): a stream waits for its guard`,
      `Set LLAMA_GUARD_WINDOW_MS to ${roundedUp(warm.p99)} or more, so that a check covers more text.`,
    )
  const best = bend ?? levels.at(-1)
  if (best === undefined || best.checksPerSecond === 0) return
  const fits = Math.max(1, Math.floor((best.checksPerSecond * timeoutMs) / 1000))
  if (concurrency > fits)
    report.warn(
      'concurrency',
      `${concurrency}: so many checks at once take ${ms((1000 * concurrency) / best.checksPerSecond)}, and timeoutMs is ` +
        String(timeoutMs),
      `Set LLAMA_GUARD_CONCURRENCY to ${Math.min(fits, 2 * best.inFlight)}, over all processes, or add instances: each ` +
        `as many checks a second again (--instance-count, --autoscale with --autoscale-target ${best.inFlight}).`,
    )
  else report.ok('concurrency', `${concurrency}, which the endpoint can answer within timeoutMs`)
}

/** The number rounded up to two digits, as a person would set it. */
function roundedUp(value: number): number {
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, value))) - 1)
  return Math.ceil(value / unit) * unit
}

/** Sends one prompt and waits for the answer, or for its first token. */
export type Send = (prompt: string, firstTokenOnly: boolean) => Promise<Answered>

export interface Times {
  readonly p50: number
  readonly p99: number
}

export interface Level {
  readonly inFlight: number
  readonly checksPerSecond: number
  readonly times: Times
  /** Why no higher level was tried. */
  readonly stopped?: string
}

export interface Latency {
  /** Times when no part of the prompt was seen before, as in the first check with a policy. */
  readonly cold: Times
  /** Times when the policy was seen before and the conversation was not, as in every other check. */
  readonly warm: Times
  /** Times as in `warm`, for an answer of one token. */
  readonly firstToken: Times
  readonly promptTokens: number
  readonly answerTokens: number | undefined
  readonly levels: readonly Level[]
  /** The level after which more checks at once raise the rate by less than a tenth. */
  readonly bend: Level | undefined
}

export interface MeasureOptions {
  readonly samples: number
  /** The load does not grow further once one check in a hundred takes longer. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal
  onLevel?(level: Level): void
}

const MOST_IN_FLIGHT = 256
/** The endpoint is at its limit when doubling the load gains less than this factor. */
const GAIN = 1.1
const LEAST_CHECKS = 8
const ROUNDS = 3

export async function measure(send: Send, prompter: Prompter, options: MeasureOptions): Promise<Latency> {
  const { samples } = options
  const [question = []] = EXAMPLES.map(({ conversation }) => conversation)
  // A text that was never sent. In front of the prompt it removes every shared prefix. In the conversation it leaves
  // the policy shared.
  const fresh = (): string => randomBytes(6).toString('hex')
  const warmPrompt = (): string =>
    prompter.render(question.map((turn) => ({ ...turn, text: `${turn.text} (${fresh()})` })))
  const coldPrompt = (): string => `${fresh()} ${warmPrompt()}`
  const cold = await inTurn(samples, options.signal, () => send(coldPrompt(), false))
  await send(warmPrompt(), false)
  const warm = await inTurn(samples, options.signal, () => send(warmPrompt(), false))
  const first = await inTurn(samples, options.signal, () => send(warmPrompt(), true))
  const levels = await climb(() => send(warmPrompt(), false), options)
  return {
    cold: timesOf(cold.map(({ ms }) => ms)),
    warm: timesOf(warm.map(({ ms }) => ms)),
    firstToken: timesOf(first.map(({ ms }) => ms)),
    promptTokens: estimateTokens(warmPrompt()),
    answerTokens: warm.at(-1)?.completion.tokens?.length,
    levels,
    bend: bendOf(levels),
  }
}

async function inTurn(
  count: number,
  signal: AbortSignal | undefined,
  call: () => Promise<Answered>,
): Promise<Answered[]> {
  const answers: Answered[] = []
  for (let at = 0; at < count && !signal?.aborted; at++) answers.push(await call())
  return answers
}

async function climb(call: () => Promise<Answered>, { timeoutMs, signal, onLevel }: MeasureOptions): Promise<Level[]> {
  const levels: Level[] = []
  for (let inFlight = 1; inFlight <= MOST_IN_FLIGHT && !signal?.aborted; inFlight *= 2) {
    const level = await loadOf(call, inFlight, timeoutMs)
    const before = levels.at(-1)
    levels.push(level)
    onLevel?.(level)
    if (level.stopped !== undefined) break
    if (before !== undefined && level.checksPerSecond < GAIN * before.checksPerSecond) break
  }
  return levels
}

async function loadOf(call: () => Promise<Answered>, inFlight: number, timeoutMs: number): Promise<Level> {
  const count = Math.max(LEAST_CHECKS, ROUNDS * inFlight)
  const times: number[] = []
  let left = count
  let failure: unknown
  const started = performance.now()
  const worker = async (): Promise<void> => {
    while (left > 0 && failure === undefined) {
      left -= 1
      try {
        times.push((await call()).ms)
      } catch (error) {
        failure ??= error
      }
    }
  }
  await Promise.all(Array.from({ length: inFlight }, worker))
  const seconds = (performance.now() - started) / 1000
  const measured = timesOf(times)
  const stopped =
    failure !== undefined
      ? `a check failed: ${nameOf(failure)}`
      : measured.p99 > timeoutMs
        ? `p99 is beyond timeoutMs (${timeoutMs})`
        : undefined
  return { inFlight, checksPerSecond: times.length / seconds, times: measured, ...(stopped && { stopped }) }
}

function nameOf(error: unknown): string {
  const { guardError, name } = error as { guardError?: { code: string }; name?: string }
  return guardError?.code ?? name ?? 'error'
}

function bendOf(levels: readonly Level[]): Level | undefined {
  return levels.find((level, at) => {
    const next = levels[at + 1]
    return next !== undefined && (next.stopped !== undefined || next.checksPerSecond < GAIN * level.checksPerSecond)
  })
}

function timesOf(values: readonly number[]): Times {
  return { p50: percentile(values, 0.5) ?? 0, p99: percentile(values, 0.99) ?? 0 }
}
