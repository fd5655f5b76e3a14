// The SageMaker chat upstream, with the real AWS SDK, against an endpoint that checks prompt, parameters and signature.
import { SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime'
import OpenAI from 'openai'
import { expect, test, vi } from 'vitest'
import { sagemakerChatUpstream } from '../../../src/upstream/index.js'
import type { SageMakerChatOptions } from '../../../src/upstream/index.js'
import { modelError, THROTTLED } from '../../emulator/aws-errors.js'
import { ARTICLE_ANSWER, ARTICLE_QUESTION } from '../../emulator/chat-bot.js'
import { startChatEndpoint } from '../../emulator/chat-container.js'
import type { ChatEndpoint, ChatEndpointOptions } from '../../emulator/chat-container.js'
import { CREDENTIALS, REGION } from '../../emulator/sigv4.js'
import { closing, setEnv } from '../../helpers/closing.js'
import { gateway, post } from '../helpers.js'
import type { Gateway } from '../helpers.js'

interface Setup {
  readonly endpoint: ChatEndpoint
  readonly front: Gateway
  readonly openai: OpenAI
}

async function setup(container: ChatEndpointOptions = {}, options: Partial<SageMakerChatOptions> = {}): Promise<Setup> {
  const endpoint = closing(await startChatEndpoint(container))
  const client = new SageMakerRuntimeClient({
    region: REGION,
    credentials: CREDENTIALS,
    endpoint: endpoint.url,
    maxAttempts: 1,
  })
  closing({ close: () => client.destroy() })
  const front = await gateway(sagemakerChatUpstream({ endpoint: endpoint.name, client, ...options }))
  return { endpoint, front, openai: new OpenAI({ baseURL: `${front.url}/v1`, apiKey: 'any', maxRetries: 0 }) }
}

const user = (content: string) => ({ role: 'user' as const, content })
const ask = (content: string) => ({ model: 'llama-2-7b', messages: [user(content)] })

test.each(['tgi', 'lmi'] as const)(
  "The article's question gets the article's answer as a chat completion (%s)",
  async (container) => {
    const { endpoint, openai } = await setup({ container })
    const { data: completion, response } = await openai.chat.completions
      .create({ ...ask(ARTICLE_QUESTION), max_completion_tokens: 128, temperature: 0, top_p: 1 })
      .withResponse()
    expect(response.status).toBe(200)
    expect(endpoint.requests[0]).toEqual({
      inputs: `<s>[INST] ${ARTICLE_QUESTION} [/INST] `,
      parameters: { max_new_tokens: 128, do_sample: false, return_full_text: false, details: true },
    })
    expect(completion).toMatchObject({
      object: 'chat.completion',
      model: 'llama-2-7b',
      choices: [{ index: 0, message: { role: 'assistant', content: ARTICLE_ANSWER }, finish_reason: 'stop' }],
    })
    expect(completion.usage?.completion_tokens).toBeGreaterThan(10)
  },
)

test.each([
  ['tgi', 1],
  ['tgi', 7],
  ['tgi', 1000],
  ['lmi', 1],
  ['lmi', 7],
  ['lmi', 1000],
] as const)(
  'A stream carries the same text, whatever the container (%s) and wherever SageMaker cuts it (%i bytes)',
  async (container, partBytes) => {
    const { openai } = await setup({ container, partBytes })
    const stream = await openai.chat.completions.create({
      ...ask('say Grüße 👋 und 漢字 </end>'),
      stream: true,
      stream_options: { include_usage: true },
    })
    const chunks: OpenAI.ChatCompletionChunk[] = []
    for await (const chunk of stream) chunks.push(chunk)
    expect(chunks[0]?.choices[0]?.delta).toEqual({ role: 'assistant', content: '' })
    expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')).toBe('Grüße 👋 und 漢字 </end>')
    expect(chunks.map((chunk) => chunk.choices[0]?.finish_reason).filter(Boolean)).toEqual(['stop'])
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 6 } })
  },
)

test('The whole conversation, system text included, reaches the model', async () => {
  const { endpoint, openai } = await setup()
  const completion = await openai.chat.completions.create({
    model: 'm',
    messages: [
      { role: 'system', content: 'Be kind.' },
      user('one'),
      { role: 'assistant', content: 'two' },
      user('three'),
    ],
  })
  expect(endpoint.exchanges).toEqual([{ system: 'Be kind.', user: 'one', answer: 'two' }, { user: 'three' }])
  expect(completion.choices[0]?.message.content).toBe('Turn 2: you said "three". My orders are "Be kind.".')
})

test.each([true, false])('An answer cut by max_tokens ends with length (stream: %s)', async (stream) => {
  const { front } = await setup()
  const reply = await post(front, { ...ask('say one two three four'), max_tokens: 2, stream })
  const text = await reply.text()
  expect(text).toContain('"finish_reason":"length"')
  expect(text).not.toContain('three')
})

test.each([true, false])('A stop sequence ends the answer and is not part of it (stream: %s)', async (stream) => {
  const { openai } = await setup()
  const body = { ...ask('say one two END three'), stop: ['ND'] }
  let text = ''
  if (stream)
    for await (const chunk of await openai.chat.completions.create({ ...body, stream: true }))
      text += chunk.choices[0]?.delta.content ?? ''
  else text = (await openai.chat.completions.create(body)).choices[0]?.message.content ?? ''
  expect(text).toBe('one two E')
})

