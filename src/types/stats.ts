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
  readonly judgements: number
  readonly calls: number
  readonly retries: number
  readonly hedges: number
  readonly shed: number
  readonly inFlight: number
  readonly queued: number
  readonly circuit: 'closed' | 'open' | 'half-open' | 'off'
}

export interface CacheStats {
  readonly hits: number
  readonly joined: number
  readonly misses: number
  readonly entries: number
  readonly inFlight: number
  readonly store?: StoreStats
}

export interface StoreStats {
  /** The number of reads and writes that the store answered in time. */
  readonly reached: number
  readonly hits: number
  readonly failures: number
  readonly skipped: number
}

export interface AuditStats {
  readonly written: number
  /** Rows that are lost: the disk or the writer was too slow, or failed. */
  readonly dropped: number
}

/** What became of changes to the policy file. */
export interface PolicyStats {
  readonly loaded: number
  /** Changes that were wrong; the policy before stayed in force. */
  readonly rejected: number
}
