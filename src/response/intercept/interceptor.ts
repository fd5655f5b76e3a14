// The questions and calls with which the replaced methods of a response turn to an interception. Types only.
import type { Method } from './methods.js'

export interface Interceptor {
  /** Handles a call of the handler. */
  call(method: Method, args: unknown[]): unknown
  /** True when the handler has committed its head and the head has not left. */
  readonly headTaken: boolean
  /** True when the handler has ended and its end has not left. */
  readonly endTaken: boolean
  /** Called for `res.destroy()`. True when the destroy must wait until the reply has left. */
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
  skipsWrappers(method: Method): boolean
}
