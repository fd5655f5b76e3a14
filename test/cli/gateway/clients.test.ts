// The SDKs of real applications in front of the gateway: chat, stream, tools, and a block, each as its users see it.
// The guard is the real AWS SDK against the emulator, the model a small bot.
import Anthropic from '@anthropic-ai/sdk'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { HumanMessage, ToolMessage } from '@langchain/core/messages'
import { ChatOpenAI } from '@langchain/openai'
import { generateText, jsonSchema, stepCountIs, streamText, tool } from 'ai'
import OpenAI from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { startGateway } from '../../../src/cli/gateway/index.js'
import type { Gateway } from '../../../src/cli/gateway/index.js'
import { startEmulator } from '../../emulator/index.js'
import type { Emulator } from '../../emulator/index.js'
import { startChatBot } from '../chat-bot.js'
import type { ChatBot } from '../chat-bot.js'
import { withProtection } from '../../../src/options/protection.js'

const QUIET = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
const SCHEMA = { type: 'object' as const, properties: { query: { type: 'string' as const } }, required: ['query'] }
/** A harmless question, whose answer begins well and ends badly. */
const TURNS_BAD = `${'One fine word. '.repeat(12)}SECRET`

let emulator: Emulator
let bot: ChatBot
let gateway: Gateway

beforeAll(async () => {
  emulator = await startEmulator()
  for (const [name, value] of Object.entries(emulator.env)) vi.stubEnv(name, value)
  bot = await startChatBot()
  gateway = await startGateway({
    port: 0,
    drainMs: 0,
    env: {},
    options: {
      endpoint: emulator.endpoint,
      upstream: { url: bot.url },
      logger: QUIET,
      windowMs: 20,
      ...withProtection({ maxAttempts: 1 }),
    },
  })
})
afterAll(async () => {
  await gateway.stop()
  await bot.close()
  await emulator.close()
  vi.unstubAllEnvs()
})
beforeEach(() => void (bot.asked.length = 0))

const failure = (promise: PromiseLike<unknown>): Promise<unknown> =>
  Promise.resolve(promise).then(
    () => expect.fail('it should have failed'),
    (error: unknown) => error,
  )

describe('The openai package', () => {
  const client = (): OpenAI => new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'client', maxRetries: 0 })
  const ask = (content: string) => ({ model: 'm', messages: [{ role: 'user' as const, content }] })
  const tools = [{ type: 'function' as const, function: { name: 'find', description: 'Finds.', parameters: SCHEMA } }]

  it('gets an answer in a chat through the gateway', async () => {
    expect((await client().chat.completions.create(ask('hello there'))).choices[0]?.message.content).toBe('hello there')
  })

  it('gets an answer in a stream through the gateway', async () => {
    let text = ''
    for await (const chunk of await client().chat.completions.create({ ...ask('one two three'), stream: true }))
      text += chunk.choices[0]?.delta.content ?? ''
    expect(text).toBe('one two three')
  })

  it('runs a tool in a stream and tells what it found', async () => {
    const runner = client().chat.completions.runTools({
      ...ask('the weather'),
      stream: true,
      tools: [
        {
          type: 'function',
          function: {
            ...tools[0]!.function,
            parse: JSON.parse,
            function: ({ query }: { query: string }) => `sun after ${query}`,
          },
        },
      ],
    })
    expect(await runner.finalContent()).toBe('It says sun after the weather')
  })

  it('gets a 451 for a bad question, which the model never hears, for a bad answer, and for bad arguments of a tool', async () => {
    expect(await failure(client().chat.completions.create(ask('UNSAFE_O3')))).toMatchObject({
      status: 451,
      code: 'content_filter',
      error: { stage: 'input' },
    })
    expect(bot.asked).toEqual([])
    expect(await failure(client().chat.completions.create(ask('say SECRET')))).toMatchObject({
      status: 451,
      error: { stage: 'output' },
    })
    expect(await failure(client().chat.completions.create({ ...ask('say SECRET'), tools }))).toMatchObject({
      status: 451,
      error: { stage: 'output' },
    })
  })

  it('sees a stream that turns bad end with content_filter', async () => {
    let text = ''
    let finish: unknown
    for await (const chunk of await client().chat.completions.create({ ...ask(TURNS_BAD), stream: true })) {
      text += chunk.choices[0]?.delta.content ?? ''
      finish = chunk.choices[0]?.finish_reason ?? finish
    }
    expect(finish).toBe('content_filter')
    expect(text).toMatch(/^One fine word/)
    expect(text).not.toContain('UNSAFE')
  })
})

