// One call for all who ask the same at the same time. Each comes with a signal of their own: one leaving fails nobody
// else, and the call itself is aborted only when the last has left.
import { LONGEST_TIMER, orAbort, reasonOf, timedOut } from '../deadline.js'
import { deadlineOf, LazyAbortController, type AbortSignalLike } from '../../utils/lazy-abort-controller.js'

interface Flight<T> {
  readonly stop: LazyAbortController
  answer: Promise<T>
  waiting: number
  timer: NodeJS.Timeout | undefined
}

export interface SingleFlight<T> {
  /**
   * Joins the call under `key`, or starts it. `joined` is true for all but the one who started it. The answer
   * does not end with the signal: who asks stops waiting by themselves.
   */
  run(
    key: string,
    signal: AbortSignalLike,
    start: (signal: LazyAbortController) => Promise<T>,
  ): { readonly joined: boolean; readonly answer: Promise<T> }
  /** Aborts every call that is still out. */
  abort(reason: Error): void
  readonly size: number
}

/** `ms`: how long a call may take, however many join it in turn. Then `guard_timeout`. */
export function createSingleFlight<T>(ms: number): SingleFlight<T> {
  const flights = new Map<string, Flight<T>>()

  const launch = (key: string, start: (signal: LazyAbortController) => Promise<T>): Flight<T> => {
    const stop = new LazyAbortController(performance.now() + ms)
    const flight: Flight<T> = { stop, answer: NEVER, waiting: 0, timer: undefined }
    const landed = (): void => {
      clearTimeout(flight.timer)
      flights.delete(key)
    }
    flights.set(key, flight)
    // The first listener of its signal: who comes after an abort starts a call of their own, and joins none that ends.
    flight.answer = orAbort(stop, () => start(stop), landed)
    return flight
  }
  /** A call ends with the last who waits for it, so it needs a timer of its own only when that may be too late. */
  const bound = (flight: Flight<T>): void => {
    flight.timer ??= setTimeout(
      () => flight.stop.abort(timedOut(ms)),
      Math.min(Math.max(0, flight.stop.deadline - performance.now()), LONGEST_TIMER),
    )
  }
  const board = (flight: Flight<T>, signal: AbortSignalLike): void => {
    flight.waiting++
    signal.addEventListener(
      'abort',
      () => {
        if (--flight.waiting > 0) return
        flight.stop.abort(reasonOf(signal))
      },
      { once: true },
    )
  }

  return {
    run(key, signal, start) {
      const known = flights.get(key)
      const flight = known ?? launch(key, start)
      if (known !== undefined || deadlineOf(signal) > flight.stop.deadline) bound(flight)
      board(flight, signal)
      return { joined: known !== undefined, answer: flight.answer }
    },
    abort(reason) {
      for (const flight of flights.values()) flight.stop.abort(reason)
    },
    get size() {
      return flights.size
    },
  }
}

const NEVER = new Promise<never>(() => undefined)
