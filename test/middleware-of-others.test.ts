// Middleware of today on either side of us, each beside an app without a guard: what is allowed stays whole, what is
// blocked is a refusal that they see too. OpenTelemetry's instrumentation is in telemetry/otel.test.ts.
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PassThrough } from 'node:stream'
import compression from 'compression'
import express from 'express'
import session from 'express-session'
import expressWinston from 'express-winston'
import helmet from 'helmet'
import { createProxyMiddleware } from 'http-proxy-middleware'
import memoryStore from 'memorystore'
import morgan from 'morgan'
import { pinoHttp } from 'pino-http'
import serveStatic from 'serve-static'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLogger, transports } from 'winston'
import type { Middleware } from '../src/types.js'
import { ask, EXPRESSES, guarded, type Handler, onExpress, serving } from './helpers/apps.js'
import { chat, chunk, completion, decoded, type Reply } from './helpers/http.js'
import { crossed } from './helpers/sampled.js'

const GZIP = { 'accept-encoding': 'gzip' }
const LONG = 'long '.repeat(800)
const PATH = '/v1/chat/completions'
const mount = onExpress(express)

/** A middleware, and what it has logged. */
type Made = readonly [unknown, () => string]

function logging(make: (stream: PassThrough) => unknown): Made {
  const stream = new PassThrough()
  let logged = ''
  stream.on('data', (bytes) => (logged += String(bytes)))
  return [make(stream), () => logged]
}

const OTHERS: Readonly<Record<string, () => Made>> = {
  'express-session': () => [session({ secret: 's', resave: true, saveUninitialized: true }), () => ''],
  'express-session that saves late': () => {
    const store = new session.MemoryStore()
    const set = store.set.bind(store)
    store.set = (id, data, done) => void setTimeout(() => set(id, data, done), 5)
    return [session({ store, secret: 's', resave: true, saveUninitialized: true }), () => '']
  },
  'express-session with memorystore': () => {
    const store = new (memoryStore(session))({ checkPeriod: 0 })
    return [session({ store, secret: 's', resave: true, saveUninitialized: true, rolling: true }), () => '']
  },
  'express-winston': () =>
    logging((stream) =>
      expressWinston.logger({
        winstonInstance: createLogger({ transports: new transports.Stream({ stream }) as never }),
        responseWhitelist: ['statusCode', 'body'],
      }),
    ),
  morgan: () => logging((stream) => morgan(':status', { stream })),
  'pino-http': () => logging((stream) => pinoHttp(stream)),
  compression: () => [compression({ threshold: 0 }), () => ''],
  helmet: () => [helmet(), () => ''],
  'serve-static': () => [serveStatic(import.meta.dirname), () => ''],
}
const LOGGERS = ['express-winston', 'morgan', 'pino-http']

const WAYS: Readonly<Record<string, (word: string) => Handler>> = {
  JSON: (word) => (_req, res) =>
    (res as ServerResponse & { json(body: unknown): unknown }).json(completion(`${word} and ${LONG}`)),
  'writes without a head': (word) => (_req, res) => {
    const text = JSON.stringify(completion(`${word} and ${LONG}`))
    res.setHeader('content-type', 'application/json')
    res.write(text.slice(0, 50))
    res.end(text.slice(50))
  },
  stream: (word) => (_req, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' })
    for (const content of [word, ' and', LONG]) res.write(chunk({ content }))
    res.end('data: [DONE]\n\n')
  },
  'a stream with flushed headers': (word) => (_req, res) => {
    res.setHeader('content-type', 'text/event-stream')
    res.flushHeaders()
    res.write(chunk({ content: word }))
    setTimeout(() => res.end(`${chunk({ content: LONG })}data: [DONE]\n\n`), 3)
  },
}

const names = Object.keys(OTHERS)
/** Every other alone on each side, and every two that wrap a response, on the same side and on different sides. */
const WRAPPERS = ['express-session that saves late', 'compression', 'express-winston', 'pino-http']
const LAYOUTS = names.flatMap((first) => [
  [[first], []],
  [[], [first]],
  ...(WRAPPERS.includes(first) ? WRAPPERS : [])
    .filter((second) => second !== first)
    .flatMap((second) => [
      [[first, second], []],
      [[first], [second]],
      [[], [first, second]],
    ]),
]) as [string[], string[]][]

