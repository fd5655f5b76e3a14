// Our place in the chain of functions that serve one response:
//
//   handler -> above: mounted after us -> entry (ours) -> [held] -> below: mounted before us -> Node
import type { ServerResponse } from 'node:http'
import { toDictionaryMode } from '../../utils/dictionary-mode.js'
import { calledByNode } from './caller.js'
import {
  ENTRY,
  HTTP1,
  HTTP2,
  LAYERS,
  NAMES,
  spanNet,
  type Guarded,
  type Method,
  type Methods,
  type NodeFields,
} from './methods.js'

/** Handles the handler's calls. */
export interface Interceptor {
  readonly layers: Layers
  call(method: Method, args: unknown[]): unknown
  /** True when the handler has committed its head and the head has not left. */
  readonly headTaken: boolean
  /** True when the handler has ended and its end has not left. */
  readonly endTaken: boolean
  /** Called for `res.destroy()`. True when the response must leave before. */
  putsOffDestroy(error: Error | undefined): boolean
  /** True when only the hold may send bytes. */
  readonly holding: boolean
  /**
   * Takes bytes that reached Node's last function without passing our methods. Returns what that function would
   * return.
   */
  bypassed(args: unknown[]): unknown
  /**
   * True when wrappers mounted after us must not see a call of this method: the call comes from below, or it comes
   * too late.
   */
  deaf(method: Method): boolean
}

/** The functions of one response's methods, below and above one interception. */
export class Layers {
  readonly #res: ServerResponse
  readonly #interceptor: Interceptor
  readonly #entry: Methods
  /** The methods that others had put on the response before us. Undefined means the prototype's method. */
  readonly #below: Methods = {}
  /** True when nobody had replaced a method before us, so that our calls reach Node directly. */
  readonly lowest: boolean
  #above: Methods | undefined
  /** The layers of a second guard that was mounted after this one. */
  #next: Layers | undefined
  #depth = 0
  /** `res.destroy` as it was before us. */
  readonly destroy: ServerResponse['destroy']
  /** The values that Node has given to these fields. */
  readonly node: NodeFields

  constructor(res: ServerResponse, interceptor: Interceptor, http2: boolean) {
    this.#res = res
    this.#interceptor = interceptor
    // `finished` is deprecated, but many packages still read it.
    const { finished, _header } = res as unknown as NodeFields
    this.node = { finished, _header }
    this.destroy = res.destroy
    const first = (res as Guarded)[LAYERS]
    // Saved at mount time. A later wrapper has already seen the handler's `end` and would ignore ours.
    for (const name of NAMES) if (first !== undefined || Object.hasOwn(res, name)) this.#below[name] = res[name]
    this.lowest = Object.keys(this.#below).length === 0
    if (first === undefined) {
      toDictionaryMode(res)
      this.#entry = ENTRY
      ;(res as Guarded)[LAYERS] = this
      Object.defineProperties(res, http2 ? HTTP2 : HTTP1)
      if (http2) spanNet((res as unknown as { stream: object }).stream, this)
    } else {
      this.#entry = Object.fromEntries(
        NAMES.map((name) => [name, (...args: unknown[]) => interceptor.call(name, args)]),
      )
      first.#last.#next = this
    }
  }

  /** Runs `send`. Until it returns, the methods of the response are those below us. */
  leave<T>(send: () => T): T {
    this.#depth++
    try {
      return send()
    } finally {
      this.#depth--
    }
  }

  /** Runs code of the handler in the middle of `send`, for which the methods are ours again. */
  comeBack(run: () => void): void {
    const depth = this.#depth
    this.#depth = 0
    try {
      run()
    } finally {
      this.#depth = depth
    }
  }

  get leaving(): boolean {
    return this.#depth > 0
  }

  callBelow(name: Method, args: readonly unknown[]): unknown {
    return Reflect.apply(this.#belowOf(name) as (...args: unknown[]) => unknown, this.#res, args)
  }

  /** The value of `res[name]` at this moment. */
  read(name: Method): unknown {
    const leaving = this.#firstLeaving
    return leaving === undefined ? this.#last.#top(name) : leaving.#belowOf(name)
  }

  /**
   * Handles an assignment to `res[name]`. A function that was on the response before us goes back below us. So does a
   * function that is set while we send, because a middleware below us is at work then. Any other function is a
   * wrapper of a middleware mounted after us.
   */
  assign(name: Method, value: unknown): void {
    const leaving = this.#firstLeaving
    if (leaving !== undefined) {
      leaving.#below[name] = value
      return
    }
    const place = this.#all.find((each) => each.#isFromBelow(name, value))
    if (place !== undefined) place.#below[name] = value
    this.#last.#setTop(name, place === undefined ? value : undefined)
  }

  calledByNode(name: Method): boolean {
    return calledByNode(this.#entry[name] as () => unknown)
  }

  /** The interceptor that must take a call which reached Node although no interception has released it. */
  get bypassing(): Interceptor | undefined {
    return this.#firstLeaving === undefined && this.#interceptor.holding ? this.#interceptor : undefined
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
    if (!this.leaving && fact(this.#interceptor)) return true
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

  #belowOf(name: Method): unknown {
    return this.#below[name] ?? (Object.getPrototypeOf(this.#res) as Methods)[name]
  }

  #isFromBelow(name: Method, value: unknown): boolean {
    if (value === this.#below[name]) return true
    for (let each: unknown = this.#res; each !== null; each = Object.getPrototypeOf(each))
      if (Object.getOwnPropertyDescriptor(each, name)?.value === value) return true
    return false
  }

  #top(name: Method): unknown {
    const above = this.#above?.[name]
    return above === undefined || this.#interceptor.deaf(name) ? this.#entry[name] : above
  }

  #setTop(name: Method, value: unknown): void {
    if (value === this.#entry[name]) value = undefined
    if (value !== undefined || this.#above !== undefined) (this.#above ??= {})[name] = value
  }

  /** Called by the functions that all responses share. */
  enter(name: Method, args: unknown[]): unknown {
    return this.#interceptor.call(name, args)
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
