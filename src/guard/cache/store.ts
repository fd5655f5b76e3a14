// A shared cache behind the one in process, so that many replicas judge a text once. The judge never depends on it: a
// store that is down, slow or wrong costs a cache hit and nothing else.
import { LlamaGuardError, isLlamaGuardError } from '../../errors.js'
import type { Logger, Verdict } from '../../types.js'
import { within } from '../deadline.js'
import { CircuitBreaker } from '../resilience/circuit-breaker.js'
import { checkedVerdict } from '../validate.js'

/**
 * A key-value store with expiry. `redisStore()` makes one.
 *
 * Trust: everybody who can write to the store can make the guard say "safe". Give it to this application alone (its
 * own database, password and prefix), or seal the entries with the `secret` of `redisStore()`, which every replica
 * then needs.
 */
export interface CacheStore {
  /** The value, or undefined. It may reject or hang: the cache waits at most 50 ms. */
  get(key: string): Promise<string | undefined>
  set(key: string, value: string, ttlMs: number): Promise<void>
  close?(): Promise<void> | void
}

export interface StoreStats {
  /** The number of reads and writes that the store answered in time. */
  readonly reached: number
  readonly hits: number
  readonly failures: number
  readonly skipped: number
}

export interface ShieldedStore {
  /** Never rejects, and answers within 50 ms. */
  get(key: string): Promise<string | undefined>
  set(key: string, value: string, ttlMs: number): Promise<void>
  close(): Promise<void>
  stats(): StoreStats
}

const DEADLINE_MS = 50
const FAILURES_TO_OPEN = 5
const REST_MS = 5000
const LONGEST_ENTRY = 16 * 1024
/** The error while the breaker is open. Nobody waits for the store then, because a miss is cheaper. */
const REFUSED = new Error('The shared verdict cache is being left alone.')

/** Wraps a store with a short deadline, a circuit breaker and one log line per outage. */
export function shielded(store: CacheStore, logger?: Logger): ShieldedStore {
  const count = { reached: 0, hits: 0, failures: 0, skipped: 0 }
  let failing = false
  const breaker = new CircuitBreaker({
    // Only a run of failures opens the breaker. A single slow answer costs one hit.
    share: 0.99,
    size: FAILURES_TO_OPEN,
    least: FAILURES_TO_OPEN,
    firstRestMs: 1000,
    longestRestMs: REST_MS,
    probes: 1,
    judge: () => 'sick',
    refusal: () => REFUSED,
    onClose: () => {
      failing = false
      logger?.info({}, 'shared verdict cache answers again')
    },
  })

  const attempt = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    try {
      const answer = await breaker.execute(() => within({ ms: DEADLINE_MS, late: tooSlow }, work))
      count.reached++
      return answer
    } catch (error) {
      const tried = error !== REFUSED
      count[tried ? 'failures' : 'skipped']++
      if (tried && !failing) logger?.warn({ err: toLoggable(error) }, 'shared verdict cache fails; going on without it')
      failing ||= tried
      return undefined
    }
  }
  return {
    async get(key) {
      const value: unknown = await attempt(() => store.get(key))
      if (typeof value !== 'string' || value.length > LONGEST_ENTRY) return undefined
      count.hits++
      return value
    },
    set: (key, value, ttlMs) => attempt(() => store.set(key, value, ttlMs)),
    async close() {
      await within({ ms: 1000 }, () => store.close?.()).catch(() => undefined)
    },
    stats: () => ({ ...count }),
  }
}

/**
 * The text that is written under a key. It holds the time at which the entry ends, because not every store expires
 * entries reliably.
 */
export function writeEntry(verdict: Verdict, ttlMs: number): string {
  return JSON.stringify({ until: Date.now() + ttlMs, verdict })
}

/** The verdict and its remaining life. Undefined for anything that is not exactly what {@link writeEntry} writes. */
export function readEntry(
  value: string | undefined,
  ttlMs: number,
): { readonly verdict: Verdict; readonly ttlMs: number } | undefined {
  if (value === undefined) return undefined
  try {
    const entry = JSON.parse(value) as { until?: unknown; verdict?: unknown } | null
    const left = typeof entry?.until === 'number' ? entry.until - Date.now() : 0
    if (!(left >= 1)) return undefined
    return { verdict: checkedVerdict(entry?.verdict), ttlMs: Math.ceil(Math.min(left, ttlMs)) }
  } catch {
    return undefined
  }
}

const tooSlow = (): LlamaGuardError =>
  new LlamaGuardError('guard_timeout', `The cache store did not answer within ${DEADLINE_MS} ms.`)

/**
 * Foreign errors are logged by name and code only. A driver's message may quote the command, and its address the
 * password.
 */
function toLoggable(error: unknown): { type: string; code?: string; message?: string } {
  if (isLlamaGuardError(error)) return { type: error.name, code: error.code, message: error.message }
  const { name = 'Error', code } = (error ?? {}) as { name?: string; code?: string }
  return { type: name, ...(typeof code === 'string' && { code }) }
}
