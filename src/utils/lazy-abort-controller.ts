// A signal to stop at a tenth of an AbortSignal's cost: a judgement passes it through half a dozen layers,
// and nearly none is ever aborted.
// Whoever needs a real AbortSignal (a guard, an HTTP client, the SDK) asks for it and only then pays for it.

/** What waiting needs of a signal. An AbortSignal is one. */
export interface AbortSignalLike {
  readonly aborted: boolean
  readonly reason: unknown
  addEventListener(type: 'abort', listener: () => void, options?: { readonly once: true }): void
  removeEventListener(type: 'abort', listener: () => void): void
}

/** Controller and signal in one. Listeners are called once, in their order, and must not throw. */
export class LazyAbortController implements AbortSignalLike {
  /** When it will have been aborted, in milliseconds of `performance.now()`. Infinity: there is no telling. */
  readonly deadline: number
  #aborted = false
  #reason: unknown
  /** A list, for there are one or two of them. */
  #listeners: (() => void)[] = NONE
  #real: AbortController | undefined

  constructor(deadline = Infinity) {
    this.deadline = deadline
  }

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

/** When this signal will have been aborted. */
export function deadlineOf(signal: AbortSignalLike | undefined): number {
  return signal instanceof LazyAbortController ? signal.deadline : Infinity
}
