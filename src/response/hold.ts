// The two sides of a held response: the hold, which keeps the body, and the controller, through which the hold sends
// it. Types only.
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { Decision } from '../types.js'

/** Keeps what the handler writes until it may leave. Its methods are called in order, and never after `gone`. */
export interface Hold {
  write(chunk: Buffer): void
  /** The handler has ended. `chunk` is the chunk that it passed to `end()`. */
  end(chunk: Buffer | undefined): void
  /** The source of the reply broke off. `decision` is not `allow`. */
  fail(decision: Decision): void
  /** The client left or the response was destroyed. The hold drops everything and sends nothing. */
  gone(): void
  /**
   * True while the hold wants no more bytes. `write()` then returns false, and the hold must call {@link
   * ResponseController.drained} later.
   */
  readonly full?: boolean
}

/** What a hold may do with the real response. After `refuse`, `destroy` or `finish` every call does nothing. */
export interface ResponseController {
  readonly res: ServerResponse
  /** Sends bytes. The first call sends the headers as they are. Returns false while the client reads too slowly. */
  release(chunk: Buffer): boolean
  /** Sends the last bytes and ends the response. */
  finish(chunk?: Buffer): void
  /** Drops the handler's headers and body and answers with these instead. Allowed only before the first release. */
  refuse(status: number, headers: OutgoingHttpHeaders, body: string | Buffer): void
  /** Ends a response that has begun with these last bytes, and ignores later calls of the handler. */
  cut(lastBytes: string): void
  /** Breaks the connection. A response that has begun and cannot get a readable ending must not look complete. */
  destroy(): void
  /** Breaks the connection if the response was given back to the handler and the handler will not end it. */
  abandon(): void
  /** Gives the rest of the response back to the handler, which then writes to the client directly. */
  open(): void
  /** Emits 'drain' for a handler that waits for it. */
  drained(): void
}

/** Told when bytes of a held reply come from the handler and when bytes leave. */
export interface ReplyClock {
  gave(last: boolean): void
  left(last: boolean): void
}
