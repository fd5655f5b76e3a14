// A second call when the first one is slow: the tail of one busy replica costs then only `afterMs` plus a usual answer.
// The first answer wins and the other call is aborted; an error is not an answer while the other may still give one.
import { within } from '../deadline.js'
import type { LazyAbortController } from '../../utils/lazy-abort-controller.js'

export interface HedgeOptions {
  /** Milliseconds to wait for the first call. */
  readonly afterMs: number
  /** Asked when the time has come: whether there is budget and room for a second call. */
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
