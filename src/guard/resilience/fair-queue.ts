// Slots for calls in flight, and the queue before them. Requests take turns: a request with thirty waiting calls
// delays a request with a single call by one slot only.
import { type AbortSignalLike, reasonOf } from '../../utils/deadline.js'

interface Lane {
  readonly request: object
  readonly waiting: (() => void)[]
  running: number
  /** True while this request waits and none of its calls is in flight. */
  newcomer: boolean
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
        joined.waiting.splice(joined.waiting.indexOf(start), 1)
        this.#queued--
        this.#settle(joined)
        reject(reasonOf(signal))
      }
      joined.waiting.push(start)
      this.#queued++
      this.#turns.add(joined)
      this.#settle(joined)
      signal.addEventListener('abort', leave, { once: true })
    })
  }

  #open(request: object): Lane {
    const lane: Lane = { request, waiting: [], running: 0, newcomer: false }
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
      const start = lane.waiting.shift()
      if (start === undefined) continue
      this.#queued--
      start()
    }
  }

  /** Updates the counters after a change of one lane, and removes the lane when it is empty. */
  #settle(lane: Lane): void {
    const newcomer = lane.running === 0 && lane.waiting.length > 0
    if (newcomer !== lane.newcomer) {
      lane.newcomer = newcomer
      this.#newcomers += newcomer ? 1 : -1
    }
    if (lane.waiting.length > 0) return
    this.#turns.delete(lane)
    if (lane.running === 0) this.#lanes.delete(lane.request)
  }
}
