// The stream of a request after us: every reader that servers and proxies use gets the bytes that the client sent, as if
// nobody had read them before.
import http2 from 'node:http2'
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { buffer } from 'node:stream/consumers'
import { createHash } from 'node:crypto'
import zlib from 'node:zlib'
import { getRequestListener } from '@hono/node-server'
import express from 'express'
import { Hono } from 'hono'
import httpProxy from 'http-proxy'
import multer from 'multer'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { request } from 'undici'
import type { Middleware } from '../../../src/types.js'
import { guarded, onNode, within } from '../../helpers/apps.js'
import { markerGuard } from '../../helpers/guards.js'
import { type Running, serve, sleep } from '../../helpers/http.js'
import { few } from '../../helpers/sampled.js'

type Reader = (req: IncomingMessage, res: ServerResponse) => unknown

const LIMIT = 256 * 1024
const digest = (bytes: Buffer): string => `${bytes.length} ${createHash('sha1').update(bytes).digest('hex')}`

/** Answers with the digest of what it was sent: the upstream of proxies. */
let echo: Running
beforeAll(async () => {
  echo = await serve((req, res) => void buffer(req).then((bytes) => res.end(digest(bytes))))
})
afterAll(() => echo.close())

const hono = new Hono()
hono.all('*', async (c) => c.text(digest(Buffer.from(await c.req.arrayBuffer()))))
const honoListener = getRequestListener(hono.fetch, { overrideGlobalObjects: false })

const told =
  (read: (req: IncomingMessage) => Promise<Buffer | Uint8Array | ArrayBuffer>): Reader =>
  async (req, res) =>
    void res.end(digest(Buffer.from((await read(req)) as Uint8Array)))

const proxied =
  (send: (req: IncomingMessage) => Promise<string>): Reader =>
  async (req, res) =>
    void res.end(await send(req))

const toUrl = { method: 'POST', duplex: 'half' } as const

const READERS: readonly (readonly [string, Reader])[] = [
  ["Hono's node server", (req, res) => honoListener(req, res)],
  ['Readable.toWeb', told((req) => new Response(Readable.toWeb(req) as ReadableStream).arrayBuffer())],
  [
    'a Request',
    told((req) =>
      new Request('http://app/', {
        ...toUrl,
        body: Readable.toWeb(req) as ReadableStream,
      } as RequestInit).arrayBuffer(),
    ),
  ],
  [
    'fetch of the request itself',
    proxied(async (req) => (await fetch(echo.url, { ...toUrl, body: req } as unknown as RequestInit)).text()),
  ],
  [
    'fetch of a web stream',
    proxied(async (req) =>
      (await fetch(echo.url, { ...toUrl, body: Readable.toWeb(req) as ReadableStream } as RequestInit)).text(),
    ),
  ],
  ['undici', proxied(async (req) => (await request(echo.url, { method: 'POST', body: req })).body.text())],
  [
    'http-proxy',
    (() => {
      const proxy = httpProxy.createProxyServer()
      return (req: IncomingMessage, res: ServerResponse) =>
        proxy.web(req, res, { target: echo.url }, (error) => res.writeHead(502).end(String(error)))
    })(),
  ],
  [
    'pipe',
    (req, res) => {
      const onward = http.request(echo.url, { method: 'POST', agent: false }, (reply) => reply.pipe(res))
      req.pipe(onward)
    },
  ],
  ['a loop', told((req) => buffer(req))],
  [
    'pipeline',
    told(async (req) => {
      const chunks: Buffer[] = []
      await pipeline(req, async (source: AsyncIterable<Buffer>) => {
        for await (const chunk of source) chunks.push(chunk)
      })
      return Buffer.concat(chunks)
    }),
  ],
  [
    "'data'",
    told(
      (req) =>
        new Promise((resolve, reject) => {
          const chunks: Buffer[] = []
          req.on('data', (chunk: Buffer) => chunks.push(chunk))
          req.on('end', () => resolve(Buffer.concat(chunks))).on('error', reject)
        }),
    ),
  ],
  [
    "'data' of text",
    told(
      (req) =>
        new Promise((resolve, reject) => {
          let text = ''
          req.setEncoding('latin1').on('data', (chunk: string) => (text += chunk))
          req.on('end', () => resolve(Buffer.from(text, 'latin1'))).on('error', reject)
        }),
    ),
  ],
  [
    "'readable'",
    told(
      (req) =>
        new Promise((resolve, reject) => {
          const chunks: Buffer[] = []
          req.on('readable', () => {
            for (let chunk = req.read(); chunk !== null; chunk = req.read()) chunks.push(chunk)
          })
          req.on('end', () => resolve(Buffer.concat(chunks))).on('error', reject)
        }),
    ),
  ],
]

const words = 'grüße '.repeat(20)
const messages = (count: number): string =>
  JSON.stringify({ messages: Array.from({ length: count }, () => ({ role: 'user', content: words })) })
const upload = (bytes: number): Buffer =>
  Buffer.concat([
    Buffer.from('--cut\r\ncontent-disposition: form-data; name="file"; filename="f.bin"\r\n\r\n'),
    Buffer.alloc(bytes, 'ü'),
    Buffer.from('\r\n--cut--\r\n'),
  ])

