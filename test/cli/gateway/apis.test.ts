// The paths of other APIs than OpenAI's through the gateway, each with its own client and an upstream that plays it.
import Anthropic from '@anthropic-ai/sdk'
import { BedrockRuntimeClient, ConverseCommand, ConverseStreamCommand } from '@aws-sdk/client-bedrock-runtime'
import { GoogleGenAI } from '@google/genai'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { CohereClientV2 } from 'cohere-ai'
import { Ollama } from 'ollama'
import type { IncomingMessage } from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startGateway, type Gateway } from '../../../src/cli/gateway/index.js'
import { heard, markerGuard } from '../../helpers/guards.js'
import { listen, type Listening, readBody } from '../../upstream/helpers.js'

const QUIET = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }

/** How an upstream writes the words of a stream, by its path. */
interface Played {
  readonly type: string
  readonly whole: (text: string) => unknown
  readonly frame: (text: string, last: boolean) => string
}
const ollamaLine = (content: string, done: boolean): object => ({
  model: 'llama3.2',
  created_at: '2026-01-01T00:00:00Z',
  message: { role: 'assistant', content },
  done,
  ...(done && { done_reason: 'stop' }),
})
const geminiChunk = (text: string, last: boolean): object => ({
  candidates: [{ index: 0, content: { role: 'model', parts: [{ text }] }, ...(last && { finishReason: 'STOP' }) }],
})
const converseReply = (text: string): object => ({
  output: { message: { role: 'assistant', content: [{ text }] } },
  stopReason: 'end_turn',
  usage: { inputTokens: 1, outputTokens: 1, totalTokens: 2 },
  metrics: { latencyMs: 1 },
})
const cohereEvents = (text: string, last: boolean): object[] => [
  { type: 'content-delta', index: 0, delta: { message: { content: { text } } } },
  ...(last ? [{ type: 'message-end', delta: { finish_reason: 'COMPLETE' } }] : []),
]
const anthropicHead = { id: 'msg_1', type: 'message', role: 'assistant', model: 'm', content: [], usage: {} }
const anthropicEvents = (text: string, last: boolean): { type: string }[] =>
  [
    { type: 'message_start', message: anthropicHead },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
  ]
    .slice(0, text === 'Hello ' ? 2 : 0)
    .concat(
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } } as never,
      ...(last
        ? ([
            { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: {} },
            { type: 'message_stop' },
          ] as never[])
        : []),
    )
const PLAYED: Readonly<Record<string, Played>> = {
  '/v1/messages': {
    type: 'text/event-stream',
    whole: (text) => ({ ...anthropicHead, content: [{ type: 'text', text }], stop_reason: 'end_turn' }),
    frame: (text, last) =>
      anthropicEvents(text, last)
        .map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
        .join(''),
  },
  '/v2/chat': {
    type: 'text/event-stream',
    whole: (text) => ({
      id: 'c1',
      finish_reason: 'COMPLETE',
      message: { role: 'assistant', content: [{ type: 'text', text }] },
    }),
    frame: (text, last) =>
      cohereEvents(text, last)
        .map((event) => `data: ${JSON.stringify(event)}\n\n`)
        .join(''),
  },
  '/api/chat': {
    type: 'application/x-ndjson',
    whole: (text) => ollamaLine(text, true),
    frame: (text, last) => `${JSON.stringify(ollamaLine(text, last))}\n`,
  },
  '/v1beta/models/m:streamGenerateContent': {
    type: 'text/event-stream',
    whole: (text) => geminiChunk(text, true),
    frame: (text, last) => `data: ${JSON.stringify(geminiChunk(text, last))}\n\n`,
  },
}

let upstream: Listening
let gateway: Gateway
let words: string[]
const guard = markerGuard()
const asked: { url: string; headers: IncomingMessage['headers'] }[] = []

