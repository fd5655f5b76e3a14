// Whether a call may go out now: a circuit breaker refuses calls to a guard that fails, and a fair queue bounds how
// many are in flight.
import { type AbortSignalLike, reasonOf } from '../../utils/deadline.js'

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

/**
 * After too many failures it refuses calls for a while, then tries single calls. Each pause is longer than the one
 * before. Its clock is monotonic, so that changes of the system clock have no effect.
 */
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

/** A class without array literals: V8 soon makes literals in its old space, where this would keep the request. */
class Lane {
  readonly request: object
  readonly waiting = new Set<() => void>()
  running = 0
  /** True while this request waits and none of its calls is in flight. */
  newcomer = false

  constructor(request: object) {
    this.request = request
  }
}

export interface FairQueueOptions {
  /** Calls in flight at once. */
  readonly concurrency: number
  /**
   * The most requests that may wait without a call in flight. One more request is refused. A request with a call in
   * flight is not refused for its further calls, whose number `maxChecks` bounds.
   */
  readonly queue: number
}

/**
 * Slots, and the queue before them. Requests take turns: a request with thirty waiting calls delays a request with a
 * single call by one slot only.
 */
export class FairQueue {
  readonly #options: FairQueueOptions
  readonly #lanes = new Map<object, Lane>()
  /** The lanes with waiting calls. The first lane is next. */
  readonly #turns = new Set<Lane>()
  #newcomers = 0
  #inFlight = 0
  #queued = 0

  constructor(options: FairQueueOptions) {
    this.#options = options
  }

  get inFlight(): number {
    return this.#inFlight
  }

  get queued(): number {
    return this.#queued
  }

  get free(): number {
    return this.#options.concurrency - this.#inFlight
  }

  /**
   * Runs `work` as soon as a slot is free. Returns undefined at once when the queue is full. A call whose signal
   * aborts leaves the queue.
   */
  run<T>(request: object, signal: AbortSignalLike, work: () => Promise<T>): Promise<T> | undefined {
    let lane = this.#lanes.get(request)
    if (this.free > 0) return this.#start((lane ??= this.#open(request)), work)
    if (lane === undefined && this.#newcomers >= this.#options.queue) return undefined
    const joined = (lane ??= this.#open(request))
    return new Promise((resolve, reject) => {
      const start = (): void => {
        signal.removeEventListener('abort', leave)
        resolve(this.#start(joined, work))
      }
      const leave = (): void => {
        joined.waiting.delete(start)
        this.#queued--
        this.#settle(joined)
        reject(reasonOf(signal))
      }
      joined.waiting.add(start)
      this.#queued++
      this.#turns.add(joined)
      this.#settle(joined)
      signal.addEventListener('abort', leave, { once: true })
    })
  }

  #open(request: object): Lane {
    const lane = new Lane(request)
    this.#lanes.set(request, lane)
    return lane
  }

  async #start<T>(lane: Lane, work: () => Promise<T>): Promise<T> {
    lane.running++
    this.#inFlight++
    this.#settle(lane)
    try {
      return await work()
    } finally {
      lane.running--
      this.#inFlight--
      this.#settle(lane)
      this.#next()
    }
  }

  #next(): void {
    for (const lane of this.#turns) {
      if (this.free === 0) return
      // The lane moves to the end of the line.
      this.#turns.delete(lane)
      this.#turns.add(lane)
      const [start] = lane.waiting
      if (start === undefined) continue
      lane.waiting.delete(start)
      this.#queued--
      start()
    }
  }

  /** Updates the counters after a change of one lane, and removes the lane when it is empty. */
  #settle(lane: Lane): void {
    const newcomer = lane.running === 0 && lane.waiting.size > 0
    if (newcomer !== lane.newcomer) {
      lane.newcomer = newcomer
      this.#newcomers += newcomer ? 1 : -1
    }
    if (lane.waiting.size > 0) return
    this.#turns.delete(lane)
    if (lane.running === 0) this.#lanes.delete(lane.request)
  }
}
