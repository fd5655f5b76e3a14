// What a handler gives to write() and end() and is told: the arguments, the errors that Node gives to a call that is
// wrong or too late, the callbacks of held writes, when to wait, and what becomes of a connection that it breaks after
// its end.
import type { EventEmitter } from 'node:events'
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'

type Callback = (error?: Error | null) => void

/** The callback of `write(chunk, encoding?, cb?)` or `end(chunk?, encoding?, cb?)`. Any argument may be it. */
export function callbackOf(args: readonly unknown[]): Callback | undefined {
  for (const argument of args) if (typeof argument === 'function') return argument as Callback
  return undefined
}

/** True when `end()` was given a chunk. Node takes every falsy value for none. */
export const hasChunk = ([chunk]: readonly unknown[]): boolean => typeof chunk !== 'function' && Boolean(chunk)

// Never sent anywhere. It throws Node's own error for a value that is no chunk.
const UNSENT = new ServerResponse(new IncomingMessage(new Socket()))

/**
 * The bytes of a chunk.
 * @throws the error that Node throws for a value that is no chunk, or for an unknown encoding.
 */
export function bytesOf([chunk, encoding]: readonly unknown[]): Buffer {
  if (typeof chunk === 'string')
    return Buffer.from(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8')
  if (!(chunk instanceof Uint8Array)) UNSENT.write(chunk)
  // The bytes are copied, because the handler may reuse its buffer, and bytes that nobody judged would leave.
  // Buffer.from() would take twice as long, because it must find out what it is given: 0.22 and 0.10 us (Node.js 20).
  const bytes = Buffer.allocUnsafe((chunk as Uint8Array).byteLength)
  bytes.set(chunk as Uint8Array)
  return bytes
}

const TOO_LATE = {
  destroyed: () => withCode('ERR_STREAM_DESTROYED', 'Cannot call write after a stream was destroyed'),
  ended: () => withCode('ERR_STREAM_WRITE_AFTER_END', 'write after end'),
}

/** Calls back when the response has finished. Node.js 24 calls the callbacks of `end` before all who listen. */
export function onFinish(res: EventEmitter, callback: Callback): void {
  if (Number.parseInt(process.versions.node) < 24) res.once('finish', callback)
  else res.prependOnceListener('finish', callback)
}

/** Passes Node's error to the callback of a late write, on the next tick as Node does. Returns what that write does. */
export function tooLate(callback: Callback | undefined, after: keyof typeof TOO_LATE): false {
  if (callback !== undefined) process.nextTick(callback, TOO_LATE[after]())
  return false
}

export const withCode = (code: string, message: string, type: new (message: string) => Error = Error): Error =>
  Object.assign(new type(message), { code })

export class Backpressure {
  readonly #res: ServerResponse
  /** The waiting callbacks, in the order of their writes. They add at most one hold's worth. */
  #waiting: Callback[] = []
  /**
   * When a middleware before us has replaced res.on, our 'drain' event reaches nobody. The handler is then not told to
   * wait, and only the byte bound limits the hold.
   */
  readonly #drainIsHeard: boolean
  /** The client reads too slowly. Node emits 'drain' when it reads again. */
  #slowClient = false
  /** The handler waits for a 'drain' that only we can emit. */
  #toldFull = false

  constructor(res: ServerResponse) {
    this.#res = res
    this.#drainIsHeard = !Object.hasOwn(res, 'on')
  }

  get slowClient(): boolean {
    return this.#slowClient
  }

  /** Takes the callback of a write that is held. Returns what the write returns: false tells the handler to wait. */
  add(callback: Callback | undefined, full: boolean): boolean {
    if (callback !== undefined) {
      if (full || this.#slowClient || this.#waiting.length > 0) this.#waiting.push(callback)
      else process.nextTick(callback)
    }
    this.#toldFull = full && this.#drainIsHeard
    return !this.#slowClient && !this.#toldFull
  }

  /** Notes what a write to the functions below has returned. */
  noteSent(fits: unknown): void {
    // A wrapped write() may return undefined. Node's own flag then tells whether the client is slow.
    if (fits === false || (fits === undefined && this.#res.writableNeedDrain)) this.#slowClient = true
  }

  /** The client reads again. `full`: the hold wants no more bytes. */
  noteDrain(full: boolean): void {
    this.#slowClient = false
    if (!full) this.callAll()
  }

  /** The hold has room again. */
  noteRoom(): void {
    if (this.#slowClient) return
    this.callAll()
    if (!this.#toldFull) return
    this.#toldFull = false
    this.#res.emit('drain')
  }

  /** Lets a handler go on whose client has another answer, so that it does not wait for ever. */
  letGoOn(): void {
    this.callAll()
    if (this.#toldFull || this.#slowClient) process.nextTick(() => this.#res.emit('drain'))
    this.#toldFull = false
  }

  /** Calls all who wait. `gone`: the client has left. */
  callAll(gone = false): void {
    const waiting = this.#waiting
    if (waiting.length === 0) return
    this.#waiting = []
    for (const callback of waiting) {
      if (gone) tooLate(callback, 'destroyed')
      else process.nextTick(callback)
    }
  }
}

/**
 * Puts off each destroy until the function that it returns is called. A reply that waits behind others is not kept,
 * because these may never end.
 */
export function keepConnection(res: ServerResponse): () => void {
  const { socket } = res
  if (socket === null) return () => undefined
  const { destroy: breaks } = socket
  const { destroy } = res
  let late: [error?: Error] | undefined
  res.destroy = (error) => {
    late ??= [error]
    return res
  }
  socket.destroy = (error) => {
    if (hasLeft(socket, error)) return breaks.call(socket, error)
    late ??= [error]
    return socket
  }
  return () => {
    res.destroy = destroy
    socket.destroy = breaks
    if (late !== undefined) res.destroy(...late)
  }
}

/** True when the client has closed its side, or the connection is broken. Node then destroys the socket itself. */
const hasLeft = (socket: Socket, error: Error | undefined): boolean =>
  socket.readableEnded || (error !== undefined && 'syscall' in error)
