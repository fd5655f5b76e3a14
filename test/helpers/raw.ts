// A client on a bare socket: it sends what it is told, when it is told, and shows every byte that comes back.
import { connect, type Socket } from 'node:net'
import { within } from './apps.js'
import { sleep } from './http.js'

export interface RawClient {
  readonly socket: Socket
  /** All that has come, one character a byte. */
  text(): string
  write(data: string): void
  /** Resolves when `wanted` has come. Rejects when the connection closes without it, or time runs out. */
  until(wanted: RegExp): Promise<string>
  closed: Promise<void>
  leave(): void
}

export async function rawClient(port: number): Promise<RawClient> {
  const socket = connect(port, '127.0.0.1')
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
  let received = ''
  socket.on('data', (data) => (received += data.toString('latin1')))
  socket.on('error', () => undefined)
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  const poll = async (wanted: RegExp): Promise<string> => {
    for (;;) {
      if (wanted.test(received)) return received
      if (socket.destroyed)
        throw new Error(`the connection closed before ${String(wanted)}; came: ${JSON.stringify(received.slice(-500))}`)
      await sleep(5)
    }
  }
  return {
    socket,
    text: () => received,
    write: (data) => void socket.write(data, 'latin1'),
    until: (wanted) => within(poll(wanted), String(wanted)),
    closed: closed,
    leave: () => socket.destroy(),
  }
}

/** One POST of a JSON body as it stands on the wire. */
export function post(
  body: object,
  { path = '/v1/chat/completions', version = '1.1', headers = [] as readonly string[] } = {},
): string {
  const payload = JSON.stringify(body)
  return [
    `POST ${path} HTTP/${version}`,
    'Host: localhost',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(payload)}`,
    ...headers,
    '',
    payload,
  ].join('\r\n')
}
