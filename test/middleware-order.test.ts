// Session, compression and pino-http on either side of us: what is allowed stays whole, what is blocked is a
// 451, and nothing ever hangs.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Writable } from 'node:stream'
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib'
import compression from 'compression'
import session from 'express-session'
import { pinoHttp } from 'pino-http'
import { describe, expect, it } from 'vitest'
import { llamaGuard } from '../src/index.js'
import type { Middleware } from '../src/types.js'
import { ask, EXPRESSES, guarded, onExpress, onNode, SERVERS, serving, type Handler } from './helpers/apps.js'
import { markerGuard } from './helpers/guards.js'
import { chat, chunk, completion, type Reply } from './helpers/http.js'
import { post, rawClient } from './helpers/raw.js'
import { crossed } from './helpers/sampled.js'

const PATH = '/v1/chat/completions'
const quiet = (): Writable =>
  new Writable({
    write(_chunk, _encoding, done) {
      done()
    },
  })

/** Fresh ones for every app: a middleware that holds state must not carry it from case to case. */
const OTHERS: Readonly<Record<string, () => Middleware>> = {
  session: () => session({ secret: 'test', resave: false, saveUninitialized: true }) as unknown as Middleware,
  'session that saves late': () => {
    const store = new session.MemoryStore()
    const set = store.set.bind(store)
    store.set = (id, data, done) => void setTimeout(() => set(id, data, done), 5)
    return session({ store, secret: 'test', resave: true, saveUninitialized: true }) as unknown as Middleware
  },
  compression: () => compression() as unknown as Middleware,
  'compression of everything': () => compression({ threshold: 0 }) as unknown as Middleware,
  'pino-http': () => pinoHttp(quiet()),
}

const names = Object.keys(OTHERS)
/** Every other alone on each side, and every two of them on the same and on different sides. */
const LAYOUTS = [
  ...names.flatMap((name) => [
    [[name], []],
    [[], [name]],
  ]),
  ...names.flatMap((first) =>
    names
      .filter((second) => second !== first)
      .flatMap((second) => [
        [[first, second], []],
        [[first], [second]],
        [[], [first, second]],
      ]),
  ),
] as [string[], string[]][]

const long = 'long '.repeat(800)
const json =
  (word: string): Handler =>
  (_req, res) =>
    (res as ServerResponse & { json(body: unknown): unknown }).json(completion(`${word} ${long}`))
const WAYS: Readonly<Record<string, (word: string) => Handler>> = {
  json,
  'a raw end': (word) => (_req, res) =>
    void res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(completion(`${word} ${long}`))),
  'writes without a head': (word) => (_req, res) => {
    res.setHeader('content-type', 'application/json')
    res.write(JSON.stringify(completion(`${word} ${long}`)).slice(0, 50))
    res.end(JSON.stringify(completion(`${word} ${long}`)).slice(50))
  },
  SSE: (word) => (_req, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' })
    for (const content of [word, ' and ', long]) res.write(chunk({ content }))
    res.end('data: [DONE]\n\n')
  },
  'SSE with flushed headers': (word) => (_req, res) => {
    res.setHeader('content-type', 'text/event-stream')
    res.flushHeaders()
    res.write(chunk({ content: word }))
    setTimeout(() => {
      res.write(chunk({ content: long }))
      res.end('data: [DONE]\n\n')
    }, 3)
  },
}

function decoded({ body, headers }: Reply): string {
  const coding = headers['content-encoding']
  const decode =
    coding === 'gzip'
      ? gunzipSync
      : coding === 'br'
        ? brotliDecompressSync
        : coding === 'deflate'
          ? inflateSync
          : (bytes: Buffer) => bytes
  return decode(body).toString()
}

const GZIP = { 'accept-encoding': 'gzip' }

const ROWS = crossed({
  layout: LAYOUTS.map(
    (layout) => [`${layout[0].join(' and ')} before us, ${layout[1].join(' and ')} after`, layout] as const,
  ),
  way: WAYS,
  module: EXPRESSES,
})

