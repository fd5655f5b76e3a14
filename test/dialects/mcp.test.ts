// A client and a server of the Model Context Protocol's own SDK at their defaults, with the guard between them.
import { randomUUID } from 'node:crypto'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import {
  CallToolRequestSchema,
  CreateMessageRequestSchema,
  CreateMessageResultSchema,
  ElicitRequestSchema,
  ElicitResultSchema,
  GetPromptRequestSchema,
  ListRootsRequestSchema,
  ListRootsResultSchema,
  ListToolsRequestSchema,
  ReadResourceRequestSchema,
  type CallToolResult,
} from '@modelcontextprotocol/sdk/types.js'
import express, { type RequestHandler } from 'express'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { llamaGuard, type LlamaGuardOptions } from '../../src/index.js'
import { markerGuard, type MarkerGuard } from '../helpers/guards.js'
import { type Running, send, serve, sleep } from '../helpers/http.js'
import { withProtection } from '../../src/options/protection.js'

const REFUSED = 'I cannot help with that.'
const REFUSING: LlamaGuardOptions = { onBlock: 'refusal', refusalText: REFUSED }
const O3 = { code: 'O3', name: 'Criminal Planning' }
const said = (words: string): CallToolResult => ({ content: [{ type: 'text', text: words }] })

let guard: MarkerGuard
let described: string
let opened: { close(): Promise<unknown> }[]
beforeEach(() => {
  guard = markerGuard()
  described = 'Says it back.'
  opened = []
})
afterEach(async () => {
  for (const each of opened.reverse()) await each.close().catch(() => undefined)
})

/** A tool says back what it is told. Others ask the client before, or tell how far they are. */
function mcpServer(): McpServer['server'] {
  const capabilities = { tools: { listChanged: true }, prompts: {}, resources: {} }
  const { server } = new McpServer({ name: 'shop', version: '1.0.0' }, { capabilities })
  server.setRequestHandler(ListToolsRequestSchema, () => ({
    tools: [{ name: 'echo', description: described, inputSchema: { type: 'object' as const } }],
  }))
  server.setRequestHandler(GetPromptRequestSchema, ({ params: { arguments: given } }) => {
    const words = `Say ${String(given?.['topic'])}`
    return { messages: [{ role: 'user' as const, content: { type: 'text' as const, text: words } }] }
  })
  server.setRequestHandler(ReadResourceRequestSchema, ({ params: { uri } }) => ({
    contents: [
      uri.endsWith('blob')
        ? { uri, blob: Buffer.from('some UNSAFE words').toString('base64') }
        : { uri, text: uri.endsWith('2') ? 'UNSAFE' : 'A note.' },
    ],
  }))
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, { sendNotification, sendRequest, _meta }) => {
    const words = String(params.arguments?.['words'])
    switch (params.name) {
      case 'ask': {
        const requestedSchema = { type: 'object' as const, properties: { name: { type: 'string' as const } } }
        const asks = { method: 'elicitation/create' as const, params: { message: words, requestedSchema } }
        return said(`Hello ${String((await sendRequest(asks, ElicitResultSchema)).content?.['name'])}`)
      }
      case 'think': {
        const messages = [{ role: 'user' as const, content: { type: 'text' as const, text: words } }]
        const asks = { method: 'sampling/createMessage' as const, params: { maxTokens: 9, messages } }
        const { content } = await sendRequest(asks, CreateMessageResultSchema)
        return said(content.type === 'text' ? content.text : '')
      }
      case 'roots':
        return said(`${(await sendRequest({ method: 'roots/list' }, ListRootsResultSchema)).roots.length} roots`)
      case 'slow':
        for (const [progress, message] of ['A fine start.', 'Going on.'].entries()) {
          const progressToken = _meta?.progressToken ?? 0
          const before = guard.texts().length
          await sendNotification({ method: 'notifications/progress', params: { progressToken, progress, message } })
          // What is judged together with bad words is not told.
          await vi.waitFor(() => expect(guard.texts().slice(before).join()).toContain(message))
          await sleep(60)
        }
    }
    if (words === 'picture') return { content: [{ type: 'image', data: 'iVBORw0KGgo=', mimeType: 'image/png' }] }
    return said(words === 'turn bad' ? 'UNSAFE' : words === 'break' ? 'BROKEN' : `You said ${words}`)
  })
  return server
}

interface Setting {
  readonly options?: LlamaGuardOptions
  /** `enableJsonResponse` of the server. */
  readonly json?: boolean
  /** Whether a parser stands before the guard. */
  readonly parsed?: boolean
}

