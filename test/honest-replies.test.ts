// Replies that their APIs document, whole and as streams, on a guarded app and on a guarded route, beside the same
// handler without a guard: same status, headers, bytes, and the same in the hands of each client.
import { HttpAgent } from '@ag-ui/client'
import Anthropic from '@anthropic-ai/sdk'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { GoogleGenAI as GoogleGenAI2 } from '@google/genai'
import { Client as LangGraph } from '@langchain/langgraph-sdk'
import { ChatOpenAI } from '@langchain/openai'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import * as ai6 from 'ai'
import * as ai7 from 'ai7'
import { CohereClientV2 } from 'cohere-ai'
import express, { type Express, type RequestHandler } from 'express'
import { GoogleGenAI as GoogleGenAI3 } from 'genai3'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Ollama } from 'ollama'
import OpenAI6 from 'openai'
import OpenAI7 from 'openai7'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { CHATS, SEALED, WHOLE } from './dialects/documented-replies.js'
import { ask, comparable, guarded } from './helpers/apps.js'
import { chat, chunk, completion, type Running, serve } from './helpers/http.js'

const EVENTS = 'text/event-stream'
const data = (value: unknown): string => `data: ${typeof value === 'string' ? value : JSON.stringify(value)}\n\n`
const named = (value: { type: string; [key: string]: unknown }): string => `event: ${value.type}\n${data(value)}`
const line = (value: unknown): string => `${JSON.stringify(value)}\n`

