// Sends a second call when the first is slow, so that one busy replica costs only `afterMs` and a usual answer time.
// The first answer wins, and the other call is aborted. An error of one call is not final while the other may still
// answer.
import { within } from '../deadline.js'
import type { LazyAbortController } from '../../utils/lazy-abort-controller.js'

export interface HedgeOptions {
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
