// No way out: a body of every API, and some of no API, on every path of every API and on others, on a guard of an app
// and on the guard of a route. Each is judged, refused, or announced as unknown; none passes in silence.
import express, { type RequestHandler } from 'express'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BUILT_IN } from '../src/dialects/index.js'
import { guarded } from './helpers/apps.js'
import { type Running, send, serve } from './helpers/http.js'
import { few } from './helpers/sampled.js'

const said = { role: 'user', content: 'UNSAFE' }
const part = { role: 'user', parts: [{ type: 'text', text: 'UNSAFE' }] }
const gemini = { contents: [{ role: 'user', parts: [{ text: 'UNSAFE' }] }] }
const converse = { messages: [{ role: 'user', content: [{ text: 'UNSAFE' }] }] }

/** One body of each API, by the name of its dialect. */
const BODIES: Readonly<Record<string, object>> = {
  'openai-chat': { model: 'm', messages: [said] },
  'openai-completions': { model: 'm', prompt: 'UNSAFE' },
  'openai-responses': { model: 'm', input: 'UNSAFE' },
  'anthropic-messages': { model: 'm', max_tokens: 9, system: 'UNSAFE', messages: [said] },
  'ollama-chat': { model: 'm', messages: [said], options: {} },
  'ai-sdk': { id: 'c', messages: [part] },
  'ai-sdk-completion': { prompt: 'UNSAFE' },
  'ag-ui': { threadId: 't', runId: 'r', messages: [{ id: '1', ...said }] },
  langgraph: { assistant_id: 'a', input: { question: 'UNSAFE' } },
  mcp: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 't', arguments: { q: 'UNSAFE' } } },
  embeddings: { model: 'm', input: ['UNSAFE'] },
  images: { model: 'm', prompt: 'UNSAFE', n: 1 },
  gemini,
  'gemini-stream': gemini,
  'gemini-interactions': { model: 'm', input: 'UNSAFE' },
  'cohere-chat': { model: 'm', messages: [{ role: 'user', content: [{ type: 'text', text: 'UNSAFE' }] }] },
  'bedrock-converse': converse,
  'bedrock-converse-stream': converse,
}
/** Bodies of an app's own. */
const OWN: Readonly<Record<string, unknown>> = {
  'a message': { message: 'UNSAFE' },
  'a prompt': { prompt: 'UNSAFE' },
  'a question with its history': { question: 'UNSAFE', history: ['a', 'b'] },
  'a text': 'UNSAFE',
  'a list': ['UNSAFE'],
  'an input in an object': { data: { input: { words: 'UNSAFE' } } },
}
const PATHS = [
  ...new Set([
    ...BUILT_IN.flatMap(({ paths }) => paths.map((path) => (path.startsWith(':') ? `/v1/models/m${path}` : path))),
    '/chat',
    '/agent',
    '/mcp',
    '/openai/deployments/m/chat/completions',
  ]),
].map((path) => path.replace('*', 'x1'))

const handler: RequestHandler = (_req, res) => void res.json({})
const announced = (header: unknown): boolean => String(header).includes('why="unknown-body"')

describe.each(['app', 'route'] as const)('On the guard of an %s', (mount) => {
  let server: Running
  beforeAll(async () => {
    const middleware = guarded()
    const app = express()
    if (mount === 'app') app.use(middleware, handler)
    else app.post(/.*/, middleware, handler)
    server = await serve(app)
  })
  afterAll(() => server.close())

  it.each(Object.entries({ ...BODIES, ...OWN }))('%s passes nowhere in silence', async (_name, body) => {
    const silent: string[] = []
    for (const path of few(PATHS, 20)) {
      const { status, headers } = await send(`${server.url}${path}`, { body: JSON.stringify(body) })
      const stopped = status === 451 || (status >= 400 && status < 500)
      if (!stopped && !(mount === 'app' && announced(headers['llama-guard']))) silent.push(`${path}: ${status}`)
    }
    expect(silent).toEqual([])
  })

  it('a body is judged on the path of its own API', async () => {
    const passed: string[] = []
    for (const { name, paths } of BUILT_IN)
      for (const path of paths) {
        const url = `${server.url}${(path.startsWith(':') ? `/v1/models/m${path}` : path).replace('*', 'x1')}`
        const { status } = await send(url, { body: BODIES[name]! })
        if (status !== 451) passed.push(`${name} ${path}: ${status}`)
      }
    expect(passed).toEqual([])
  })
})

it('every API has a body here', () => {
  expect(Object.keys(BODIES).sort()).toEqual(BUILT_IN.map(({ name }) => name).sort())
})

describe('What is kept', () => {
  it.each(
    `/v1/responses/resp_1 /openai/responses/resp_1?api-version=1 /v1/conversations/conv_1/items
  /openai/v1/conversations/conv_1/items?limit=2 /v1/conversations/conv_1/items/msg_1
  /v1beta/interactions/v1_Chd1?stream=true /v1/interactions/v1_Chd1 /v1beta1/projects/p/locations/l/interactions/i1
  /v1/chat/completions /v1/chat/completions?limit=2 /v1/chat/completions/chatcmpl-1
  /threads/6f1c2f3e-8b7a-4c5d-9e0f-112233445566/state
  /threads/6f1c2f3e-8b7a-4c5d-9e0f-112233445566/state/checkpoint_1
  /threads/6f1c2f3e-8b7a-4c5d-9e0f-112233445566/runs/6f1c2f3e-8b7a-4c5d-9e0f-112233445566/join
  /threads/6f1c2f3e-8b7a-4c5d-9e0f-112233445566/runs/6f1c2f3e-8b7a-4c5d-9e0f-112233445566/stream`.split(/\s+/),
  )('is judged when it is read without a body: %s', async (path) => {
    const unsafe: RequestHandler = (_req, res) => void res.json({ id: 'x', output: [{ text: 'UNSAFE' }] })
    const server = await serve(express().use(guarded(), unsafe))
    expect((await send(server.url + path)).status).toBe(451)
    await server.close()
  })

  it('is cancelled without a body, and other paths are not asked about', async () => {
    const plain: RequestHandler = (_req, res) => void res.json({ id: 'resp_1', object: 'response', output: [] })
    const middleware = guarded()
    const server = await serve(express().use(middleware, plain))
    expect((await send(`${server.url}/v1/responses/resp_1/cancel`, { method: 'POST' })).status).toBe(200)
    const asked = middleware.guard.asked.length
    for (const path of [
      '/v1/completions',
      '/threads/1',
      '/chat',
      '/v1/models',
      '/v1/interactions/42',
      '/api/interactions/1',
    ])
      expect((await send(server.url + path)).headers['llama-guard']).toBeUndefined()
    expect(middleware.guard.asked).toHaveLength(asked)
    await server.close()
  })
})
