// The clients of chat apps at their defaults, newest and previous major, against the five ways a guarded chat can go.
// `ofError`, `ended` and `ofReply` read what its user has to read.
import { inspect } from 'node:util'
import { HttpAgent } from '@ag-ui/client'
import Anthropic from '@anthropic-ai/sdk'
import { GoogleGenAI as GoogleGenAI2 } from '@google/genai'
import { ChatOpenAI } from '@langchain/openai'
import * as ai6 from 'ai'
import * as ai7 from 'ai7'
import { GoogleGenAI as GoogleGenAI3 } from 'genai3'
import express, { type Request, type Response } from 'express'
import { Ollama } from 'ollama'
import OpenAI6 from 'openai'
import OpenAI7 from 'openai7'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { llamaGuard, type LlamaGuardOptions } from '../src/index.js'
import { markerGuard } from './helpers/guards.js'
import { chunk, type Running, serve, sleep } from './helpers/http.js'
import { withProtection } from '../src/options/protection.js'

const BAD = 'UNSAFE words'
const START = 'A fine start. '
const REFUSED = 'I cannot help with that.'
const O3 = { code: 'O3', name: 'Criminal Planning' }

/** What a client's user has in hand in the end: the text, or the error, and the note of the block within either. */
interface Outcome {
  readonly text: string
  readonly error?: any
  /** The last chunk, event or message that the client handed out. */
  readonly last?: any
}
interface Client {
  /** Asks for a stream at the client's defaults. */
  ask(url: string, text: string): Promise<Outcome>
  /** The categories of an error. Absent: the client keeps the message alone, which names them. */
  ofError?(error: any): unknown
  /** The categories of a reply that ended early. Absent: the client drops them. */
  ofReply?(last: any): unknown
  /** What says that a reply ended early. */
  ended(last: any): unknown
  readonly endedAs: unknown
  /** Options of llamaGuard() that this client wants. */
  readonly options?: LlamaGuardOptions
  /** Requests at its defaults when the guard is down. */
  readonly attemptsWhenDown: number
}

async function gather<T>(
  stream: () => Promise<AsyncIterable<T>>,
  read: (item: T) => string | undefined,
): Promise<Outcome> {
  let text = ''
  let last: T | undefined
  try {
    for await (const item of await stream()) {
      text += read(item) ?? ''
      last = item
    }
  } catch (error) {
    return { text, error, last }
  }
  return { text, last }
}

const openai = (OpenAI: typeof OpenAI6): Client => ({
  ask: (url, content) =>
    gather(
      () =>
        new OpenAI({ apiKey: 'x', baseURL: `${url}/v1` }).chat.completions.create({
          model: 'm',
          messages: [{ role: 'user', content }],
          stream: true,
        }),
      ({ choices }) => choices[0]?.delta.content ?? choices[0]?.delta.refusal ?? '',
    ),
  ofError: (error) => error.error.categories,
  ofReply: (last) => last.llama_guard.categories,
  ended: (last) => last.choices[0].finish_reason,
  endedAs: 'content_filter',
  attemptsWhenDown: 3,
})

const anthropic: Client = {
  async ask(url, content) {
    let message: any
    let note: unknown
    const outcome = await gather(
      () =>
        Promise.resolve(
          new Anthropic({ apiKey: 'x', baseURL: url }).messages
            .stream({ model: 'm', max_tokens: 9, messages: [{ role: 'user', content }] })
            .on('message', (final) => (message = final)),
        ),
      (event) => {
        if ('llama_guard' in event) note = event.llama_guard
        return event.type === 'content_block_delta' && event.delta.type === 'text_delta' ? event.delta.text : ''
      },
    )
    return { ...outcome, last: { ...message, note } }
  },
  ofError: (error) => error.error.error.categories,
  // The helper's final message drops it: it is on the `message_delta` event.
  ofReply: (last) => last.note.categories,
  ended: (last) => last.stop_reason,
  endedAs: 'refusal',
  attemptsWhenDown: 3,
}

const langchain: Client = {
  async ask(url, content) {
    const model = new ChatOpenAI({
      apiKey: 'x',
      model: 'm',
      configuration: { baseURL: `${url}/v1` },
      __includeRawResponse: true,
      // Its default, six times with a growing pause, takes minutes while the guard is down.
      ...(content === 'BROKEN' && { maxRetries: 0 }),
    })
    return gather(
      () => model.stream(content),
      (part) => part.text,
    )
  },
  ofError: (error) => error.error.categories,
  ofReply: (last) => last.additional_kwargs.__raw_response.llama_guard.categories,
  ended: (last) => last.response_metadata.finish_reason,
  endedAs: 'content_filter',
  options: { blockStatus: 400 },
  attemptsWhenDown: 1,
}

