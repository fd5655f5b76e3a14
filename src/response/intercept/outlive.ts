// A reply that its handler has ended outlives what the handler does to the connection afterwards, and so does the
// guard's own answer. Without the guard such a reply has left before: Express breaks the connection of a handler that
// fails after `end()`.
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { callerOf } from './caller.js'

const KEPT = Symbol('express-llama-guard.kept')
type KeptSocket = Socket & { [KEPT]?: Kept }

interface Kept {
  /** The replies that have not left. There are several when the client has pipelined its requests. */
  readonly replies: Set<ServerResponse>
  readonly destroy: Socket['destroy']
  /** The arguments of a call that waits for the last of them. */
  putOff: [error?: Error] | undefined
}

/** Puts off every destroy of the connection until the response has left. Node's own calls are not put off. */
export function outliveHandler(res: ServerResponse): void {
  const socket = res.req.socket as KeptSocket
  const kept = (socket[KEPT] ??= keep(socket))
  if (kept.replies.has(res)) return
  kept.replies.add(res)
  const leave = (): void => {
    res.off('finish', leave).off('close', leave)
    kept.replies.delete(res)
    const { putOff } = kept
    if (putOff === undefined || kept.replies.size > 0) return
    kept.putOff = undefined
    Reflect.apply(kept.destroy, socket, putOff)
  }
  res.on('finish', leave).on('close', leave)
}

/** Replaces the method once for a connection and leaves it there, because every change slows the object down. */
function keep(socket: KeptSocket): Kept {
  const { destroy } = socket
  socket.destroy = destroyKept
  return { replies: new Set(), destroy, putOff: undefined }
}

function destroyKept(this: KeptSocket, ...args: [error?: Error]): KeptSocket {
  const kept = this[KEPT]!
  if (kept.replies.size === 0 || this.destroyed || !calledByHandler()) return Reflect.apply(kept.destroy, this, args)
  kept.putOff ??= args
  return this
}

/** `req.destroy()` passes through Node's code, but it is the handler's call. */
const calledByHandler = (): boolean => !/\(?node:(?!_http_incoming)/.test(callerOf(destroyKept))