async function app({ options = {}, json = false, parsed = false }: Setting = {}): Promise<Running> {
  const sessions = new Map<string, StreamableHTTPServerTransport>()
  const handle: RequestHandler = async (req, res) => {
    const known = sessions.get(String(req.headers['mcp-session-id']))
    const transport =
      known ??
      new StreamableHTTPServerTransport({
        sessionIdGenerator: randomUUID,
        enableJsonResponse: json,
        onsessioninitialized: (id) => void sessions.set(id, transport),
      })
    if (known === undefined) await mcpServer().connect(transport)
    await transport.handleRequest(req, res, req.body as unknown)
  }
  const middleware = llamaGuard({
    guard,
    windowMs: 20,
    cacheMax: 0,
    ...withProtection({ breaker: false }),
    logger: false,
    ...options,
  })
  const server = await serve(express().use(parsed ? [express.json(), middleware] : middleware, handle))
  opened.push(server)
  return server
}

/** What the user of the client answers to a question of the server. */
let answer = 'Ann'
async function connected(on: Running): Promise<Client> {
  const capabilities = { sampling: {}, elicitation: {}, roots: {} }
  const client = new Client({ name: 'desk', version: '1.0.0' }, { capabilities })
  client.setRequestHandler(ElicitRequestSchema, () => ({ action: 'accept' as const, content: { name: answer } }))
  client.setRequestHandler(CreateMessageRequestSchema, () => ({
    role: 'assistant' as const,
    model: 'm',
    content: { type: 'text' as const, text: answer },
  }))
  client.setRequestHandler(ListRootsRequestSchema, () => ({ roots: [] }))
  opened.push(client)
  await client.connect(new StreamableHTTPClientTransport(new URL(`${on.url}/mcp`)))
  return client
}
beforeEach(() => {
  answer = 'Ann'
})

const call = (client: Client, words: string, name = 'echo', options = {}): Promise<any> =>
  client.callTool({ name, arguments: { words } }, undefined, options)
const failure = (promise: Promise<unknown>): Promise<any> =>
  promise.then(
    (value) => Promise.reject(new Error(`It passed: ${JSON.stringify(value)}`)),
    (error: unknown) => error,
  )

describe.each([
  ['events', {}],
  ['JSON', { json: true }],
  ['events, behind a parser', { parsed: true }],
] as const)('A server that answers with %s', (_, setting) => {
  it('is asked and answers as without a guard', async () => {
    const client = await connected(await app(setting))
    expect(await call(client, 'hello')).toEqual(said('You said hello'))
    expect((await client.listTools()).tools).toHaveLength(1)
    expect((await client.getPrompt({ name: 'p', arguments: { topic: 'boats' } })).messages[0]?.content).toMatchObject({
      text: 'Say boats',
    })
    expect((await client.readResource({ uri: 'note://1' })).contents[0]).toMatchObject({ text: 'A note.' })
    expect(await client.ping()).toEqual({})
    expect(guard.texts()).toEqual(
      expect.arrayContaining(['echo\n{"words":"hello"}', 'You said hello', 'p\n{"topic":"boats"}', 'Say boats']),
    )
  })

  it('is not told what is unsafe', async () => {
    const client = await connected(await app(setting))
    for (const ask of [
      () => call(client, 'UNSAFE'),
      () => client.getPrompt({ name: 'p', arguments: { topic: 'UNSAFE' } }),
      () => client.readResource({ uri: 'note://UNSAFE' }),
      () => client.complete({ ref: { type: 'ref/prompt', name: 'p' }, argument: { name: 'a', value: 'UNSAFE' } }),
    ]) {
      const error = await failure(ask())
      expect(error).toMatchObject({ code: 451, message: expect.stringContaining('Criminal Planning (O3)') })
      const body = JSON.parse(error.message.slice(error.message.indexOf('{')))
      expect(body).toMatchObject({ jsonrpc: '2.0', error: { code: 451, data: { stage: 'input', categories: [O3] } } })
      expect(typeof body.id).toBe('number')
      expect(error.message).not.toContain('UNSAFE')
    }
  })

  it('hands out nothing unsafe', async () => {
    const client = await connected(await app(setting))
    described = 'An UNSAFE tool.'
    for (const ask of [
      () => call(client, 'turn bad'),
      () => client.listTools(),
      () => client.readResource({ uri: 'note://2' }),
      () => client.readResource({ uri: 'note://blob' }),
    ])
      expect(await failure(ask())).toMatchObject({ message: expect.stringContaining('Criminal Planning (O3)') })
  })

  it('declines in its own form', async () => {
    const client = await connected(await app({ ...setting, options: REFUSING }))
    const _meta = { llama_guard: { categories: [O3] } }
    for (const words of ['UNSAFE', 'turn bad'])
      expect(await call(client, words)).toMatchObject({ ...said(REFUSED), isError: true, _meta })
    expect((await client.getPrompt({ name: 'p', arguments: { topic: 'UNSAFE' } })).messages).toEqual([
      { role: 'assistant', content: { type: 'text', text: REFUSED } },
    ])
    const uri = 'llama-guard:refusal'
    expect((await client.readResource({ uri: 'note://2' })).contents).toMatchObject([{ uri, text: REFUSED }])
    described = 'An UNSAFE tool.'
    // A list has no form in which it could decline.
    expect(await failure(client.listTools())).toMatchObject({ message: expect.stringContaining('Criminal Planning') })
  })

  it('cannot be reached past a guard that is down', async () => {
    const client = await connected(await app({ ...setting, options: { ...withProtection({ maxAttempts: 1 }) } }))
    expect(await failure(call(client, 'BROKEN'))).toMatchObject({ code: 503 })
    expect(await failure(call(client, 'break'))).toMatchObject({ code: 503 })
    expect(await failure(call(client, 'picture'))).toMatchObject({ code: 503 })
  })
})

