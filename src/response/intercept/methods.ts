// Replaces the methods of a response that send or change its head, and the properties that tell how far it is. No
// other file replaces methods of a response.
// The replacements are accessors, because other middleware replaces methods too.
import type { ServerResponse } from 'node:http'
import type { ServerHttp2Stream } from 'node:http2'
import { calledByNode } from './caller.js'
import type { Layers } from './layers.js'

export const NAMES = ['write', 'end', 'writeHead', 'flushHeaders', 'setHeader', 'appendHeader', 'removeHeader'] as const
export type Method = (typeof NAMES)[number]
export type Methods = Partial<Record<Method, unknown>>

export const LAYERS = Symbol('express-llama-guard.layers')
/** A guarded response refers to its first Layers, which refer to the next. */
export type Guarded = ServerResponse & NodeFields & { [LAYERS]?: Layers }

/**
 * Plain properties of an HTTP/1 response. express-session and others read `_header` to learn whether the head is out.
 */
export interface NodeFields {
  finished: boolean
  _header: string | null
}

// One function and one accessor serve all responses. Own closures would make every call site megamorphic. Own
// accessors would give each response a hidden class of its own, which V8 keeps, with everything the accessors reach,
// until the next full collection. This may go on the day V8 frees such classes in a minor collection.
export const ENTRY: Methods = Object.fromEntries(
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

export const HTTP2: PropertyDescriptorMap = {
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
const HTTP1_BYPASS: PropertyDescriptorMap & ThisType<Guarded> = {
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
export function catchHttp2Bypass(stream: object, layers: Layers): void {
  Object.defineProperties(stream, { [LAYERS]: { value: layers }, ...HTTP2_BYPASS })
}

const HTTP2_BYPASS: PropertyDescriptorMap = Object.fromEntries(
  // Node sends the bytes of a file without a call of ours, so such a reply cannot be held.
  (['write', 'end', 'respondWithFile', 'respondWithFD'] as const).map((name): [string, Accessor] => [
    name,
    {
      configurable: true,
      writable: true,
      value(...args: unknown[]): unknown {
        const bypassing = this[LAYERS]!.bypassing
        if (bypassing !== undefined) return bypassing.bypassed(name === 'write' ? args : [])
        return Reflect.apply((Object.getPrototypeOf(this) as ServerHttp2Stream)[name] as () => unknown, this, args)
      },
    },
  ]),
)

export const HTTP1: PropertyDescriptorMap = {
  ...HTTP2,
  ...HTTP1_BYPASS,
  finished: field('finished', 'endTaken', true),
  _header: field('_header', 'headTaken', 'HTTP/1.1\r\n\r\n'),
}
