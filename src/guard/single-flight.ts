// One call for all who ask the same at the same time. Each waits with a signal of their own: one leaving fails nobody
// else, and the call itself is aborted only when the last has left.
import { setMaxListeners } from 'node:events'
import { orAbort, reasonOf } from './abort.js'

interface Flight<T> {
  readonly controller: AbortController
  readonly answer: Promise<T>
  waiting: number
}

export interface SingleFlight<T> {
  /** Joins the call under `key`, or starts it. `joined` is true for all but the one who started it. */
  run(key: string, signal: AbortSignal, start: (signal: AbortSignal) => Promise<T>): { readonly joined: boolean; readonly answer: Promise<T> }
  /** Aborts every call that is still out. */
  abort(reason: Error): void
  readonly size: number
}

export function createSingleFlight<T>(): SingleFlight<T> {
  const flights = new Map<string, Flight<T>>()

  const launch = (key: string, start: (signal: AbortSignal) => Promise<T>): Flight<T> => {
    const controller = new AbortController()
    setMaxListeners(0, controller.signal)
    const answer = orAbort(controller.signal, () => start(controller.signal))
    const flight: Flight<T> = { controller, answer, waiting: 0 }
    flights.set(key, flight)
    const landed = (): void => forget(key, flight)
    answer.then(landed, landed)
    return flight
  }
  const forget = (key: string, flight: Flight<T>): void => {
    if (flights.get(key) === flight) flights.delete(key)
  }

  const wait = async (key: string, flight: Flight<T>, signal: AbortSignal): Promise<T> => {
    flight.waiting++
    try {
      return await orAbort(signal, () => flight.answer)
    } finally {
      if (--flight.waiting === 0) {
        // Forgotten first: a newcomer must start a call of its own, not join one that is being aborted.
        forget(key, flight)
        flight.controller.abort(reasonOf(signal))
      }
    }
  }

  return {
    run(key, signal, start) {
      const known = flights.get(key)
      return { joined: known !== undefined, answer: wait(key, known ?? launch(key, start), signal) }
    },
    abort(reason) {
      for (const flight of flights.values()) flight.controller.abort(reason)
    },
    get size() {
      return flights.size
    },
  }
}
