// One call for all who ask the same at the same time. Each waits with a signal of their own: one leaving fails nobody
// else, and the call itself is aborted only when the last has left.
import { orAbort, reasonOf } from './abort.js'
import { Stop, type StopSignal } from './stop.js'

interface Flight<T> {
  readonly stop: Stop
  readonly answer: Promise<T>
  waiting: number
}

export interface SingleFlight<T> {
  /** Joins the call under `key`, or starts it. `joined` is true for all but the one who started it. */
  run(key: string, signal: StopSignal, start: (signal: Stop) => Promise<T>): { readonly joined: boolean; readonly answer: Promise<T> }
  /** Aborts every call that is still out. */
  abort(reason: Error): void
  readonly size: number
}

export function createSingleFlight<T>(): SingleFlight<T> {
  const flights = new Map<string, Flight<T>>()

  const launch = (key: string, start: (signal: Stop) => Promise<T>): Flight<T> => {
    const stop = new Stop()
    const answer = orAbort(stop, () => start(stop))
    const flight: Flight<T> = { stop, answer, waiting: 0 }
    flights.set(key, flight)
    const landed = (): void => forget(key, flight)
    answer.then(landed, landed)
    return flight
  }
  const forget = (key: string, flight: Flight<T>): void => {
    if (flights.get(key) === flight) flights.delete(key)
  }

  const wait = (key: string, flight: Flight<T>, signal: StopSignal): Promise<T> => {
    flight.waiting++
    return orAbort(signal, () => flight.answer, () => {
      if (--flight.waiting > 0) return
      // Forgotten first: a newcomer must start a call of its own, not join one that is being aborted.
      forget(key, flight)
      flight.stop.abort(reasonOf(signal))
    })
  }

  return {
    run(key, signal, start) {
      const known = flights.get(key)
      return { joined: known !== undefined, answer: wait(key, known ?? launch(key, start), signal) }
    },
    abort(reason) {
      for (const flight of flights.values()) flight.stop.abort(reason)
    },
    get size() {
      return flights.size
    },
  }
}
