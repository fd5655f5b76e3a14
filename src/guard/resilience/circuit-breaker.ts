// A circuit breaker. After too many failures it refuses calls for a while, then tries single calls. Each pause is
// longer than the one before. It uses a monotonic clock, so that changes of the system clock have no effect.

export interface BreakerOptions {
  /** The breaker opens when more than this share of the last calls failed. */
  readonly share: number
  /** The number of last calls that count. */
  readonly size: number
  /** The breaker stays closed until this many calls were made. */
  readonly least: number
  /**
   * Milliseconds before the first probe. Each later pause is twice as long, up to `longestRestMs`. Half of each pause
   * is random.
   */
  readonly firstRestMs: number
  readonly longestRestMs: number
  /** The most probes in flight at once, so that a probe that hangs does not block the next one. */
  readonly probes: number
  /** What a failure says about the health of the service. `unknown`: the call proved nothing. */
  readonly judge: (error: unknown) => 'sick' | 'well' | 'unknown'
  /** Makes the error of a refused call. */
  readonly refusal: (msToWait: number) => Error
  readonly onOpen?: (msToWait: number) => void
  readonly onClose?: () => void
}

export class CircuitBreaker {
  readonly #options: BreakerOptions
  /** The results of the last calls; true is a failure. */
  #recent: boolean[] = []
  #open = false
  /** Counts openings and closings. The result of a call that began in an earlier epoch is ignored. */
  #epoch = 0
  #rests = 0
  #nextProbe = 0
  #probes = 0

  constructor(options: BreakerOptions) {
    this.#options = options
  }

  get state(): 'closed' | 'open' | 'half-open' {
    return !this.#open ? 'closed' : this.#probes > 0 ? 'half-open' : 'open'
  }

  /** Throws the refusal while no call is allowed, so that nothing is queued in vain. */
  refuseWhileOpen(): void {
    if (!this.#open) return
    const wait = this.#nextProbe - performance.now()
    if (wait > 0 || this.#probes >= this.#options.probes) throw this.#options.refusal(Math.max(0, wait))
  }

  async execute<T>(call: () => Promise<T>): Promise<T> {
    this.refuseWhileOpen()
    const epoch = this.#epoch
    const probe = this.#open
    if (probe) {
      this.#probes++
      this.#rest()
    }
    let health: 'sick' | 'well' | 'unknown' = 'well'
    try {
      return await call()
    } catch (error) {
      health = this.#options.judge(error)
      throw error
    } finally {
      if (epoch === this.#epoch) this.#learn(health, probe)
    }
  }

  #learn(health: 'sick' | 'well' | 'unknown', probe: boolean): void {
    if (!probe) return this.#count(health)
    this.#probes--
    if (health === 'well') this.#close()
    // The caller left before an answer, so the next call may probe at once.
    else if (health === 'unknown') this.#nextProbe = performance.now()
  }

  #count(health: 'sick' | 'well' | 'unknown'): void {
    if (health === 'unknown') return
    const { size, least, share } = this.#options
    this.#recent.push(health === 'sick')
    if (this.#recent.length > size) this.#recent.shift()
    const failed = this.#recent.filter((each) => each).length
    if (this.#recent.length < least || failed <= share * this.#recent.length) return
    this.#turn(true)
    this.#rests = 0
    this.#rest()
    this.#options.onOpen?.(this.#nextProbe - performance.now())
  }

  #close(): void {
    this.#turn(false)
    this.#options.onClose?.()
  }

  #turn(open: boolean): void {
    this.#open = open
    this.#epoch++
    this.#probes = 0
    this.#recent = []
  }

  #rest(): void {
    const { firstRestMs, longestRestMs } = this.#options
    const ms = Math.min(longestRestMs, firstRestMs * 2 ** this.#rests++) * (0.5 + Math.random() / 2)
    this.#nextProbe = performance.now() + ms
  }
}
