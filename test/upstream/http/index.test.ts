// The HTTP upstream between a real client and a real server: what crosses, what does not, and what happens
// when a side goes away.
import { once } from 'node:events'
import { request } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { expect, test, vi } from 'vitest'
import { httpUpstream } from '../../../src/upstream/index.js'
import type { HttpUpstreamOptions } from '../../../src/upstream/index.js'
import { closing } from '../../helpers/closing.js'
import { serve } from '../../helpers/http.js'
import { gateway, post } from '../helpers.js'
import type { Gateway } from '../helpers.js'

async function between(
  handler: (req: IncomingMessage, res: ServerResponse) => void,
  options: Omit<HttpUpstreamOptions, 'url'> = {},
  base = '/v1',
): Promise<Gateway> {
  const server = closing(await serve(handler))
  return gateway(httpUpstream({ url: `${server.url}${base}`, ...options }))
}

test('What the upstream gets is the judged object, written anew, without a second value of a doubled key', async () => {
  const got: { url?: string; body: string; headers: IncomingMessage['headers'] }[] = []
  const front = await between(async (req, res) => {
    got.push({ url: req.url, body: (await buffer(req)).toString(), headers: req.headers })
    res.end('{"ok":true}')
  })
  const raw = '{"messages":[{"role":"user","content":"evil"}],  "messages":[{"role":"user","content":"h\\u00e9llo"}]}'
  expect(await (await post(front, raw)).json()).toEqual({ ok: true })
  expect(got[0]?.body).toBe('{"messages":[{"role":"user","content":"héllo"}]}')
  expect(got[0]?.url).toBe('/v1/chat/completions')
  expect(got[0]?.headers['content-length']).toBe(String(Buffer.byteLength(got[0]?.body ?? '')))
  expect(got[0]?.headers['transfer-encoding']).toBeUndefined()
})

test('Headers of the hop, of the app and named by Connection stay behind; the rest cross', async () => {
  let seen: IncomingMessage['headers'] = {}
  const front = await between((req, res) => {
    seen = req.headers
    res.writeHead(200, {
      connection: 'x-mine',
      'x-mine': '1',
      'set-cookie': 'a=b',
      'llama-guard': 'input=safe',
      'x-request-id': 'r1',
      'keep-alive': 'timeout=9',
      'x-many': ['1', '2'],
    })
    res.end('{}')
  })
  const sent = request(`${front.url}/v1/models`, {
    headers: {
      connection: 'x-hop, keep-alive',
      'x-hop': '1',
      te: 'trailers',
      cookie: 'session=1',
      range: 'bytes=0-1',
      authorization: 'Bearer client',
      'openai-organization': 'org',
      'accept-encoding': 'zstd, gzip;q=0.8, br, *',
    },
  })
  sent.end()
  const [reply] = (await once(sent, 'response')) as [IncomingMessage]
  await buffer(reply)
  expect(seen).toMatchObject({
    authorization: 'Bearer client',
    'openai-organization': 'org',
    'accept-encoding': 'identity',
  })
  for (const name of ['x-hop', 'te', 'cookie', 'range']) expect(seen).not.toHaveProperty(name)
  expect(seen.host).not.toBe(new URL(front.url).host)
  expect(reply.headers).toMatchObject({ 'x-request-id': 'r1', 'x-many': '1, 2' })
  for (const name of ['x-mine', 'set-cookie', 'llama-guard']) expect(reply.headers).not.toHaveProperty(name)
})

test.each([
  ['/chat/completions', { authorization: 'Bearer operator' }],
  ['/messages', { 'x-api-key': 'operator' }],
  ['/messages/count_tokens', { 'x-api-key': 'operator' }],
  ['/chat/completions/chatcmpl-1/messages', { authorization: 'Bearer operator' }],
  ['/models/gemini-2.5-pro:countTokens', { 'x-goog-api-key': 'operator' }],
])("The operator's key replaces every credential of the client on %s", async (path, wanted) => {
  let seen: IncomingMessage['headers'] = {}
  const front = await between(
    (req, res) => {
      seen = req.headers
      res.end('{}')
    },
    { apiKey: 'operator' },
  )
  await fetch(`${front.url}/v1${path}`, {
    method: 'POST',
    body: '{}',
    headers: {
      'content-type': 'application/json',
      authorization: 'Bearer client',
      'x-api-key': 'client',
      'api-key': 'client',
      'openai-organization': 'client',
      'openai-project': 'client',
      'x-goog-user-project': 'client',
      'ocp-apim-subscription-key': 'client',
    },
  })
  const credentials = Object.fromEntries(
    Object.entries(seen).filter(([name]) => /auth|key|organization|project/.test(name)),
  )
  expect(credentials).toEqual(wanted)
})

test.each([400, 401, 404, 429, 500, 503])(
  'An upstream answer of %i arrives with its status, headers and bytes',
  async (status) => {
    const front = await between((_, res) =>
      res
        .writeHead(status, { 'content-type': 'application/json', 'retry-after': '7' })
        .end('{ "error" : {"message":"no"} }'),
    )
    const reply = await post(front, '{}')
    expect([reply.status, reply.headers.get('retry-after'), await reply.text()]).toEqual([
      status,
      '7',
      '{ "error" : {"message":"no"} }',
    ])
  },
)