/** What differs between two replies by right: times, ids of sessions, and the verdict. */
function same(reply: Reply): object {
  const { status, headers, complete } = reply
  const { date: _, 'llama-guard': __, 'set-cookie': cookies, ...rest } = headers
  return { status, headers: rest, cookies: cookies?.length, body: decoded(reply), complete }
}

const ROWS = crossed({
  layout: LAYOUTS.map(
    ([before, after]) => [`${before.join(' and ')} before us, ${after.join(' and ')} after`, [before, after]] as const,
  ),
  way: WAYS,
  module: EXPRESSES,
})

it.each(ROWS)('$title: a reply is as without us, or a refusal', async ({ layout: [before, after], way, module }) => {
  const app = (word: string, guard: readonly Middleware[]) => {
    const made = [before, after].map((side) => side.map((name) => OTHERS[name]!()))
    const [first, last] = made.map((side) => side.map(([other]) => other as Middleware))
    return { listener: onExpress(module)([...first!, ...guard, ...last!], way(word)), logs: made[0]! }
  }
  const twin = await serving(app('fine', []).listener, ({ url }) =>
    ask(url + PATH, { body: chat('hi'), headers: GZIP }),
  )
  const fine = app('fine', [guarded()])
  await serving(fine.listener, async ({ url }) => {
    expect(same(await ask(url + PATH, { body: chat('hi'), headers: GZIP }))).toEqual(same(twin))
    const refused = await ask(url + PATH, { body: chat('UNSAFE'), headers: GZIP })
    expect([refused.status, JSON.parse(decoded(refused)).error.stage]).toEqual([451, 'input'])
  })
  const unsafe = app('UNSAFE', [guarded()])
  await serving(unsafe.listener, async ({ url }) => {
    const refused = await ask(url + PATH, { body: chat('hi'), headers: GZIP })
    expect([refused.status, refused.complete, decoded(refused).includes('UNSAFE')]).toEqual([451, true, false])
    expect(JSON.parse(decoded(refused)).error.stage).toBe('output')
    if (before.includes('helmet')) expect(refused.headers['x-frame-options']).toBe('SAMEORIGIN')
    for (const [at, name] of before.entries())
      if (LOGGERS.includes(name)) await expect.poll(unsafe.logs[at]![1]).toContain('451')
  })
})

describe('http-proxy-middleware behind us', () => {
  const words: Record<string, string> = {}
  const upstream = createServer((req, res) => {
    let body = ''
    req.on('data', (bytes) => (body += String(bytes)))
    req.on('end', () => {
      words['asked'] = body
      void WAYS[words['way']!]!(words['word']!)(req, Object.assign(res, { json: (value: unknown) => json(res, value) }))
    })
  })
  const json = (res: ServerResponse, value: unknown): void =>
    void res.setHeader('content-type', 'application/json').end(JSON.stringify(value))
  beforeAll(() => new Promise<void>((done) => upstream.listen(0, '127.0.0.1', done)))
  afterAll(() => void upstream.close())

  it.each(Object.keys(WAYS))('passes on what was judged, and its reply is judged: %s', async (way) => {
    const target = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`
    const proxied = (guard: readonly Middleware[]) =>
      mount(guard, createProxyMiddleware({ target, changeOrigin: true }) as unknown as Handler)
    Object.assign(words, { way, word: 'fine' })
    const twin = await serving(proxied([]), ({ url }) => ask(url + PATH, { body: chat('hi') }))
    await serving(proxied([guarded()]), async ({ url }) => {
      expect(same(await ask(url + PATH, { body: chat('hi') }))).toEqual(same(twin))
      expect(JSON.parse(words['asked'] ?? '')).toEqual(chat('hi'))
      words['word'] = 'UNSAFE'
      const refused = await ask(url + PATH, { body: chat('hi') })
      expect([refused.status, refused.body.includes('UNSAFE')]).toEqual([451, false])
    })
  })
})

it('serve-static behind us sends its files as without us, in whole and in part', async () => {
  const files = serveStatic(import.meta.dirname) as unknown as Middleware
  const missing: Handler = (_req, res) => void res.writeHead(404).end()
  for (const headers of [{ accept: '*/*' }, { range: 'bytes=5-20' }] as Record<string, string>[]) {
    const [plain, ours] = await Promise.all(
      [[files], [guarded(), files]].map((chain) =>
        serving(mount(chain, missing), ({ url }) => ask(`${url}/README.md`, { method: 'GET', headers })),
      ),
    )
    expect(same(ours!)).toEqual(same(plain!))
  }
})
