// Keeps the connection of a reply that its handler has ended and that is still judged. Express breaks the connection
// of a handler that fails after its end, or calls next(). Without the guard its reply has left before.
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

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
