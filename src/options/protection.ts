// How a guard is protected: fixed for users, who have no reason to choose. Tests and benchmarks set single parts, by
// symbols that the package does not export.

export interface Protection {
  /** The most calls of one judgement to one guard, the first included. */
  readonly maxAttempts: number
  /** The most requests that may wait without a guard call in flight. */
  readonly queue: number
  /** Stops calling a guard that keeps failing, and probes it with single calls. */
  readonly breaker: boolean
}

const KEYS = { maxAttempts: Symbol('maxAttempts'), queue: Symbol('queue'), breaker: Symbol('breaker') } as const
const WAITING_PER_CALL = 4

/** Two tries; a queue that a guard works off in about four calls' time; a breaker. */
export function protectionOf({ concurrency }: { readonly concurrency: number }, options: object): Protection {
  const given = options as Readonly<Record<symbol, unknown>>
  const part = <T>(key: keyof Protection, fallback: T): T => (given[KEYS[key]] as T | undefined) ?? fallback
  return {
    maxAttempts: part('maxAttempts', 2),
    queue: part('queue', WAITING_PER_CALL * concurrency),
    breaker: part('breaker', true),
  }
}

/** For tests and benchmarks: `llamaGuard({ ...withProtection({ breaker: false }) })`. */
export function withProtection(parts: Partial<Protection>): object {
  return Object.fromEntries(Object.entries(parts).map(([key, value]) => [KEYS[key as keyof Protection], value]))
}
