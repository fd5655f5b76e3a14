// OpenAI's own client against guarded routes of embeddings and images: what is asked is judged, and vectors and
// pictures come as they were sent.
import OpenAI from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { images } from '../../src/dialects/images.js'
import { guarded, onNode } from '../helpers/apps.js'
import { type MarkerGuard, markerGuard } from '../helpers/guards.js'
import { type Running, send, serve } from '../helpers/http.js'
import { BLOCKED } from './streams.js'

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
const vector = [0.25, -0.5, 0, 1e-6]
const base64 = Buffer.from(new Float32Array(vector).buffer).toString('base64')

let guard: MarkerGuard
let server: Running
let client: OpenAI
let reply: { type: string; body: string }
beforeAll(async () => {
  const middleware = guarded({ guard: Object.assign(markerGuard(), { vision: true }) })
  guard = middleware.guard
  server = await serve(
    onNode([middleware], (_req, res) => res.writeHead(200, { 'content-type': reply.type }).end(reply.body)),
  )
  client = new OpenAI({ apiKey: 'k', baseURL: `${server.url}/v1`, maxRetries: 0 })
})
afterAll(() => server.close())
beforeEach(() => {
  guard.asked.length = 0
})
const answer = (body: unknown): void => void (reply = { type: 'application/json', body: JSON.stringify(body) })

describe('Embeddings', () => {
  beforeEach(() => answer({ object: 'list', model: 'm', data: [{ object: 'embedding', index: 0, embedding: base64 }] }))

  it('come as they were made, and the header says that they are no words', async () => {
    const { data, response } = await client.embeddings
      .create({ model: 'text-embedding-3-small', input: ['a boat', 'a city'], dimensions: 4, user: 'u-1' })
      .withResponse()
    expect(data.data[0]?.embedding).toEqual([...new Float32Array(vector)])
    expect(response.headers.get('llama-guard')).toContain('output=skipped;why="binary"')
    expect(guard.texts()).toEqual(['a boat\na city'])
  })

  it('come for a batch of many numbers', async () => {
    const data = Array.from({ length: 66 }, (_, index) => ({ index, embedding: Array<number>(3072).fill(0.25) }))
    answer({ object: 'list', data })
    const got = await send(`${server.url}/v1/embeddings`, { body: { model: 'm', input: 'a boat' } })
    expect([got.status, got.text === reply.body]).toEqual([200, true])
  })

  it('of one unsafe text in a batch are refused with a 451', async () => {
    await expect(client.embeddings.create({ model: 'm', input: ['a boat', 'UNSAFE'] })).rejects.toMatchObject({
      status: 451,
      code: 'content_filter',
      param: 'input',
    })
  })

  it.each([
    ['token ids', [1, 2, 3]],
    ['lists of token ids', [[1, 2], [3]]],
    ['sound', [{ type: 'input_audio', input_audio: { data: 'UklGRg==', format: 'wav' } }]],
  ])('are refused as unreadable for %s', async (_, input) => {
    const got = await send(`${server.url}/v1/embeddings`, { body: { model: 'm', input } })
    expect([got.status, guard.asked]).toEqual([400, []])
  })

  it('are judged as text when they are words', async () => {
    answer({ object: 'list', data: [{ embedding: 'UNSAFE words' }] })
    expect((await send(`${server.url}/v1/embeddings`, { body: { model: 'm', input: 'a boat' } })).status).toBe(451)
  })

  it('of Ollama are asked for with a prompt or an input', async () => {
    for (const [path, body] of [
      ['/api/embed', { model: 'm', input: 'UNSAFE' }],
      ['/api/embeddings', { model: 'm', prompt: 'UNSAFE' }],
    ] as const)
      expect((await send(server.url + path, { body })).status).toBe(451)
  })
})

describe('Images', () => {
  beforeEach(() => answer({ created: 1, data: [{ b64_json: PNG }] }))

  it('come as they were made, and the header says that they are no words', async () => {
    const { data, response } = await client.images
      .generate({ model: 'gpt-image-1', prompt: 'a boat', size: '1024x1024', quality: 'high', output_format: 'png' })
      .withResponse()
    expect(data.data?.[0]?.b64_json).toBe(PNG)
    expect(response.headers.get('llama-guard')).toContain('output=skipped;why="binary"')
    expect(guard.texts()).toEqual(['a boat'])
  })

  it('of an unsafe prompt are refused with a 451', async () => {
    await expect(client.images.generate({ model: 'm', prompt: 'UNSAFE' })).rejects.toMatchObject({
      status: 451,
      param: 'prompt',
    })
  })

  it('with an unsafe prompt of the model are refused with a 451', async () => {
    answer({ data: [{ b64_json: PNG, revised_prompt: 'UNSAFE' }] })
    await expect(client.images.generate({ model: 'm', prompt: 'a boat' })).rejects.toMatchObject({ status: 451 })
  })

  it('that are no picture are judged as text', async () => {
    for (const body of [{ data: [{ b64_json: 'UNSAFE words' }] }, 'UNSAFE words']) {
      answer(body)
      await expect(client.images.generate({ model: 'm', prompt: 'a boat' })).rejects.toMatchObject({ status: 451 })
    }
  })

  it('come in a stream byte for byte', async () => {
    const events = [
      { type: 'image_generation.partial_image', partial_image_index: 0, b64_json: PNG },
      { type: 'image_generation.completed', b64_json: PNG, usage: { total_tokens: 1 } },
    ]
    reply = {
      type: 'text/event-stream',
      body: events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join(''),
    }
    const body = { model: 'gpt-image-1', prompt: 'a boat', stream: true }
    const got = await send(`${server.url}/v1/images/generations`, { body })
    expect([got.status, got.text]).toEqual([200, reply.body])
    expect(got.headers['llama-guard']).toContain('output=skipped;why="binary"')
    expect(images.stream().block(BLOCKED)).toContain('"type":"content_filter","code":"content_filter"')
  })

  it('to be edited are judged with their prompt when they come as JSON', async () => {
    const body = { model: 'gpt-image-1', prompt: 'UNSAFE', images: [{ image_url: `data:image/png;base64,${PNG}` }] }
    expect((await send(`${server.url}/v1/images/edits`, { body })).status).toBe(451)
    expect(guard.asked[0]?.[0]?.images).toHaveLength(1)
  })
})
