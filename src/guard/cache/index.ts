// Remembers verdicts in this process and, when there is a shared store, in that store too. About a third of
// moderation calls repeat within minutes, and a system prompt comes with every request. Only verdicts are remembered,
// never failures.
import { LRUCache } from 'lru-cache'
import { LlamaGuardError } from '../../errors.js'
import type { Logger, Verdict } from '../../types.js'
import { createSingleFlight } from './single-flight.js'
import type { LazyAbortController, AbortSignalLike } from '../../utils/lazy-abort-controller.js'
import { readEntry, shielded, writeEntry, type CacheStore, type StoreStats } from './store.js'

/**
 * Milliseconds for which the cache reuses one reading of the clock. lru-cache then sets a timer per reading instead
 * of one per lookup.
 */
const CLOCK_MS = 100

export interface CacheOptions {
  /**
   * The most entries kept in process. With 0 nothing is remembered, in process or in the store, but equal questions
   * at the same time still share one call.
   */
  readonly max: number
  /** Milliseconds an entry lives, in process and in the store. */
  readonly ttlMs: number
  /** The most bytes kept in process, roughly. Default: 16 MiB. */
  readonly maxBytes?: number
  /** Milliseconds one question may take, however many callers wait for its answer. Default: 10000. */
  readonly timeoutMs?: number
  readonly store?: CacheStore | undefined
  readonly logger?: Logger | undefined
}

export interface CacheStats {
  readonly hits: number
  readonly joined: number
  readonly misses: number
  readonly entries: number
  readonly inFlight: number
  readonly store?: StoreStats
}

export interface VerdictCache {
  /** The verdict remembered in this process. Reading it takes no waiting, so this function takes no signal. */
  known(key: string): Verdict | undefined
  /** True when the verdict is remembered in this process. The lookup does not count as a use of the entry. */
  has(key: string): boolean
  /** The remembered verdict, the answer to the same question that is already being asked, or a new one from `ask`. */
  judge(key: string, signal: AbortSignalLike, ask: (signal: LazyAbortController) => Promise<Verdict>): Promise<Verdict>
  stats(): CacheStats
  close(): Promise<void>
}

export function createCache({
  max,
  ttlMs,
  maxBytes = 16 * 1024 * 1024,
  timeoutMs = 10_000,
  store: shared,
  logger,
}: CacheOptions): VerdictCache {
  const count = { hits: 0, joined: 0, misses: 0 }
  // lru-cache reads a TTL of 0 as "for ever". This cache reads it as "not at all".
  const enabled = max > 0 && ttlMs > 0
  const local = enabled
    ? new LRUCache<string, Verdict>({
        max,
        maxSize: maxBytes,
        sizeCalculation: bytes,
        ttl: ttlMs,
        // A monotonic clock: a system clock that is set back must not keep entries alive.
        perf: performance,
        ttlResolution: Math.ceil(Math.min(CLOCK_MS, ttlMs / 100)),
      })
    : undefined
  const store = enabled && shared ? shielded(shared, logger) : undefined
  const flights = createSingleFlight<Verdict>(timeoutMs)
  let closed: LlamaGuardError | undefined

  const lookUpOrAsk = async (
    key: string,
    signal: LazyAbortController,
    ask: (signal: LazyAbortController) => Promise<Verdict>,
  ): Promise<Verdict> => {
    const entry = store && readEntry(await store.get(key), ttlMs)
    if (entry) {
      count.hits++
      const verdict = remembered(entry.verdict)
      local?.set(key, verdict, { ttl: entry.ttlMs })
      return verdict
    }
    count.misses++
    const verdict = await ask(signal)
    local?.set(key, remembered(verdict))
    if (store) {
      const { attempts: _attempts, tokens: _tokens, cached: _cached, ...lasting } = verdict
      void store.set(key, writeEntry(lasting, ttlMs), ttlMs)
    }
    return verdict
  }

  const known = (key: string): Verdict | undefined => {
    const verdict = local?.get(key)
    if (verdict) count.hits++
    return verdict
  }

  return {
    known,
    has: (key) => local?.has(key) === true,
    judge(key, signal, ask) {
      if (closed) return Promise.reject(closed)
      const verdict = known(key)
      if (verdict) return Promise.resolve(verdict)
      const { joined, answer } = flights.run(key, signal, (inner) => lookUpOrAsk(key, inner, ask))
      if (!joined) return answer
      count.joined++
      return answer.then(remembered)
    },
    stats: () => ({
      ...count,
      entries: local?.size ?? 0,
      inFlight: flights.size,
      ...(store && { store: store.stats() }),
    }),
    async close() {
      closed = new LlamaGuardError('guard_unavailable', 'The middleware is being closed.')
      flights.abort(closed)
      local?.clear()
      await store?.close()
    },
  }
}

/**
 * The verdict without attempts and tokens, which belong to the judgement that made the calls. It is frozen, because
 * one object is given to every caller.
 */
function remembered({ attempts: _attempts, tokens: _tokens, ...lasting }: Verdict): Verdict {
  return Object.freeze(Object.assign(lasting, { cached: true }))
}

/**
 * The rough size of a key, a value and lru-cache's own data. Nearly every verdict is one word, so its size is
 * estimated without serialising it.
 */
function bytes(verdict: Verdict, key: string): number {
  const { safe, categoryScores, judgedBy } = verdict
  const length = safe && categoryScores === undefined && judgedBy === undefined ? 64 : JSON.stringify(verdict).length
  return 2 * (length + key.length) + 200
}
