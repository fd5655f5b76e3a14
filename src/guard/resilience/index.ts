// Protects the guard from overload and the caller from a slow guard. `ask` and `judge` compose the parts, from the
// inside out: one call < circuit breaker < slots and queue < hedge < retry < deadline.
import { setTimeout as sleep } from 'node:timers/promises'
import { isLlamaGuardError, LlamaGuardError, toLlamaGuardError } from '../../types/errors.js'
import type { Conversation, Guard, Logger, ResilienceStats, Verdict } from '../../types.js'
import {
  type AbortSignalLike,
  AskOptions,
  inTime,
  type LazyAbortController,
  NOBODY_WAITS,
  orAbort,
  reasonOf,
  within,
} from '../../utils/deadline.js'
import { checkedVerdict } from '../answer/verdict.js'
import { askGuard, type PanelOptions } from '../pieces.js'
import { CircuitBreaker, FairQueue } from './admission.js'

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

/** The options of a judgement. Its signal need not be an AbortSignal. */
export type ResilientOptions = Omit<PanelOptions, 'signal'> & {
  readonly signal?: AbortSignalLike | undefined
  /** The identity of the request: calls of different requests take turns. Default: a request of its own. */
  readonly request?: object | undefined
  /** Less than the whole `timeoutMs`. Default: all of it. */
  readonly timeoutMs?: number | undefined
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
      return askGuard(guard, conversation, new AskOptions(signal, options))
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
    inTime({ ms: options.timeoutMs ?? o.timeoutMs, signal: options.signal }, (signal) =>
      attempts(conversation, options, signal),
    )

  return {
    judge,
    stats: () => ({ ...count, inFlight: slots.inFlight, queued: slots.queued, circuit: circuit?.state ?? 'off' }),
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

interface HedgeOptions {
  /** Milliseconds to wait for the first call. */
  readonly afterMs: number
  /** Called when `afterMs` have passed. True when budget and queue allow a second call. */
  readonly mayHedge: () => boolean
  readonly onHedge: () => void
  readonly signal: LazyAbortController
}

export function hedged<T>(
  { afterMs, mayHedge, onHedge, signal }: HedgeOptions,
  call: (signal: LazyAbortController) => Promise<T>,
): Promise<T> {
  return within({ signal }, async (inner) => {
    const first = call(inner)
    if ((await settledWithin(afterMs, first)) || inner.aborted || !mayHedge()) return first
    onHedge()
    return Promise.any([first, call(inner)]).catch((error: unknown) => {
      throw error instanceof AggregateError ? error.errors[0] : error
    })
  })
}

function settledWithin(ms: number, promise: Promise<unknown>): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms, false)
    const settled = (): void => {
      clearTimeout(timer)
      resolve(true)
    }
    promise.then(settled, settled)
  })
}

/** The most extra calls that quiet times can save up. */
const MOST_SAVED = 100

/** Extra calls: `share` of a call for each judgement of normal traffic, and `floor` before there is any. */
export function createBudget({ share, floor }: { readonly share: number; readonly floor: number }) {
  // Counted in whole thousandths, so that twenty times 0.05 is exactly one.
  const earned = Math.round(share * 1000)
  let saved = floor * 1000
  return {
    /** Counts one judgement. */
    earn() {
      saved = Math.min(saved + earned, MOST_SAVED * 1000)
    },
    /** Takes one extra call. False when none is left. */
    spend() {
      if (saved < 1000) return false
      saved -= 1000
      return true
    },
  }
}

/**
 * Failures that mean the guard is down. Other failures concern one text or the configuration (unparseable verdict,
 * too long, refused credentials). If they opened the breaker, one odd text would turn the guard off for everybody, or
 * the error with the real cause would be hidden.
 */
const SICK: ReadonlySet<string> = new Set([
  'guard_unavailable',
  'guard_timeout',
  'guard_throttled',
  'guard_not_ready',
  'guard_error',
])

export function guardCircuit(model: string, logger?: Logger): CircuitBreaker {
  return new CircuitBreaker({
    // Opens at more than half of the last 20 calls, once 6 calls were made.
    share: 0.5,
    size: 20,
    least: 6,
    // A guard that works again is found within two seconds. A guard that is down gets at most one call a second.
    firstRestMs: 200,
    longestRestMs: 2000,
    probes: 3,
    judge: (error) =>
      error === NOBODY_WAITS ? 'unknown' : isLlamaGuardError(error) && SICK.has(error.code) ? 'sick' : 'well',
    refusal: (ms) =>
      new LlamaGuardError(
        'guard_circuit_open',
        `The guard failed repeatedly; it is tried again in ${(ms / 1000).toFixed(1)} s.`,
        { retryAfter: ms / 1000 },
      ),
    onOpen: (ms) =>
      logger?.warn({ code: 'guard_circuit_open', model, ms: Math.round(ms) }, 'guard keeps failing: circuit opened'),
    onClose: () => logger?.info({ model }, 'guard answers again: circuit closed'),
  })
}