beforeAll(async () => {
  upstream = await listen((req, res) => {
    void (async () => {
      const { url = '' } = req
      asked.push({ url, headers: req.headers })
      const body = JSON.parse((await readBody(req)).toString()) as { stream?: boolean }
      const path = url.split('?', 1)[0]!
      if (path.endsWith('/converse'))
        return res.setHeader('content-type', 'application/json').end(JSON.stringify(converseReply(words.join(''))))
      const played = PLAYED[path] ?? PLAYED[path.replace(':g', ':streamG')]!
      if (!(body.stream ?? path.includes(':stream')))
        return res.setHeader('content-type', 'application/json').end(JSON.stringify(played.whole(words.join(''))))
      res.setHeader('content-type', played.type)
      for (const [at, word] of words.entries()) {
        res.write(played.frame(word, at === words.length - 1))
        await heard(guard, word)
      }
      return res.end()
    })()
  })
  gateway = await startGateway({
    port: 0,
    drainMs: 0,
    env: {},
    options: {
      guard,
      upstream: { url: upstream.url, apiKey: 'operator' },
      logger: QUIET,
      windowMs: 20,
      cacheMax: 0,
    },
  })
})
afterAll(async () => {
  await gateway.stop()
  await upstream.close()
})
beforeEach(() => {
  guard.asked.length = 0
  words = ['Hello ', 'there.']
  asked.length = 0
})

/** Words of a stream, and the reasons for its end. */
interface Said {
  text: string
  reasons: unknown[]
}
interface Client {
  whole(question: string): Promise<string | undefined>
  stream(question: string): Promise<Said>
}
const CLIENTS: Readonly<Record<string, { client: () => Client; cutShort: string; key: string }>> = {
  Anthropic: {
    key: 'x-api-key',
    cutShort: 'refusal',
    client() {
      const { messages } = new Anthropic({ apiKey: 'key-of-the-app', baseURL: gateway.url, maxRetries: 0 })
      const ask = (content: string) => ({ model: 'm', max_tokens: 9, messages: [{ role: 'user' as const, content }] })
      return {
        async whole(question) {
          const [part] = (await messages.create(ask(question))).content
          return part?.type === 'text' ? part.text : undefined
        },
        async stream(question) {
          const said: Said = { text: '', reasons: [] }
          for await (const event of await messages.create({ ...ask(question), stream: true })) {
            if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') said.text += event.delta.text
            if (event.type === 'message_delta') said.reasons.push(event.delta.stop_reason)
          }
          return said
        },
      }
    },
  },
  Ollama: {
    key: 'authorization',
    cutShort: 'content_filter',
    client() {
      const ollama = new Ollama({ host: gateway.url })
      const ask = (content: string) => ({ model: 'llama3.2', messages: [{ role: 'user', content }] })
      return {
        whole: async (question) => (await ollama.chat({ ...ask(question), stream: false })).message.content,
        async stream(question) {
          const said: Said = { text: '', reasons: [] }
          for await (const { message, done_reason } of await ollama.chat({ ...ask(question), stream: true })) {
            said.text += message.content
            if (done_reason) said.reasons.push(done_reason)
          }
          return said
        },
      }
    },
  },
  Cohere: {
    key: 'authorization',
    cutShort: 'ERROR',
    client() {
      const cohere = new CohereClientV2({ token: 'key-of-the-app', environment: gateway.url, maxRetries: 0 })
      const ask = (content: string) => ({ model: 'm', messages: [{ role: 'user' as const, content }] })
      return {
        async whole(question) {
          const part = (await cohere.chat(ask(question))).message.content?.[0]
          return part?.type === 'text' ? part.text : undefined
        },
        async stream(question) {
          const said: Said = { text: '', reasons: [] }
          for await (const event of await cohere.chatStream(ask(question))) {
            if (event.type === 'content-delta') said.text += event.delta?.message?.content?.text ?? ''
            if (event.type === 'message-end') said.reasons.push(event.delta?.finishReason)
          }
          return said
        },
      }
    },
  },
  Gemini: {
    key: 'x-goog-api-key',
    cutShort: 'SAFETY',
    client() {
      const httpOptions = { baseUrl: gateway.url, retryOptions: { attempts: 1 } }
      const { models } = new GoogleGenAI({ apiKey: 'key-of-the-app', httpOptions })
      return {
        whole: async (contents) => (await models.generateContent({ model: 'm', contents })).text,
        async stream(contents) {
          const said: Said = { text: '', reasons: [] }
          for await (const chunk of await models.generateContentStream({ model: 'm', contents })) {
            said.text += chunk.text ?? ''
            const reason = chunk.candidates?.[0]?.finishReason
            if (reason) said.reasons.push(reason)
          }
          return said
        },
      }
    },
  },
}

