// Remembers verdicts in this process and, when there is a shared store, in that store too. About a third of
// moderation calls repeat within minutes, and a system prompt comes with every request. Only verdicts are remembered,
// never failures. Callers who ask the same question at the same time share one call.
import { hash, randomUUID } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { LlamaGuardError } from '../../types/errors.js'
import type { CacheStats, Conversation, Guard, Logger, Stage, Verdict } from '../../types.js'
import { type AbortSignalLike, Deadline, type LazyAbortController, orAbort, reasonOf } from '../../utils/deadline.js'
import { type CacheStore, readEntry, shielded, writeEntry } from './store.js'

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
  /** The most bytes kept in process, roughly. Default: 1 KiB for each of `max`, and at least 16 MiB. */
  readonly maxBytes?: number
  /** Milliseconds one question may take, however many callers wait for its answer. Default: 10000. */
  readonly timeoutMs?: number
  readonly store?: CacheStore | undefined
  readonly logger?: Logger | undefined
}

export interface VerdictCache {
  /** The verdict remembered in this process. Reading it takes no waiting, so this function takes no signal. */
  known(key: string): Verdict | undefined
  /** True when the verdict is remembered in this process. The lookup does not count as a use of the entry. */
  has(key: string): boolean
  /** The remembered verdict, the answer to the same question that is already being asked, or a new one from `ask`. */
  judge(key: string, signal: AbortSignalLike, ask: (signal: LazyAbortController) => Promise<Verdict>): Promise<Verdict>
  /** A new answer, which is not remembered. It fails like the others when the cache is closed. */
  judgeOnce(signal: AbortSignalLike, ask: (signal: LazyAbortController) => Promise<Verdict>): Promise<Verdict>
  stats(): CacheStats
  close(): Promise<void>
}

export function createCache({
  max,
  ttlMs,
  maxBytes = Math.max(max, 16 * 1024) * 1024,
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
  let passing = 0

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
    judgeOnce: (signal, ask) =>
      closed ? Promise.reject(closed) : flights.run(`once ${(passing += 1)}`, signal, ask).answer,
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

const made = new WeakMap<object, string>()

/**
 * The guard's own identity, or a random one for this object: two custom guards must not share entries of a shared
 * cache.
 */
export function identityOf(guard: Guard): string {
  return guard.identity ?? uniqueTo(guard)
}

/** A name for this object, which no other object in any process has. */
export function uniqueTo(thing: object): string {
  let name = made.get(thing)
  if (name === undefined) {
    name = `unnamed:${randomUUID()}`
    made.set(thing, name)
  }
  return name
}

export interface CacheKeyParts {
  readonly identity: string
  readonly model: string
  readonly policyHash: string
  readonly tenant: string | undefined
  readonly stage: Stage
  /** The name of the function that decides what blocks, for guards whose verdict depends on it. */
  readonly blocks?: string | undefined
}

/** Raised when keys or entries change their meaning, so that replicas of two releases never share an entry. */
const FORMAT = 2

/**
 * SHA-256 over all fields. The length of each text stands before it, which keeps fields apart whatever they contain.
 * With plain concatenation the text of one turn could pass for the next turn.
 */
export function cacheKey(
  { identity, model, policyHash, tenant, stage, blocks }: CacheKeyParts,
  conversation: Conversation,
): string {
  let key = `${FORMAT},${field(identity)}${field(model)}${field(policyHash)}${stage},${tenant === undefined ? '-' : field(tenant)}${blocks === undefined ? '-' : field(blocks)}`
  for (const { role, text, images } of conversation) {
    key += `${role}${field(text)}`
    if (images !== undefined) for (const { url } of images) key += `image${field(url)}`
  }
  return hash('sha256', key)
}

/**
 * A text with lone surrogates is written as JSON, which escapes them; UTF-8 would turn all of them into the same
 * character. JSON costs as much as the hash, so other texts are hashed directly.
 */
function field(text: string): string {
  return text.isWellFormed() ? `${text.length}:${text},` : `${JSON.stringify(text)},`
}

/** A class, because V8 soon makes object literals in its old space, where this would keep the request. */
class Flight<T> {
  readonly deadline: Deadline
  answer: Promise<T> = NEVER
  waiting = 0

  constructor(ms: number) {
    this.deadline = new Deadline({ ms })
  }
}

/** `ms` is how long one call may take, however many callers join it. Then it fails with `guard_timeout`. */
export function createSingleFlight<T>(ms: number) {
  const flights = new Map<string, Flight<T>>()

  const launch = (key: string, start: (signal: LazyAbortController) => Promise<T>): Flight<T> => {
    const flight = new Flight<T>(ms)
    flights.set(key, flight)
    // This listener must be the first one of the signal: it removes the flight, so that a caller who asks after an
    // abort starts a new call. The end of a call aborts its signal, too.
    flight.deadline.addEventListener('abort', () => void flights.delete(key))
    flight.answer = start(flight.deadline).finally(() => flight.deadline.end())
    return flight
  }
  /** A call is aborted when its last caller leaves. */
  const board = (flight: Flight<T>, signal: AbortSignalLike): Promise<T> => {
    flight.waiting++
    return orAbort(
      signal,
      () => flight.answer,
      () => {
        if (--flight.waiting === 0) flight.deadline.abort(reasonOf(signal))
      },
    )
  }

  return {
    /**
     * Joins the call under `key`, or starts it. `joined` is false for the caller who started it. `answer` rejects when
     * the caller's signal aborts. What `start` returns must settle soon after the signal that it got aborts.
     */
    run(key: string, signal: AbortSignalLike, start: (signal: LazyAbortController) => Promise<T>) {
      if (signal.aborted) return { joined: false, answer: Promise.reject<T>(reasonOf(signal)) }
      const known = flights.get(key)
      const flight = known ?? launch(key, start)
      return { joined: known !== undefined, answer: board(flight, signal) }
    },
    /** Aborts every call that is in flight. */
    abort(reason: Error): void {
      for (const flight of flights.values()) flight.deadline.abort(reason)
    },
    get size() {
      return flights.size
    },
  }
}

const NEVER = new Promise<never>(() => undefined)
