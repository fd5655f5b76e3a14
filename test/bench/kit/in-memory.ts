// One exchange through the middleware without a socket, so that a simulated clock can drive it.
import { IncomingMessage, ServerResponse } from 'node:http'
import { Duplex, Writable } from 'node:stream'
import type { Middleware } from '../../../src/types.js'
import type { VirtualTime } from './virtual-time.js'

export interface Arrival {
  readonly at: number
  readonly text: string
}

export interface Received {
  readonly status: number
  /** What the client was sent, and when, in milliseconds since the request. */
  readonly arrivals: readonly Arrival[]
}

/** Sends a parsed JSON body, and resolves when the response has ended. */
export async function exchange(
  time: VirtualTime,
  middleware: Middleware,
  body: unknown,
  handler: (res: ServerResponse) => Promise<void>,
): Promise<Received> {
  const started = time.now
  const arrivals: Arrival[] = []
  const duplex = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() })
  const req = Object.assign(new IncomingMessage(duplex as never), {
    method: 'POST',
    url: '/v1/chat/completions',
    headers: { 'content-type': 'application/json' },
    body,
    complete: true,
  })
  const res = new ServerResponse(req)
  res.assignSocket(
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        arrivals.push({ at: time.now - started, text: chunk.toString() })
        done()
      },
    }) as never,
  )
  const ended = new Promise<void>((resolve) => void res.once('finish', resolve))
  middleware(req, res, () => void handler(res))
  await ended
  return { status: res.statusCode, arrivals }
}
