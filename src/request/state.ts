// The state that a handler finds on `req.llamaGuard`: the request id, the decisions, and a signal that aborts when
// the client leaves.
import { randomUUID } from 'node:crypto'
import type { Decision, GuardedRequest, RequestState } from '../types.js'
import type { LazyAbortController } from '../utils/lazy-abort-controller.js'

// A client may choose the id. An id of any other form stays out of logs and bodies.
const PLAIN_ID = /^[\w.:-]{1,128}$/

// A global symbol, so that a second mount finds it even from another copy of this package.
const GUARDED = Symbol.for('express-llama-guard.guarded')

/** The value of `req.llamaGuard`. */
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

  /** The AbortSignal is created on first use, because most handlers never read it. */
  get signal(): AbortSignal {
    return this.#stop.signal
  }
}

/** The id of a request: `req.id` of a logger, the header `x-request-id`, or a new one. */
export function requestIdOf(req: GuardedRequest): string {
  const { id } = req
  return plainId(typeof id === 'number' ? String(id) : id) ?? plainId(req.headers['x-request-id']) ?? randomUUID()
}

/** True when this package, in this or another copy, already guards the request. */
export function isGuarded(req: GuardedRequest): boolean {
  return (req.llamaGuard as { readonly [GUARDED]?: boolean } | undefined)?.[GUARDED] === true
}

function plainId(id: unknown): string | undefined {
  return typeof id === 'string' && PLAIN_ID.test(id) ? id : undefined
}