test.each(['chat', 'chat-jsonl'] as const)(
  'A container with the Messages API is asked as it is and answers as it does (%s)',
  async (container) => {
    const { endpoint, openai } = await setup({ name: 'llama-3', container })
    const body = { ...ask('say hello to the world'), max_tokens: 20, temperature: 0 }
    const whole = await openai.chat.completions.create(body)
    expect(endpoint.requests[0]).toEqual(body)
    expect(whole).toMatchObject({
      id: 'chatcmpl-0',
      choices: [{ message: { content: 'hello to the world' } }],
      usage: { prompt_tokens: 5 },
    })
    let text = ''
    for await (const chunk of await openai.chat.completions.create({ ...body, stream: true }))
      text += chunk.choices[0]?.delta.content ?? ''
    expect(text).toBe('hello to the world')
  },
)

test.each([
  [{ ...ask('a'), n: 2 }, 'unsupported_content', /^n is not supported/],
  [{ messages: [user('a'), user('b')] }, 'unreadable_request', /messages\[1\] should be assistant/],
  [{ prompt: 'a' }, 'unsupported_content', /Chat Completions only/],
])('%o is refused with 400 before the endpoint is called', async (body, code, message) => {
  const { endpoint, front } = await setup()
  const reply = await post(front, body)
  expect(reply.status).toBe(400)
  expect(front.errors[0]).toMatchObject({ code, message: expect.stringMatching(message) as string })
  expect(endpoint.requests).toEqual([])
})

test("A container's refusal without words does not tell SageMaker's, which name the account", async () => {
  const { endpoint, front } = await setup()
  endpoint.refuse(modelError(422, ''))
  const reply = await post(front, ask('a'))
  expect(reply.status).toBe(422)
  expect(await reply.json()).toMatchObject({ error: { message: 'The chat container refused the request.' } })
})

test.each([true, false])(
  "The container's own refusal arrives with its status and words (stream: %s)",
  async (stream) => {
    const { endpoint, front } = await setup()
    endpoint.refuse(
      modelError(
        422,
        '{"error":"Input validation error: `inputs` must have less than 4096 tokens","error_type":"validation"}',
      ),
    )
    const reply = await post(front, { ...ask('a'), stream })
    expect(reply.status).toBe(422)
    expect(await reply.json()).toMatchObject({
      error: {
        message: 'Input validation error: `inputs` must have less than 4096 tokens',
        type: 'invalid_request_error',
      },
    })
  },
)

test.each([
  [
    'a failure inside the container',
    modelError(500, 'boom with a secret'),
    /failed inside its container \(status 500\)/,
  ],
  ['throttling', THROTTLED, /\(ThrottlingException\).*its load/],
])('%s is upstream_unavailable', async (_, error, message) => {
  const { endpoint, front } = await setup()
  endpoint.refuse(error)
  const reply = await post(front, ask('a'))
  expect(reply.status).toBe(503)
  expect(await reply.text()).not.toContain('secret')
  expect(front.errors[0]).toMatchObject({
    code: 'upstream_unavailable',
    message: expect.stringMatching(message) as string,
  })
})

test('An endpoint that does not exist is named with its cure', async () => {
  const { front } = await setup({}, { endpoint: 'other-llama-2' })
  await post(front, ask('a'))
  expect(front.errors[0]?.message).toMatch(/other-llama-2 could not be called .* check its name/)
})

test.each([
  ['exception', 'tgi', /./],
  ['cut', 'tgi', /./],
  ['error-event', 'tgi', /./],
  ['error-event', 'lmi', /failed while it generated/],
  ['no-end', 'tgi', /./],
] as const)('A stream that fails in the middle (%s of %s) is never a whole reply', async (kind, container, message) => {
  const { endpoint, front } = await setup({ container })
  endpoint.faultStream({ after: 2, kind })
  const reply = await post(front, { ...ask('say one two three four'), stream: true }).catch(() => undefined)
  const text = await reply?.text().catch(() => 'broken')
  expect(text ?? 'broken').not.toContain('[DONE]')
  expect(front.errors[0]).toMatchObject({
    code: 'upstream_unavailable',
    message: expect.stringMatching(message) as string,
  })
})

test('When the client leaves, the stream from SageMaker is broken off', async () => {
  const { endpoint, front } = await setup({ tokenMs: 30 })
  const leaving = new AbortController()
  const reply = await post(
    front,
    { ...ask(`say ${'word '.repeat(2000)}`), max_tokens: 5000, stream: true },
    { signal: leaving.signal },
  )
  await (reply.body as ReadableStream).getReader().read()
  leaving.abort()
  await vi.waitFor(() => expect(endpoint.abandoned === 1 && front.ended() === 1).toBe(true))
  expect(front.errors).toEqual([])
})

test('A silent stream is given up after timeoutMs', async () => {
  const endpoint = closing(await startChatEndpoint())
  setEnv({
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME: endpoint.url,
  })
  const front = await gateway(sagemakerChatUpstream({ endpoint: endpoint.name, timeoutMs: 700 }))
  endpoint.faultStream({ after: 2, kind: 'silence' })
  await post(front, { ...ask('say one two three'), stream: true })
    .then((reply) => reply.text())
    .catch(() => undefined)
  expect(front.errors[0]?.code).toBe('upstream_unavailable')
})

test('A client that lists models finds the endpoint', async () => {
  const { openai } = await setup()
  expect((await openai.models.list()).data.map(({ id }) => id)).toEqual(['llama-2-chat'])
})
