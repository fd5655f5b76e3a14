// A shared cache behind the one in process, so that many replicas judge a text once; Redis or Valkey is one. The judge
// never depends on it: a store that is down, slow or wrong costs a cache hit and nothing else.
import { createHmac, timingSafeEqual } from 'node:crypto'
import { invalidOption, isLlamaGuardError, LlamaGuardError } from '../../types/errors.js'
import type { Logger, StoreStats, Verdict } from '../../types.js'
import { within } from '../../utils/deadline.js'
import { missingPackages } from '../../utils/installed.js'
import { CircuitBreaker } from '../resilience/admission.js'
import { checkedVerdict } from '../answer/verdict.js'

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

const DEADLINE_MS = 50
const FAILURES_TO_OPEN = 5
const REST_MS = 5000
const LONGEST_ENTRY = 16 * 1024
/** The error while the breaker is open. Nobody waits for the store then, because a miss is cheaper. */
const REFUSED = new Error('The shared verdict cache is being left alone.')

/** Wraps a store with a short deadline, a circuit breaker and one log line per outage. */
export function shielded(store: CacheStore, logger?: Logger) {
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
    /** Never rejects, and answers within 50 ms. */
    async get(key: string): Promise<string | undefined> {
      const value: unknown = await attempt(() => store.get(key))
      if (typeof value !== 'string' || value.length > LONGEST_ENTRY) return undefined
      count.hits++
      return value
    },
    set: (key: string, value: string, ttlMs: number) => attempt(() => store.set(key, value, ttlMs)),
    async close() {
      await within({ ms: 1000 }, () => store.close?.()).catch(() => undefined)
    },
    stats: (): StoreStats => ({ ...count }),
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

export interface RedisStoreOptions {
  /** Stands before every key, so that other users of the database are not affected. Default: `llama-guard`. */
  readonly prefix?: string
  /**
   * Seals the entries: keys and values carry an HMAC-SHA256 under this secret, which every replica needs. Somebody
   * who can only write to Redis can then not make the guard say "safe", and somebody who can only read it cannot
   * check a guessed text against the keys. Default: none, so everybody who can write to this database is trusted.
   */
  readonly secret?: string
}

export interface RedisStore extends CacheStore {
  /**
   * Settles when the first attempt to connect has ended, well or not. Rejects with `dependency_missing` when a package
   * cannot be loaded that seemed to be there.
   */
  readonly ready: Promise<void>
}

/** The most commands that wait for a stopped server. Each belongs to a lookup whose deadline has passed. */
const MOST_WAITING = 1000
const CONNECT_MS = 2000
const LONGEST_PAUSE_MS = 2000
const PACKAGES = ['keyv', '@keyv/redis']

/**
 * A {@link CacheStore} at `redis://` or `rediss://`. It connects at once, and again after every loss. Every lookup
 * before the first connection is a miss.
 *
 * Needs the packages `keyv` and `@keyv/redis`. In a bundle, which hides what is installed, every call fails with
 * `dependency_missing` without them; the cache logs that once and otherwise treats it as a miss.
 *
 * @throws LlamaGuardError `dependency_missing` without these packages; `invalid_option` for anything but a redis URL.
 * Its text is not repeated: it may hold a password.
 */
export function redisStore(url: string, { prefix = 'llama-guard', secret }: RedisStoreOptions = {}): RedisStore {
  if (!URL.canParse(url) || !/^rediss?:$/.test(new URL(url).protocol))
    throw invalidOption(
      'The Redis URL is not one. Set LLAMA_GUARD_REDIS_URL to redis://host:6379, or rediss:// for TLS.',
    )
  if (missingPackages(PACKAGES).length > 0) throw packagesMissing()
  let state: 'starting' | 'started' = 'starting'
  const loading = connect(url, prefix)
  const ready = loading.then(({ first }) => first).finally(() => (state = 'started'))
  ready.catch(() => undefined)
  const seal = secret ? sealWith(secret) : undefined
  return {
    ready,
    async get(key) {
      if (state === 'starting') return undefined
      const { keyv, explain } = await loading
      const value: unknown = await keyv.get(seal?.name(key) ?? key).catch(explain)
      if (typeof value !== 'string') return undefined
      return seal ? seal.open(key, value) : value
    },
    async set(key, value, ttlMs) {
      if (state === 'starting') return
      const { keyv, explain } = await loading
      await keyv.set(seal?.name(key) ?? key, seal?.close(key, value) ?? value, ttlMs).catch(explain)
    },
    async close() {
      // The connection is closed by force, because a graceful close waits for a stopped server and keeps the process
      // alive.
      await (await loading.catch(() => undefined))?.disconnect()
    },
  }
}

async function connect(url: string, prefix: string) {
  const [{ Keyv }, { default: KeyvRedis }] = await Promise.all([import('keyv'), import('@keyv/redis')]).catch(
    (cause: unknown) => {
      throw packagesMissing(cause)
    },
  )
  const redis = new KeyvRedis<string>(
    {
      url,
      // A command for a lost connection fails at once, because the lookup has only 50 ms.
      disableOfflineQueue: true,
      commandsQueueMaxLength: MOST_WAITING,
      socket: {
        connectTimeout: CONNECT_MS,
        reconnectStrategy: (attempt: number) =>
          Math.min(LONGEST_PAUSE_MS, 50 * 2 ** Math.min(attempt, 10)) + Math.random() * 50,
      },
    },
    { namespace: prefix, throwOnErrors: true },
  )
  // A command that finds no connection says only that there is none. Why is known since the attempt to connect.
  let why: Error | undefined
  redis.on('error', (error: NodeJS.ErrnoException) => void (coded(error).code !== undefined && (why = error)))
  const explain = (error: NodeJS.ErrnoException): never => {
    throw coded(error).code === undefined ? (why ?? error) : error
  }
  const keyv = new Keyv<string>({ store: redis, namespace: prefix, useKeyPrefix: false, throwOnErrors: true })
  // Failures come as 'error' events, too, those of the store as events of keyv.
  keyv.on('error', () => undefined)
  // Settles when the first connection is made or has failed. Until then lookups miss and the circuit breaker counts
  // no failure.
  const first = new Promise<void>((settled) => {
    redis.once('error', () => settled())
    redis.getClient().then(
      () => settled(),
      () => settled(),
    )
  })
  return { keyv, explain, first, disconnect: () => redis.disconnect(true) }
}

/** An answer of Redis begins with its code (`NOAUTH`, `READONLY`, `OOM`). The rest may quote the command. */
function coded(error: NodeJS.ErrnoException): NodeJS.ErrnoException {
  const code = error.code ?? /^[A-Z]{2,20}(?= )/.exec(error.message)?.[0]
  return code === undefined ? error : Object.assign(error, { code })
}

function packagesMissing(cause?: unknown): LlamaGuardError {
  return new LlamaGuardError(
    'dependency_missing',
    `The shared verdict cache needs two more packages. Run: npm install ${PACKAGES.join(' ')}`,
    { cause },
  )
}

/** Name and value under an HMAC. The key is part of what is signed: an entry copied under another key is no entry. */
function sealWith(secret: string) {
  const mac = (...parts: string[]): string => createHmac('sha256', secret).update(JSON.stringify(parts)).digest('hex')
  return {
    name: (key: string): string => mac('name', key),
    close: (key: string, value: string): string => mac('value', key, value) + value,
    open(key: string, sealed: string): string | undefined {
      const value = sealed.slice(64)
      const given = Buffer.from(sealed.slice(0, 64))
      const wanted = Buffer.from(mac('value', key, value))
      return given.length === wanted.length && timingSafeEqual(given, wanted) ? value : undefined
    },
  }
}