test('A redirect is passed on, not followed', async () => {
  let calls = 0
  const front = await between(
    (_, res) => {
      calls += 1
      res.writeHead(307, { location: 'http://127.0.0.1:1/steal' }).end()
    },
    { apiKey: 'operator' },
  )
  const reply = await post(front, '{}')
  expect([reply.status, reply.headers.get('location'), calls]).toEqual([307, 'http://127.0.0.1:1/steal', 1])
})

test('A compressed answer arrives as its own bytes', async () => {
  const bytes = gzipSync('{"choices":[]}')
  const front = await between((_, res) =>
    res.writeHead(200, { 'content-encoding': 'gzip', 'content-length': bytes.length }).end(bytes),
  )
  const sent = request(`${front.url}/v1/x`, { method: 'GET', headers: { 'accept-encoding': 'gzip' } })
  sent.end()
  const [reply] = (await once(sent, 'response')) as [IncomingMessage]
  expect(await buffer(reply)).toEqual(bytes)
})

test('A request that is no chat is streamed on as its own bytes while it still arrives', async () => {
  const bytes = Buffer.alloc(300_000, 'ab')
  const front = await between((req, res) => void req.pipe(res))
  const sent = request(`${front.url}/v1/audio`, {
    method: 'POST',
    headers: { 'content-type': 'application/octet-stream' },
  })
  sent.write(bytes.subarray(0, 1000))
  const [reply] = (await once(sent, 'response')) as [IncomingMessage]
  sent.end(bytes.subarray(1000))
  expect(await buffer(reply)).toEqual(bytes)
})

test('A stream flows event by event', async () => {
  let go: (() => void) | undefined
  const front = await between((_, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n')
    go = () => res.end('data: 2\n\n')
  })
  const reply = await post(front, '{"stream":true}')
  const reader = (reply.body as ReadableStream<Uint8Array>).getReader()
  expect(new TextDecoder().decode((await reader.read()).value)).toBe('data: 1\n\n')
  go?.()
  expect(new TextDecoder().decode((await reader.read()).value)).toBe('data: 2\n\n')
  expect((await reader.read()).done).toBe(true)
})

test('A client that does not read slows the upstream down instead of filling the memory', async () => {
  let written = 0
  let stalled = false
  const front = await between((_, res) => {
    const chunk = Buffer.alloc(65_536)
    const more = (): void => {
      while (!res.destroyed && written < 400) {
        written += 1
        if (!res.write(chunk)) {
          stalled = true
          return
        }
      }
      res.end()
    }
    res.on('drain', more)
    more()
  })
  const socket = connect(Number(new URL(front.url).port), '127.0.0.1')
  socket.pause()
  socket.write('GET /v1/big HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
  await vi.waitFor(() => expect(stalled).toBe(true))
  let before = -1
  while (before !== written) {
    before = written
    await new Promise((wake) => setTimeout(wake, 300))
  }
  expect(written).toBeLessThan(400)
  let read = 0
  socket.on('data', (chunk) => (read += chunk.length))
  socket.resume()
  await once(socket, 'close')
  expect(read).toBeGreaterThan(400 * 65_536)
})

test('When the client leaves, the call to the upstream is broken off and ends quietly', async () => {
  let gone = false
  const front = await between((_, res) => {
    res.once('close', () => (gone = true))
    res.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n')
  })
  const leaving = new AbortController()
  const reply = await fetch(`${front.url}/v1/x`, { signal: leaving.signal })
  await (reply.body as ReadableStream).getReader().read()
  leaving.abort()
  await vi.waitFor(() => expect(gone && front.ended() === 1).toBe(true))
  expect(front.errors).toEqual([])
})

test('An upstream that refuses the connection is upstream_unavailable, and the key is in no message', async () => {
  const server = await serve(() => undefined)
  await server.close()
  const front = await gateway(httpUpstream({ url: server.url, apiKey: 'sk-secret' }))
  const reply = await post(front, '{}')
  const text = await reply.text()
  expect([reply.status, JSON.parse(text).error.code]).toEqual([503, 'upstream_unavailable'])
  expect(text).toMatch(/ECONNREFUSED/)
  expect(text).not.toContain('sk-secret')
})

test('An upstream that never answers is given up after timeoutMs', async () => {
  const front = await between(() => undefined, { timeoutMs: 1000 })
  expect((await post(front, '{}')).status).toBe(503)
  expect(front.errors[0]?.message).toMatch(/timeoutMs is 1000/)
})

test('One call more than may be open or wait is refused at once', async () => {
  const waiting: ServerResponse[] = []
  const front = await between((_, res) => void waiting.push(res), { connections: 1, queue: 1 })
  const first = [post(front, '{}'), post(front, '{}')]
  await vi.waitFor(() => expect(waiting.length === 1).toBe(true))
  await new Promise((wake) => setTimeout(wake, 200))
  expect((await post(front, '{}')).status).toBe(503)
  expect(front.errors[0]?.message).toMatch(/2 calls .* are open or waiting/)
  waiting[0]?.end('{}')
  await vi.waitFor(() => expect(waiting.length === 2).toBe(true))
  waiting[1]?.end('{}')
  expect((await Promise.all(first)).map((reply) => reply.status)).toEqual([200, 200])
})