/** A documented stream: its path, its type and what its server writes. */
type Written = readonly [path: string, type: string, frames: readonly string[]]
const TOOL = { index: 0, id: 'call_1', type: 'function', function: { name: 'look_up', arguments: '' } }
const logprobs = { content: [{ token: ' float', logprob: -0.1, bytes: [32, 102], top_logprobs: [] }], refusal: null }
const usage = { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12 }
const STREAMS: Readonly<Record<string, Written>> = {
  'Chat Completions': [
    '/v1/chat/completions',
    EVENTS,
    [
      chunk({ role: 'assistant', content: '', refusal: null }),
      chunk({ reasoning_content: 'They ask about boats.' }),
      ...['Boats', ' float', ' on water.'].map((content) => chunk({ content })),
      chunk({ content: ' Well.' }).replace('"finish_reason"', `"logprobs":${JSON.stringify(logprobs)},"finish_reason"`),
      ': OPENROUTER PROCESSING\n\n',
      chunk({ tool_calls: [TOOL] }),
      chunk({ tool_calls: [{ index: 0, function: { arguments: '{"word":' } }] }),
      chunk({ tool_calls: [{ index: 0, function: { arguments: '"keel"}' } }] }),
      chunk({}, { finish: 'tool_calls' }),
      data({
        id: 'chatcmpl-1',
        object: 'chat.completion.chunk',
        created: 1,
        model: 'm',
        choices: [],
        usage,
        obfuscation: 'aZ3',
      }),
      'data: [DONE]\n\n',
    ],
  ],
  Responses: [
    '/v1/responses',
    EVENTS,
    [
      { type: 'response.created', response: { id: 'resp_1', object: 'response', status: 'in_progress', output: [] } },
      {
        type: 'response.output_item.added',
        output_index: 0,
        item: { id: 'rs_1', type: 'reasoning', summary: [], encrypted_content: SEALED },
      },
      {
        type: 'response.output_item.done',
        output_index: 0,
        item: { id: 'rs_1', type: 'reasoning', summary: [], encrypted_content: SEALED },
      },
      {
        type: 'response.output_item.added',
        output_index: 1,
        item: { id: 'msg_1', type: 'message', role: 'assistant', status: 'in_progress', content: [] },
      },
      {
        type: 'response.content_part.added',
        item_id: 'msg_1',
        output_index: 1,
        content_index: 0,
        part: { type: 'output_text', text: '', annotations: [] },
      },
      ...['Boats', ' float.'].map((delta) => ({
        type: 'response.output_text.delta',
        item_id: 'msg_1',
        output_index: 1,
        content_index: 0,
        delta,
        logprobs: [],
        obfuscation: 'x8f',
      })),
      { type: 'response.output_text.done', item_id: 'msg_1', output_index: 1, content_index: 0, text: 'Boats float.' },
      {
        type: 'response.output_item.done',
        output_index: 1,
        item: {
          id: 'msg_1',
          type: 'message',
          role: 'assistant',
          status: 'completed',
          content: [{ type: 'output_text', text: 'Boats float.', annotations: [] }],
        },
      },
      { type: 'response.completed', response: { id: 'resp_1', object: 'response', status: 'completed', output: [] } },
    ].map((event, sequence_number) => named({ ...event, sequence_number })),
  ],
  Messages: [
    '/v1/messages',
    EVENTS,
    [
      {
        type: 'message_start',
        message: {
          id: 'msg_1',
          type: 'message',
          role: 'assistant',
          model: 'm',
          content: [],
          stop_reason: null,
          stop_sequence: null,
          usage: { input_tokens: 9, output_tokens: 1 },
        },
      },
      { type: 'content_block_start', index: 0, content_block: { type: 'thinking', thinking: '', signature: '' } },
      { type: 'ping' },
      { type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: 'They ask about boats.' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'signature_delta', signature: SEALED } },
      { type: 'content_block_stop', index: 0 },
      { type: 'content_block_start', index: 1, content_block: { type: 'redacted_thinking', data: SEALED } },
      { type: 'content_block_stop', index: 1 },
      { type: 'content_block_start', index: 2, content_block: { type: 'text', text: '' } },
      ...['Boats', ' float.'].map((text) => ({
        type: 'content_block_delta',
        index: 2,
        delta: { type: 'text_delta', text },
      })),
      { type: 'content_block_stop', index: 2 },
      {
        type: 'content_block_start',
        index: 3,
        content_block: { type: 'tool_use', id: 'toolu_1', name: 'look_up', input: {} },
      },
      { type: 'content_block_delta', index: 3, delta: { type: 'input_json_delta', partial_json: '{"word": "keel"}' } },
      { type: 'content_block_stop', index: 3 },
      { type: 'message_delta', delta: { stop_reason: 'tool_use', stop_sequence: null }, usage: { output_tokens: 12 } },
      { type: 'message_stop' },
    ].map(named),
  ],
  Gemini: [
    '/v1beta/models/m:streamGenerateContent',
    EVENTS,
    [
      [{ text: 'They ask about boats.', thought: true }],
      [{ text: 'Boats' }],
      [{ text: ' float.', thoughtSignature: SEALED }],
      [{ functionCall: { name: 'look_up', args: { word: 'keel' } } }],
    ].map((parts, at) =>
      data({
        candidates: [{ content: { parts, role: 'model' }, index: 0, ...(at === 3 && { finishReason: 'STOP' }) }],
        usageMetadata: { promptTokenCount: 9 },
        modelVersion: 'gemini-2.5-flash',
        responseId: 'c1uvaL6lGpSXkdUPpc6z0Qs',
      }).replaceAll('\n', '\r\n'),
    ),
  ],
  Ollama: [
    '/api/chat',
    'application/x-ndjson',
    [
      ...['Boats', ' float.'].map((content) =>
        line({
          model: 'm',
          created_at: '2026-01-01T00:00:00.1Z',
          message: { role: 'assistant', content },
          done: false,
        }),
      ),
      line({
        model: 'm',
        created_at: '2026-01-01T00:00:01Z',
        message: { role: 'assistant', content: '' },
        done: true,
        done_reason: 'stop',
        total_duration: 4935886791,
        eval_count: 3,
      }),
    ],
  ],
  'the AI SDK': [
    '/api/use-chat',
    EVENTS,
    [
      { type: 'start', messageId: 'Wm2z' },
      { type: 'start-step' },
      {
        type: 'reasoning-start',
        id: 'rs_1:0',
        providerMetadata: { openai: { itemId: 'rs_1', reasoningEncryptedContent: SEALED } },
      },
      { type: 'reasoning-delta', id: 'rs_1:0', delta: 'They ask about boats.' },
      { type: 'reasoning-end', id: 'rs_1:0' },
      { type: 'text-start', id: 'msg_1' },
      ...['Boats', ' float.'].map((delta) => ({ type: 'text-delta', id: 'msg_1', delta })),
      { type: 'text-end', id: 'msg_1' },
      { type: 'source-url', sourceId: 's1', url: 'https://example.com/boats', title: 'Boats' },
      { type: 'tool-input-start', toolCallId: 'call_1', toolName: 'look_up' },
      { type: 'tool-input-available', toolCallId: 'call_1', toolName: 'look_up', input: { word: 'keel' } },
      { type: 'tool-output-available', toolCallId: 'call_1', output: { means: 'the lowest beam' } },
      { type: 'data-weather', id: 'w1', data: { degrees: [12, 14.5] } },
      { type: 'finish-step' },
      { type: 'finish' },
      '[DONE]',
    ].map(data),
  ],
  'AG-UI': [
    '/agent',
    EVENTS,
    [
      { type: 'RUN_STARTED', threadId: 't', runId: 'r' },
      { type: 'STATE_SNAPSHOT', snapshot: { scores: [1, 2, 3] } },
      { type: 'TEXT_MESSAGE_START', messageId: 'm1', role: 'assistant' },
      ...['Boats', ' float.'].map((delta) => ({ type: 'TEXT_MESSAGE_CONTENT', messageId: 'm1', delta })),
      { type: 'TEXT_MESSAGE_END', messageId: 'm1' },
      { type: 'TOOL_CALL_START', toolCallId: 'c1', toolCallName: 'look_up', parentMessageId: 'm1' },
      { type: 'TOOL_CALL_ARGS', toolCallId: 'c1', delta: '{"word":"keel"}' },
      { type: 'TOOL_CALL_END', toolCallId: 'c1' },
      { type: 'STATE_DELTA', delta: [{ op: 'replace', path: '/scores', value: [4] }] },
      { type: 'RUN_FINISHED', threadId: 't', runId: 'r' },
    ].map(data),
  ],
  Cohere: [
    '/v2/chat',
    EVENTS,
    [
      {
        type: 'message-start',
        id: 'c1',
        delta: { message: { role: 'assistant', content: [], tool_plan: '', tool_calls: [], citations: [] } },
      },
      { type: 'content-start', index: 0, delta: { message: { content: { type: 'text', text: '' } } } },
      ...['Boats', ' float.'].map((text) => ({
        type: 'content-delta',
        index: 0,
        delta: { message: { content: { text } } },
      })),
      { type: 'content-end', index: 0 },
      {
        type: 'message-end',
        delta: { finish_reason: 'COMPLETE', usage: { tokens: { input_tokens: 9, output_tokens: 3 } } },
      },
    ].map(named),
  ],
  LangGraph: [
    '/runs/stream',
    EVENTS,
    [
      'event: metadata\ndata: {"run_id":"1ef7c6ba-3ba3-6d3b-b4f0-3ba1c1b1c1b1","attempt":1}\n\n',
      ...['Boats', ' float.'].map(
        (content) =>
          `event: messages\n${data([
            { content, type: 'AIMessageChunk', id: 'run-7', tool_calls: [], response_metadata: {} },
            { langgraph_node: 'agent', langgraph_step: 1 },
          ])}`,
      ),
      `event: values\n${data({
        messages: [
          { content: 'hi', type: 'human', id: '1' },
          { content: 'Boats float.', type: 'ai', id: 'run-7' },
        ],
      })}`,
      'event: end\ndata: null\n\n',
    ],
  ],
  MCP: [
    '/mcp',
    EVENTS,
    [
      `id: 1\n${data('')}`,
      `event: message\nid: 2\n${data({ jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 1, progress: 1, total: 2 } })}`,
      `event: message\nid: 3\n${data({ jsonrpc: '2.0', id: 1, result: { content: [{ type: 'text', text: 'Boats float.' }], structuredContent: { afloat: true } } })}`,
    ],
  ],
  'text of an app': ['/app/text', 'text/plain; charset=utf-8', ['Boats', ' float', ' on water.\n']],
  'words of an app': ['/app/events', EVENTS, ['Boats', 'float', 'on water.'].map(data)],
  'tokens of an app': ['/app/lines', 'application/x-ndjson', ['Boats', ' float'].map((token) => line({ token }))],
}

