// HTTP/1.1 on bare sockets: a server that answers everything alike and a client that only counts. Both cost a
// fraction of Node's own, so that on a small machine the process under test gets the CPU, not its stage.
import { connect, createServer, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'

export interface Heard {
  readonly path: string
  readonly bytes: number
}

/** Answers each request when its body is whole. `answer` gets the socket and may write at leisure. */
export async function leanServer(answer: (socket: Socket, heard: Heard) => void, port = 0): Promise<number> {
  const server = createServer((socket) => {
    let head: Buffer = Buffer.alloc(0)
    let heard: Heard | undefined
    let missing = 0
    socket.setNoDelay(true)
    socket.on('error', () => undefined)
    socket.on('data', (data: Buffer) => {
      let rest = data
      for (;;) {
        if (heard === undefined) {
          head = head.length === 0 ? rest : Buffer.concat([head, rest])
          const end = head.indexOf('\r\n\r\n')
          if (end === -1) return
          const text = head.toString('latin1', 0, end)
          const bytes = Number(/^content-length: *(\d+)/im.exec(text)?.[1] ?? 0)
          if (/^expect: *100/im.test(text)) socket.write('HTTP/1.1 100 Continue\r\n\r\n')
          heard = { path: text.split(' ', 2)[1] ?? '', bytes }
          missing = bytes
          rest = head.subarray(end + 4)
          head = Buffer.alloc(0)
        }
        const taken = Math.min(missing, rest.length)
        missing -= taken
        rest = rest.subarray(taken)
        if (missing > 0) return
        const whole = heard
        heard = undefined
        answer(socket, whole)
        if (rest.length === 0) return
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', 4096, resolve))
  return (server.address() as AddressInfo).port
}

export function response(body: string | Buffer, headers: Readonly<Record<string, string>> = {}): Buffer {
  const lines = Object.entries({
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\n${lines.join('')}\r\n`), Buffer.from(body)])
}

export function post(path: string, body: string, headers: Readonly<Record<string, string>> = {}): Buffer {
  const lines = Object.entries({
    host: '127.0.0.1',
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.from(`POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`)
}

export interface Answered {
  readonly status: number
  readonly bytes: number
}

/** One connection that asks one thing after the other. */
export interface Asker {
  ask(request: Buffer): Promise<Answered>
  close(): void
}

export async function leanClient(port: number): Promise<Asker> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
  let buffered: Buffer[] = []
  let size = 0
  let status = 0
  let length = -1
  let settle: { resolve(answered: Answered): void; reject(error: Error): void } | undefined
  const done = (): void => {
    const answered = { status, bytes: size }
    buffered = []
    size = 0
    length = -1
    const waiting = settle
    settle = undefined
    waiting?.resolve(answered)
  }
  socket.on('data', (data: Buffer) => {
    if (length === -1) {
      buffered.push(data)
      const head = buffered.length === 1 ? data : Buffer.concat(buffered)
      const end = head.indexOf('\r\n\r\n')
      if (end === -1) return
      const text = head.toString('latin1', 0, end)
      status = Number(text.slice(9, 12))
      // Without a length it is chunked: its end is what counts.
      length = Number(/^content-length: *(\d+)/im.exec(text)?.[1] ?? -2)
      size = head.length - end - 4
      buffered = [head.subarray(Math.max(end + 4, head.length - 7))]
    } else {
      size += data.length
      const tail = data.length >= 7 ? data.subarray(data.length - 7) : Buffer.concat([...buffered, data])
      buffered = [tail.subarray(Math.max(0, tail.length - 7))]
    }
    if (length === -2 ? buffered[0]!.toString('latin1').endsWith('0\r\n\r\n') : size >= length) done()
  })
  socket.on('error', () => undefined)
  socket.on('close', () => settle?.reject(new Error('the connection was closed')))
  return {
    ask: (request) =>
      new Promise((resolve, reject) => {
        settle = { resolve, reject }
        socket.write(request)
      }),
    close: () => void socket.destroy(),
  }
}
