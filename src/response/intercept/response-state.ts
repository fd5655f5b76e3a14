// One intercepted response: its state, and the facts that follow from it. The state is one of five:
//
//   hold -> open       nobody holds; the handler writes to the client again
//        -> finished   the handler has ended, and its whole reply has been passed to the functions below
//        -> refused    the guard's answer, or the last bytes of a cut stream, have been passed to them
//        -> gone       the client has left or the connection is broken
//
// "Below" are Node and every middleware that replaced a method before us. "Above" are those that did so after us.
// HeldResponse adds what the guard does, Interception what the handler does. They inherit, so that a guarded response
// costs one object and not three.
import type { ServerResponse } from 'node:http'
import type { ReplyClock } from '../context.js'
import type { Hold, ResponseController } from '../hold.js'
import { Backpressure } from './callbacks.js'
import { HandlerEnd } from './handler-end.js'
import { HeldHead } from './held-head.js'
import type { Interceptor } from './interceptor.js'
import { Layers } from './layers.js'
import type { Method } from './methods.js'
import { outliveHandler } from './outlive.js'

type State = 'hold' | 'open' | 'finished' | 'refused' | 'gone'

/** Returns the hold of a reply, or undefined to let the reply through unchanged. */
export type Choose = (controller: ResponseController) => Hold | undefined

export abstract class ResponseState implements Interceptor {
  readonly res: ServerResponse
  protected readonly layers: Layers
  protected readonly http2: boolean
  protected readonly expectsHandler: boolean
  protected readonly clock: ReplyClock | undefined
  protected readonly head: HeldHead
  protected readonly end: HandlerEnd
  protected readonly writes: Backpressure
  protected choose: Choose | undefined
  protected hold: Hold | undefined
  protected state: State = 'hold'
  protected outlives = false

  constructor(res: ServerResponse, choose: Choose | undefined, clock: ReplyClock | undefined) {
    this.res = res
    this.choose = choose
    this.clock = clock
    this.expectsHandler = choose !== undefined
    this.http2 = (res.req?.httpVersionMajor ?? 1) >= 2
    const mountHeaders = res.getHeaders()
    this.writes = new Backpressure(res)
    this.layers = new Layers(res, this, this.http2)
    this.head = new HeldHead(res, this.layers, mountHeaders, this.http2)
    this.end = new HandlerEnd(res, this.layers)
  }

  abstract call(method: Method, args: unknown[]): unknown
  abstract bypassed(args: unknown[]): unknown

  /**
   * Leaves the state `hold`, and drops the references to the hold, because Node may keep the response longer than the
   * reply.
   */
  protected leaveHold(state: Exclude<State, 'hold'>): void {
    this.state = state
    this.hold = undefined
    this.choose = undefined
  }

  /** True when the hold has nothing left to send. */
  protected get closed(): boolean {
    return this.state === 'finished' || this.state === 'refused' || this.state === 'gone'
  }

  /** True when the handler's calls go to the functions below unchanged. */
  protected get passes(): boolean {
    return this.state === 'open' || (this.state === 'finished' && this.errorIsHeard && this.end.hasLeft)
  }

  /** True when the response is destroyed. The 'close' event comes later than the handler may ask. */
  protected get isGone(): boolean {
    const { destroyed, stream } = this.res as ServerResponse & { stream?: { destroyed: boolean } }
    return this.state === 'gone' || (this.http2 ? stream?.destroyed === true : destroyed)
  }

  protected get errorIsHeard(): boolean {
    return this.res.listenerCount('error') > 0
  }

  get headTaken(): boolean {
    return (this.state === 'hold' || this.state === 'gone') && this.head.committed && !this.head.left
  }

  get endTaken(): boolean {
    return (this.state === 'hold' || this.state === 'gone') && this.end.came
  }

  get holding(): boolean {
    // After the first bytes, a middleware mounted before us may send them at any time; compression does.
    return this.state === 'hold' && (!this.head.left || this.layers.lowest)
  }

  skipsWrappers(method: Method): boolean {
    // The wrappers of writeHead ran when the handler committed. Node calls writeHead again for its implicit head, and
    // they must not run twice.
    return this.closed || (this.state === 'open' && method === 'writeHead')
  }

  /** A handler whose source aborts destroys the response it pipes into. The reply then leaves before. */
  protected outliveHandler(): void {
    this.outlives = true
    if (!this.http2) outliveHandler(this.res)
  }

  putsOffDestroy(error: Error | undefined): boolean {
    if (!this.outlives || this.res.writableFinished) return false
    // The connection puts it off. HTTP/2 has nothing to break when its stream has ended.
    if (!this.http2) this.res.req.socket.destroy(error)
    return true
  }
}