/** The reply of each path that is no stream. */
const JSONS: Readonly<Record<string, unknown>> = {
  ...Object.fromEntries(WHOLE.map(([name, , reply]) => [`/json/${encodeURIComponent(name)}`, reply])),
  '/v1/chat/completions': CHATS['OpenAI'] ?? completion('Boats float.'),
  '/v1/responses': WHOLE.find(([name]) => name === 'Responses')![2],
  '/v1/messages': WHOLE.find(([name]) => name === 'Messages')![2],
  '/v1beta/models/m:generateContent': WHOLE.find(([name]) => name === 'Gemini')![2],
  '/v2/chat': WHOLE.find(([name]) => name === 'Cohere')![2],
  '/api/chat': WHOLE.find(([name]) => name === 'Ollama')![2],
}

const handler = async (req: IncomingMessage & { body?: { stream?: boolean } }, res: ServerResponse): Promise<void> => {
  const path = req.url!.split('?')[0]!.replace('/threads/4f1b2c3d-0a1b-4c2d-8e3f-5a6b7c8d9e0f', '')
  const [, type, frames] = Object.values(STREAMS).find(([each]) => path === each) ?? []
  // Version 3 of Google's client and the AI SDK ask other paths for streams; Ollama streams unless told not to.
  const wantsStream = frames !== undefined && (JSONS[path] === undefined || req.body?.stream === true)
  if (!wantsStream) return void res.setHeader('content-type', 'application/json').end(JSON.stringify(JSONS[path] ?? {}))
  res.writeHead(200, {
    'content-type': type,
    'cache-control': 'no-cache',
    'x-served-by': 'test',
    ...(path === '/api/use-chat' && { 'x-vercel-ai-ui-message-stream': 'v1' }),
  })
  for (const frame of frames) {
    res.write(frame)
    await new Promise(setImmediate)
  }
  res.end()
}

