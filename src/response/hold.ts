// The two sides of a held response: who keeps the body, and the one way out it may take. Types only.
import type { ServerResponse } from 'node:http'
import type { Decision } from '../types.js'

/** Who keeps what the handler writes until it may leave. Called in order; never after `gone`. */
export interface Hold {
  write(chunk: Buffer): void
  /** The handler has ended; `chunk` is what it gave to `end()`. */
  end(chunk: Buffer | undefined): void
  /** What made the reply broke off. `decision` is not `allow`. */
  fail(decision: Decision): void
  /** The client left or the response was destroyed: drop everything, settle nothing. */
  gone(): void
  /**
   * True while more would be too much: `write()` then returns false, and {@link ResponseController.drained}
   * must follow.
   */
  readonly full?: boolean
}

/** What a hold may do with the real response. After `refuse`, `destroy` or `finish` every call is a no-op. */
export interface ResponseController {
  readonly res: ServerResponse
  /** Sends bytes; the first call sends the headers as they stand. False while the client is slower than we are. */
  release(chunk: Buffer): boolean
  /** Sends the last bytes and ends. */
  finish(chunk?: Buffer): void
  /** Drops what the handler made, headers and all, and answers this instead. Only before the first release. */
  refuse(status: number, headers: Readonly<Record<string, string>>, body: string): void
  /** Ends a response that has begun with these last bytes, and ignores the handler from here on. */
  cut(lastBytes: string): void
  /** Breaks the connection: the one honest end when bytes are out and nothing readable can follow. */
  destroy(): void
  /** Breaks the connection if the response was handed back and the handler will not end it. */
  abandon(): void
  /** Hands the rest of the response back to the handler, untouched. */
  open(): void
  /** Lets a handler that waits for 'drain' go on. */
  drained(): void
}
