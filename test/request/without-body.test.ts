// Requests without a body that read, cancel or open what a vendor keeps: the reply is judged over HTTP/1 and HTTP/2,
// where a request without a body does not say so in a header.
import type { IncomingMessage, ServerResponse } from 'node:http'
import express from 'express'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask, guarded, onNode } from '../helpers/apps.js'
import { memoryLogger } from '../helpers/guards.js'
import { serve, type Running } from '../helpers/http.js'
import { type Http2Running, serveHttp2 } from '../helpers/http2.js'

const UUID = '6f1c2f3e-8b7a-4c5d-9e0f-112233445566'
const PATHS = [
  '/v1/chat/completions',
  '/v1/chat/completions/chatcmpl-1/messages',
  '/v1/responses/resp_1',
  '/openai/responses/resp_1/input_items',
  '/v1/conversations/conv_1/items',
  '/v1beta/interactions/v1_Chd1/cancel',
  `/threads/${UUID}/state`,
  `/threads/${UUID}/runs/${UUID}/join`,
  '/api/chat/Wm2zAbCdEf012345/stream',
]
const METHODS = ['GET', 'POST', 'DELETE'] as const
const REPLY = JSON.stringify({
  steps: [{ type: 'model_output', content: [{ type: 'text', text: 'UNSAFE' }] }],
  output: [{ type: 'message', content: [{ type: 'output_text', text: 'UNSAFE' }] }],
  choices: [{ index: 0, message: { content: 'UNSAFE' } }],
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

describe('A request without a body', () => {
  let http1: Running
  let http2: Http2Running
  beforeAll(async () => {
    http1 = await serve(answers() as never)
    http2 = await serveHttp2(answers())
  })
  afterAll(async () => {
    http2.close()
    await http1.close()
  })

  it.each(METHODS.flatMap((method) => PATHS.map((path) => [method, path] as const)))(
    'has its reply judged: %s %s',
    async (method, path) => {
      const status = 451
      expect((await ask(http1.url + path, { method })).status).toBe(status)
      expect((await http2.ask({ path, method })).status).toBe(status)
      expect((await http2.ask({ path, method, late: true })).status).toBe(status)
    },
  )

  it.each(METHODS.flatMap((method) => PATHS.map((path) => [method, path] as const)))(
    'has its reply judged when it has one all the same, and passes with it: %s %s',
    async (method, path) => {
      for (const [type, body] of BODIES) {
        const { status } = await ask(http1.url + path, { method, body, headers: { 'content-type': type } })
        expect([type, body, status]).toEqual([type, body, 451])
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
    expect((await http2.ask({ path: '/mcp', method: 'GET', headers: MCP })).status).toBe(451)
    expect((await http2.ask({ path: '/mcp', method: 'GET', headers: MCP, late: true })).status).toBe(451)
  })

  it('is no chat elsewhere', async () => {
    expect((await ask(`${http1.url}/other`, { method: 'GET' })).status).toBe(200)
    expect((await http2.ask({ path: '/other', method: 'GET' })).status).toBe(200)
    expect((await http2.ask({ path: '/other', method: 'GET', late: true })).status).toBe(200)
  })
})

it('The operator is told of a body that was not read, and the words beside it are judged.', async () => {
  const logger = memoryLogger()
  const options = { logger, unknown: 'warn' } as const
  const app = express().all('/v1/responses/:id', guarded(options), (_req, res) => void res.json({ said: 'fine' }))
  const server = await serve(app)
  const asked = (query: string): ReturnType<typeof ask> =>
    ask(`${server.url}/v1/responses/resp_1${query}`, { body: 'bytes', headers: { 'content-type': 'text/plain' } })
  for (const [query, status] of [
    ['', 200],
    ['?note=fine+words', 200],
    ['?note=UNSAFE', 451],
  ] as const)
    expect([query, (await asked(query)).status]).toEqual([query, status])
  const warned = logger.lines.filter(({ level }) => level === 'warn')
  expect(warned.map(({ fields }) => fields)).toEqual([
    expect.objectContaining({ route: 'POST /v1/responses/:x', format: 'other', keys: [] }),
  ])
  await server.close()
})

it('A GET on a path that is guarded by name is judged over HTTP/2 too.', async () => {
  const http2 = await serveHttp2(answers({ paths: ['/named?q'] }))
  expect((await http2.ask({ path: '/named?q=fine', method: 'GET' })).status).toBe(451)
  http2.close()
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
