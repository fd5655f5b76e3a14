// Replaces the methods of a response that send or change its head, and the properties that tell how far it is. No
// other file replaces methods of a response.
//
// The replacements are accessors, because other middleware replaces methods too. Each function has its place:
//
//   handler -> above: mounted after us -> entry (ours) -> [held] -> below: mounted before us -> Node
import type { ServerResponse } from 'node:http'
import { toDictionaryMode } from '../../utils/dictionary-mode.js'
import { calledByNode } from './caller.js'

const NAMES = ['write', 'end', 'writeHead', 'flushHeaders', 'setHeader', 'appendHeader', 'removeHeader'] as const
export type Method = (typeof NAMES)[number]
export type Methods = Partial<Record<Method, unknown>>

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

const LAYERS = Symbol('express-llama-guard.layers')
/** A guarded response refers to its first Layers, which refer to the next. */
type Guarded = ServerResponse & NodeFields & { [LAYERS]?: Layers }

/**
 * Plain properties of an HTTP/1 response. express-session and others read `_header` to learn whether the head is out.
 */
interface NodeFields {
  finished: boolean
  _header: string | null
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

// One function and one accessor serve all responses. Own closures would make every call site megamorphic. Own
// accessors would give each response a hidden class of its own, which V8 keeps, with everything the accessors reach,
// until the next full collection. This may go on the day V8 frees such classes in a minor collection.
const ENTRY: Methods = Object.fromEntries(
  NAMES.map((name) => [
    name,
    function (this: Guarded, ...args: unknown[]): unknown {
      return this[LAYERS]!.enter(name, args)
    },
  ]),
)

type Accessor = PropertyDescriptor & ThisType<Guarded>

const methods = Object.fromEntries(
  NAMES.map((name): [string, Accessor] => [
    name,
    {
      configurable: true,
      get() {
        return this[LAYERS]!.read(name)
      },
      set(value: unknown) {
        this[LAYERS]!.assign(name, value)
      },
    },
  ]),
)

/**
 * While the reply is held, a handler sees the state it would see without the guard. The error handling of Express
 * reads it.
 */
const state = (name: 'headersSent' | 'writableEnded' | 'finished', taken: 'headTaken' | 'endTaken'): Accessor => ({
  configurable: true,
  get() {
    return this[LAYERS]![taken] || Reflect.get(Object.getPrototypeOf(this) as object, name, this) === true
  },
})

const HTTP2: PropertyDescriptorMap = {
  ...methods,
  headersSent: state('headersSent', 'headTaken'),
  writableEnded: state('writableEnded', 'endTaken'),
  finished: state('finished', 'endTaken'),
  destroy: {
    configurable: true,
    writable: true,
    value(this: Guarded, error?: Error): unknown {
      const layers = this[LAYERS]!
      return layers.putsOffDestroy(error) ? this : layers.destroy.call(this, error)
    },
  },
}

/**
 * A plain property of Node. Node reads its real value, because it closes connections and drops 'drain' events of
 * finished responses, and a held response has not finished. Other code reads the value it would have without the
 * guard.
 */
function field(name: keyof NodeFields, taken: 'headTaken' | 'endTaken', shown: string | boolean): Accessor {
  function get(this: Guarded): unknown {
    const layers = this[LAYERS]!
    const real = layers.node[name]
    return real || !layers[taken] || calledByNode(get) ? real : shown
  }
  return {
    configurable: true,
    get,
    set(value: never) {
      const bypassing = name === 'finished' && value ? this[LAYERS]!.bypassing : undefined
      if (bypassing === undefined) this[LAYERS]!.node[name] = value
      else bypassing.call('end', [])
    },
  }
}

/** Node's function that all bytes of a response pass. */
interface NodeMethods {
  _send(...args: unknown[]): unknown
  uncork(): void
}
const prototypeOf = (res: ServerResponse): NodeMethods => Object.getPrototypeOf(res) as NodeMethods

// Catches calls that pass our methods on HTTP/1: code that deletes them, or that calls those of the prototype, still
// writes into the hold.
const NET: PropertyDescriptorMap & ThisType<Guarded> = {
  _send: {
    configurable: true,
    value(...args: unknown[]): unknown {
      const bypassing = this[LAYERS]!.bypassing
      return bypassing === undefined ? Reflect.apply(prototypeOf(this)._send, this, args) : bypassing.bypassed(args)
    },
  },
  // From Node 24 on, what was written to a corked response passes `_send` only when it is uncorked.
  uncork: {
    configurable: true,
    writable: true,
    value() {
      this[LAYERS]!.leave(() => Reflect.apply(prototypeOf(this).uncork, this, []))
    },
  },
}

/** Catches the same calls on HTTP/2, where the last functions are those of the stream. */
function spanNet(stream: object, layers: Layers): void {
  Object.defineProperties(stream, { [LAYERS]: { value: layers }, ...HTTP2_NET })
}

const HTTP2_NET: PropertyDescriptorMap = Object.fromEntries(
  (['write', 'end'] as const).map((name): [string, Accessor] => [
    name,
    {
      configurable: true,
      writable: true,
      value(...args: unknown[]): unknown {
        const bypassing = this[LAYERS]!.bypassing
        if (bypassing !== undefined) return bypassing.bypassed(name === 'write' ? args : [])
        return Reflect.apply((Object.getPrototypeOf(this) as ServerResponse)[name], this, args)
      },
    },
  ]),
)

const HTTP1: PropertyDescriptorMap = {
  ...HTTP2,
  ...NET,
  finished: field('finished', 'endTaken', true),
  _header: field('_header', 'headTaken', 'HTTP/1.1\r\n\r\n'),
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
