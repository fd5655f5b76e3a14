// One address for several endpoints, as AWS has it: passes each call on to the emulator of its endpoint, Host
// and signature untouched.
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Front {
  readonly url: string
  close(): Promise<void>
}

/** Endpoint names and the URLs of their emulators. An unknown name goes to the first, which refuses it as AWS would. */
export async function startFront(endpoints: Readonly<Record<string, string>>): Promise<Front> {
  const server = createServer((incoming, outgoing) => {
    const name = decodeURIComponent(/^\/endpoints\/([^/]+)\//.exec(incoming.url ?? '')?.[1] ?? '')
    const { hostname, port } = new URL(endpoints[name] ?? Object.values(endpoints)[0] ?? '')
    const onward = request(
      { hostname, port, method: incoming.method, path: incoming.url, headers: incoming.headers },
      (reply) => {
        outgoing.writeHead(reply.statusCode ?? 502, reply.headers)
        reply.pipe(outgoing)
      },
    )
    onward.once('error', () => outgoing.destroy())
    outgoing.once('close', () => onward.destroy())
    incoming.pipe(onward)
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
    },
  }
}
