// Times checks on an endpoint: one after the other with a cold and with a warm prefix, then with a growing number at
// once until the rate stops growing.
import { randomBytes } from 'node:crypto'
import type { Prompter } from '../../guard/prompt/index.js'
import { estimateTokens } from '../../guard/prompt/tokens/counter.js'
import { percentile } from '../eval/metrics.js'
import { EXAMPLES } from './examples.js'
import type { Answered } from './probe.js'

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
