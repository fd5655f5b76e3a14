// The place of an interception in the chain of functions that serve a response. No other file replaces methods of a
// response.
//
//   handler -> above: mounted after us -> entry (ours) -> [held] -> below: mounted before us -> Node
//
// Methods are replaced by accessors, because middleware on either side puts back at any time what it has found. What
// comes from below goes back below us. Wrappers that were mounted after us stay above us.
import type { ServerResponse } from 'node:http'
import type { ServerHttp2Stream } from 'node:http2'
import { toDictionaryMode } from '../../utils/dictionary-mode.js'

const NAMES = ['write', 'end', 'writeHead', 'flushHeaders', 'setHeader', 'appendHeader', 'removeHeader'] as const
export type Method = (typeof NAMES)[number]
type Methods = Partial<Record<Method, unknown>>
export type Shown = 'headersSent' | 'writableEnded'

const LINKS = Symbol('express-llama-guard.links')
/** Each guard of a response is a link, in the order of their mounts. The handler's calls come to the last. */
type Guarded = ServerResponse & { [LINKS]: Link[] }

export abstract class Link {
  readonly res: ServerResponse
  readonly #links: Link[]
  readonly #entry: Methods
  /** Saved at mount time. A later wrapper has already seen the handler's `end` and would ignore ours. */
  readonly #below: Methods = {}
  readonly #above: Methods = {}
  /** All that have been above us. */
  readonly #wrappers = new Set<unknown>()
  /** The methods that somebody has read since the last wrapper of them. */
  readonly #read = new Set<Method>()
  /** True while we send. The methods of the response are then those below us. */
  sending = false