it.each(ROWS)('$title: allows, blocks and never hangs', async ({ layout: [before, after], way, module }) => {
  const chain = (guard: readonly Middleware[]): Middleware[] => [
    ...before.map((name) => OTHERS[name]!()),
    ...guard,
    ...after.map((name) => OTHERS[name]!()),
  ]
  const mount = onExpress(module)
  const twin = await serving(mount(chain([]), way('fine')), ({ url }) =>
    ask(url + PATH, { body: chat('hi'), headers: GZIP }),
  )
  await serving(mount(chain([guarded()]), way('fine')), async ({ url }) => {
    const reply = await ask(url + PATH, { body: chat('hi'), headers: GZIP })
    expect([reply.status, reply.complete, decoded(reply)]).toEqual([200, true, decoded(twin)])
    expect([reply.headers['content-encoding'], reply.headers['vary'], reply.headers['etag']]).toEqual([
      twin.headers['content-encoding'],
      twin.headers['vary'],
      twin.headers['etag'],
    ])
    expect(reply.headers['set-cookie']?.length).toBe(twin.headers['set-cookie']?.length)
    const refused = await ask(url + PATH, { body: chat('UNSAFE'), headers: GZIP })
    expect([refused.status, JSON.parse(decoded(refused)).error.stage]).toEqual([451, 'input'])
  })
  await serving(mount(chain([guarded()]), way('UNSAFE')), async ({ url }) => {
    const reply = await ask(url + PATH, { body: chat('hi'), headers: GZIP })
    expect([reply.status, reply.complete]).toEqual([451, true])
    expect([JSON.parse(decoded(reply)).error.stage, decoded(reply).includes('UNSAFE')]).toEqual(['output', false])
  })
})

describe('a stream through compression before us', () => {
  it('arrives while it is made, and is cut readably when it turns unsafe', async () => {
    const handler: Handler = (_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' })
      res.write(chunk({ content: 'fine' }))
      setTimeout(() => res.write(chunk({ content: ' UNSAFE' })), 50)
    }
    await serving(onNode([OTHERS['compression']!(), guarded({ windowMs: 5 })], handler), async ({ url }) => {
      const reply = await ask(url + PATH, { body: chat('hi', { stream: true }), headers: GZIP })
      expect([reply.status, reply.complete, reply.headers['content-encoding']]).toEqual([200, true, 'gzip'])
      expect(decoded(reply)).toContain('fine')
      expect(decoded(reply)).not.toContain('UNSAFE')
      expect(decoded(reply)).toMatch(/"finish_reason":"content_filter".*\n\ndata: \[DONE\]\n\n$/s)
    })
  })
})

