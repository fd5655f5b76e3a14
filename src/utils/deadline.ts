// Waiting with a deadline, so that a guard, a store or a client that hangs or ignores its signal delays nobody beyond
// it. Controller, signal and deadline are one object, which makes its AbortSignal on first use: most signals are never
// read by a guard, an HTTP client or the SDK. To make one and to add and remove a listener takes 0.1 us; with
// AbortController it takes 3.1 us (CPU time, Node.js 20, mean of a loop).
import { setMaxListeners } from 'node:events'
import { LlamaGuardError } from '../types/errors.js'
import type { JudgeOptions, Stage, Verdict } from '../types.js'

/** The part of AbortSignal that waiting needs. */
export interface AbortSignalLike {
  readonly aborted: boolean
  readonly reason: unknown
  addEventListener(type: 'abort', listener: () => void, options?: { readonly once: true }): void
  removeEventListener(type: 'abort', listener: () => void): void
}

/**
 * Controller and signal in one object. Listeners are called once, in the order in which they were added, and must not
 * throw.
 */
export class LazyAbortController implements AbortSignalLike {
  /**
   * The time at which this signal will be aborted at the latest, in milliseconds of `performance.now()`. Infinity
   * when it is unknown.
   */
  readonly deadline: number
  #aborted = false
  #reason: unknown
  /**
   * No array literal: V8 soon makes those in its old space, where they keep each request until a full collection. That
   * took 80 us of a repeated request, and 150 of another (Node.js 24).
   */
  #listeners: Set<() => void> | undefined
  #real: AbortController | undefined

  constructor(deadline = Infinity) {
    this.deadline = deadline
  }

  get aborted(): boolean {
    return this.#aborted
  }

  get reason(): unknown {
    return this.#reason
  }

  /** The AbortSignal of this controller, created on first use. */
  get signal(): AbortSignal {
    if (this.#real === undefined) {
      this.#real = new AbortController()
      if (this.#aborted) this.#real.abort(this.#reason)
    }
    return this.#real.signal
  }

  addEventListener(_: 'abort', listener: () => void, _options?: { readonly once: true }): void {
    if (this.#aborted) return
    this.#listeners ??= new Set()
    this.#listeners.add(listener)
  }

  removeEventListener(_: 'abort', listener: () => void): void {
    this.#listeners?.delete(listener)
  }

  abort(reason?: unknown): void {
    if (this.#aborted) return
    this.#aborted = true
    this.#reason = reason
    const listeners = this.#listeners
    this.#listeners = undefined
    listeners?.forEach((listener) => listener())
    this.#real?.abort(reason)
  }
}

/** The time at which this signal will be aborted at the latest, in milliseconds of `performance.now()`. */
export function deadlineOf(signal: AbortSignalLike | undefined): number {
  return signal instanceof LazyAbortController ? signal.deadline : Infinity
}

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
 * The abort reason as one of our errors. A deadline stays a deadline; every other reason, an error of another copy of
 * this package among them, means that the caller left.
 */
export function reasonOf(signal: AbortSignalLike): LlamaGuardError {
  return signal.reason instanceof LlamaGuardError ? signal.reason : NOBODY_WAITS
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

/** The options of one guard call. The AbortSignal is created on first use, because many guards never read it. */
export class AskOptions implements JudgeOptions {
  readonly stage?: Stage
  /** True when this verdict alone blocks. Only guards that are made of guards get it. */
  readonly blocks?: (verdict: Verdict) => boolean
  readonly #controller: LazyAbortController

  constructor(
    controller: LazyAbortController,
    {
      stage,
      blocks,
    }: { readonly stage?: Stage | undefined; readonly blocks?: ((verdict: Verdict) => boolean) | undefined },
  ) {
    this.#controller = controller
    if (stage !== undefined) this.stage = stage
    if (blocks !== undefined) this.blocks = blocks
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** The signal in a guard's options. It does not create an AbortSignal when there is none yet. */
  static signalOf(options: JudgeOptions): AbortSignalLike | undefined {
    return #controller in options ? options.#controller : options.signal
  }
}
