// Waiting with a deadline. Every wait of this folder uses it, so that a guard, a store or a client that hangs or
// ignores its signal delays nobody beyond the deadline.
import { setMaxListeners } from 'node:events'
import { LlamaGuardError, isLlamaGuardError } from '../errors.js'
import { deadlineOf, LazyAbortController, type AbortSignalLike } from '../utils/lazy-abort-controller.js'

/** The longest delay a Node.js timer takes, in milliseconds. A timer with a longer delay fires at once. */
export const LONGEST_TIMER = 2 ** 31 - 1

/**
 * The abort reason of work whose result is no longer needed: the client left, or another answer came first. It says
 * nothing about the guard's health.
 */
export const NOBODY_WAITS = new LlamaGuardError(
  'guard_unavailable',
  'Nobody waits for this judgement any more: the caller left, or another answer came first.',
)

/**
 * The abort reason as one of our errors. A deadline stays a deadline; every other reason means that the caller left.
 */
export function reasonOf(signal: AbortSignalLike): LlamaGuardError {
  return isLlamaGuardError(signal.reason) ? signal.reason : NOBODY_WAITS
}

/**
 * Settles like `work`, or rejects as soon as the signal aborts, whether or not `work` listens to the signal.
 * `settled` is called once, before the promise settles.
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
  /** Milliseconds until the wait fails with the error of `late`. Default: no limit of its own. */
  readonly ms?: number
  readonly late?: () => LlamaGuardError
  /** A signal of the caller. Its abort ends the wait. */
  readonly signal?: AbortSignalLike | undefined
}

/**
 * Time and signal of a judgement, or of a part of it that may end earlier. It aborts at its deadline, when the caller's
 * signal aborts, and at its end.
 */
export class Deadline extends LazyAbortController {
  readonly started = performance.now()
  readonly #outer: AbortSignalLike | undefined
  readonly #timer: NodeJS.Timeout | undefined

  constructor({ ms, signal: outer, late }: Bounds) {
    const deadline = deadlineFrom(ms)
    const outerDeadline = deadlineOf(outer)
    super(Math.min(deadline, outerDeadline))
    if (outer?.aborted) {
      this.abort(reasonOf(outer))
      return
    }
    this.#outer = outer
    // Node.js warns about the eleventh listener of a signal. Other code bounds the number of listeners, so the warning
    // is switched off.
    if (outer instanceof AbortSignal) setMaxListeners(0, outer)
    outer?.addEventListener('abort', this.#leave, { once: true })
    if (ms !== undefined && deadline < outerDeadline)
      this.#timer = setTimeout(() => this.abort(late ? late() : timedOut(ms)), Math.min(ms, LONGEST_TIMER))
  }

  /** Ends the wait. What still runs under this signal is called off. */
  end(): void {
    clearTimeout(this.#timer)
    this.#outer?.removeEventListener('abort', this.#leave)
    this.abort(NOBODY_WAITS)
  }

  readonly #leave = (): void => this.abort(this.#outer && reasonOf(this.#outer))
}

/** Runs `work` with a deadline of its own. */
export function within<T>(bounds: Bounds, work: (signal: LazyAbortController) => T | PromiseLike<T>): Promise<T> {
  const deadline = new Deadline(bounds)
  return orAbort(
    deadline,
    () => work(deadline),
    () => deadline.end(),
  )
}

/**
 * Runs `work` with a signal that aborts by the deadline. When the caller's signal aborts early enough, `work` gets
 * that signal, and no second signal and timer are created. Use it only for work that ends by itself when the signal
 * aborts, and that leaves nothing running.
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

/** The error of a wait whose deadline has passed. */
export function timedOut(ms: number): LlamaGuardError {
  return new LlamaGuardError(
    'guard_timeout',
    `The guard did not answer within ${ms} ms. Raise timeoutMs, or look at the guard's load.`,
  )
}
