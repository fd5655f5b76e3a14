// The places of all guards of one response. The first replaces the response's methods and is asked for all of them.
// Each refers to the next, which was mounted after it.
import type { ServerResponse } from 'node:http'
import { toDictionaryMode } from '../../utils/dictionary-mode.js'
import type { Interceptor } from './interceptor.js'
import { HTTP1, HTTP2, LAYERS, catchHttp2Bypass, type Guarded, type Method } from './methods.js'
import { Place } from './place.js'

export class Layers extends Place {
  #next: Layers | undefined

  constructor(res: ServerResponse, interceptor: Interceptor, http2: boolean) {
    super(res, interceptor)
    const first = (res as Guarded)[LAYERS]
    if (first !== undefined) {
      first.#last.#next = this
      return
    }
    toDictionaryMode(res)
    ;(res as Guarded)[LAYERS] = this
    Object.defineProperties(res, http2 ? HTTP2 : HTTP1)
    if (http2) catchHttp2Bypass((res as unknown as { stream: object }).stream, this)
  }

  /** The value of `res[name]` at this moment. */
  read(name: Method): unknown {
    const leaving = this.#firstLeaving
    return leaving === undefined ? this.#last.top(name) : leaving.belowOf(name)
  }

  /**
   * Handles an assignment to `res[name]`. A function that was on the response before us goes back below us. So does a
   * function that is set while we send, because a middleware below us is at work then. Any other function is a
   * wrapper of a middleware mounted after us.
   */
  assign(name: Method, value: unknown): void {
    const leaving = this.#firstLeaving
    if (leaving !== undefined) {
      leaving.below[name] = value
      return
    }
    const place = this.#all.find((each) => each.isFromBelow(name, value))
    if (place !== undefined) place.below[name] = value
    this.#last.setTop(name, place === undefined ? value : undefined)
  }

  /** The interceptor that must take a call which reached Node although no interception has released it. */
  get bypassing(): Interceptor | undefined {
    return this.#firstLeaving === undefined && this.interceptor.holding ? this.interceptor : undefined
  }

  putsOffDestroy(error: Error | undefined): boolean {
    return this.#says((interceptor) => interceptor.putsOffDestroy(error))
  }

  get headTaken(): boolean {
    return this.#says(({ headTaken }) => headTaken)
  }

  get endTaken(): boolean {
    return this.#says(({ endTaken }) => endTaken)
  }

  #says(fact: (interceptor: Interceptor) => boolean): boolean {
    if (!this.leaving && fact(this.interceptor)) return true
    return this.#next !== undefined && this.#next.#says(fact)
  }

  get #all(): Layers[] {
    return this.#next === undefined ? [this] : [this, ...this.#next.#all]
  }

  get #last(): Layers {
    return this.#next === undefined ? this : this.#next.#last
  }

  get #firstLeaving(): Layers | undefined {
    if (this.leaving || this.#next === undefined) return this.leaving ? this : undefined
    return this.#next.#firstLeaving
  }
}

/**
 * Runs `change` on the head of a response that may be guarded. The guard then sees it as its own change, not as the
 * handler's.
 */
export function asGuard(res: ServerResponse, change: () => void): void {
  const layers = (res as Guarded)[LAYERS]
  if (layers === undefined) change()
  else layers.leave(change)
}
