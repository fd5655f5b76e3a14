// A proxy between the AWS SDK and the emulator that breaks a share of the calls, in every way a network, a
// load balancer, AWS or a container breaks them. Seeded: the same seed breaks the same calls in the same way.
import { createServer, request as httpRequest } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import {
  DEPENDENCY,
  INTERNAL_FAILURE,
  THROTTLED,
  UNAVAILABLE,
  modelError,
  type AwsError,
} from '../emulator/aws-errors.js'
import { random } from '../helpers/random.js'

/** What a fault has in hand: the request, the way to answer, and the answer the model would give. */
interface Broken {
  readonly res: ServerResponse
  readonly real: () => Promise<Buffer>
  readonly chance: () => number
}
type Fault = (broken: Broken) => void | Promise<void>

const aws =
  ({ status, name, body }: AwsError): Fault =>
  ({ res }) =>
    void res.writeHead(status, { 'content-type': 'application/json', 'x-amzn-errortype': name }).end(body)
const ok = (res: ServerResponse, length?: number): ServerResponse =>
  res.writeHead(200, { 'content-type': 'application/json', ...(length !== undefined && { 'content-length': length }) })
const echo = '{"error":"the prompt was: safe","error_type":"generation"}'

export const PROXY_FAULTS: Readonly<Record<string, Fault>> = {
  latency: async ({ res, real, chance }) => {
    const answer = await real()
    setTimeout(() => ok(res).end(answer), chance() * 200)
  },
  'reset before the answer': ({ res }) => void res.socket?.resetAndDestroy(),
  'reset within the answer': async ({ res, real }) => {
    const answer = await real()
    ok(res, answer.length).write(answer.subarray(0, answer.length / 2), () => res.socket?.resetAndDestroy())
  },
  'closed within the answer': async ({ res, real }) => {
    const answer = await real()
    ok(res, answer.length).write(answer.subarray(0, answer.length - 2), () => res.destroy())
  },
  'half-open: no answer, no end': () => undefined,
  'headers, then silence': ({ res }) => ok(res, 100).flushHeaders(),
  'slow-loris': async ({ res, real }) => {
    const answer = await real()
    ok(res, answer.length)
    let at = 0
    const drip = setInterval(
      () => (res.destroyed || at >= answer.length ? clearInterval(drip) : res.write(answer.subarray(at, ++at))),
      100,
    )
  },
  '429': aws(THROTTLED),
  '500': aws(INTERNAL_FAILURE),
  '503': aws(UNAVAILABLE),
  '530': aws(DEPENDENCY),
  'ModelError 429': aws(modelError(429, echo)),
  'ModelError 500': aws(modelError(500, echo)),
  'ModelError 424': aws(modelError(424, echo)),
  'HTML with 200': ({ res }) =>
    void res.writeHead(200, { 'content-type': 'text/html' }).end('<html><title>safe</title></html>'),
  'HTML with 502': ({ res }) => void res.writeHead(502, { 'content-type': 'text/html' }).end('<html>safe</html>'),
  'truncated JSON': async ({ res, real, chance }) => {
    const answer = await real()
    ok(res).end(answer.subarray(0, chance() * (answer.length - 1)))
  },
  'content-length too long': async ({ res, real }) => {
    const answer = await real()
    ok(res, answer.length + 50).write(answer, () => res.socket?.end())
  },
  'content-length too short': async ({ res, real, chance }) => {
    const answer = await real()
    // Behind node's back, which refuses to write more than it promised.
    res.socket?.write(
      `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${Math.floor(chance() * answer.length)}\r\n\r\n`,
    )
    res.socket?.end(answer)
  },
  'an empty body': ({ res }) => void ok(res, 0).end(),
  'bytes that are no HTTP': ({ res }) => void res.socket?.end('safe\r\n\r\n'),
}

export interface FaultProxy {
  readonly url: string
  /** Share of calls that are broken, 0 to 1. */
  rate: number
  /** Breaks every call this way instead. */
  only: string | undefined
  /** How often each fault struck. */
  readonly struck: Map<string, number>
  readonly sockets: number
  close(): Promise<void>
}

export async function startFaultProxy(target: string, seed: number): Promise<FaultProxy> {
  const chance = random(seed)
  const names = Object.keys(PROXY_FAULTS)
  const sockets = new Set<Socket>()
  const struck = new Map<string, number>()
  const state: Pick<FaultProxy, 'rate' | 'only'> = { rate: 0, only: undefined }

  const server = createServer((req, res) => {
    const chunks: Buffer[] = []
    req.on('data', (chunk: Buffer) => chunks.push(chunk))
    req.on('end', () => {
      const name = state.only ?? (chance() < state.rate ? names[Math.floor(chance() * names.length)] : undefined)
      const real = (): Promise<Buffer> => forward(target, req, Buffer.concat(chunks))
      if (name === undefined)
        return void real().then(
          (answer) => ok(res).end(answer),
          () => res.destroy(),
        )
      struck.set(name, (struck.get(name) ?? 0) + 1)
      void Promise.resolve(PROXY_FAULTS[name]?.({ res, real, chance })).catch(() => res.destroy())
    })
  })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await new Promise((listening) => server.once('listening', listening))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    struck,
    get sockets() {
      return sockets.size
    },
    get rate() {
      return state.rate
    },
    set rate(rate) {
      state.rate = rate
    },
    get only() {
      return state.only
    },
    set only(only) {
      state.only = only
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((closed) => server.close(closed))
    },
  }
}

/** With the caller's own headers: the signature covers the host it called. */
function forward(target: string, req: IncomingMessage, body: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const onward = httpRequest(
      new URL(req.url ?? '/', target),
      { method: req.method, headers: req.headers },
      (answer) => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('end', () => resolve(Buffer.concat(chunks)))
        answer.on('error', reject)
      },
    )
    onward.on('error', reject)
    onward.end(body)
  })
}
