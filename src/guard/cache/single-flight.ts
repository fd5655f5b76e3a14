// Shares one call among all callers who ask the same question at the same time. Each caller has a signal of its own.
// A caller that leaves fails nobody else, and the call is aborted when the last caller has left.
import { LONGEST_TIMER, reasonOf, timedOut } from '../deadline.js'
import { deadlineOf, LazyAbortController, type AbortSignalLike } from '../../utils/lazy-abort-controller.js'

interface Flight<T> {
  readonly controller: LazyAbortController
  answer: Promise<T>
  waiting: number
  timer: NodeJS.Timeout | undefined
}

export interface SingleFlight<T> {
  /**
   * Joins the call under `key`, or starts it. `joined` is false for the caller who started it. `answer` rejects when
   * the caller's signal aborts. What `start` returns must settle soon after the signal that it got aborts.
   */
  run(
    key: string,
    signal: AbortSignalLike,
    start: (signal: LazyAbortController) => Promise<T>,
  ): { readonly joined: boolean; readonly answer: Promise<T> }
  /** Aborts every call that is in flight. */
  abort(reason: Error): void
  readonly size: number
}

/** `ms` is how long one call may take, however many callers join it. Then it fails with `guard_timeout`. */
export function createSingleFlight<T>(ms: number): SingleFlight<T> {
  const flights = new Map<string, Flight<T>>()

  const launch = (key: string, start: (signal: LazyAbortController) => Promise<T>): Flight<T> => {
    const controller = new LazyAbortController(performance.now() + ms)
    const flight: Flight<T> = { controller, answer: NEVER, waiting: 0, timer: undefined }
    const landed = (): void => {
      clearTimeout(flight.timer)
      if (flights.get(key) === flight) flights.delete(key)
    }
    flights.set(key, flight)
    // This listener must be the first one of the signal: it removes the flight, so that a caller who asks after an
    // abort starts a new call.
    controller.addEventListener('abort', landed)
    flight.answer = start(controller).finally(landed)
    return flight
  }
  /**
   * A call is aborted when its last caller leaves. It needs a timer of its own only when a caller may wait longer
   * than the call's deadline.
   */
  const bound = (flight: Flight<T>): void => {
    flight.timer ??= setTimeout(
      () => flight.controller.abort(timedOut(ms)),
      Math.min(Math.max(0, flight.controller.deadline - performance.now()), LONGEST_TIMER),
    )
  }
  const board = (flight: Flight<T>, signal: AbortSignalLike): Promise<T> => {
    flight.waiting++
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        reject(reasonOf(signal))
        if (--flight.waiting === 0) flight.controller.abort(reasonOf(signal))
      }
      signal.addEventListener('abort', leave, { once: true })
      flight.answer.then(resolve, reject)
    })
  }

  return {
    run(key, signal, start) {
      if (signal.aborted) return { joined: false, answer: Promise.reject(reasonOf(signal)) }
      const known = flights.get(key)
      const flight = known ?? launch(key, start)
      if (known !== undefined || deadlineOf(signal) > flight.controller.deadline) bound(flight)
      return { joined: known !== undefined, answer: board(flight, signal) }
    },
    abort(reason) {
      for (const flight of flights.values()) flight.controller.abort(reason)
    },
    get size() {
      return flights.size
    },
  }
}

const NEVER = new Promise<never>(() => undefined)
