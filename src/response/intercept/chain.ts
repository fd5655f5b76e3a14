// The place of one interception in the chain of functions that serve a response. No other file replaces methods of a
// response.
//
//   handler -> above: mounted after us -> entry (ours) -> [held] -> below: mounted before us -> Node
//
// Methods are replaced by accessors, because middleware on either side puts back at any time what it has found. What
// comes from below goes back below us. Wrappers that were mounted after us stay above us.
import type { ServerResponse } from 'node:http'
import { toDictionaryMode } from '../../utils/dictionary-mode.js'

const NAMES = ['write', 'end', 'writeHead', 'flushHeaders', 'setHeader', 'appendHeader', 'removeHeader'] as const
export type Method = (typeof NAMES)[number]
type Methods = Partial<Record<Method, unknown>>

/** What a chain asks of its interception. */
export interface Interceptor {
  /** Handles a call of the handler. */
  call(method: Method, args: unknown[]): unknown
  /** True when the handler has committed its head. */
  readonly headTaken: boolean
  /** True when the handler has ended its reply. */
  readonly endTaken: boolean
  /** True while nothing of the reply may leave. */
  readonly holdsHead: boolean
  /** True when the reply has been passed on. Nothing of the handler leaves any more. */
  readonly closed: boolean
  /** Breaks the connection. */
  destroy(): void
}

const FIRST = Symbol('express-llama-guard.first')
const LAST = Symbol('express-llama-guard.last')
/** A response that two guards intercept has two chains. The handler's calls come to the last. */
type Guarded = ServerResponse & { [FIRST]?: Chain; [LAST]?: Chain }

export class Chain {
  readonly #res: ServerResponse
  readonly #interceptor: Interceptor
  readonly #former: Chain | undefined
  readonly #entry: Methods
  /** Saved at mount time. A later wrapper has already seen the handler's `end` and would ignore ours. */
  readonly #below: Methods = {}
  readonly #above: Methods = {}
  /** All that have been above us. */
  readonly #wrappers: unknown[] = []
  /** The methods that somebody has read since the last wrapper of them. */
  readonly #read = new Set<Method>()
  /** True when a middleware below us may keep what we pass on. */
  readonly #keeps: boolean
  /** The last bytes, where a middleware below may keep them. */
  #lastBytes: Buffer | undefined
  /** True while we send. The methods of the response are then those below us. */
  sending = false
  #restored = false

  constructor(res: ServerResponse, interceptor: Interceptor, http2: boolean) {
    const guarded: Guarded = res
    this.#res = res
    this.#interceptor = interceptor
    this.#former = guarded[LAST]
    this.#keeps = Object.hasOwn(res, 'write') || Object.hasOwn(res, 'end')
    for (const name of NAMES) this.#below[name] = res[name]
    this.#entry = this.#former === undefined ? ENTRY : entryOf(interceptor)
    if (this.#former !== undefined) {
      guarded[LAST] = this
      return
    }
    toDictionaryMode(res)
    guarded[FIRST] = guarded[LAST] = this
    Object.defineProperties(res, ACCESSORS)
    if (http2)
      Object.defineProperties((res as unknown as { stream: Guarded }).stream, { [LAST]: { value: this }, ...HTTP2 })
    else Object.defineProperties(res, HTTP1)
  }

  /** Runs `send` as the sender. */
  send<T>(send: () => T): T {
    const { sending } = this
    this.sending = true
    try {
      return send()
    } finally {
      this.sending = sending
    }
  }

