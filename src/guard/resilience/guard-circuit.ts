// The circuit breaker of one guard: which failures count, how long the pauses are, and the error of a refused caller.
import { LlamaGuardError, isLlamaGuardError } from '../../errors.js'
import type { Logger } from '../../types.js'
import { NOBODY_WAITS } from '../deadline.js'
import { CircuitBreaker } from './circuit-breaker.js'

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