describe('The Anthropic package', () => {
  const client = (): Anthropic => new Anthropic({ baseURL: gateway.url, apiKey: 'client', maxRetries: 0 })
  const ask = (content: string) => ({ model: 'm', max_tokens: 99, messages: [{ role: 'user' as const, content }] })
  const tools = [{ name: 'find', input_schema: SCHEMA }]

  it('gets an answer in a chat through the gateway', async () => {
    expect((await client().messages.create(ask('hello there'))).content[0]).toMatchObject({ text: 'hello there' })
  })

  it('gets an answer in a stream through the gateway', async () => {
    expect(await client().messages.stream(ask('one two three')).finalText()).toBe('one two three')
  })

  it('calls a tool in a stream, and tells what it found', async () => {
    const call = await client()
      .messages.stream({ ...ask('the weather'), tools })
      .finalMessage()
    expect(call).toMatchObject({
      stop_reason: 'tool_use',
      content: [{ type: 'tool_use', name: 'find', input: { query: 'the weather' } }],
    })
    const told = await client().messages.create({
      ...ask(''),
      tools,
      messages: [
        { role: 'user', content: 'the weather' },
        { role: 'assistant', content: call.content },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'sun' }] },
      ],
    })
    expect(told.content[0]).toMatchObject({ text: 'It says sun' })
  })

  it('gets a 451 in its own envelope, for question, answer and arguments', async () => {
    for (const [request, stage] of [
      [ask('UNSAFE_O3'), 'input'],
      [ask('say SECRET'), 'output'],
      [{ ...ask('say SECRET'), tools }, 'output'],
    ] as const) {
      expect(await failure(client().messages.create({ ...request, stream: false }))).toMatchObject({
        status: 451,
        error: { type: 'error', error: { type: 'content_policy_violation', stage } },
      })
    }
  })

  it('sees a stream that turns bad end with the stop reason refusal', async () => {
    const final = await client().messages.stream(ask(TURNS_BAD)).finalMessage()
    expect(final.stop_reason).toBe('refusal')
    expect(JSON.stringify(final)).not.toContain('UNSAFE')
  })
})

describe('The Vercel AI SDK', () => {
  const model = () => createOpenAICompatible({ name: 'guarded', baseURL: `${gateway.url}/v1`, apiKey: 'client' })('m')
  const find = tool({
    inputSchema: jsonSchema<{ query: string }>(SCHEMA),
    execute: ({ query }) => Promise.resolve(`sun after ${query}`),
  })

  it('gets an answer in a chat through the gateway', async () => {
    expect((await generateText({ model: model(), prompt: 'hello there', maxRetries: 0 })).text).toBe('hello there')
  })

  it('gets an answer in a stream through the gateway', async () => {
    expect(await streamText({ model: model(), prompt: 'one two three', maxRetries: 0 }).text).toBe('one two three')
  })

  it('runs a tool in a stream and tells what it found', async () => {
    const { text } = streamText({
      model: model(),
      prompt: 'the weather',
      tools: { find },
      stopWhen: stepCountIs(2),
      maxRetries: 0,
    })
    expect(await text).toBe('It says sun after the weather')
  })

  it('gets a 451 for question, answer and arguments', async () => {
    expect(await failure(generateText({ model: model(), prompt: 'UNSAFE_O3', maxRetries: 0 }))).toMatchObject({
      statusCode: 451,
      isRetryable: false,
    })
    expect(await failure(generateText({ model: model(), prompt: 'say SECRET', maxRetries: 0 }))).toMatchObject({
      statusCode: 451,
    })
    expect(
      await failure(generateText({ model: model(), prompt: 'say SECRET', tools: { find }, maxRetries: 0 })),
    ).toMatchObject({ statusCode: 451 })
  })

  it('sees a stream that turns bad end with content-filter', async () => {
    const { text, finishReason } = streamText({ model: model(), prompt: TURNS_BAD, maxRetries: 0 })
    expect(await finishReason).toBe('content-filter')
    expect(await text).not.toContain('UNSAFE')
  })
})

describe('LangChain', () => {
  const model = (): ChatOpenAI =>
    new ChatOpenAI({ model: 'm', apiKey: 'client', maxRetries: 0, configuration: { baseURL: `${gateway.url}/v1` } })
  const tools = [{ type: 'function', function: { name: 'find', description: 'Finds.', parameters: SCHEMA } }]

  it('gets an answer in a chat through the gateway', async () => {
    expect((await model().invoke('hello there')).text).toBe('hello there')
  })

  it('gets an answer in a stream through the gateway', async () => {
    let text = ''
    for await (const chunk of await model().stream('one two three')) text += chunk.text
    expect(text).toBe('one two three')
  })

  it('calls a tool, and tells what it found', async () => {
    const withTools = model().bindTools(tools)
    const question = new HumanMessage('the weather')
    const call = await withTools.invoke([question])
    expect(call.tool_calls).toMatchObject([{ name: 'find', args: { query: 'the weather' }, id: 'call_1' }])
    expect(
      (await withTools.invoke([question, call, new ToolMessage({ content: 'sun', tool_call_id: 'call_1' })])).text,
    ).toBe('It says sun')
  })

  it('gets a 451 for question, answer and arguments', async () => {
    expect(await failure(model().invoke('UNSAFE_O3'))).toMatchObject({ status: 451, code: 'content_filter' })
    expect(await failure(model().invoke('say SECRET'))).toMatchObject({ status: 451, error: { stage: 'output' } })
    expect(await failure(model().bindTools(tools).invoke('say SECRET'))).toMatchObject({ status: 451 })
  })

  it('sees a stream that turns bad end with content_filter', async () => {
    let text = ''
    let finish: unknown
    for await (const chunk of await model().stream(TURNS_BAD)) {
      text += chunk.text
      finish = chunk.response_metadata['finish_reason'] ?? finish
    }
    expect(finish).toBe('content_filter')
    expect(text).toMatch(/^One fine word/)
    expect(text).not.toContain('UNSAFE')
  })
})