describe('A stream', () => {
  it('tells how far a tool is, and ends with an error where it turns bad', async () => {
    const client = await connected(await app())
    const told: unknown[] = []
    const onprogress = ({ message }: { message?: string }): void => void told.push(message)
    expect(await call(client, 'hello', 'slow', { onprogress })).toEqual(said('You said hello'))
    expect(told).toEqual(['A fine start.', 'Going on.'])
    const error = await failure(call(client, 'turn bad', 'slow', { onprogress }))
    expect(told).toHaveLength(4)
    expect(error).toMatchObject({ code: 451, data: { code: 'content_filter', stage: 'output', categories: [O3] } })
    expect(await failure(call(client, 'break', 'slow', { onprogress }))).toMatchObject({
      code: 503,
      data: { type: 'guard_unavailable' },
    })
  })

  it('ends with a result that declines, with `onBlock: refusal`', async () => {
    const client = await connected(await app({ options: REFUSING }))
    const told: unknown[] = []
    const options = { onprogress: () => void told.push(1) }
    expect(await call(client, 'turn bad', 'slow', options)).toMatchObject({ ...said(REFUSED), isError: true })
    expect(told).toHaveLength(2)
  })

  it('lets a server ask its client, and judges both question and answer', async () => {
    const client = await connected(await app())
    expect(await call(client, 'x', 'roots')).toEqual(said('0 roots'))
    expect(await call(client, 'Your name?', 'ask')).toEqual(said('Hello Ann'))
    expect(await call(client, 'Think.', 'think')).toEqual(said('Ann'))
    expect(guard.texts().filter((text) => text.includes('Ann')).length).toBeGreaterThan(3)
    answer = 'UNSAFE'
    const asked = guard.texts().length
    const late = failure(call(client, 'Your name?', 'ask', { timeout: 1500 }))
    expect((await late).message).toMatch(/timed out/)
    expect(
      guard
        .texts()
        .slice(asked)
        .some((text) => text.includes('UNSAFE')),
    ).toBe(true)
  })

  it('may be asked for and ended by a client, as without a guard', async () => {
    const { url } = await app()
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'desk', version: '1' } }
    const accept = 'application/json, text/event-stream'
    const body = { jsonrpc: '2.0', id: 1, method: 'initialize', params }
    const first = await send(`${url}/mcp`, { body, headers: { accept } })
    expect(first.status).toBe(200)
    const session = { 'mcp-session-id': String(first.headers['mcp-session-id']) }
    // The server's own words about a header that is wrong.
    expect((await send(`${url}/mcp`, { headers: { ...session, accept: 'x' } })).status).toBe(406)
    expect((await send(`${url}/mcp`, { method: 'DELETE', headers: session })).status).toBe(200)
  })
})