interface Sent {
  readonly body: Buffer
  readonly headers: Record<string, string>
}
const as = (type: string, body: string | Buffer, headers: Record<string, string> = {}): Sent => ({
  body: Buffer.from(body),
  headers: { 'content-type': type, ...headers },
})
const BODIES: readonly (readonly [string, Sent])[] = [
  ['a short chat', as('application/json', messages(1))],
  ['a long chat', as('application/json', messages(500))],
  [
    'a chat in gzip',
    as('application/json', zlib.gzipSync(messages(500), { level: 0 }), { 'content-encoding': 'gzip' }),
  ],
  ['a form', as('application/x-www-form-urlencoded', `message=${encodeURIComponent(words)}`)],
  ['an upload', as('multipart/form-data; boundary=cut', upload(100))],
  ['an upload past maxBodyBytes', as('multipart/form-data; boundary=cut', upload(3 * LIMIT))],
  ['bytes past maxBodyBytes', as('application/octet-stream', Buffer.alloc(3 * LIMIT, 'ü'))],
  ['text', as('text/plain', words.repeat(1000))],
  ['nothing', as('text/plain', '')],
]

/** What runs before us. */
const BEFORE: readonly (readonly [string, Middleware])[] = [
  ['first', (_req, _res, next) => next()],
  ['late', (_req, _res, next) => void sleep(20).then(() => next())],
  [
    'after a pause',
    (req, _res, next) => {
      req.pause()
      setTimeout(next, 5)
    },
  ],
]

/** Sends in pieces, so that the body is on its way while it is read; `slow` waits between them. */
function post(url: string, { body, headers }: Sent, slow: boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    // Without it, an empty body is none.
    const chunked = body.length === 0 ? { 'transfer-encoding': 'chunked' } : {}
    const options = { method: 'POST', headers: { ...headers, ...chunked }, agent: false }
    const req = http.request(`${url}/ask`, options, (res) =>
      buffer(res).then((bytes) => resolve(`${res.statusCode} ${bytes.toString()}`), reject),
    )
    req.on('error', reject)
    const step = Math.max(1, Math.ceil(body.length / 7))
    const write = async (): Promise<void> => {
      for (let at = 0; at < body.length; at += step) {
        req.write(body.subarray(at, at + step))
        if (slow) await sleep(2)
      }
      req.end()
    }
    req.flushHeaders()
    void write()
  })
}

const guard = markerGuard({ delay: 3 })
const ours = guarded({ guard, check: ['input'], maxBodyBytes: LIMIT, unknown: 'warn' })

describe.each(BEFORE)('%s in the chain, we leave to', (_place, before) => {
  it.each(READERS)('%s the bytes of every body', async (_name, reader) => {
    const seen: string[] = []
    const server = await serve(
      onNode([before, ours], (req, res) => {
        if (req.readableDidRead || Readable.isDisturbed(req)) seen.push('a stream that shows it was read')
        Promise.resolve(reader(req, res)).catch((error: unknown) => void res.writeHead(500).end(String(error)))
      }),
    )
    try {
      const posts = BODIES.flatMap(([name, sent]) => [false, true].map((slow) => ({ name, sent, slow })))
      for (const { name, sent, slow } of few(posts, 4))
        expect(await within(post(server.url, sent, slow), name).then((reply) => [name, slow, reply])).toEqual([
          name,
          slow,
          `200 ${digest(sent.body)}`,
        ])
      expect(seen).toEqual([])
    } finally {
      await server.close()
    }
  })
})

describe('Parsers after us', () => {
  it.each(['gzip', undefined])('read the chat that was judged (%s)', async (encoding) => {
    const bodies: unknown[] = []
    const app = express().use(ours, express.json({ limit: LIMIT }), (req, res) => {
      bodies.push(req.body)
      res.end('ok')
    })
    const server = await serve(app)
    const [, sent] = BODIES[encoding ? 2 : 1]!
    expect(await within(post(server.url, sent, true))).toBe('200 ok')
    expect(bodies).toEqual([JSON.parse(messages(500))])
    await server.close()
  })

  it('such as multer get an upload that is larger than we read', async () => {
    const files: number[] = []
    const app = express().use(ours, multer().single('file'), (req, res) => {
      files.push(req.file?.size ?? 0)
      res.end('ok')
    })
    const server = await serve(app)
    expect(await within(post(server.url, BODIES[5]![1], false))).toBe('200 ok')
    expect(files).toEqual([3 * LIMIT + ((3 * LIMIT) % 2)])
    await server.close()
  })
})

describe('Over HTTP/2, we leave to', () => {
  const overHttp2 = READERS.filter(([name]) => !["Hono's node server", 'http-proxy'].includes(name))
  it.each(overHttp2)('%s the bytes of a body', async (_name, reader) => {
    const server = http2.createServer((req, res) => {
      onNode([ours], (guardedReq, guardedRes) => void reader(guardedReq, guardedRes))(
        req as unknown as IncomingMessage,
        res as unknown as ServerResponse & { req: IncomingMessage },
      )
    })
    await new Promise<void>((listening) => server.listen(0, listening))
    const client = http2.connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    try {
      for (const [name, { body, headers }] of BODIES) {
        const stream = client.request({ ':method': 'POST', ':path': '/ask', ...headers })
        stream.end(body)
        expect(`${name}: ${(await within(buffer(stream), name)).toString()}`).toBe(`${name}: ${digest(body)}`)
      }
    } finally {
      client.destroy()
      await new Promise((closed) => server.close(closed))
    }
  })
})
