// A client may send many requests at once and leave. Before version 24, Node.js tells the first response alone that it
// is closed. The others wait for their turn and have no socket, so they would never hear of it: their checks would go
// on, and their rows of the audit would be missing.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** The responses that wait for their turn, by connection: one listener for all of them. */
const waiting = new WeakMap<Socket, Set<ServerResponse>>()

/** Makes a response without a socket, which waits for its turn, emit 'close' when its connection closes. */
export function closeWithConnection({ socket }: IncomingMessage, res: ServerResponse): void {
  if (res.writableFinished || typeof socket?.once !== 'function') return
  let responses = waiting.get(socket)
  if (responses === undefined) {
    const created = (responses = new Set())
    waiting.set(socket, created)
    const tell = (): void => {
      for (const each of created) if (each.socket === null && !each.closed) each.destroy().emit('close')
    }
    // Later, because Node.js 24 tells them after this event.
    socket.once('close', () => setImmediate(tell))
  }
  const all = responses.add(res)
  res.once('close', () => all.delete(res))
}
