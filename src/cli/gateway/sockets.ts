// Closes a server's connections without cutting a reply. Node's own `closeIdleConnections`, which `server.close`
// calls, treats a response as done once `end()` was called, although its last bytes may not have been sent. Under
// load that cuts replies.
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { Server as NetServer } from 'node:net'
import type { Socket } from 'node:net'

export interface Sockets {
  /** Call for every request. */
  take(req: IncomingMessage, res: ServerResponse): void
  /** Stops listening and closes what is idle, now and from now on. Resolves when the last connection is gone. */
  close(): Promise<void>
}

export function trackSockets(server: Server): Sockets {
  const all = new Set<Socket>()
  const busy = new Map<Socket, ServerResponse>()
  let closing = false
  server.on('connection', (socket: Socket) => {
    all.add(socket)
    socket.once('close', () => all.delete(socket))
  })
  return {
    take(req, res) {
      const { socket } = req
      busy.set(socket, res)
      if (closing) res.shouldKeepAlive = false
      // The 'close' of a response comes after the system has taken its last byte.
      res.once('close', () => {
        if (busy.get(socket) === res) busy.delete(socket)
        if (closing && !busy.has(socket)) socket.end()
      })
    },
    close() {
      closing = true
      const closed = new Promise<void>((resolve) => void NetServer.prototype.close.call(server, () => resolve()))
      for (const res of busy.values()) if (!res.headersSent) res.shouldKeepAlive = false
      for (const socket of all) if (!busy.has(socket)) socket.end()
      return closed
    },
  }
}
