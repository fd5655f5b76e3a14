// The properties that take the place of a response's own: its methods that send or change the head, and what
// tells a handler how far the response is. The only place that replaces them.
//
// They are accessors, because others replace methods too, and each belongs into a place of its own:
//
//   handler -> above: who was mounted after us -> entry (ours) -> [held] -> below: who was mounted before us -> Node
import type { ServerResponse } from 'node:http'
import { toDictionaryMode } from '../../utils/dictionary-mode.js'

const NAMES = ['write', 'end', 'writeHead', 'flushHeaders', 'setHeader', 'appendHeader', 'removeHeader'] as const
export type Method = (typeof NAMES)[number]
export type Methods = Partial<Record<Method, unknown>>

/** Who answers the handler's calls. */
export interface Interceptor {
  readonly layers: Layers
  call(method: Method, args: unknown[]): unknown
  /** The handler has committed its head, and it has not left. */
  readonly headTaken: boolean
  /** The handler has ended, and its end has not left. */
  readonly endTaken: boolean
  /** Nothing may leave but through us. */
  readonly holding: boolean
  /** Bytes that have come to Node's last function without passing ours, and whether there is room for more. */
  bypassed(args: unknown[]): unknown
  /** Nobody above has a say in this method any more: what is called is called by those below, or comes too late. */
  deaf(method: Method): boolean
}

const LAYERS = Symbol('express-llama-guard.layers')
/** A guarded response knows its first interception, and through that the others. */
type Guarded = ServerResponse & NodeFields & { [LAYERS]?: Layers }

/** Plain properties of an HTTP/1 response. `_header` is how session and others ask whether the head is out. */
interface NodeFields {
  finished: boolean
  _header: string | null
}

/** The functions that one method of a response consists of, below and above one interception. */
export class Layers {
  readonly #res: ServerResponse
  readonly #interceptor: Interceptor
  readonly #entry: Methods
  /** What others had put there before us. Undefined: the prototype's. */
  readonly #below: Methods = {}
  /** Nobody had put anything there: what we hand down is with Node at once. */
  readonly lowest: boolean
  #above: Methods | undefined
  /** A guard of another policy that was mounted after us. */
  #next: Layers | undefined
  #depth = 0
  /** The values that Node has given to its own fields. */
  readonly node: NodeFields

  constructor(res: ServerResponse, interceptor: Interceptor, http2: boolean) {
    this.#res = res
    this.#interceptor = interceptor
    // Deprecated for handlers, and read by many all the same.
    const { finished, _header } = res as unknown as NodeFields
    this.node = { finished, _header }
    const first = (res as Guarded)[LAYERS]
    // Saved at mount time: what a later middleware wrapped has already seen its own `end` and would swallow a refusal.
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

  /** Runs what sends or changes something for us. Meanwhile the methods of the response are those below us. */
  leave<T>(send: () => T): T {
    this.#depth++
    try {
      return send()
    } finally {
      this.#depth--
    }
  }

  get leaving(): boolean {
    return this.#depth > 0
  }

  callBelow(name: Method, args: readonly unknown[]): unknown {
    return Reflect.apply(this.#belowOf(name) as (...args: unknown[]) => unknown, this.#res, args)
  }

  /** What `res[name]` is at this moment. */
  read(name: Method): unknown {
    const leaving = this.#firstLeaving
    return leaving === undefined ? this.#last.#top(name) : leaving.#belowOf(name)
  }

  /**
   * Somebody sets `res[name]`. What was there before us goes below us, where it was; so does what is set while
   * we send, for then those below are at work. Anything else is a wrapper of someone after us.
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

  /** Something is on its way to Node that nobody of us has let go. */
  get bypassing(): Interceptor | undefined {
    return this.#firstLeaving === undefined && this.#interceptor.holding ? this.#interceptor : undefined
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

  /** For the functions below, which all responses share. */
  enter(name: Method, args: unknown[]): unknown {
    return this.#interceptor.call(name, args)
  }
}

// One function and one accessor for all responses. Closures would be strangers at every place that calls them,
// and accessors of its own would give each response a hidden class of its own, which V8 keeps, with all that
// they reach, until the next full collection.
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

/** While held, a handler sees what it would see without us: Express' error handling asks how far a reply is. */
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
}

/** A plain property of Node's, which Node reads as it is and everybody else as it would be without us. */
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

// The net below all of them, on HTTP/1: whoever deletes our methods, or calls those of the prototype, writes into
// the hold all the same.
const NET: PropertyDescriptorMap & ThisType<Guarded> = {
  _send: {
    configurable: true,
    value(...args: unknown[]): unknown {
      const bypassing = this[LAYERS]!.bypassing
      return bypassing === undefined ? Reflect.apply(prototypeOf(this)._send, this, args) : bypassing.bypassed(args)
    },
  },
  // From Node 24 on, what was written to a corked response passes `_send` only now.
  uncork: {
    configurable: true,
    writable: true,
    value() {
      this[LAYERS]!.leave(() => Reflect.apply(prototypeOf(this).uncork, this, []))
    },
  },
}

/** The same on HTTP/2, where the last functions are those of the stream. */
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
 * Node reads them too: it closes connections and drops 'drain' events of responses that have finished, and ours
 * has not. The stack tells who asks, for some microseconds, and only while something is held.
 */
function calledByNode(callee: (this: never, ...args: never[]) => unknown): boolean {
  const { stackTraceLimit } = Error
  const at: { stack?: unknown } = {}
  Error.stackTraceLimit = 1
  Error.captureStackTrace(at, callee)
  Error.stackTraceLimit = stackTraceLimit
  return /node:(_http_|internal\/http2)/.test(String(at.stack))
}

/** Runs `change` on the head of a response that may be guarded, as we do it and not as the handler. */
export function asGuard(res: ServerResponse, change: () => void): void {
  const layers = (res as Guarded)[LAYERS]
  if (layers === undefined) change()
  else layers.leave(change)
}