describe.each(SERVERS)('headers on %s', (_name, mount) => {
  const setter =
    (headers: Record<string, string>): Middleware =>
    (_req, res, next) => {
      for (const [name, value] of Object.entries(headers)) res.setHeader(name, value)
      next()
    }
  const security = {
    'content-security-policy': "default-src 'self'",
    'strict-transport-security': 'max-age=1',
    'x-frame-options': 'DENY',
  }
  const cors = {
    'access-control-allow-origin': 'https://app.example',
    'access-control-allow-credentials': 'true',
    vary: 'Origin',
  }
  const withHeaders: Handler = (_req, res) => {
    res.setHeader('X-Model-Said', 'UNSAFE')
    res.setHeader('Set-Cookie', 'said=UNSAFE')
    res.setHeader('Content-Disposition', 'attachment; filename="UNSAFE"')
    res.setHeader('Content-Language', 'de')
    res.setHeader('ETag', '"UNSAFE"')
    res.setHeader('Trailer', 'X-Sum')
    res.writeHead(200, 'UNSAFE', { 'content-type': 'text/plain', 'Cache-Control': 'public, max-age=60' })
    res.end('UNSAFE')
  }

  it('of security and CORS set before us are on the 451', async () => {
    const reply = await serving(mount([setter({ ...security, ...cors }), guarded()], withHeaders), ({ url }) =>
      ask(url + PATH, { body: chat('hi') }),
    )
    expect(reply.status).toBe(451)
    expect(reply.headers).toMatchObject({
      ...security,
      ...cors,
      'cache-control': 'no-store',
      'content-type': 'application/json',
    })
  })

  it('of CORS set after us survive, what the handler set does not', async () => {
    const reply = await serving(mount([guarded(), setter(cors)], withHeaders), ({ url }) =>
      ask(url + PATH, { body: chat('hi') }),
    )
    expect(reply.headers).toMatchObject(cors)
    expect(JSON.stringify(reply.headers) + reply.text).not.toContain('said')
    for (const name of ['x-model-said', 'set-cookie', 'content-disposition', 'content-language', 'etag', 'trailer'])
      expect(reply.headers[name]).toBeUndefined()
  })

  it('never carry the reason phrase of the handler', async () => {
    await serving(mount([guarded()], withHeaders), async ({ port }) => {
      const client = await rawClient(port)
      client.write(post(chat('hi')))
      expect(await client.until(/\}\}$/)).toMatch(/^HTTP\/1\.1 451 Unavailable For Legal Reasons\r\n/)
      expect(client.text()).not.toMatch(/"UNSAFE|UNSAFE\r|said=/)
      client.leave()
    })
  })

  it('from a hook of someone after us reach an allowed reply and no refusal', async () => {
    let ran = 0
    const hook: Middleware = (_req, res, next) => {
      const writeHead = res.writeHead
      res.writeHead = function hooked(...args: unknown[]) {
        if (ran++ === 0) res.setHeader('X-Hook', 'ran').setHeader('Content-Encoding', 'identity')
        return Reflect.apply(writeHead, res, args) as ServerResponse
      }
      next()
    }
    for (const [word, status, header] of [
      ['fine', 200, 'ran'],
      ['UNSAFE', 451, undefined],
    ] as const) {
      ran = 0
      const reply = await serving(
        mount([guarded(), hook], (_req, res) => void res.setHeader('content-type', 'text/plain').end(word)),
        ({ url }) => ask(url + PATH, { body: chat('hi') }),
      )
      expect([reply.status, reply.headers['x-hook']]).toEqual([status, header])
    }
  })
})

describe('trailers', () => {
  const handlerSaying =
    (word: string): Handler =>
    (_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream', trailer: 'X-Sum' })
      res.write(chunk({ content: 'fine' }))
      setTimeout(() => {
        res.write(chunk({ content: word }))
        res.addTrailers({ 'X-Sum': word })
        res.end()
      }, 30)
    }
  const over = (handler: Handler, middlewares: Middleware[]): Promise<string> =>
    serving(onNode(middlewares, handler), async ({ port }) => {
      const client = await rawClient(port)
      client.write(post(chat('hi', { stream: true })))
      const text = await client.until(/\r\n0\r\n(.*\r\n)*\r\n$/)
      client.leave()
      return text
    })

  it('follow an allowed reply', async () => {
    expect(await over(handlerSaying('words'), [guarded()])).toMatch(/\r\n0\r\nX-Sum: words\r\n\r\n$/)
  })

  it('do not follow a stream that was cut', async () => {
    const text = await over(handlerSaying('UNSAFE'), [guarded({ windowMs: 1 })])
    expect(text).toContain('content_filter')
    expect(text).not.toContain('UNSAFE')
  })
})

describe('pino-http', () => {
  it('logs the status that was sent, and gives our lines its request id', async () => {
    const lines: { msg: string; res?: { statusCode: number }; req?: { id: unknown }; requestId?: string }[] = []
    const sink = new Writable({
      write: (line: Buffer, _encoding, done) => {
        lines.push(JSON.parse(line.toString()))
        done()
      },
    })
    const logging = pinoHttp({ genReqId: () => 'id-9', redact: ['req.headers'] }, sink) as unknown as Middleware
    const reply = await serving(
      onNode(
        [logging, llamaGuard({ guard: markerGuard(), cacheMax: 0 })],
        (_req: IncomingMessage, res) => void res.end('UNSAFE'),
      ),
      ({ url }) => ask(url + PATH, { body: chat('hi') }),
    )
    expect([reply.status, reply.json().error.request_id]).toEqual([451, 'id-9'])
    expect(lines.find(({ res }) => res !== undefined)?.res?.statusCode).toBe(451)
    expect(lines.map(({ requestId }) => requestId)).toContain('id-9')
  })
})