describe.each(Object.entries(CLIENTS))('the client of %s', (_name, { client, cutShort, key }) => {
  it('chats and streams, with the key of the operator', async () => {
    expect(await client().whole('hello')).toBe('Hello there.')
    const { text, reasons } = await client().stream('hello')
    expect([text, reasons.length]).toEqual(['Hello there.', 1])
    for (const { headers } of asked) {
      expect(headers[key]).toBe(key === 'authorization' ? 'Bearer operator' : 'operator')
      expect(JSON.stringify(headers)).not.toContain('key-of-the-app')
    }
    expect(asked.at(-1)?.headers['accept-encoding']).toBe('identity')
  })

  it('is refused with 451, and the model is not asked', async () => {
    await expect(client().whole('UNSAFE')).rejects.toThrow(/[Bb]locked/)
    await expect(client().stream('UNSAFE')).rejects.toThrow(/[Bb]locked/)
    expect(asked).toEqual([])
  })

  it('is stopped in the middle by the words of its own API', async () => {
    words = ['Hello ', 'there, ', 'UNSAFE', ' and more']
    expect(await client().stream('hello')).toEqual({ text: 'Hello there, ', reasons: [cutShort] })
    await expect(client().whole('hello')).rejects.toThrow(/[Bb]locked/)
  })
})

it("The AWS SDK's client of Bedrock chats by Converse and is refused; its binary stream is not served.", async () => {
  const bedrock = new BedrockRuntimeClient({
    endpoint: gateway.url,
    region: 'us-east-1',
    token: { token: 'key-of-the-app' },
    authSchemePreference: ['httpBearerAuth'],
    requestHandler: new NodeHttpHandler(),
    maxAttempts: 1,
  })
  const input = (text: string) => ({
    modelId: 'arn:aws:bedrock:us-east-1:1:inference-profile/m',
    messages: [{ role: 'user' as const, content: [{ text }] }],
  })
  const { output } = await bedrock.send(new ConverseCommand(input('hello')))
  expect(output?.message?.content).toEqual([{ text: 'Hello there.' }])
  expect(asked[0]?.headers.authorization).toBe('Bearer operator')
  await expect(bedrock.send(new ConverseCommand(input('UNSAFE')))).rejects.toThrow(/[Bb]locked/)
  await expect(bedrock.send(new ConverseStreamCommand(input('hello')))).rejects.toMatchObject({
    $metadata: { httpStatusCode: 404 },
  })
  expect(asked.length).toBe(1)
})

it('A key of the client in the query of Gemini is not sent beside that of the operator.', async () => {
  const path = '/v1beta/models/m:streamGenerateContent'
  const body = JSON.stringify({ contents: [{ parts: [{ text: 'hello' }] }] })
  const headers = { 'content-type': 'application/json' }
  await (await fetch(`${gateway.url}${path}?alt=sse&key=client`, { method: 'POST', body, headers })).text()
  expect(asked.map(({ url }) => url)).toEqual([`${path}?alt=sse`])
})

it.each([
  ['POST', '/v1beta/models/m:embedContent', 404],
  ['POST', '/v1beta/models/m:generateContent/more', 404],
  ['POST', '/v1beta/../x:generateContentX', 404],
  ['POST', '/api/generate', 404],
  ['GET', '/api/chat', 405],
])('%s %s is answered %i here and goes nowhere', async (method, path, status) => {
  const reply = await fetch(`${gateway.url}${path}`, { method, ...(method === 'POST' && { body: '{}' }) })
  expect([reply.status, asked.length]).toEqual([status, 0])
})

it('An upstream on SageMaker, which speaks Chat Completions alone, serves none of them.', async () => {
  const other = await startGateway({
    port: 0,
    drainMs: 0,
    env: { AWS_REGION: 'eu-west-1' },
    options: { guard: markerGuard(), upstream: { endpoint: 'chat' }, logger: QUIET },
  })
  const body = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'hello' }] })
  const headers = { 'content-type': 'application/json' }
  const reply = await fetch(`${other.url}/api/chat`, { method: 'POST', body, headers })
  await other.stop()
  expect(reply.status).toBe(404)
})