const transport = ({ DefaultChatTransport, readUIMessageStream }: typeof ai6): Client => ({
  async ask(url, text) {
    const sent = { id: '1', role: 'user' as const, parts: [{ type: 'text' as const, text }] }
    const whole = await gather(
      async () => {
        const stream = await new DefaultChatTransport({ api: `${url}/api/use-chat` }).sendMessages({
          trigger: 'submit-message',
          chatId: 'c',
          messageId: undefined,
          messages: [sent],
          abortSignal: undefined,
        })
        return readUIMessageStream({ stream, terminateOnError: true })
      },
      () => '',
    )
    const parts = (whole.last?.parts ?? []) as { type: string; text?: string }[]
    return { ...whole, text: parts.map((part) => part.text ?? '').join('') }
  },
  ofError: (error) => JSON.parse(error.message).error.categories,
  ofReply: (last) => last.metadata.llama_guard.categories,
  ended: (last) => last.metadata.llama_guard.stage,
  endedAs: 'output',
  attemptsWhenDown: 1,
})

const ollama: Client = {
  ask: (url, content) =>
    gather(
      () => new Ollama({ host: url }).chat({ model: 'm', messages: [{ role: 'user', content }], stream: true }),
      ({ message }) => message.content,
    ),
  ofReply: (last) => last.llama_guard.categories,
  ended: (last) => last.done_reason,
  endedAs: 'content_filter',
  attemptsWhenDown: 1,
}

const genai = (GoogleGenAI: typeof GoogleGenAI2): Client => ({
  ask: (url, contents) =>
    gather(
      () =>
        new GoogleGenAI({ apiKey: 'x', httpOptions: { baseUrl: url } }).models.generateContentStream({
          model: 'm',
          contents,
        }),
      (chunk) => chunk.text,
    ),
  ofError: (error) => JSON.parse(error.message).error.categories,
  ended: (last) => last.candidates[0].finishReason,
  endedAs: 'SAFETY',
  attemptsWhenDown: 1,
})

const agUi: Client = {
  async ask(url, content) {
    const agent = new HttpAgent({ url: `${url}/agent`, initialMessages: [{ id: '1', role: 'user', content }] })
    let error: unknown
    let last: unknown
    const onRunErrorEvent = ({ event: told }: { event: unknown }): void => void (last = told)
    await agent.runAgent({}, { onRunErrorEvent }).catch((told: unknown) => (error = told))
    const text = agent.messages
      .slice(1)
      .map((message) => (typeof message.content === 'string' ? message.content : ''))
      .join('')
    return { text, error, last }
  },
  ofError: (error) => error.payload.error.categories,
  ofReply: (last) => last.metadata.llama_guard.categories,
  ended: (last) => last.code,
  endedAs: 'content_filter',
  attemptsWhenDown: 1,
}

const CLIENTS: readonly (readonly [string, Client])[] = [
  ['openai 6', openai(OpenAI6)],
  ['openai 7', openai(OpenAI7 as unknown as typeof OpenAI6)],
  ['@anthropic-ai/sdk', anthropic],
  ['@langchain/openai', langchain],
  ['ai 6, the transport of useChat', transport(ai6)],
  ['ai 7, the transport of useChat', transport(ai7 as unknown as typeof ai6)],
  ['ollama', ollama],
  ['@google/genai 2', genai(GoogleGenAI2)],
  ['@google/genai 3', genai(GoogleGenAI3 as unknown as typeof GoogleGenAI2)],
  ['@ag-ui/client', agUi],
]

const sse = (data: { type: string }): string => `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`
const line = (data: object): string =>
  `${JSON.stringify({ model: 'm', created_at: '2026-01-01T00:00:00Z', ...data })}\n`
const event = (type: string, more: object = {}): string => sse({ type, ...more } as { type: string })

const candidate = (fields: object): string =>
  `data: ${JSON.stringify({ candidates: [{ index: 0, ...fields }] })}\r\n\r\n`

