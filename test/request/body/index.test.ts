// Request bodies over real HTTP: what is read, what is refused, and what is still readable afterwards.
// Every layout runs on Express 4 and 5, because their parsers leave different things on `req.body`.
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import zlib from 'node:zlib'
import express5 from 'express'
import express4 from 'express4'
import { afterEach, describe, expect, it } from 'vitest'
import { createConversationReader } from '../../../src/request/index.js'
import { isLlamaGuardError } from '../../../src/types/errors.js'
import type { GuardedRequest } from '../../../src/types.js'

const LIMIT = 64 * 1024
const CHAT = { model: 'm', messages: [{ role: 'user', content: 'Hello, wörld 🙂' }] }
const CHAT_TEXT = JSON.stringify(CHAT)
const servers: http.Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections()
})

type Handler = (req: http.IncomingMessage & { body?: unknown }, res: http.ServerResponse) => void
type Step = ReturnType<typeof express5.json>

interface Answer {
  status: number
  body: Record<string, unknown>
}

async function listen(handler: http.RequestListener): Promise<number> {
  const server = http.createServer(handler).listen(0)
  servers.push(server)
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** An app that recognises, then runs `after`, then the handler. */
function appOf(
  express: typeof express5,
  { before = [], after = [], handler }: { before?: Step[]; after?: Step[]; handler?: Handler } = {},
): http.RequestListener {
  const app = express()
  const reader = createConversationReader({ maxBodyBytes: LIMIT })
  for (const step of before) app.use(step)
  app.use((req, res, next) => {
    reader.recognise(req as GuardedRequest).then(
      (chat) => {
        res.setHeader('x-turns', encodeURIComponent(JSON.stringify(chat.kind === 'chat' ? chat.request.turns : null)))
        next()
      },
      (error: unknown) => {
        req.resume()
        res
          .status(isLlamaGuardError(error) ? error.status : 500)
          .json({ code: isLlamaGuardError(error) ? error.code : String(error) })
      },
    )
  })
  for (const step of after) app.use(step)
  app.use((req, res) => (handler ?? echoBody)(req, res))
  return app
}

const echoBody: Handler = (req, res) => {
  res.setHeader('content-type', 'application/json')
  res.end(
    JSON.stringify({ body: req.body ?? null, turns: JSON.parse(decodeURIComponent(String(res.getHeader('x-turns')))) }),
  )
}

const echoStream: Handler = (req, res) => {
  const chunks: Buffer[] = []
  req.on('data', (chunk: Buffer) => chunks.push(chunk))
  req.on('end', () =>
    res.end(
      JSON.stringify({
        raw: Buffer.concat(chunks).toString('base64'),
        turns: JSON.parse(decodeURIComponent(String(res.getHeader('x-turns')))),
      }),
    ),
  )
}

interface Call {
  path?: string
  method?: string
  headers?: http.OutgoingHttpHeaders
  body?: Buffer | string | Buffer[]
  agent?: http.Agent
}

function call(
  port: number,
  {
    path = '/v1/chat/completions',
    method = 'POST',
    headers = { 'content-type': 'application/json' },
    body,
    agent,
  }: Call,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const req = http.request({ port, path, method, headers, agent }, (res) => {
      const chunks: Buffer[] = []
      res.on('data', (chunk: Buffer) => chunks.push(chunk))
      res.on('end', () => {
        const text = Buffer.concat(chunks).toString()
        resolve({ status: res.statusCode ?? 0, body: (text === '' ? {} : JSON.parse(text)) as Record<string, unknown> })
      })
    })
    req.on('error', reject)
    if (Array.isArray(body)) void writeSlowly(req, body)
    else req.end(body)
  })
}

async function writeSlowly(req: http.ClientRequest, chunks: Buffer[]): Promise<void> {
  for (const chunk of chunks) {
    req.write(chunk)
    await new Promise((resolve) => setImmediate(resolve))
  }
  req.end()
}

const turns = [{ role: 'User', text: 'Hello, wörld 🙂' }]

