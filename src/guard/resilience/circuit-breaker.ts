// The circuit breaker: a guard that keeps failing is left alone for a moment, then probed with one call.
// cockatiel counts and keeps the state; this file says which failures count and how long a moment is.
import {
  CircuitState,
  CountBreaker,
  DelegateBackoff,
  circuitBreaker,
  handleWhen,
  isBrokenCircuitError,
} from 'cockatiel'
import { LlamaGuardError, isLlamaGuardError } from '../../errors.js'
import type { Logger } from '../../types.js'
import { NOBODY_WAITS } from '../deadline.js'

/**
 * Signs of a sick guard. Everything else says something about one text or about the configuration
 * (unparseable verdict, too long, refused credentials): opening for those would let one odd text turn the
 * guard off for everybody, or hide the message that matters.
 */
const SICK: ReadonlySet<string> = new Set([
  'guard_unavailable',
  'guard_timeout',
  'guard_throttled',
  'guard_not_ready',
  'guard_error',
])

/** More than half of the last 20 calls, once there were 6. */
const TRIPS = { threshold: 0.5, size: 20, minimumNumberOfCalls: 6 }
const FIRST_REST_MS = 1000
const LONGEST_REST_MS = 10_000

export interface Circuit {
  /** Throws `guard_circuit_open` while the guard is left alone, and while a probe is out. */
  refuseWhileOpen(): void
  execute<T>(call: () => Promise<T>): Promise<T>
  /** What `execute` rejects with when it does not call, as `guard_circuit_open`; any other error as it is. */
  ours(error: unknown): unknown
  readonly state: 'closed' | 'open' | 'half-open'
}

export function createCircuit(model: string, logger?: Logger): Circuit {
  let openUntil = 0
  const halfOpen = (): boolean => breaker.state === CircuitState.HalfOpen
  const isSick = (error: Error): boolean => {
    // A cancelled call proves nothing; a cancelled probe must not close the circuit.
    if (error === NOBODY_WAITS) return halfOpen()
    return isLlamaGuardError(error) && SICK.has(error.code)
  }
  const rest = new DelegateBackoff(({ attempt }: { attempt: number }) => {
    const ms = Math.min(LONGEST_REST_MS, FIRST_REST_MS * 2 ** (attempt - 1)) * (0.5 + Math.random() / 2)
    openUntil = Date.now() + ms
    return ms
  })
  const breaker = circuitBreaker(handleWhen(isSick), { breaker: new CountBreaker(TRIPS), halfOpenAfter: rest })
  breaker.onBreak(() =>
    logger?.warn(
      { code: 'guard_circuit_open', model, ms: Math.round(openUntil - Date.now()) },
      'guard keeps failing: circuit opened',
    ),
  )
  breaker.onReset(() => logger?.info({ model }, 'guard answers again: circuit closed'))

  const refusal = (): LlamaGuardError => {
    const seconds = Math.max(0, openUntil - Date.now()) / 1000
    return new LlamaGuardError(
      'guard_circuit_open',
      `The guard failed repeatedly; it is tried again in ${seconds.toFixed(1)} s.`,
      { retryAfter: seconds },
    )
  }
  return {
    refuseWhileOpen() {
      if (halfOpen() || (breaker.state === CircuitState.Open && Date.now() < openUntil)) throw refusal()
    },
    execute: (call) => breaker.execute(call),
    ours: (error) => (isBrokenCircuitError(error) ? refusal() : error),
    get state() {
      return halfOpen() ? 'half-open' : breaker.state === CircuitState.Closed ? 'closed' : 'open'
    },
  }
}