  /** `stream`: that of an HTTP/2 response. */
  constructor(res: ServerResponse, stream: ServerHttp2Stream | undefined) {
    const former = (res as Partial<Guarded>)[LINKS]
    this.res = res
    for (const name of NAMES) this.#below[name] = res[name]
    // No literal: V8 soon makes those in its old space, where they keep each response until a full collection.
    this.#links = former ?? Array.from({ length: 0 })
    this.#links.push(this)
    this.#entry = former === undefined ? ENTRY : methods((name) => this.call.bind(this, name))
    if (former) return
    toDictionaryMode(res)
    Object.assign(res, { [LINKS]: this.#links })
    Object.defineProperties(res, ACCESSORS)
    if (stream !== undefined) Object.defineProperties(stream, { [LINKS]: { value: this.#links }, ...HTTP2 })
  }

  /** Handles a call of the handler. */
  abstract call(method: Method, ...args: unknown[]): unknown
  /** True when a handler sees that its head is sent, or that it has ended. Express asks at an error. */
  abstract taken(what: Shown): boolean
  /** True while nothing of the reply may leave. */
  abstract readonly holdsHead: boolean
  /** True when the reply has been passed on. Nothing of the handler leaves any more. */
  abstract readonly closed: boolean
  /** Breaks the connection. */
  abstract destroy(): void

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

  protected callBelow(name: Method, args: readonly unknown[]): unknown {
    return this.send((): unknown => Reflect.apply(this.#below[name] as () => unknown, this.res, args))
  }

  /** The value of a property of Node's, which may differ from what a handler is shown. */
  protected nodes(name: Shown | Method): unknown {
    return Reflect.get(Object.getPrototypeOf(this.res) as object, name, this.res)
  }

  /** The value that a handler sees, or who sends. */
  shows(name: Shown): boolean {
    return this.nodes(name) === true || this.#links.some((link) => !link.sending && link.taken(name))
  }

  /** The value of `res[name]` at this moment. */
  read(name: Method): unknown {
    const sender = this.#sender
    if (sender !== undefined) return sender.#below[name]
    const headersSent = this.taken('headersSent')
    if (!headersSent) this.#read.add(name)
    // Wrappers of writeHead run once. Node calls writeHead again for its implicit head, and so do sessions.
    const above = this.closed || (headersSent && name === 'writeHead') ? undefined : this.#above[name]
    return above ?? this.#entry[name]
  }

  /** Handles an assignment to `res[name]`. */
  assign(name: Method, value: unknown): void {
    const sender = this.#sender
    if (sender !== undefined) sender.#below[name] = value
    else if (this.#links.findLast((link) => link.#takesBack(name, value)) !== undefined) {
      this.#above[name] = undefined
      if (this.closed) this.#letBelowSend()
    } else if (value === this.#entry[name] || this.#wrappers.has(value)) this.#above[name] = value
    else if (this.closed) {
      // A middleware below us puts back what it has wrapped there.
      this.#links.find(({ closed }) => closed)!.#below[name] = value
      this.#letBelowSend()
    } else if (!this.taken('headersSent') && this.#read.delete(name)) {
      // A wrapper has read what it wraps, before the reply begins.
      this.#wrappers.add(value)
      this.#above[name] = value
    }
    // Any other function was saved before us. It would send past us.
  }

  /** A middleware below us that has kept our end now sends it with `res.end`, until others may call. */
  #letBelowSend(): void {
    this.sending = true
    process.nextTick(() => (this.sending = false))
  }

  /** Takes a function back below us that came from there. */
  #takesBack(name: Method, value: unknown): boolean {
    if (value !== this.#below[name] && (this.#entry !== ENTRY || value !== this.nodes(name))) return false
    this.#below[name] = value
    return true
  }

  get #sender(): Link | undefined {
    return this.#links.findLast(({ sending }) => sending)
  }
}

/** Changes the head of a response. The last guard that holds it takes that for its own change, not the handler's. */
export function asGuard(res: ServerResponse, change: () => void): void {
  const links = (res as Partial<Guarded>)[LINKS]
  if (links === undefined) change()
  else (links.findLast(({ holdsHead }) => holdsHead) ?? links.at(-1)!).send(change)
}

// One function and one accessor serve all responses. Own closures would make every call site megamorphic. Own
// accessors would give each response a hidden class of its own, which V8 keeps, with everything the accessors reach,
// until the next full collection. This may go on the day V8 frees such classes in a minor collection.

function methods<T>(make: (name: Method) => T): Record<Method, T> {
  return Object.fromEntries(NAMES.map((name) => [name, make(name)])) as Record<Method, T>
}

const ENTRY: Methods = methods(
  (name) =>
    function (this: Guarded, ...args: unknown[]): unknown {
      return this[LINKS][0]!.call(name, ...args)
    },
)

const shown = (name: Shown): PropertyDescriptor & ThisType<Guarded> => ({
  configurable: true,
  get() {
    return this[LINKS].at(-1)!.shows(name)
  },
})

/** Code that has deleted our methods, or put back what we have never seen, breaks the connection where it sends. */
const catching = (name: string): PropertyDescriptor & ThisType<Guarded> => ({
  configurable: true,
  writable: true,
  value(...args: unknown[]): unknown {
    const link = this[LINKS].at(-1)!
    // A stream of HTTP/2 ends itself when it is closed, and resets then.
    if (!this.closed && link.holdsHead && this[LINKS].every(({ sending }) => !sending)) return void link.destroy()
    return Reflect.apply(Reflect.get(Object.getPrototypeOf(this) as object, name) as () => unknown, this, args)
  },
})

const ACCESSORS: PropertyDescriptorMap & ThisType<Guarded> = {
  ...methods((name) => ({
    configurable: true,
    get(this: Guarded) {
      return this[LINKS].at(-1)!.read(name)
    },
    set(this: Guarded, value: unknown) {
      this[LINKS].at(-1)!.assign(name, value)
    },
  })),
  headersSent: shown('headersSent'),
  writableEnded: shown('writableEnded'),
  _send: catching('_send'),
}
// Node sends a file without a call of ours.
const HTTP2 = Object.fromEntries(['write', 'end', 'respondWithFile', 'respondWithFD'].map((it) => [it, catching(it)]))