/** A reply of each API as its server streams it: head, one frame a word, end. */
const STREAMS: Record<string, { type: string; head: string; word(text: string): string; end: string }> = {
  '/v1/chat/completions': {
    type: 'text/event-stream',
    head: chunk({ role: 'assistant', content: '' }),
    word: (content) => chunk({ content }),
    end: `${chunk({}, { finish: 'stop' })}data: [DONE]\n\n`,
  },
  '/v1/messages': {
    type: 'text/event-stream',
    head:
      event('message_start', {
        message: {
          id: 'm',
          type: 'message',
          role: 'assistant',
          model: 'm',
          content: [],
          stop_reason: null,
          usage: { input_tokens: 1, output_tokens: 1 },
        },
      }) + event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
    word: (text) => event('content_block_delta', { index: 0, delta: { type: 'text_delta', text } }),
    end:
      event('content_block_stop', { index: 0 }) +
      event('message_delta', { delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 2 } }) +
      event('message_stop'),
  },
  '/api/use-chat': {
    type: 'text/event-stream',
    head: event('start') + event('start-step') + event('text-start', { id: 't' }),
    word: (delta) => event('text-delta', { id: 't', delta }),
    end: `${event('text-end', { id: 't' })}${event('finish-step')}${event('finish')}data: [DONE]\n\n`,
  },
  '/v1/models/m:streamGenerateContent': {
    type: 'text/event-stream',
    head: '',
    word: (text) => candidate({ content: { role: 'model', parts: [{ text }] } }),
    end: candidate({ content: { role: 'model', parts: [{ text: '' }] }, finishReason: 'STOP' }),
  },
  '/agent': {
    type: 'text/event-stream',
    head:
      `data: ${JSON.stringify({ type: 'RUN_STARTED', threadId: 't', runId: 'r' })}\n\n` +
      `data: ${JSON.stringify({ type: 'TEXT_MESSAGE_START', messageId: 'm1', role: 'assistant' })}\n\n`,
    word: (delta) => `data: ${JSON.stringify({ type: 'TEXT_MESSAGE_CONTENT', messageId: 'm1', delta })}\n\n`,
    end:
      `data: ${JSON.stringify({ type: 'TEXT_MESSAGE_END', messageId: 'm1' })}\n\n` +
      `data: ${JSON.stringify({ type: 'RUN_FINISHED', threadId: 't', runId: 'r' })}\n\n`,
  },
  '/api/chat': {
    type: 'application/x-ndjson',
    head: '',
    word: (content) => line({ message: { role: 'assistant', content }, done: false }),
    end: line({ message: { role: 'assistant', content: '' }, done: true, done_reason: 'stop' }),
  },
}

let requests = 0
async function app(options: LlamaGuardOptions): Promise<Running> {
  const guard = llamaGuard({
    guard: markerGuard(),
    windowMs: 20,
    logger: false,
    cacheMax: 0,
    ...withProtection({ maxAttempts: 1 }),
    ...withProtection({ breaker: false }),
    ...options,
  })
  const handler = async (req: Request, res: Response): Promise<void> => {
    // Version 2 of Google's client asks the beta of the API.
    const { type, head, word, end } = STREAMS[req.path.replace('/v1beta/', '/v1/')]!
    res.writeHead(200, {
      'content-type': type,
      ...(req.path === '/api/use-chat' && { 'x-vercel-ai-ui-message-stream': 'v1' }),
    })
    res.write(head + word(START))
    await sleep(80)
    res.write(word(JSON.stringify(req.body).includes('turn bad') ? BAD : 'And an end.'))
    res.end(end)
  }
  return serve(express().use((_req, _res, next) => (requests++, next()), guard, handler))
}

describe.each(CLIENTS)('%s', (_name, client) => {
  let server: Running
  let refusing: Running
  beforeAll(async () => {
    server = await app(client.options ?? {})
    refusing = await app({ ...client.options, onBlock: 'refusal', refusalText: REFUSED })
  })
  afterAll(async () => {
    await server.close()
    await refusing.close()
  })
  const ask = async (on: Running, text: string): Promise<Outcome> => {
    requests = 0
    return client.ask(on.url, text)
  }

  it('is told the categories of a message, at once', async () => {
    const { error, text } = await ask(server, BAD)
    expect([text, requests]).toEqual(['', 1])
    expect(error.message).toContain('Criminal Planning')
    if (client.ofError) expect(client.ofError(error)).toEqual([O3])
  })

  it('sees a reply end where it turns bad', async () => {
    const outcome = await ask(server, 'turn bad')
    expect(outcome).toMatchObject({ text: START })
    expect(client.ended(outcome.last)).toBe(client.endedAs)
    if (client.ofReply) expect(client.ofReply(outcome.last)).toEqual([O3])
    expect(inspect(outcome, { depth: 9 })).not.toContain('UNSAFE')
  })

  it('reads a refusal as a reply of the model', async () => {
    const atOnce = await ask(refusing, BAD)
    expect([atOnce.text, atOnce.error]).toEqual([REFUSED, undefined])
    const midway = await ask(refusing, 'turn bad')
    expect(midway.error).toBeUndefined()
    expect(midway.text).toBe(START + REFUSED)
    // AG-UI has an event for an error, and none for a refusal.
    if (midway.last !== undefined) expect(client.ended(midway.last)).toBe(client.endedAs)
    expect(midway.text).not.toContain('UNSAFE')
  })

  it('raises an error when nobody can judge', async () => {
    const { error, text } = await ask(server, 'BROKEN')
    expect([text, requests]).toEqual(['', client.attemptsWhenDown])
    expect(inspect(error, { depth: 5 })).toMatch(/guard_unavailable|status(?:_code)?: 503/)
  })
})
