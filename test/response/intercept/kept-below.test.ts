// A middleware before the guard that keeps a reply and later writes it with `res.write` and `res.end`, where the guard
// may take its calls for late ones of the handler: the client gets what it would get without the guard, and nothing
// that a handler writes after its own end.
import type { ServerResponse } from 'node:http'
import session from 'express-session'
import { describe, expect, it } from 'vitest'
import type { Middleware } from '../../../src/types.js'
import { ask, guarded, onNode, serving } from '../../helpers/apps.js'
import { chat } from '../../helpers/http.js'

type Handler = (res: ServerResponse) => void
type Sender = (res: ServerResponse, bytes: readonly Buffer[]) => unknown

const HANDLERS: Readonly<Record<string, Handler>> = {
  'in one end': (res) => void res.end('Hello there, world'),
  'in a write and an end': (res) => {
    res.write('Hello ')
    res.end('there, world')
  },
  'in writes': (res) => {
    for (const word of ['Hello ', 'there, ', 'world']) res.write(word)
    res.end()
  },
  'with its length': (res) => void res.setHeader('content-length', 18).end('Hello there, world'),
  'as a stream': (res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' })
    res.write('data: Hello\n\n')
    setTimeout(() => void res.end('data: there\n\n'), 5)
  },
}

const SENDERS: Readonly<Record<string, Sender>> = {
  'as it came': (res, bytes) => {
    for (const each of bytes) res.write(each)
    res.end()
  },
  'in one piece': (res, bytes) => res.end(Buffer.concat(bytes)),
  'as a text': (res, bytes) => res.end(Buffer.concat(bytes).toString()),
  'in hex': (res, bytes) => res.end(Buffer.concat(bytes).toString('hex'), 'hex'),
  'in two pieces': (res, bytes) => {
    const all = Buffer.concat(bytes)
    res.write(all.subarray(0, 3))
    res.end(all.subarray(3))
  },
  'with empty pieces': (res, bytes) => {
    res.write(Buffer.alloc(0))
    res.write(Buffer.concat(bytes))
    res.end('')
  },
}

/** Keeps all writes, or the end alone, and puts back what it has replaced before it sends them. */
const keeping =
  (what: string, send: Sender): Middleware =>
  (_req, res, next) => {
    const { write, end } = res
    const kept: Buffer[] = []
    const keep = (chunk: unknown, encoding: unknown): void => {
      if (typeof chunk === 'string') kept.push(Buffer.from(chunk, encoding as BufferEncoding))
      else if (chunk instanceof Uint8Array) kept.push(Buffer.from(chunk))
    }
    if (what === 'all of it')
      res.write = ((chunk: unknown, encoding: unknown) => (keep(chunk, encoding), true)) as typeof write
    res.end = ((chunk: unknown, encoding: unknown) => {
      keep(chunk, encoding)
      setTimeout(() => {
        Object.assign(res, { write, end })
        void send(res, kept)
      }, 5)
      return res
    }) as typeof end
    next()
  }

/** Replaces the methods before `keeping` does. */
const wrapping: Middleware = (_req, res, next) => {
  const { write, end } = res
  res.write = ((...args: unknown[]) => Reflect.apply(write, res, args)) as typeof write
  res.end = ((...args: unknown[]) => Reflect.apply(end, res, args)) as typeof end
  next()
}

async function body(
  before: Middleware,
  handler: Handler,
  withGuard: boolean,
  others: Middleware[] = [],
): Promise<unknown> {
  const app = onNode([...others, before, ...(withGuard ? [guarded()] : [])], (_req, res) => handler(res))
  const { status, text, complete } = await serving(app, ({ url }) =>
    ask(`${url}/v1/chat/completions`, { body: chat('hi') }),
  )
  return { status, text, complete }
}

describe.each(['all of it', 'its end'])('A reply of which a middleware before us keeps %s', (what) => {
  it.each(
    Object.entries(HANDLERS).flatMap(([how, handler]) =>
      Object.entries(SENDERS).map(([as, send]) => [how, as, handler, send] as const),
    ),
  )('and that was written %s arrives when it is sent %s', async (_how, _as, handler, send) => {
    const twin = await body(keeping(what, send), handler, false)
    expect(await body(keeping(what, send), handler, true)).toEqual(twin)
  })

  it.each(Object.entries(SENDERS))('behind another middleware arrives when it is sent %s', async (_as, send) => {
    const handler = HANDLERS['in a write and an end']!
    const twin = await body(keeping(what, send), handler, false, [wrapping])
    expect(await body(keeping(what, send), handler, true, [wrapping])).toEqual(twin)
  })

  it.each([[[]], [[wrapping]]])('has nothing of what its handler writes after its end', async (others) => {
    const late: Handler = (res) => {
      res.on('error', () => undefined)
      res.end('Hello there')
      for (const after of [0, 8, 12]) setTimeout(() => void res.write('UNSAFE'), after)
    }
    const reply = await body(keeping(what, SENDERS['in two pieces']!), late, true, others)
    expect(reply).toEqual({ status: 200, text: 'Hello there', complete: true })
  })
})

/** Sends the last bytes by `res.write`, as the first thing that its `end` does. */
const writingFromEnd: Middleware = (_req, res, next) => {
  const { end } = res
  res.end = ((chunk: unknown, ...others: unknown[]) => {
    if (typeof chunk !== 'string' && !(chunk instanceof Uint8Array)) return Reflect.apply(end, res, [chunk, ...others])
    res.write(chunk)
    return Reflect.apply(end, res, [null])
  }) as typeof end
  next()
}

it.each([
  ['Hello there', 200],
  ['UNSAFE there', 451],
])('%s behind a session, which sends the last byte by itself, arrives whole', async (text, status) => {
  const before = [
    writingFromEnd,
    session({ secret: 's', resave: true, saveUninitialized: true }) as unknown as Middleware,
  ]
  const app = onNode([...before, guarded()], (_req, res) => void res.setHeader('content-length', text.length).end(text))
  const got = await serving(app, ({ url }) => ask(`${url}/v1/chat/completions`, { body: chat('hi') }))
  expect([got.status, got.complete]).toEqual([status, true])
})