const MOUNTS: Readonly<Record<string, (app: Express) => Express>> = {
  'without us': (app) => app,
  'with us app-wide': (app) => app.use(guarded() as RequestHandler),
  'with us on a route': (app) => app.all(/.*/, guarded() as RequestHandler),
}
const servers = new Map<string, Running>()
beforeAll(async () => {
  for (const [name, mount] of Object.entries(MOUNTS))
    servers.set(name, await serve(mount(express().use(express.json())).use(handler as RequestHandler)))
})
afterAll(() => Promise.all([...servers.values()].map((server) => server.close())))
afterEach(async () => {
  for (const transport of transports.splice(0)) await transport.close()
})
const GUARDED = Object.keys(MOUNTS).slice(1)
const at = (mount: string): string => servers.get(mount)!.url

describe.each(GUARDED)('%s', (mount) => {
  it.each(WHOLE.map(([name]) => name))('a reply of %s is as without us', async (name) => {
    const path = `/json/${encodeURIComponent(name)}`
    const [got, twin] = await Promise.all(
      [mount, 'without us'].map((each) => ask(at(each) + path, { body: chat('hi') })),
    )
    expect([twin!.status, twin!.text]).toEqual([200, JSON.stringify(JSONS[path])])
    expect(comparable(got!)).toEqual(comparable(twin!))
  })

  it.each(Object.entries(STREAMS))('a stream of %s is as without us', async (_name, [path]) => {
    const body = chat('hi', { stream: true })
    const [got, twin] = await Promise.all([mount, 'without us'].map((each) => ask(at(each) + path, { body })))
    expect(twin!.headers['x-served-by']).toBe('test')
    expect(comparable(got!)).toEqual(comparable(twin!))
  })
})

const all = async (stream: AsyncIterable<unknown> | Promise<AsyncIterable<unknown>>): Promise<unknown[]> => {
  const items: unknown[] = []
  for await (const item of await stream) items.push(item)
  return items
}
const hi = [{ role: 'user' as const, content: 'hi' }]
const openai = (OpenAI: typeof OpenAI6) => ({
  'a chat': (url: string) =>
    new OpenAI({ apiKey: 'x', baseURL: `${url}/v1` }).chat.completions.create({ model: 'm', messages: hi }),
  'a stream': (url: string) =>
    all(
      new OpenAI({ apiKey: 'x', baseURL: `${url}/v1` }).chat.completions.create({
        model: 'm',
        messages: hi,
        stream: true,
      }),
    ),
  'a response': (url: string) =>
    new OpenAI({ apiKey: 'x', baseURL: `${url}/v1` }).responses.create({ model: 'm', input: 'hi' }),
  'a stream of Responses': (url: string) =>
    all(new OpenAI({ apiKey: 'x', baseURL: `${url}/v1` }).responses.create({ model: 'm', input: 'hi', stream: true })),
})
const anthropic = (url: string) => new Anthropic({ apiKey: 'x', baseURL: url }).messages
const asked = { model: 'm', max_tokens: 9, messages: hi }
const genai = (GoogleGenAI: typeof GoogleGenAI2) => {
  const models = (url: string) =>
    new GoogleGenAI({ apiKey: 'x', httpOptions: { baseUrl: url, apiVersion: 'v1beta' } }).models
  return {
    'a chat': (url: string) => models(url).generateContent({ model: 'm', contents: 'hi' }),
    'a stream': (url: string) => all(models(url).generateContentStream({ model: 'm', contents: 'hi' })),
  }
}
const aiSdk = (ai: typeof ai6) => {
  const model = (url: string) => createOpenAICompatible({ name: 'x', baseURL: `${url}/v1`, apiKey: 'x' })('m')
  return {
    'a chat': async (url: string) => (await ai.generateText({ model: model(url), prompt: 'hi' })).text,
    'a stream': (url: string) => all(ai.streamText({ model: model(url), prompt: 'hi' }).textStream),
    'the transport of useChat': async (url: string) => {
      const messages = [{ id: '1', role: 'user' as const, parts: [{ type: 'text' as const, text: 'hi' }] }]
      const transport = new ai.DefaultChatTransport({ api: `${url}/api/use-chat` })
      const how = { trigger: 'submit-message' as const, chatId: 'c', messageId: undefined, abortSignal: undefined }
      const stream = await transport.sendMessages({ ...how, messages })
      return (await all(ai.readUIMessageStream({ stream, terminateOnError: true }))).at(-1)
    },
  }
}
const cohere = (url: string) => new CohereClientV2({ token: 't', environment: url, maxRetries: 0 })
const transports: StreamableHTTPClientTransport[] = []
const ollama = (url: string) => new Ollama({ host: url })
const langchain = (url: string) => new ChatOpenAI({ apiKey: 'x', model: 'm', configuration: { baseURL: `${url}/v1` } })

