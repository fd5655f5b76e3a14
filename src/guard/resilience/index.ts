// Protects the guard from overload and the caller from a slow guard. `ask` and `judge` compose the parts, from the
// inside out: one call < circuit breaker < slots and queue < hedge < retry < deadline.
import { setTimeout as sleep } from 'node:timers/promises'
import { isLlamaGuardError, LlamaGuardError, toLlamaGuardError } from '../../errors.js'
import type { Conversation, Guard, Logger, Verdict } from '../../types.js'
import type { LazyAbortController, AbortSignalLike } from '../../utils/lazy-abort-controller.js'
import { inTime, orAbort, reasonOf } from '../deadline.js'
import { AskOptions } from '../judge-options.js'
import type { PanelOptions } from '../merge-verdicts.js'
import { checkedVerdict } from '../validate.js'
import { FairQueue } from './fair-queue.js'
import { guardCircuit } from './guard-circuit.js'
import { hedged } from './hedge.js'
import { createBudget } from './retry-budget.js'

export interface ResilienceOptions {
  /**
   * Milliseconds for one judgement: queue, all attempts and the pauses between them. A later answer is
   * `guard_timeout`.
   */
  readonly timeoutMs: number
  /**
   * The most calls per judgement, the first included. A hedge does not count. Only errors marked `retryable` are
   * tried again.
   */
  readonly maxAttempts: number
  /** Milliseconds without an answer until a second call is sent. Undefined: no second call. */
  readonly hedgeAfterMs?: number | undefined
  /** The most calls in flight at once. */
  readonly concurrency: number
  /** The most requests that may wait for their first slot. One more is `guard_overloaded`. */
  readonly queue: number
  readonly breaker: boolean
  readonly logger?: Logger | undefined
}

export interface ResilienceStats {
  readonly judgements: number
  readonly calls: number
  readonly retries: number
  readonly hedges: number
  readonly shed: number
  readonly inFlight: number
  readonly queued: number
  readonly circuit: 'closed' | 'open' | 'half-open' | 'off'
}

/** The options of a judgement. Its signal need not be an AbortSignal. */
export type ResilientOptions = Omit<PanelOptions, 'signal'> & {
  readonly signal?: AbortSignalLike | undefined
  /** The identity of the request: calls of different requests take turns. Default: a request of its own. */
  readonly request?: object | undefined
}

export interface Resilient {
  /** Always settles by the deadline. Rejects with a {@link LlamaGuardError}, never with anything else. */
  judge(conversation: Conversation, options: ResilientOptions): Promise<Verdict>
  stats(): ResilienceStats
}

/** Full jitter, as AWS advises: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ */
const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 1000

export function resilient(guard: Guard, o: ResilienceOptions): Resilient {
  const count = { judgements: 0, calls: 0, retries: 0, hedges: 0, shed: 0 }
  const slots = new FairQueue(o)
  const circuit = o.breaker ? guardCircuit(guard.model ?? 'custom', o.logger) : undefined
  const retries = createBudget({ share: 0.1, floor: 10 })
  const hedges = createBudget({ share: 0.05, floor: 0 })
  const mayHedge = (): boolean => slots.free > 0 && (circuit?.state ?? 'closed') === 'closed' && hedges.spend()

  const ask = async (
    conversation: Conversation,
    options: ResilientOptions,
    signal: LazyAbortController,
  ): Promise<Verdict> => {
    if (signal.aborted) throw reasonOf(signal)
    circuit?.refuseWhileOpen()
    const judgeOnce = (): Promise<unknown> => {
      count.calls++
      return guard.judge(conversation, new AskOptions(signal, options))
    }
    const call = (): Promise<Verdict> => orAbort(signal, judgeOnce).then(checkedVerdict, asGuardError)
    const whenFree = (): Promise<Verdict> => (circuit ? circuit.execute(call) : call())
    const answer = slots.run(options.request ?? {}, signal, whenFree)
    if (answer !== undefined) return answer
    count.shed++
    throw overloaded(o)
  }

  const attempts = async (
    conversation: Conversation,
    options: ResilientOptions,
    signal: LazyAbortController,
  ): Promise<Verdict> => {
    let tries = 0
    let second = 0
    count.judgements++
    retries.earn()
    hedges.earn()
    // Called once per failed attempt, because it takes from the retry budget.
    const worthAnother = (error: unknown): boolean =>
      isLlamaGuardError(error) &&
      error.retryable &&
      tries < o.maxAttempts &&
      !signal.aborted &&
      performance.now() + FIRST_PAUSE_MS < signal.deadline &&
      retries.spend()
    const onHedge = (): void => void (second++, count.hedges++)
    const attempt = (): Promise<Verdict> => {
      if (tries++ > 0) count.retries++
      if (o.hedgeAfterMs === undefined) return ask(conversation, options, signal)
      return hedged({ afterMs: o.hedgeAfterMs, mayHedge, onHedge, signal }, (inner) =>
        ask(conversation, options, inner),
      )
    }
    for (;;) {
      try {
        const verdict = await attempt()
        return Object.assign(verdict, { attempts: (verdict.attempts ?? 1) + tries - 1 + second })
      } catch (error) {
        if (!worthAnother(error)) throw error
      }
      const pauseMs = Math.random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (tries - 1))
      await orAbort(signal, () => sleep(pauseMs))
    }
  }

  const judge = (conversation: Conversation, options: ResilientOptions): Promise<Verdict> =>
    inTime({ ms: o.timeoutMs, signal: options.signal }, (signal) => attempts(conversation, options, signal))

  return {
    judge,
    stats: () => ({
      ...count,
      inFlight: slots.inFlight,
      queued: slots.queued,
      circuit: circuit?.state ?? 'off',
    }),
  }
}

function asGuardError(error: unknown): never {
  throw toLlamaGuardError(error, 'guard_error')
}

function overloaded({ concurrency, queue }: ResilienceOptions): LlamaGuardError {
  return new LlamaGuardError(
    'guard_overloaded',
    `All ${concurrency} guard calls are busy and ${queue} more requests wait. Raise concurrency or queue, or ` +
      'add guard capacity.',
  )
}
