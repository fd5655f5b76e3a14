// Protects the guard from us and us from the guard. `ask` and `judge` are the whole composition, read from
// the inside out:
// one call < circuit breaker < slots and queue < hedge < retry < deadline. cockatiel 3 does breaker, bulkhead
// and back-off.
import { setTimeout as sleep } from 'node:timers/promises'
import {
  bulkhead,
  ExponentialBackoff,
  fullJitterGenerator,
  type IBackoff,
  type IBackoffFactory,
  isBulkheadRejectedError,
} from 'cockatiel'
import { isLlamaGuardError, LlamaGuardError, toLlamaGuardError } from '../../errors.js'
import type { Conversation, Guard, Logger, Verdict } from '../../types.js'
import type { LazyAbortController, AbortSignalLike } from '../../utils/lazy-abort-controller.js'
import { inTime, orAbort, reasonOf } from '../deadline.js'
import { AskOptions } from '../judge-options.js'
import type { PanelOptions } from '../merge-verdicts.js'
import { checkedVerdict } from '../validate.js'
import { createCircuit } from './circuit-breaker.js'
import { hedged } from './hedge.js'
import { createBudget } from './retry-budget.js'

export interface ResilienceOptions {
  /** Milliseconds for one judgement: queue, all attempts and the pauses between them. Then `guard_timeout`. */
  readonly timeoutMs: number
  /**
   * Calls per judgement, the first included; a hedge is not an attempt. Only errors marked `retryable` are
   * tried again.
   */
  readonly maxAttempts: number
  /** Milliseconds without an answer until a second call goes out. Undefined: never. */
  readonly hedgeAfterMs?: number | undefined
  /** Calls in flight at once. */
  readonly concurrency: number
  /** Calls that may wait for a slot; one more is `guard_overloaded`. */
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

/** What the guard is told, with a signal that need not be an AbortSignal. */
export type ResilientOptions = Omit<PanelOptions, 'signal'> & { readonly signal?: AbortSignalLike | undefined }

export interface Resilient {
  /** Always settles by the deadline. Rejects with a {@link LlamaGuardError}, never with anything else. */
  judge(conversation: Conversation, options: ResilientOptions): Promise<Verdict>
  stats(): ResilienceStats
}

/** AWS's advice, full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ */
const PAUSE = { generator: fullJitterGenerator, initialDelay: 100, maxDelay: 1000 }
const BACKOFF: IBackoffFactory<unknown> = new ExponentialBackoff(PAUSE)

export function resilient(guard: Guard, o: ResilienceOptions): Resilient {
  const count = { judgements: 0, calls: 0, retries: 0, hedges: 0, shed: 0 }
  const slots = bulkhead(o.concurrency, o.queue)
  const circuit = o.breaker ? createCircuit(guard.model ?? 'custom', o.logger) : undefined
  const retries = createBudget({ share: 0.1, floor: 10 })
  const hedges = createBudget({ share: 0.05, floor: 0 })
  const mayHedge = (): boolean =>
    slots.executionSlots > 0 && (circuit?.state ?? 'closed') === 'closed' && hedges.spend()

  const ask = (
    conversation: Conversation,
    options: ResilientOptions,
    signal: LazyAbortController,
  ): Promise<Verdict> => {
    circuit?.refuseWhileOpen()
    const judgeOnce = (): Promise<unknown> => {
      count.calls++
      return guard.judge(conversation, new AskOptions(signal, options))
    }
    const call = (): Promise<Verdict> => orAbort(signal, judgeOnce).then(checkedVerdict, asGuardError)
    // The signal stays out of the bulkhead: it would skip an aborted entry without waking the next one in line.
    const whenFree = (): Promise<Verdict> => {
      if (signal.aborted) throw reasonOf(signal)
      return circuit ? circuit.execute(call) : call()
    }
    return slots.execute(whenFree)
  }

  /** The library's refusals in our words. */
  const ours = (error: unknown): unknown => {
    if (!isBulkheadRejectedError(error)) return circuit?.ours(error) ?? error
    count.shed++
    return overloaded(o)
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
    // Asked once per failed attempt, so it may take from the budget.
    const worthAnother = (error: unknown): boolean =>
      isLlamaGuardError(error) &&
      error.retryable &&
      tries < o.maxAttempts &&
      !signal.aborted &&
      performance.now() + PAUSE.initialDelay < signal.deadline &&
      retries.spend()
    const onHedge = (): void => void (second++, count.hedges++)
    const attempt = (): Promise<Verdict> => {
      if (tries++ > 0) count.retries++
      if (o.hedgeAfterMs === undefined) return ask(conversation, options, signal)
      return hedged({ afterMs: o.hedgeAfterMs, mayHedge, onHedge, signal }, (inner) =>
        ask(conversation, options, inner),
      )
    }
    let pause: IBackoff<unknown> | undefined
    for (;;) {
      try {
        const verdict = await attempt()
        return Object.assign(verdict, { attempts: (verdict.attempts ?? 1) + tries - 1 + second })
      } catch (refused) {
        const error = ours(refused)
        if (!worthAnother(error)) throw error
      }
      pause = (pause ?? BACKOFF).next(undefined)
      await sleep(pause.duration)
    }
  }

  const judge = (conversation: Conversation, options: ResilientOptions): Promise<Verdict> =>
    inTime({ ms: o.timeoutMs, signal: options.signal }, (signal) => attempts(conversation, options, signal))

  return {
    judge,
    stats: () => ({
      ...count,
      inFlight: o.concurrency - slots.executionSlots,
      queued: o.queue - slots.queueSlots,
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
    `All ${concurrency} guard calls are busy and ${queue} more wait. Raise concurrency or queue, or ` +
      'add guard capacity.',
  )
}