  callBelow(name: Method, args: readonly unknown[]): unknown {
    return this.send((): unknown => Reflect.apply(this.#below[name] as () => unknown, this.#res, args))
  }

  noteLast(bytes: Buffer): void {
    if (this.#keeps) this.#lastBytes = bytes
  }

  /**
   * True for bytes that a middleware below has kept and now passes to `res` instead of to the function that it has
   * saved. The handler's own bytes come too late.
   */
  passesAgain(bytes: Buffer, ended: boolean): boolean {
    if (!this.#keeps || this.real('writableEnded')) return false
    const { length } = bytes
    if (length === 0) return ended
    const last = this.#lastBytes
    if (last === undefined) return false
    // Sessions split the last bytes.
    if (!bytes.equals(last.subarray(0, length))) return bytes.equals(last.subarray(-length))
    this.#lastBytes = last.subarray(length)
    return true
  }

  /** The value of a property of Node's, which may differ from what a handler is shown. */
  real(name: 'headersSent' | 'writableEnded'): boolean {
    return Reflect.get(Object.getPrototypeOf(this.#res) as object, name, this.#res) === true
  }

  shows(taken: 'headTaken' | 'endTaken'): boolean {
    return (!this.sending && this.#interceptor[taken]) || (this.#former?.shows(taken) ?? false)
  }

  /** The value of `res[name]` at this moment. */
  read(name: Method): unknown {
    const sender = this.#sender
    if (sender !== undefined) return sender.#below[name]
    const { closed, headTaken } = this.#interceptor
    // Wrappers of writeHead run once. Node calls writeHead again for its implicit head, and so do sessions.
    const above = closed || (headTaken && name === 'writeHead') ? undefined : this.#above[name]
    if (!headTaken) this.#read.add(name)
    return above ?? this.#entry[name]
  }

  /** Handles an assignment to `res[name]`. */
  assign(name: Method, value: unknown): void {
    const sender = this.#sender
    if (sender !== undefined) sender.#below[name] = value
    else if (this.#takesBack(name, value)) {
      this.#above[name] = undefined
      if (this.#interceptor.closed) this.#restore()
    } else if (value === this.#entry[name] || this.#wrappers.includes(value) || this.#wraps(name)) {
      this.#wrappers.push(value)
      this.#above[name] = value
    }
    // Any other function was saved before us. It would send past us.
  }

  /** A wrapper has read what it wraps, before the reply begins. */
  #wraps(name: Method): boolean {
    return !this.#interceptor.headTaken && this.#read.delete(name)
  }

  /** Takes a function back below us that came from there. */
  #takesBack(name: Method, value: unknown): boolean {
    const mine = value === this.#below[name] || (this.#former === undefined && this.#isOfPrototype(name, value))
    if (mine) this.#below[name] = value
    return mine || (this.#former !== undefined && this.#former.#takesBack(name, value))
  }

  #isOfPrototype(name: Method, value: unknown): boolean {
    for (let each: object | null = this.#res; each !== null; each = Object.getPrototypeOf(each) as object | null)
      if (Object.getOwnPropertyDescriptor(each, name)?.value === value) return true
    return false
  }

  /**
   * A middleware below us that has kept our end puts its functions back and sends it with `res.end`. The methods of the
   * response are those below us until others may call.
   */
  #restore(): void {
    this.#restored = true
    process.nextTick(() => (this.#restored = false))
  }

  get #sender(): Chain | undefined {
    if (this.sending || this.#restored) return this
    return this.#former === undefined ? undefined : this.#former.#sender
  }

  /** The last guard whose head has not left: what it writes is a handler's word to the guards before it. */
  get holder(): Chain | undefined {
    return this.#interceptor.holdsHead ? this : this.#former?.holder
  }

  enter(name: Method, args: unknown[]): unknown {
    return this.#interceptor.call(name, args)
  }

  /** Breaks the connection when bytes reach Node that are held. False when they may pass. */
  breaksBypass(): boolean {
    if (this.#sender !== undefined || !this.#interceptor.holdsHead) return false
    this.#interceptor.destroy()
    return true
  }
}

// One function and one accessor serve all responses. Own closures would make every call site megamorphic. Own
// accessors would give each response a hidden class of its own, which V8 keeps, with everything the accessors reach,
// until the next full collection. This may go on the day V8 frees such classes in a minor collection.
const ENTRY: Methods = Object.fromEntries(
  NAMES.map((name) => [
    name,
    function (this: Guarded, ...args: unknown[]): unknown {
      return this[FIRST]!.enter(name, args)
    },
  ]),
)

/** The functions of a second guard on one response. */
function entryOf(interceptor: Interceptor): Methods {
  return Object.fromEntries(NAMES.map((name) => [name, (...args: unknown[]) => interceptor.call(name, args)]))
}

type Accessors = PropertyDescriptorMap & ThisType<Guarded>

/** While the reply is held, a handler sees the state it would see without the guard. Express reads it at an error. */
const state = (name: 'headersSent' | 'writableEnded', taken: 'headTaken' | 'endTaken'): PropertyDescriptor => ({
  configurable: true,
  get(this: Guarded) {
    return this[LAST]!.shows(taken) || this[LAST]!.real(name)
  },
})

const ACCESSORS: Accessors = {
  ...Object.fromEntries(
    NAMES.map((name): [string, PropertyDescriptor] => [
      name,
      {
        configurable: true,
        get(this: Guarded) {
          return this[LAST]!.read(name)
        },
        set(this: Guarded, value: unknown) {
          this[LAST]!.assign(name, value)
        },
      },
    ]),
  ),
  headersSent: state('headersSent', 'headTaken'),
  writableEnded: state('writableEnded', 'endTaken'),
}

/**
 * All bytes of a response pass these functions. Code that has deleted our methods, or put back what we have never seen,
 * breaks the connection where it sends a reply that is held.
 */
const catching = (...names: string[]): Accessors =>
  Object.fromEntries(
    names.map((name): [string, PropertyDescriptor] => [
      name,
      {
        configurable: true,
        writable: true,
        value(this: Guarded, ...args: unknown[]): unknown {
          if (this[LAST]!.breaksBypass()) return false
          return Reflect.apply(Reflect.get(Object.getPrototypeOf(this) as object, name) as () => unknown, this, args)
        },
      },
    ]),
  )
const HTTP1 = catching('_send')
// Node sends a file without a call of ours.
const HTTP2 = catching('write', 'end', 'respondWithFile', 'respondWithFD')

/**
 * Runs `change` on the head of a response that may be guarded. The guard then sees it as its own change, not as the
 * handler's.
 */
export function asGuard(res: ServerResponse, change: () => void): void {
  const chain = (res as Guarded)[LAST]
  if (chain === undefined) change()
  else (chain.holder ?? chain).send(change)
}
