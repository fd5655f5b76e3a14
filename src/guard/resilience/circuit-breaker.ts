// A circuit breaker: what keeps failing is left alone for a moment, then probed with single calls, sooner at first and
// a little later each time. On a monotonic clock: nothing here moves when somebody sets the system clock.

export interface BreakerOptions {
  /** Opens when more than this share of the last calls failed. */
  readonly share: number
  /** How many last calls count. */
  readonly size: number
  /** Fewer calls than this never open it. */
  readonly least: number
  /** Milliseconds before the first probe. Each later one doubles them, up to `longestRestMs`; half is by chance. */
  readonly firstRestMs: number
  readonly longestRestMs: number
  /** Most probes out at once: one that hangs must not hide that the next would be answered. */
  readonly probes: number
  /** Whether a failure tells about the health of what is called. `unknown`: the call proved nothing. */
  readonly judge: (error: unknown) => 'sick' | 'well' | 'unknown'
  /** Made when a call is refused. */
  readonly refusal: (msToWait: number) => Error
  readonly onOpen?: (msToWait: number) => void
  readonly onClose?: () => void
}

export class CircuitBreaker {
  readonly #options: BreakerOptions
  /** The last calls: true for one that failed. */
  #recent: boolean[] = []
  #open = false
  /** Counts openings and closings: a call from before says nothing about now. */
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

  /** Throws the refusal while no call may be made, so that nothing is queued in vain. */
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
    // The caller left: the next call may probe at once.
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
