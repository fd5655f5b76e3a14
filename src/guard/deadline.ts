// Waiting that can be cut short. Every wait of this folder goes through here, so that a guard, a store or a client
// that hangs, or ignores its signal, can hold nobody longer than the deadline.
import { setMaxListeners } from 'node:events'
import { LlamaGuardError, isLlamaGuardError } from '../errors.js'
import { deadlineOf, LazyAbortController, type AbortSignalLike } from '../utils/lazy-abort-controller.js'

/** Longest delay a Node.js timer takes; a longer one fires at once. */
export const LONGEST_TIMER = 2 ** 31 - 1

/**
 * Why work was aborted that nobody waits for any more: the client left, or another answer won. Says nothing
 * about the guard's health.
 */
export const NOBODY_WAITS = new LlamaGuardError(
  'guard_unavailable',
  'Nobody waits for this judgement any more: the caller left, or another answer came first.',
)

/** The abort reason as one of our errors: a deadline stays a deadline, everything else means that the caller left. */
export function reasonOf(signal: AbortSignalLike): LlamaGuardError {
  return isLlamaGuardError(signal.reason) ? signal.reason : NOBODY_WAITS
}

/**
 * Settles like `work`, or rejects as soon as the signal aborts, whether or not `work` listens to it.
 * `settled` is called once, by then.
 */
export function orAbort<T>(signal: AbortSignalLike, work: () => T | PromiseLike<T>, settled?: () => void): Promise<T> {
  return new Promise((resolve, reject) => {
    let waiting = true
    const end = (): void => {
      if (!waiting) return
      waiting = false
      signal.removeEventListener('abort', onAbort)
      settled?.()
    }
    const onAbort = (): void => fail(reasonOf(signal))
    const fail = (error: Error): void => {
      end()
      reject(error)
    }
    if (signal.aborted) return onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      Promise.resolve(work()).then((value) => {
        end()
        resolve(value)
      }, fail)
    } catch (error) {
      fail(error as Error)
    }
  })
}

export interface Bounds {
  /** Milliseconds until `late` is the answer. Default: no limit of its own. */
  readonly ms?: number
  readonly late?: () => LlamaGuardError
  /** An outer reason to stop. */
  readonly signal?: AbortSignalLike | undefined
}

/**
 * Runs `work` with a signal of its own, which aborts at the deadline, when the outer signal does, and when
 * `work` has settled.
 */
export function within<T>(bounds: Bounds, work: (signal: LazyAbortController) => T | PromiseLike<T>): Promise<T> {
  const { ms, signal: outer, late } = bounds
  if (outer?.aborted) return Promise.reject(reasonOf(outer))
  const deadline = deadlineFrom(ms)
  const outerDeadline = deadlineOf(outer)
  const stop = new LazyAbortController(Math.min(deadline, outerDeadline))
  // Fan-out is bounded elsewhere; Node.js warns about the eleventh listener whatever its reason.
  if (outer instanceof AbortSignal) setMaxListeners(0, outer)
  const leave = (): void => stop.abort(outer === undefined ? NOBODY_WAITS : reasonOf(outer))
  outer?.addEventListener('abort', leave, { once: true })
  const timer =
    ms === undefined || outerDeadline <= deadline
      ? undefined
      : setTimeout(() => stop.abort(late ? late() : timedOut(ms)), Math.min(ms, LONGEST_TIMER))
  return orAbort(
    stop,
    () => work(stop),
    () => {
      clearTimeout(timer)
      outer?.removeEventListener('abort', leave)
      stop.abort(NOBODY_WAITS)
    },
  )
}

/**
 * Runs `work` with a signal that aborts by the deadline: the outer one, where that will, for a signal and a
 * timer of its own would then change nothing. Only for work that leaves nothing running, and that ends by
 * itself when the signal aborts.
 */
export function inTime<T>(bounds: Bounds, work: (signal: LazyAbortController) => Promise<T>): Promise<T> {
  const { ms, signal } = bounds
  return signal instanceof LazyAbortController && !signal.aborted && signal.deadline <= deadlineFrom(ms)
    ? work(signal)
    : within(bounds, work)
}

function deadlineFrom(ms: number | undefined): number {
  return ms === undefined ? Infinity : performance.now() + ms
}

/** What everybody who waits in vain is told. */
export function timedOut(ms: number): LlamaGuardError {
  return new LlamaGuardError(
    'guard_timeout',
    `The guard did not answer within ${ms} ms. Raise timeoutMs, or look at the guard's load.`,
  )
}
