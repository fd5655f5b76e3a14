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
import { REPLIES } from '../../dialects/replies.js'
import { markerGuard } from '../../helpers/guards.js'
import { chat, send, serve, type Running } from '../../helpers/http.js'

/** What an upstream answers, by its path. */
const ANSWERS: Readonly<Record<string, (text: string) => object>> = {
  '/v1/messages': REPLIES['anthropic-messages']!,
  '/v2/chat': REPLIES['cohere-chat']!,
  '/api/chat': REPLIES['ollama-chat']!,
  '/v1beta/interactions': REPLIES['gemini-interactions']!,
  '/v1beta/models/m:generateContent': (text) => ({
    candidates: [{ index: 0, content: { role: 'model', parts: [{ text }] }, finishReason: 'STOP' }],
  }),
}

let upstream: Running
let gateway: Gateway
let words: string
const asked: { url: string; headers: IncomingMessage['headers'] }[] = []

beforeAll(async () => {
  upstream = await serve((req, res) => {
    const { url = '', headers } = req
    asked.push({ url, headers })
    const replying = ANSWERS[url.split('?', 1)[0]!.replace(':streamG', ':g')] ?? REPLIES['bedrock-converse']!
    req.resume().on('end', () => {
      res.setHeader('content-type', 'application/json').end(JSON.stringify(replying(words)))
    })
  })
  gateway = await startGateway({
    port: 0,
    drainMs: 0,
    env: {},
    options: {
      guard: markerGuard(),
      upstream: { url: upstream.url, apiKey: 'operator' },
      logger: false,
      cacheMax: 0,
    },
  })
})
afterAll(async () => {
  await gateway.stop()
  await upstream.close()
})
beforeEach(() => {
  words = 'Hello there.'
  asked.length = 0
})

/** Asks a question by the client of an API; and the header of its key. */
const CLIENTS: Readonly<Record<string, { ask: (question: string) => Promise<string | undefined>; key: string }>> = {
  Anthropic: {
    key: 'x-api-key',
    async ask(content) {
      const { messages } = new Anthropic({ apiKey: 'key-of-the-app', baseURL: gateway.url, maxRetries: 0 })
      const reply = await messages.create({ model: 'm', max_tokens: 9, messages: [{ role: 'user', content }] })
      const [part] = reply.content
      return part?.type === 'text' ? part.text : undefined
    },
  },
  Ollama: {
    key: 'authorization',
    async ask(content) {
      const ollama = new Ollama({ host: gateway.url })
      const reply = await ollama.chat({ model: 'llama3.2', messages: [{ role: 'user', content }], stream: false })
      return reply.message.content
    },
  },
  Cohere: {
    key: 'authorization',
    async ask(content) {
      const cohere = new CohereClientV2({ token: 'key-of-the-app', environment: gateway.url, maxRetries: 0 })
      const part = (await cohere.chat({ model: 'm', messages: [{ role: 'user', content }] })).message.content?.[0]
      return part?.type === 'text' ? part.text : undefined
    },
  },
  Gemini: {
    key: 'x-goog-api-key',
    async ask(contents) {
      const httpOptions = { baseUrl: gateway.url, retryOptions: { attempts: 1 } }
      const { models } = new GoogleGenAI({ apiKey: 'key-of-the-app', httpOptions })
      return (await models.generateContent({ model: 'm', contents })).text
    },
  },
  "Gemini's Interactions": {
    key: 'x-goog-api-key',
    async ask(input) {
      const { interactions } = new GoogleGenAI({ apiKey: 'key-of-the-app', httpOptions: { baseUrl: gateway.url } })
      const options = { retries: { strategy: 'none' } } as const
      return (await interactions.create({ model: 'gemini-3-flash-preview', input }, options)).output_text
    },
  },
}

describe.each(Object.entries(CLIENTS))('the client of %s', (_name, { ask, key }) => {
  it('chats, with the key of the operator', async () => {
    expect(await ask('hello')).toBe('Hello there.')
    expect(asked[0]?.headers[key]).toBe(key === 'authorization' ? 'Bearer operator' : 'operator')
    expect(JSON.stringify(asked[0]?.headers)).not.toContain('key-of-the-app')
  })

  it('is refused an unsafe question, which no model hears, and an unsafe reply', async () => {
    await expect(ask('UNSAFE')).rejects.toThrow(/[Bb]locked/)
    expect(asked).toEqual([])
    words = 'UNSAFE'
    await expect(ask('hello')).rejects.toThrow(/[Bb]locked/)
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
  await send(`${gateway.url}${path}?alt=sse&key=client`, { body: { contents: [{ parts: [{ text: 'hello' }] }] } })
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
    options: { guard: markerGuard(), upstream: { endpoint: 'chat' }, logger: false },
  })
  const reply = await send(`${other.url}/api/chat`, { body: chat('hello') })
  await other.stop()
  expect(reply.status).toBe(404)
})