describe('A GET with the headers of a session', () => {
  const frame = (message: object): string =>
    `event: message\ndata: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`
  const stream = async (frames: readonly string[], options: LlamaGuardOptions = {}): Promise<Running> => {
    const handle: RequestHandler = async (_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' })
      for (const each of frames) {
        res.write(each)
        await sleep(60)
      }
      res.end()
    }
    const server = await serve(express().use(llamaGuard({ guard, windowMs: 20, logger: false, ...options }), handle))
    opened.push(server)
    return server
  }
  const changed = frame({ method: 'notifications/tools/list_changed' })
  const log = (data: string): string => frame({ method: 'notifications/message', params: { level: 'info', data } })

  it.each(['mcp-session-id', 'mcp-protocol-version'])('is judged by %s', async (name) => {
    const { url } = await stream([changed, log('Fine.'), log('UN'), log('SAFE'), changed])
    const reply = await send(`${url}/mcp`, { headers: { [name]: '2025-11-25' } })
    expect(reply.text.startsWith(changed + log('Fine.'))).toBe(true)
    expect(reply.text).not.toContain('SAFE"')
    expect(JSON.parse(reply.text.trimEnd().split('data: ').at(-1)!)).toMatchObject({ error: { code: 451 } })
    expect(reply.chunks[0]!.at).toBeLessThan(reply.chunks.at(-1)!.at)
  })
})

describe('A list of messages', () => {
  const message = (id: unknown, words: string): object => ({
    jsonrpc: '2.0',
    id,
    method: 'tools/call',
    params: { name: 'echo', arguments: { words } },
  })
  const answering = async (options: LlamaGuardOptions = {}): Promise<string> => {
    const handle: RequestHandler = (_req, res) => void res.json([{ jsonrpc: '2.0', id: 1, result: said('fine') }])
    const server = await serve(express().use(llamaGuard({ guard, cacheMax: 0, logger: false, ...options }), handle))
    opened.push(server)
    return server.url
  }

  it('is judged, every one of them', async () => {
    const url = await answering()
    expect((await send(`${url}/any`, { body: [message(1, 'hello'), message(2, 'there')] })).status).toBe(200)
    expect(guard.texts()[0]).toBe('echo\n{"words":"hello"}\necho\n{"words":"there"}')
    for (const body of [
      [message(1, 'UNSAFE'), message(2, 'there')],
      [message(1, 'hello'), 'UNSAFE'],
      [message(1, 'hello'), { note: 'UNSAFE' }],
      [{ JSONRPC: '2.0', METHOD: 'tools/call', PARAMS: { words: 'UNSAFE' } }],
    ])
      expect((await send(`${url}/any`, { body })).status).toBe(451)
    expect((await send(`${url}/any`, { body: Array.from({ length: 129 }, (_, at) => message(at, 'a')) })).status).toBe(
      400,
    )
  })

  it('is declined call by call, and repeats no words as an id', async () => {
    const url = await answering(REFUSING)
    const body = [message(1, 'UNSAFE'), message('b', 'there'), message('tell me UNSAFE words', 'x')]
    const reply = await send(`${url}/any`, { body })
    expect(reply.json()).toMatchObject([
      { id: 1, result: { isError: true } },
      { id: 'b', result: { isError: true } },
    ])
    expect(reply.text).not.toContain('UNSAFE')
    const strict = await answering()
    expect((await send(`${strict}/any`, { body })).json()).toMatchObject({ id: null, error: { code: 451 } })
  })
})

it('A message without words passes unjudged, and is announced', async () => {
  const { url } = await app()
  for (const body of [
    { jsonrpc: '2.0', id: 1, method: 'ping' },
    { jsonrpc: '2.0', method: 'notifications/initialized' },
    { jsonrpc: '2.0', id: 'f3a1c2b4-0a1b-4c2d-8e3f-5a6b7c8d9e0f', method: 'tools/list', params: {} },
  ])
    expect((await send(`${url}/mcp`, { body })).headers['llama-guard']).toContain('input=skipped;why="empty"')
  expect(guard.asked.map((turns) => turns.at(-1)!.role)).not.toContain('User')
})

it('A field of a form named type is a word of the user, and a part of a sampled message keeps its own', async () => {
  const middleware = llamaGuard({ guard, cacheMax: 0, logger: false })
  const server = await serve(express().use(middleware, (_req, res) => void res.status(202).end()))
  opened.push(server)
  const status = async (result: object): Promise<number> =>
    (await send(`${server.url}/mcp`, { body: { jsonrpc: '2.0', id: 's1', result } })).status
  for (const type of ['bug', 'video', 'document', 'image'])
    expect(await status({ action: 'accept', content: { type, data: 'cats' } })).toBe(202)
  expect(await status({ action: 'accept', content: { type: 'UNSAFE' } })).toBe(451)
  const content = { type: 'audio', data: 'UklGRgAA', mimeType: 'audio/wav' }
  expect(await status({ role: 'assistant', model: 'm', content, action: 'accept' })).toBe(400)
})
