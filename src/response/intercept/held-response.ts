// The guard's side of an intercepted response: what a hold sends, and how the reply leaves.
import type { ServerResponse } from 'node:http'
import type { ReplyClock } from '../context.js'
import type { ResponseController } from '../hold.js'
import { sending } from './arguments.js'
import { dropTrailers } from './head.js'
import { writeAfterDestroy } from './node-errors.js'
import { ResponseState, type Choose } from './response-state.js'

export abstract class HeldResponse extends ResponseState implements ResponseController {
  constructor(res: ServerResponse, choose?: Choose, clock?: ReplyClock) {
    super(res, choose, clock)
    // Registered before the handler's own listeners, because those write again.
    res.on('drain', () => this.writes.noteDrain(this.hold?.full === true))
    res.on('close', () => this.#onClose())
  }

  release(chunk: Buffer): boolean {
    if (this.closed || this.end.hasLeft) return false
    const fits = this.#leave(() => {
      this.head.open('write')
      return this.layers.callBelow('write', sending(this.res, chunk))
    }, false)
    this.end.notePassed(chunk)
    this.clock?.left(false)
    this.writes.noteSent(fits)
    return !this.writes.slowClient
  }

  finish(chunk?: Buffer): void {
    if (this.closed) return
    this.leaveHold('finished')
    this.#leave(() => {
      this.head.open('end')
      this.end.send(chunk, this.writes)
      this.end.callLate()
    }, undefined)
    this.clock?.left(true)
  }

  refuse(status: number, headers: Readonly<Record<string, string>>, body: string): void {
    if (this.closed) return
    const { res } = this
    this.leaveHold('refused')
    if (res.headersSent) return void this.layers.destroy.call(res)
    // A handler may answer the abort with an error, and Express then destroys the socket. `connection: close` keeps
    // the client from sending its next request on it.
    const closing: Record<string, string> =
      !this.expectsHandler || this.end.came || this.http2 ? {} : { connection: 'close' }
    const bytes = Buffer.from(body)
    this.#answer(() => {
      this.head.refuse({ status, headers: { ...headers, ...closing }, length: bytes.length })
      this.end.send(bytes, this.writes)
    })
  }

  cut(lastBytes: string): void {
    if (this.closed) return
    this.leaveHold('refused')
    this.#answer(() => {
      this.end.send(Buffer.from(lastBytes), this.writes)
      flush(this.res)
    })
  }

  destroy(): void {
    if (this.state === 'gone') return
    this.leaveHold('gone')
    this.outlives = false
    this.layers.destroy.call(this.res)
  }

  abandon(): void {
    if (this.state === 'open' && !this.res.writableEnded) this.destroy()
  }

  open(): void {
    if (this.closed) return
    this.leaveHold('open')
    this.#leave(() => this.head.open(), undefined)
    if (!this.writes.slowClient) this.writes.callAll()
  }

  drained(): void {
    if (!this.closed) this.writes.noteRoom()
  }

  /**
   * Runs `send`. Node may throw at a bad head or a wrong length, and no code after the handler would catch that. The
   * connection is then broken.
   */
  #leave<T>(send: () => T, broken: T): T {
    try {
      return this.layers.leave(send)
    } catch {
      this.destroy()
      return broken
    }
  }

  /** Sends the guard's own answer. Later calls of the handler have no effect. */
  #answer(send: () => void): void {
    this.outliveHandler()
    this.#leave(() => {
      dropTrailers(this.res, this.http2)
      send()
    }, undefined)
    // A handler that was told to wait gets its callbacks, so that it does not wait for a client that has another
    // answer.
    this.writes.callAll()
    this.end.dropLate()
    this.writes.letGoOn()
  }

  #onClose(): void {
    if (this.res.writableFinished || this.state === 'gone') return this.writes.callAll()
    const hold = this.hold
    // An open response is Node's. It answers the calls of a handler whose client has left.
    if (this.state !== 'open') this.leaveHold('gone')
    this.writes.callAll((callback) => writeAfterDestroy(callback))
    hold?.gone()
  }
}

/** compression() keeps small writes in zlib until flush() is called. */
export function flush(res: ServerResponse): void {
  ;(res as ServerResponse & { flush?: () => void }).flush?.()
}
