// What the clients of real applications make of us: the openai package and the Vercel AI SDK, over real HTTP. The guard
// is the real AWS SDK against the emulator.
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { APICallError, generateText, streamText } from 'ai'
import express, { type Request, type Response } from 'express'
import OpenAI from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { emulated, type Emulated } from './helpers/emulated.js'
import { fails } from './emulator/faults.js'
import { ACCESS_DENIED } from './emulator/aws-errors.js'
import { chunk, completion, serve, type Running } from './helpers/http.js'

const BAD = 'UNSAFE_O3 WITHHELD'
const BLOCKED = [{ code: 'O3', name: 'Criminal Planning' }]

let wire: Emulated
let server: Running
/** What the handler does with the next request. */
let handler: (req: Request, res: Response) => void | Promise<void>
/** Lets a stream go on once its client has read something. */
let goOn: () => void
let clientRead: Promise<void>

beforeAll(async () => {
  wire = await emulated()
  const app = express()
  app.use(wire.guard({ windowMs: 50 }), (req, res) => handler(req, res))
  server = await serve(app)
})
afterAll(async () => {
  await server.close()
  await wire.close()
})
beforeEach(() => {
  wire.emulator.reset()
  clientRead = new Promise((resolve) => (goOn = resolve))
})

const replying = (body: object) => (handler = (_req, res) => void res.json(body))
/** Streams `first`, waits until the client has read from it, then streams `rest`. */
const streaming = (first: string, rest = '') =>
  (handler = async (_req, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' })
    if (rest === '') return void res.end(first)
    res.write(first)
    await clientRead
    res.end(rest)
  })
/** The guard fails for texts with this word. */
const failingFor = (word: string): void =>
  wire.emulator.behave(fails(ACCESS_DENIED), { when: ({ asked }) => asked?.turns.at(-1)?.text.includes(word) === true })
const DONE = chunk({}, { finish: 'stop' }) + 'data: [DONE]\n\n'

/** What was read until the end or the error. */
async function drain<T>(stream: AsyncIterable<T>): Promise<{ read: T[]; error: unknown }> {
  const read: T[] = []
  try {
    for await (const item of stream) {
      read.push(item)
      goOn()
    }
  } catch (error) {
    return { read, error }
  }
  return { read, error: undefined }
}

async function failureOf(promise: PromiseLike<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.fail('it should have failed'),
    (error: unknown) => error,
  )
}

describe('the openai package', () => {
  const client = (): OpenAI => new OpenAI({ apiKey: 'sk-test', baseURL: `${server.url}/v1`, maxRetries: 0 })
  const ask = (content: string, more: object = {}) => ({
    model: 'demo',
    messages: [{ role: 'user' as const, content }],
    ...more,
  })
  const text = (chunks: readonly OpenAI.ChatCompletionChunk[]): string =>
    chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')

  it('raises an error with readable categories for an unsafe reply, also in the second choice, and never shows it', async () => {
    for (const reply of [
      completion(BAD),
      {
        ...completion('fine'),
        choices: [
          completion('fine').choices[0],
          { index: 1, message: { role: 'assistant', content: BAD }, finish_reason: 'stop' },
        ],
      },
    ]) {
      replying(reply)
      const error = await failureOf(client().chat.completions.create(ask('Hi', { n: 2 })))
      expect(error).toMatchObject({ status: 451, param: 'choices', error: { stage: 'output', categories: BLOCKED } })
      expect(JSON.stringify(error)).not.toContain('WITHHELD')
    }
  })

  it('raises an APIError in a stream that nobody could judge any more', async () => {
    failingFor('WITHHELD')
    streaming(chunk({ content: 'A fine start. ' }), chunk({ content: 'WITHHELD' }) + DONE)
    const { read, error } = await drain(await client().chat.completions.create({ ...ask('Hi'), stream: true }))
    expect(text(read)).toBe('A fine start. ')
    expect(error).toBeInstanceOf(OpenAI.APIError)
    expect(error).toMatchObject({ code: 'guard_rejected', type: 'guard_unavailable' })
  })

  it('streams through its own helper, which gathers what was allowed', async () => {
    streaming(chunk({ role: 'assistant', content: 'A fine start. ' }), chunk({ content: BAD }) + DONE)
    const stream = client().chat.completions.stream(ask('Hi'))
    stream.on('content', () => goOn())
    const final = await stream.finalChatCompletion().catch((error: unknown) => error)
    // The helper raises for content_filter, as it does for OpenAI's own.
    expect(
      final instanceof Error ? final.constructor.name : (final as OpenAI.ChatCompletion).choices[0]?.finish_reason,
    ).toMatch(/ContentFilterFinishReasonError|content_filter/)
  })
})

describe('the Vercel AI SDK', () => {
  const model = () =>
    createOpenAICompatible({ name: 'guarded', baseURL: `${server.url}/v1`, apiKey: 'sk-test' })('demo')
  const quiet = { maxRetries: 0, onError: () => undefined }

  it('raises an APICallError with status 451 that is not tried again', async () => {
    replying(completion(BAD))
    for (const prompt of [BAD, 'Hi']) {
      const error = await failureOf(generateText({ model: model(), prompt }))
      expect(APICallError.isInstance(error)).toBe(true)
      expect(error).toMatchObject({ statusCode: 451, isRetryable: false })
      expect((error as APICallError).responseBody).toContain('"categories":[{"code":"O3","name":"Criminal Planning"}]')
      expect((error as APICallError).responseBody).not.toContain('WITHHELD')
    }
  })

  it('streams a safe text, and ends with content-filter when it turns unsafe', async () => {
    streaming(chunk({ content: 'Hello ' }) + chunk({ content: 'there.' }) + DONE)
    expect(await streamText({ model: model(), prompt: 'Hi', ...quiet }).text).toBe('Hello there.')

    streaming(chunk({ content: 'A fine start. ' }), chunk({ content: BAD }) + DONE)
    const result = streamText({ model: model(), prompt: 'Hi', ...quiet })
    const { read } = await drain(result.textStream)
    expect(read.join('')).toBe('A fine start. ')
    expect(await result.finishReason).toBe('content-filter')
  })

  it('tells of a stream that was blocked at once, and of one that failed later', async () => {
    const errors: unknown[] = []
    const ask = () =>
      streamText({ model: model(), prompt: 'Hi', maxRetries: 0, onError: ({ error }) => void errors.push(error) })
    streaming(chunk({ content: BAD }) + DONE)
    await drain(ask().textStream)
    expect(errors.at(-1)).toMatchObject({ statusCode: 451 })
    failingFor('WITHHELD')
    streaming(chunk({ content: 'A fine start. ' }), chunk({ content: 'WITHHELD' }) + DONE)
    const { read } = await drain(ask().textStream)
    expect(read.join('')).toBe('A fine start. ')
    expect(JSON.stringify(errors.at(-1)) + String(errors.at(-1))).toMatch(/guard/i)
  })
})