const CLIENTS: Readonly<Record<string, Readonly<Record<string, (url: string) => PromiseLike<unknown>>>>> = {
  'openai 6': openai(OpenAI6),
  'openai 7': openai(OpenAI7 as unknown as typeof OpenAI6),
  '@anthropic-ai/sdk': {
    'a message': (url) => anthropic(url).create(asked),
    'a stream': (url) => all(anthropic(url).create({ ...asked, stream: true })),
    'the helper of streams': (url) => anthropic(url).stream(asked).finalMessage(),
  },
  '@google/genai 2': genai(GoogleGenAI2),
  '@google/genai 3': genai(GoogleGenAI3 as unknown as typeof GoogleGenAI2),
  'ai 6': aiSdk(ai6),
  'ai 7': aiSdk(ai7 as unknown as typeof ai6),
  '@langchain/openai': {
    'a chat': async (url) => (await langchain(url).invoke('hi')).toDict().data,
    'a stream': async (url) =>
      (await all(langchain(url).stream('hi'))).map((part) => (part as { content: unknown }).content),
  },
  ollama: {
    'a chat': (url) => ollama(url).chat({ model: 'm', messages: hi }),
    'a stream': (url) => all(ollama(url).chat({ model: 'm', messages: hi, stream: true })),
  },
  'cohere-ai': {
    'a chat': (url) => cohere(url).chat({ model: 'm', messages: hi }),
    'a stream': (url) => all(cohere(url).chatStream({ model: 'm', messages: hi })),
  },
  '@ag-ui/client': {
    'a run': async (url) => {
      const agent = new HttpAgent({ url: `${url}/agent`, initialMessages: [{ id: '1', role: 'user', content: 'hi' }] })
      await agent.runAgent({ runId: 'r' })
      return [agent.messages, agent.state]
    },
  },
  '@langchain/langgraph-sdk': {
    'a run': (url) =>
      all(
        new LangGraph({ apiUrl: url, callerOptions: { maxRetries: 0 } }).runs.stream(
          '4f1b2c3d-0a1b-4c2d-8e3f-5a6b7c8d9e0f',
          'agent',
          { input: { messages: hi }, streamMode: ['messages-tuple', 'values'] },
        ),
      ),
  },
  '@modelcontextprotocol/sdk': {
    'a call': async (url) => {
      const transport = new StreamableHTTPClientTransport(new URL(`${url}/mcp`))
      const got: unknown[] = []
      transport.onmessage = (message) => void got.push(message)
      await transport.start()
      await transport.send({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'f', arguments: {} } })
      await vi.waitFor(() => expect(got).toHaveLength(2))
      // Closed when its answer has been compared: it would ask for the stream again.
      transports.push(transport)
      return got
    },
  },
}

const ROWS = Object.entries(CLIENTS).flatMap(([name, calls]) => Object.keys(calls).map((call) => [name, call] as const))

it.each(ROWS)('%s gets %s as without us', async (name, call) => {
  const seen = async (mount: string): Promise<unknown> => {
    const result = await CLIENTS[name]![call]!(at(mount))
    // Google's client hands out the headers.
    return JSON.parse(JSON.stringify(result).replaceAll(at(mount), ''), (key, value: unknown) =>
      /^(?:date|llama-guard)$/.test(key) ? undefined : value,
    )
  }
  const twin = await seen('without us')
  expect(JSON.stringify(twin)).toMatch(/float/)
  for (const mount of GUARDED) expect(await seen(mount)).toEqual(twin)
})
