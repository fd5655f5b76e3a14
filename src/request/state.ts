// What a handler finds on `req.llamaGuard`: the request id, the decisions, and the signal of a client that left.
import type { Decision, RequestState } from '../types.js'
import type { LazyAbortController } from '../utils/lazy-abort-controller.js'

// Ids come from clients too: what is no plain id stays out of logs and bodies.
export const PLAIN_ID = /^[\w.:-]{1,128}$/

// By a global symbol, so that a second mount sees it even from another copy of this package.
export const GUARDED = Symbol.for('express-llama-guard.guarded')

/** What stands on `req.llamaGuard`. */
export class State implements RequestState {
  readonly requestId: string
  readonly #stop: LazyAbortController
  input?: Decision
  output?: Decision

  constructor(requestId: string, stop: LazyAbortController) {
    this.requestId = requestId
    this.#stop = stop
  }

  get [GUARDED](): true {
    return true
  }

  /** Few handlers look at it, and for the others none is made. */
  get signal(): AbortSignal {
    return this.#stop.signal
  }
}

export function plainId(id: unknown): string | undefined {
  return typeof id === 'string' && PLAIN_ID.test(id) ? id : undefined
}
