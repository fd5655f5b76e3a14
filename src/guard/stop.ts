// A signal to stop at a tenth of an AbortSignal's cost: a judgement passes it through half a dozen layers, and nearly none is ever aborted.
// Whoever needs a real AbortSignal (a guard, an HTTP client, the SDK) asks for it and only then pays for it.

import type { JudgeOptions } from '../types.js'

/** What waiting needs of a signal. An AbortSignal is one. */
export interface StopSignal {
  readonly aborted: boolean
  readonly reason: unknown
  addEventListener(type: 'abort', listener: () => void, options?: { readonly once: true }): void
  removeEventListener(type: 'abort', listener: () => void): void
}

/** Controller and signal in one. Listeners are called once, in their order, and must not throw. */
export class Stop implements StopSignal {
  #aborted = false
  #reason: unknown
  /** A list, for there are one or two of them. */
  #listeners: (() => void)[] = NONE
  #real: AbortController | undefined

  get aborted(): boolean {
    return this.#aborted
  }

  get reason(): unknown {
    return this.#reason
  }

  /** The same as an AbortSignal. */
  get signal(): AbortSignal {
    if (this.#real === undefined) {
      this.#real = new AbortController()
      if (this.#aborted) this.#real.abort(this.#reason)
    }
    return this.#real.signal
  }

  addEventListener(_: 'abort', listener: () => void, _options?: { readonly once: true }): void {
    if (this.#aborted) return
    if (this.#listeners === NONE) this.#listeners = [listener]
    else if (!this.#listeners.includes(listener)) this.#listeners.push(listener)
  }

  removeEventListener(_: 'abort', listener: () => void): void {
    const at = this.#listeners.indexOf(listener)
    if (at !== -1) this.#listeners.splice(at, 1)
  }

  abort(reason?: unknown): void {
    if (this.#aborted) return
    this.#aborted = true
    this.#reason = reason
    const listeners = this.#listeners
    this.#listeners = NONE
    for (const listener of listeners) listener()
    this.#real?.abort(reason)
  }
}

const NONE: (() => void)[] = []

const STOP = Symbol('stop')

/** Options for a guard, whose AbortSignal is made when it is looked at: many never do. */
export function optionsWith<T extends object>(options: T, stop: Stop): T & JudgeOptions {
  return Object.defineProperty({ ...options, [STOP]: stop }, 'signal', SIGNAL)
}

// One getter for all options: to V8, an object with a getter of its own is of a class of its own.
const SIGNAL = {
  configurable: true,
  enumerable: true,
  get(this: { readonly [STOP]: Stop }): AbortSignal {
    return this[STOP].signal
  },
}

/** The signal in a guard's options, without making an AbortSignal where there is none yet. */
export function signalOf(options: JudgeOptions): StopSignal | undefined {
  return STOP in options ? (options[STOP] as Stop) : options.signal
}