describe.each([
  ['Express 4', express4],
  ['Express 5', express5],
])('a body on %s', (_name, express) => {
  it('is read when no parser ran, and set on req.body', async () => {
    const port = await listen(appOf(express))
    expect(await call(port, { body: CHAT_TEXT })).toEqual({ status: 200, body: { body: CHAT, turns } })
  })

  it('is taken from req.body when a parser ran before', async () => {
    for (const before of [express.json(), express.text({ type: '*/*' }), express.raw({ type: '*/*' })]) {
      const port = await listen(appOf(express, { before: [before] }))
      expect((await call(port, { body: CHAT_TEXT })).body.turns).toEqual(turns)
    }
  })

  it('is read behind a parser that left it alone because of its content type', async () => {
    const port = await listen(appOf(express, { before: [express.json()] }))
    expect(await call(port, { body: CHAT_TEXT, headers: { 'content-type': 'text/plain' } })).toEqual({
      status: 200,
      body: { body: CHAT, turns },
    })
    expect((await call(port, { body: CHAT_TEXT, headers: {} })).body.turns).toEqual(turns)
  })

  it('leaves a keep-alive connection usable when the handler never reads the stream', async () => {
    const port = await listen(appOf(express))
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
    for (let round = 0; round < 5; round += 1)
      expect((await call(port, { body: CHAT_TEXT, agent })).body.turns).toEqual(turns)
    agent.destroy()
  })

  const STATUS = { body_too_large: 413, invalid_json: 400, unreadable_request: 400, unsupported_media_type: 415 }
  it.each<[string, keyof typeof STATUS, Call]>([
    [
      'JSON beyond the limit',
      'body_too_large',
      { body: JSON.stringify({ messages: [{ role: 'user', content: 'x'.repeat(2 * LIMIT) }] }) },
    ],
    [
      'JSON beyond the limit on any path',
      'body_too_large',
      { path: '/any', body: JSON.stringify({ a: 'x'.repeat(2 * LIMIT) }) },
    ],
    ['white space beyond the limit', 'body_too_large', { path: '/any', body: ' '.repeat(2 * LIMIT) }],
    ['broken JSON', 'invalid_json', { body: '{"messages":[' }],
    ['broken JSON on any path', 'invalid_json', { path: '/any', body: '{"messages":[' }],
    [
      'an unknown encoding',
      'unsupported_media_type',
      { path: '/any', body: CHAT_TEXT, headers: { 'content-encoding': 'compress' } },
    ],
    [
      'two encodings',
      'unsupported_media_type',
      { body: zlib.gzipSync(zlib.gzipSync(CHAT_TEXT)), headers: { 'content-encoding': 'gzip, gzip' } },
    ],
    ['zstd', 'unsupported_media_type', { body: CHAT_TEXT, headers: { 'content-encoding': 'zstd' } }],
    ['bytes that are not gzip', 'invalid_json', { body: CHAT_TEXT, headers: { 'content-encoding': 'gzip' } }],
    [
      'UTF-16 with its charset',
      'unsupported_media_type',
      {
        path: '/any',
        body: Buffer.from(CHAT_TEXT, 'utf16le'),
        headers: { 'content-type': 'application/json; charset=utf-16le' },
      },
    ],
    ['UTF-16 without a charset', 'invalid_json', { path: '/any', body: Buffer.from(CHAT_TEXT, 'utf16le') }],
    [
      'big-endian UTF-16 with a mark',
      'invalid_json',
      { path: '/any', body: Buffer.from(`\uFEFF${CHAT_TEXT}`, 'utf16le').swap16() },
    ],
    [
      'UTF-7 JSON',
      'unsupported_media_type',
      { path: '/any', body: '+AHs-"messages":[]+AH0-', headers: { 'content-type': 'application/json; charset=utf-7' } },
    ],
    ['a key named twice', 'unreadable_request', { body: '{"messages":[{"role":"user","content":"a","content":"b"}]}' }],
    [
      'messages named twice on any path',
      'unreadable_request',
      { path: '/any', body: '{"messages":[{"role":"user","content":"a"}],"mess\\u0061ges":1}' },
    ],
  ])('with %s is refused', async (_what, code, request) => {
    const port = await listen(appOf(express))
    expect(await call(port, request)).toEqual({ status: STATUS[code], body: { code } })
  })

  it.each<[string, Call]>([
    ['JSON without messages', { path: '/any', body: '{"a":1}' }],
    ['a key named twice that is no chat', { path: '/any', body: '{"a":1,"a":2}' }],
    ['a form', { path: '/any', body: 'a=1', headers: { 'content-type': 'application/x-www-form-urlencoded' } }],
    [
      'a multipart form',
      { path: '/any', body: '--x\r\n', headers: { 'content-type': 'multipart/form-data; boundary=x' } },
    ],
    [
      'bytes',
      { path: '/any', body: Buffer.from([0, 1, 2, 3]), headers: { 'content-type': 'application/octet-stream' } },
    ],
    [
      'latin-1 text',
      { path: '/any', body: Buffer.from([0xe9]), headers: { 'content-type': 'text/plain; charset=iso-8859-1' } },
    ],
    ['gzipped text', { path: '/any', body: zlib.gzipSync('hello'), headers: { 'content-encoding': 'gzip' } }],
    ['nothing', { path: '/any', body: '' }],
    ['a GET of a path of texts', { method: 'GET', path: '/v1/completions' }],
  ])('with %s passes untouched', async (_what, request) => {
    const port = await listen(appOf(express, { handler: echoStream }))
    const answer = await call(port, request)
    const sent = request.body === undefined ? Buffer.alloc(0) : Buffer.from(request.body as string)
    expect(answer).toEqual({ status: 200, body: { raw: sent.toString('base64'), turns: null } })
  })

  it('is a chat in a list of messages that a form parser turned into an object', async () => {
    const port = await listen(appOf(express, { before: [express.urlencoded({ extended: true })] }))
    const few = 'messages[0][role]=user&messages[0][content]=hi'
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    expect((await call(port, { path: '/any', body: few, headers })).body.turns).toEqual([{ role: 'User', text: 'hi' }])
    const sparse = 'messages[900][role]=user&messages[900][content]=hi'
    expect((await call(port, { path: '/any', body: sparse, headers })).body.turns).toEqual([
      { role: 'User', text: 'hi' },
    ])
  })
})
