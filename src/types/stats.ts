// What can be read of a guard at any time: counters of its judge, its cache, its policy file and its audit.

/** What `guard.stats()` returns. */
export interface GuardStats extends JudgeStats {
  readonly audit?: AuditStats
  /** With a policy file alone. */
  readonly policy?: PolicyStats
}

export interface JudgeStats {
  readonly cache: CacheStats
  /** The first guard, then the fallbacks. */
  readonly guards: readonly (ResilienceStats & { readonly model: string })[]
}

export interface ResilienceStats {
  /** Texts that this guard was asked about, remembered verdicts left out. */
  readonly judgements: number
  /** Calls to the guard, retries and hedges among them. */
  readonly calls: number
  readonly retries: number
  /** Second calls by the option `hedgeAfterMs`. */
  readonly hedges: number
  /** Calls that were refused as `guard_overloaded`, because too many waited. */
  readonly shed: number
  /** Calls that are under way now. */
  readonly inFlight: number
  /** Calls that wait for one of the `concurrency` places now. */
  readonly queued: number
  /** The circuit breaker. `open`: the guard failed repeatedly and is left alone for a moment. `off`: it has none. */
  readonly circuit: 'closed' | 'open' | 'half-open' | 'off'
}

export interface CacheStats {
  /** Questions whose verdict was remembered, in process or in the shared store. */
  readonly hits: number
  /** Questions that shared the call of an equal one. */
  readonly joined: number
  /** Questions for which a guard was asked. */
  readonly misses: number
  /** Verdicts in process now, at most `cacheMax`. */
  readonly entries: number
  /** Calls that others may share now. */
  readonly inFlight: number
  /** The shared store, where the option `cacheStore` sets one. */
  readonly store?: StoreStats
}

export interface StoreStats {
  /** The number of reads and writes that the store answered in time. */
  readonly reached: number
  /** Reads that found a verdict. */
  readonly hits: number
  /** Reads and writes that failed, or took longer than 50 ms. */
  readonly failures: number
  /** Reads and writes that were not tried, because the store had failed repeatedly. */
  readonly skipped: number
}

export interface AuditStats {
  /** Rows that were given to the file or the writer. */
  readonly written: number
  /** Rows that are lost: the disk or the writer was too slow, or failed. */
  readonly dropped: number
}

/** What became of changes to the policy file. */
export interface PolicyStats {
  /** Changes that are in force. */
  readonly loaded: number
  /** Changes that were wrong; the policy before stayed in force. */
  readonly rejected: number
}
