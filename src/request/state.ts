// The state that a handler finds on `req.llamaGuard`: the request id, the decisions, and a signal that aborts when
// the client leaves. Mounts with different settings each guard a request; they share its state, which shows the
// stricter decision.
import { randomUUID } from 'node:crypto'
import type { Decision, GuardedRequest, RequestState, Stage } from '../types.js'
import type { LazyAbortController } from '../utils/deadline.js'
import { isPlain } from '../utils/json.js'
import { urlTexts } from './url.js'

// A client may choose the id. An id of any other form stays out of logs and bodies.
const PLAIN_ID = /^[\w.:-]{1,128}$/

// A global symbol, so that a second mount finds it even from another copy of this package.
const GUARDED = Symbol.for('express-llama-guard.guarded')

/** One mount that guards a request, and what it has decided. */
export interface Mounted {
  readonly config: object
  /** True when this mount judges the words of the url as well. */
  readonly readsUrl: boolean
  input?: Decision
  output?: Decision
  /** The output that the head of a reply names. That of a stream leaves before the decision. */
  named?: Decision
}

/** The value of `req.llamaGuard`. */
export class State implements RequestState {
  readonly requestId: string
  readonly [GUARDED]: Mounted[] = []
  #stop: LazyAbortController | undefined

  constructor(requestId: string) {
    this.requestId = requestId
  }

  get input(): Decision | undefined {
    return this.#strictest('input')
  }

  get output(): Decision | undefined {
    return this.#strictest('output')
  }

  /** The AbortSignal is created on first use, because most handlers never read it. */
  get signal(): AbortSignal {
    return this.#stop!.signal
  }

  /** Adds a mount. Its work, and the handler's, stops with that of the mounts before it. */
  add(mount: Mounted, stop: LazyAbortController): void {
    this[GUARDED].push(mount)
    const former = this.#stop
    this.#stop = stop
    if (former?.aborted) stop.abort(former.reason)
    else former?.addEventListener('abort', () => stop.abort(former.reason))
  }

  /** The strictest of this decision of a mount, those of all, and those that heads of the reply name. */
  strictest(decision: Decision): Decision {
    const { stage } = decision
    const named = stage === 'output' ? this.#strictest('named') : undefined
    return stricter(stricter(decision, this.#strictest(stage)), named)!
  }

  #strictest(stage: Stage | 'named'): Decision | undefined {
    return this[GUARDED].reduce<Decision | undefined>((found, mount) => stricter(found, mount[stage]), undefined)
  }
}

const ACTIONS: readonly Decision['action'][] = ['allow', 'unavailable', 'block']
const STATES: readonly Decision['outcome']['state'][] = ['skipped', 'safe', 'unjudged', 'unsafe']

/** The stricter of two decisions on a stage. */
function stricter(one: Decision | undefined, other: Decision | undefined): Decision | undefined {
  if (one === undefined || other === undefined) return one ?? other
  const rank = ({ action, outcome }: Decision): number =>
    ACTIONS.indexOf(action) * STATES.length + STATES.indexOf(outcome.state)
  return rank(other) > rank(one) ? other : one
}

/** The id of a request: `req.id` of a logger, the header `x-request-id`, or a new one. */
export function requestIdOf(req: GuardedRequest): string {
  const { id } = req
  return plainId(typeof id === 'number' ? String(id) : id) ?? plainId(req.headers['x-request-id']) ?? randomUUID()
}

/** The state of a request that another mount guards, of this copy of the package or another. */
export function stateOf({ llamaGuard }: GuardedRequest): State | undefined {
  return llamaGuard !== undefined && GUARDED in llamaGuard ? (llamaGuard as State) : undefined
}

/** True when a mount with the same settings guards the request already, and has read as much of it. */
export function isGuarded(req: GuardedRequest, { config, readsUrl }: Mounted): boolean {
  const mounts = stateOf(req)?.[GUARDED].filter((mount) => same(mount.config, config)) ?? []
  if (mounts.length === 0) return false
  const hasWords = readsUrl && urlTexts(req, 'parameters').length > 0
  return mounts.some((mount) => mount.readsUrl || !hasWords)
}

/** Compares settings. Functions and instances are the same when they are one. */
function same(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true
  if (Array.isArray(one) && Array.isArray(other))
    return one.length === other.length && one.every((each, index) => same(each, other[index]))
  if (!isPlain(one) || !isPlain(other)) return false
  const names = Object.keys({ ...one, ...other })
  return names.every((name) => same(one[name], other[name]))
}

function plainId(id: unknown): string | undefined {
  return typeof id === 'string' && PLAIN_ID.test(id) ? id : undefined
}
