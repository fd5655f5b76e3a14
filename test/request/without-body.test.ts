// Requests without a body that read, cancel or open what a vendor keeps: the reply is judged over HTTP/1 and HTTP/2,
// where a request without a body does not say so in a header.
import { connect, createServer, type ClientHttp2Session, type Http2Server } from 'node:http2'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask, guarded, onNode, within } from '../helpers/apps.js'
import { serve, type Running } from '../helpers/http.js'

const UUID = '6f1c2f3e-8b7a-4c5d-9e0f-112233445566'
const PATHS = [
  '/v1/chat/completions',
  '/v1/chat/completions/chatcmpl-1/messages',
  '/v1/responses/resp_1',
  '/openai/responses/resp_1/input_items',
  '/v1/conversations/conv_1/items',
  '/v1/threads/thread_1/runs/run_1/steps',
  `/threads/${UUID}/state`,
  `/threads/${UUID}/runs/${UUID}/join`,
]
const METHODS = ['GET', 'POST', 'DELETE'] as const
const REPLY = JSON.stringify({
  output: [{ type: 'message', content: [{ type: 'output_text', text: 'UNSAFE' }] }],
  choices: [{ index: 0, message: { content: 'UNSAFE' } }],
  data: [{ content: [{ type: 'text', text: { value: 'UNSAFE' } }] }],
  values: { messages: [{ type: 'ai', content: 'UNSAFE' }] },
})
/** Bodies that no API asks for. */
const BODIES: readonly (readonly [type: string, body: string])[] = [
  ['application/json', '{}'],
  ['application/json', '{"limit":10}'],
  ['application/json', '[]'],
  ['text/plain', 'some words'],
  ['application/x-www-form-urlencoded', 'a=b'],
  ['application/octet-stream', 'bytes'],
  ['multipart/form-data; boundary=cut', '--cut--\r\n'],
]
const MCP = { 'mcp-session-id': 'some' }

type Listener = (req: IncomingMessage, res: ServerResponse) => void
const answers =
  (options: Parameters<typeof guarded>[0] = {}): Listener =>
  (req, res) =>
    void onNode([guarded(options)], (_req, late) => {
      late.setHeader('content-type', 'application/json')
      late.end(REPLY)
    })(req as never, res as never)

/** The status of a request on HTTP/2 that ends with its head, or with an empty frame behind it. */
function askHttp2(
  session: ClientHttp2Session,
  path: string,
  method: string,
  { headers = {}, withHead = true }: { headers?: Record<string, string>; withHead?: boolean } = {},
): Promise<number> {
  const asked = new Promise<number>((resolve, reject) => {
    const stream = session.request({ ':path': path, ':method': method, ...headers }, { endStream: withHead })
    stream.on('response', (got) => resolve(Number(got[':status']))).on('error', reject)
    stream.resume()
    if (!withHead) setTimeout(() => stream.end(), 10)
  })
  return within(asked)
}

describe('A request without a body', () => {
  let http1: Running
  let http2: Http2Server
  let session: ClientHttp2Session
  beforeAll(async () => {
    http1 = await serve(answers() as never)
    http2 = createServer(answers() as never)
    await new Promise<void>((resolve) => http2.listen(0, '127.0.0.1', resolve))
    session = connect(`http://127.0.0.1:${(http2.address() as AddressInfo).port}`)
  })
  afterAll(async () => {
    session.destroy()
    http2.close()
    await http1.close()
  })

  it.each(METHODS.flatMap((method) => PATHS.map((path) => [method, path] as const)))(
    'has its reply judged: %s %s',
    async (method, path) => {
      const status = 451
      expect((await ask(http1.url + path, { method })).status).toBe(status)
      expect(await askHttp2(session, path, method)).toBe(status)
      expect(await askHttp2(session, path, method, { withHead: false })).toBe(status)
    },
  )

  it.each(METHODS.flatMap((method) => PATHS.map((path) => [method, path] as const)))(
    'has its reply judged when it has one all the same, or is refused: %s %s',
    async (method, path) => {
      for (const [type, body] of BODIES) {
        const { status } = await ask(http1.url + path, { method, body, headers: { 'content-type': type } })
        expect([type, body, status === 451 || (status >= 400 && status < 500)]).toEqual([type, body, true])
      }
    },
  )

  it.each(['OPTIONS', 'TRACE', 'PUT'])('has its reply judged whatever its method is: %s', async (method) => {
    for (const path of PATHS) {
      const expected = 451
      expect([path, (await ask(http1.url + path, { method })).status]).toEqual([path, expected])
      const preflight = { 'access-control-request-method': 'GET' }
      expect([path, (await ask(http1.url + path, { method, headers: preflight })).status]).toEqual([path, expected])
    }
  })

  it('has the words of its body judged where it has one all the same', async () => {
    for (const method of METHODS) {
      const got = await ask(`${http1.url}/v1/responses/resp_1`, { method, body: { note: 'UNSAFE' } })
      expect([got.status, got.json().error.stage]).toEqual([451, 'input'])
      const fine = await ask(`${http1.url}/v1/responses/resp_1`, { method, body: { note: 'fine' } })
      expect([fine.status, fine.json().error.stage]).toEqual([451, 'output'])
    }
  })

  it('has its reply judged where its headers open a stream, and a body is no way past that', async () => {
    for (const method of ['GET', 'DELETE'])
      expect((await ask(`${http1.url}/mcp`, { method, headers: MCP, body: { note: 'fine' } })).status).toBe(451)
  })

  it('has its reply judged where its headers open a stream', async () => {
    expect((await ask(`${http1.url}/mcp`, { method: 'GET', headers: MCP })).status).toBe(451)
    expect(await askHttp2(session, '/mcp', 'GET', { headers: MCP })).toBe(451)
    expect(await askHttp2(session, '/mcp', 'GET', { headers: MCP, withHead: false })).toBe(451)
  })

  it('is no chat elsewhere', async () => {
    expect((await ask(`${http1.url}/other`, { method: 'GET' })).status).toBe(200)
    expect(await askHttp2(session, '/other', 'GET')).toBe(200)
    expect(await askHttp2(session, '/other', 'GET', { withHead: false })).toBe(200)
  })
})

it('A GET on a path that is guarded by name is judged over HTTP/2 too.', async () => {
  const server = createServer(answers({ paths: ['/named?q'] }) as never)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  expect(await askHttp2(session, '/named?q=fine', 'GET')).toBe(451)
  session.destroy()
  server.close()
})

it.each(['GET', 'DELETE', 'TRACE', 'POST'])(
  'A route that says nothing of its method has the reply to a %s judged.',
  async (method) => {
    const app = express().all('/joke', guarded(), (_req, res) => void res.json({ said: 'UNSAFE' }))
    const server = await serve(app)
    expect((await ask(`${server.url}/joke`, { method })).status).toBe(451)
    await server.close()
  },
)
