// The place of one interception in the chain of functions that serve a response:
//
//   handler -> above: mounted after us -> entry (ours) -> [held] -> below: mounted before us -> Node
import type { ServerResponse } from 'node:http'
import { calledByNode } from './caller.js'
import type { Interceptor } from './interceptor.js'
import { ENTRY, LAYERS, NAMES, type Guarded, type Method, type Methods, type NodeFields } from './methods.js'

export class Place {
  readonly #res: ServerResponse
  protected readonly interceptor: Interceptor
  readonly #entry: Methods
  /** The methods that others had put on the response before us. Undefined means the prototype's method. */
  protected readonly below: Methods = {}
  /** True when nobody had replaced a method before us, so that our calls reach Node directly. */
  readonly lowest: boolean
  #above: Methods | undefined
  #depth = 0
  /** `res.destroy` as it was before us. */
  readonly destroy: ServerResponse['destroy']
  /** The values that Node has given to these fields. */
  readonly node: NodeFields

  constructor(res: ServerResponse, interceptor: Interceptor) {
    this.#res = res
    this.interceptor = interceptor
    // `finished` is deprecated, but many packages still read it.
    const { finished, _header } = res as unknown as NodeFields
    this.node = { finished, _header }
    this.destroy = res.destroy
    const nested = (res as Guarded)[LAYERS] !== undefined
    // Saved at mount time. A later wrapper has already seen the handler's `end` and would ignore ours.
    for (const name of NAMES) if (nested || Object.hasOwn(res, name)) this.below[name] = res[name]
    this.lowest = Object.keys(this.below).length === 0
    this.#entry = nested ? entryOf(interceptor) : ENTRY
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
    return Reflect.apply(this.belowOf(name) as (...args: unknown[]) => unknown, this.#res, args)
  }

  calledByNode(name: Method): boolean {
    return calledByNode(this.#entry[name] as () => unknown)
  }

  /** Called by the functions that all responses share. */
  enter(name: Method, args: unknown[]): unknown {
    return this.interceptor.call(name, args)
  }

  protected belowOf(name: Method): unknown {
    return this.below[name] ?? (Object.getPrototypeOf(this.#res) as Methods)[name]
  }

  protected isFromBelow(name: Method, value: unknown): boolean {
    if (value === this.below[name]) return true
    for (let each: unknown = this.#res; each !== null; each = Object.getPrototypeOf(each))
      if (Object.getOwnPropertyDescriptor(each, name)?.value === value) return true
    return false
  }

  /** The function that serves a call of the handler. */
  protected top(name: Method): unknown {
    const above = this.#above?.[name]
    return above === undefined || this.interceptor.skipsWrappers(name) ? this.#entry[name] : above
  }

  protected setTop(name: Method, value: unknown): void {
    if (value === this.#entry[name]) value = undefined
    if (value !== undefined || this.#above !== undefined) (this.#above ??= {})[name] = value
  }
}

/** The methods of a second guard on one response. Those of the first are shared by all responses. */
function entryOf(interceptor: Interceptor): Methods {
  return Object.fromEntries(NAMES.map((name) => [name, (...args: unknown[]) => interceptor.call(name, args)]))
}
