// The Vercel AI SDK's own client against a guarded route: what useChat sends is judged, and a block is read by the SDK.
import {
  createUIMessageStream,
  DefaultChatTransport,
  pipeUIMessageStreamToResponse,
  readUIMessageStream,
  type UIMessage,
  type UIMessageStreamWriter,
} from 'ai'
import { type Request, type Response } from 'express'
import { beforeEach, describe, expect, it } from 'vitest'
import { aiSdk } from '../../src/dialects/ai-sdk.js'
import { heard } from '../helpers/guards.js'
import { send } from '../helpers/http.js'
import { guardedSite } from './site.js'

/** What the route answers. */
let execute: (writer: UIMessageStreamWriter) => Promise<void> | void = () => undefined

const site = guardedSite((app) => {
  app.post('/api/chat', (_req: Request, response: Response) =>
    pipeUIMessageStreamToResponse({
      response,
      stream: createUIMessageStream({ execute: ({ writer }) => execute(writer) }),
    }),
  )
})
beforeEach(() => {
  execute = saying('Hello ', 'there.')
})

/** Streams these texts as one text part of one step, with a pause after each. */
function saying(...texts: string[]): typeof execute {
  return async (writer) => {
    writer.write({ type: 'start' })
    writer.write({ type: 'start-step' })
    writer.write({ type: 'text-start', id: 't1' })
    for (const delta of texts) {
      writer.write({ type: 'text-delta', id: 't1', delta })
      await heard(site.guard, delta)
    }
    writer.write({ type: 'text-end', id: 't1' })
    writer.write({ type: 'finish-step' })
    writer.write({ type: 'finish', finishReason: 'stop' })
  }
}

const user = (text: string): UIMessage => ({ id: 'aB3xY9kLmN2pQ7rS', role: 'user', parts: [{ type: 'text', text }] })

/** What a chat page shows at the end, and the error it was told. */
async function ask(...messages: UIMessage[]): Promise<{ last: UIMessage | undefined; error: Error | undefined }> {
  const transport = new DefaultChatTransport({ api: `${site.url}/api/chat` })
  let last: UIMessage | undefined
  let error: Error | undefined
  try {
    const stream = await transport.sendMessages({
      trigger: 'submit-message',
      chatId: 'c1',
      messageId: undefined,
      messages,
      abortSignal: undefined,
    })
    const onError = (told: unknown): void => void (error ??= told as Error)
    for await (const message of readUIMessageStream({ stream, onError })) last = message
  } catch (told) {
    error = told as Error
  }
  return { last, error }
}
const textOf = (message: UIMessage | undefined): string =>
  message?.parts.map((part) => (part.type === 'text' ? part.text : '')).join('') ?? ''

describe('useChat', () => {
  it('gets an allowed reply as it was streamed', async () => {
    const { last, error } = await ask(user('hello'))
    expect([textOf(last), error]).toEqual(['Hello there.', undefined])
    expect(site.guard.texts()[0]).toBe('hello')
    expect(site.guard.texts().at(-1)).toBe('Hello there.')
  })

  it('is told that the guard failed, without our JSON, when that happens in the middle', async () => {
    execute = saying('Hello ', 'there, ', 'BROKEN')
    const { last, error } = await ask(user('hello'))
    expect(textOf(last)).toBe('Hello there, ')
    expect(error?.message).toBe('The guard answered with an error')
  })

  it('has interleaved inputs of tools judged each as the tool will get it', async () => {
    execute = async (writer) => {
      writer.write({ type: 'start' })
      for (const toolCallId of ['a', 'b']) writer.write({ type: 'tool-input-start', toolCallId, toolName: 'f' })
      for (const [a, b] of [
        ['{"a":"UN', '{"b":"fine '],
        ['SA', 'words '],
        ['FE"}', 'here"}'],
      ]) {
        writer.write({ type: 'tool-input-delta', toolCallId: 'a', inputTextDelta: a! })
        writer.write({ type: 'tool-input-delta', toolCallId: 'b', inputTextDelta: b! })
      }
    }
    await ask(user('hello'))
    expect(site.guard.texts().some((text) => text.includes('UNSAFE'))).toBe(true)
  })

  it.each<[string, Parameters<UIMessageStreamWriter['write']>[0][]]>([
    [
      'reasoning',
      [
        { type: 'reasoning-start', id: 'r' },
        { type: 'reasoning-delta', id: 'r', delta: 'UNSAFE' },
      ],
    ],
    [
      'tool input',
      [
        { type: 'tool-input-start', toolCallId: 'c', toolName: 't' },
        { type: 'tool-input-delta', toolCallId: 'c', inputTextDelta: 'UNSAFE' },
      ],
    ],
    ['a whole tool input', [{ type: 'tool-input-available', toolCallId: 'c', toolName: 't', input: { q: 'UNSAFE' } }]],
    [
      'a tool output',
      [
        { type: 'tool-input-available', toolCallId: 'c', toolName: 't', input: {} },
        { type: 'tool-output-available', toolCallId: 'c', output: ['UNSAFE'] },
      ],
    ],
    ['a data part', [{ type: 'data-weather', data: { note: 'UNSAFE' } }]],
    ['the name of a data part', [{ type: 'data-UNSAFE', data: 1 } as never]],
    ['a source', [{ type: 'source-url', sourceId: 's', url: 'https://example.com', title: 'UNSAFE' }]],
    ['message metadata', [{ type: 'message-metadata', messageMetadata: { note: 'UNSAFE' } }]],
    ['an error', [{ type: 'error', errorText: 'UNSAFE' }]],
  ])('reads no unsafe word in %s', async (_, parts) => {
    execute = (writer) => {
      for (const part of parts) writer.write(part)
    }
    const { last, error } = await ask(user('hello'))
    expect(JSON.stringify([last, error?.message])).not.toContain('UNSAFE')
  })
})

it.each(
  `start start-step finish-step reset-step message-metadata text-start text-delta text-end reasoning-start
  tool-input-start tool-output-available data-weather`.split(/\s+/),
)('A stream whose first event is %s is one of its own.', (type) => {
  expect(aiSdk.answers!({ type })).toBe(true)
})

describe('what useChat and useCompletion send', () => {
  const parts = [{ type: 'text', text: 'UNSAFE' }]
  it.each<[string, string, object]>([
    ['version 5 to 7, the newest message alone', '/api/chat', { id: 'c', message: { id: 'm', role: 'user', parts } }],
    ['version 4, content', '/api/chat', { id: 'c', messages: [{ role: 'user', content: 'UNSAFE' }] }],
    ['version 4, content and parts', '/api/chat', { id: 'c', messages: [{ role: 'user', content: '', parts }] }],
    ['another path', '/chat', { id: 'c', message: { id: 'm', role: 'user', parts } }],
    ['useCompletion', '/api/completion', { prompt: 'UNSAFE' }],
  ])('is judged: %s', async (_, path, body) => {
    const reply = await send(`${site.url}${path}`, { body })
    expect(reply.status).toBe(451)
  })
})
