// The AWS SDK's client of Bedrock against a guarded route that plays Converse.
import {
  BedrockRuntimeClient,
  ConverseCommand,
  type ConverseCommandOutput,
  ConverseStreamCommand,
} from '@aws-sdk/client-bedrock-runtime'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { beforeEach, describe, expect, it } from 'vitest'
import { bedrockConverse } from '../../src/dialects/bedrock-converse.js'
import { send, sleep } from '../helpers/http.js'
import { guardedSite, parsedJson } from './site.js'

const MODEL = 'us.anthropic.claude-sonnet-4-20250514-v1:0'
const PATH = `/model/${encodeURIComponent(MODEL)}/converse`

/** The blocks of the model's reply. */
let content: object[]
/** The events of a stream that a server passes on as JSON. */
let events: object[]
let handled: unknown

const site = guardedSite((app) => {
  app.post('/model/:id/converse', async (req, res) => {
    handled = req.body as unknown
    const message = { role: 'assistant', content }
    const usage = { inputTokens: 1, outputTokens: 1, totalTokens: 2 }
    if (req.headers.accept !== 'text/event-stream')
      return void res.json({ output: { message }, stopReason: 'end_turn', usage, metrics: { latencyMs: 1 } })
    res.setHeader('content-type', 'text/event-stream')
    for (const event of events) {
      res.write(`data: ${JSON.stringify(event)}\n\n`)
      await sleep(50)
    }
    res.end()
  })
  app.post('/model/:id/converse-stream', (_req, res) => {
    res.setHeader('content-type', 'application/vnd.amazon.eventstream').end(Buffer.from([0, 0, 0, 65, 66, 67, 68]))
  })
}, parsedJson)
beforeEach(() => {
  content = [{ text: 'Hello there.' }]
  handled = undefined
})

const client = (): BedrockRuntimeClient =>
  new BedrockRuntimeClient({
    endpoint: site.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    requestHandler: new NodeHttpHandler(),
    maxAttempts: 1,
  })
const input = (text: string) => ({ modelId: MODEL, messages: [{ role: 'user' as const, content: [{ text }] }] })
const ask = (text: string): Promise<ConverseCommandOutput> => client().send(new ConverseCommand(input(text)))
const textOf = ({ output }: ConverseCommandOutput): string =>
  (output?.message?.content ?? []).map(({ text }) => text ?? '').join('')

describe('the client of Bedrock', () => {
  it('gets an allowed reply, with the words of both judged and the handler undisturbed', async () => {
    const reply = await ask('hello')
    expect([textOf(reply), reply.stopReason]).toEqual(['Hello there.', 'end_turn'])
    expect(handled).toEqual({ messages: [{ role: 'user', content: [{ text: 'hello' }] }] })
    expect([site.guard.texts()[0], site.guard.texts().at(-1)]).toEqual(['hello', 'Hello there.'])
  })

  it.each<[string, string, object[]]>([
    ['the question', 'UNSAFE', []],
    ['the reply', 'hello', [{ text: 'UNSAFE' }]],
    ['a call', 'hello', [{ toolUse: { toolUseId: 't', name: 'f', input: { q: 'UNSAFE' } } }]],
    ['the reasoning', 'hello', [{ reasoningContent: { reasoningText: { text: 'UNSAFE' } } }]],
  ])('raises an exception with its code when %s is unsafe', async (_, question, blocks) => {
    content = blocks
    await expect(ask(question)).rejects.toMatchObject({
      name: 'content_filter',
      message: expect.stringContaining('Criminal Planning') as string,
      $metadata: { httpStatusCode: 451 },
    })
  })

  it('reads a refusal as words of the assistant that a guardrail gave', async () => {
    site.options = { onBlock: 'refusal', refusalText: 'No.' }
    const asked = await ask('UNSAFE')
    expect([textOf(asked), asked.stopReason]).toEqual(['No.', 'guardrail_intervened'])
    content = [{ text: 'UNSAFE' }]
    expect(textOf(await ask('hello'))).toBe('No.')
  })

  it('gets no picture, which nobody has looked at', async () => {
    content = [{ image: { format: 'png', source: { bytes: 'iVBORw0KGgo=' } } }]
    await expect(ask('hello')).rejects.toMatchObject({ $metadata: { httpStatusCode: 503 } })
  })

  it('is refused the binary stream, which nobody can read, and 451 for an unsafe question', async () => {
    for (const [question, status] of [
      ['hello', 503],
      ['UNSAFE', 451],
    ] as const) {
      await expect(client().send(new ConverseStreamCommand(input(question)))).rejects.toMatchObject({
        $metadata: { httpStatusCode: status },
      })
    }
    const reply = await send(`${site.url}${PATH}-stream`, { body: { messages: input('hello').messages } })
    expect(JSON.parse(reply.text)).toMatchObject({ code: 'unreadable_response' })
  })
})

describe('events that a server passes on as JSON', () => {
  const delta = (text: string, contentBlockIndex = 0): object => ({
    contentBlockDelta: { delta: { text }, contentBlockIndex },
  })
  const stream = () =>
    send(`${site.url}${PATH}`, {
      body: { messages: input('hello').messages },
      headers: { accept: 'text/event-stream' },
    })
  const START = { messageStart: { role: 'assistant' } }

  it('end with the stop of a guardrail when they are blocked in the middle', async () => {
    events = [START, delta('Hello '), delta('there, '), delta('UNSAFE'), { messageStop: { stopReason: 'end_turn' } }]
    const { text } = await stream()
    expect(text).not.toContain('UNSAFE')
    expect(text).toContain('there, ')
    expect(text).toMatch(/"contentBlockStop":\{"contentBlockIndex":0\}.*\n\n.*"stopReason":"guardrail_intervened"/)
  })

  it('are judged as they will be read when blocks interleave', async () => {
    events = [START, delta('UN'), delta('x', 1), delta('SAFE'), { messageStop: { stopReason: 'end_turn' } }]
    await stream()
    expect(site.guard.texts().some((text) => text.includes('UNSAFE'))).toBe(true)
  })
})

describe('a request', () => {
  it('is read block by block, without its envelope', () => {
    const request = bedrockConverse.request({
      system: [{ text: 'Be kind.' }],
      messages: [
        { role: 'user', content: [{ text: 'Hel' }, { text: 'lo' }] },
        { role: 'assistant', content: [{ toolUse: { toolUseId: 'tooluse_1', name: 'f', input: { q: 'x y' } } }] },
        { role: 'user', content: [{ toolResult: { toolUseId: 'tooluse_1', content: [{ json: { found: 'z' } }] } }] },
      ],
      inferenceConfig: { maxTokens: 9 },
      guardrailConfig: { trace: 'enabled' },
    })
    expect(request).toMatchObject({ system: 'Be kind.', userTurns: [0], extras: [] })
    expect(request.turns).toEqual([
      { role: 'User', text: 'Hello' },
      { role: 'Agent', text: 'f\n{"q":"x y"}' },
      { role: 'User', text: '{"found":"z"}' },
    ])
  })

  it.each(['txt', 'md', 'csv', 'html'])('is judged with the words of a document of the format %s', async (format) => {
    const document = { format, name: 'a', source: { bytes: Buffer.from('some UNSAFE words').toString('base64') } }
    const messages = [{ role: 'user', content: [{ text: 'Read it.' }, { document }] }]
    expect((await send(`${site.url}${PATH}`, { body: { messages } })).status).toBe(451)
  })

  const s3Location = { uri: 's3://a/b' }
  it.each<[string, object]>([
    ['a picture elsewhere', { image: { format: 'png', source: { s3Location } } }],
    ['two pictures in one', { image: { format: 'png', source: { bytes: 'iVBORw0KGgo=', s3Location } } }],
    ['a document elsewhere', { document: { format: 'txt', name: 'a', source: { s3Location } } }],
    ['a document that is no text', { document: { format: 'pdf', name: 'a', source: { bytes: 'AAAA' } } }],
    ['a video', { video: { format: 'mp4', source: { bytes: 'AAAA' } } }],
  ])('is a fault of the client with %s', async (_, block) => {
    const reply = await send(`${site.url}${PATH}`, { body: { messages: [{ role: 'user', content: [block] }] } })
    expect([400, 415, 422]).toContain(reply.status)
  })

  it.each(['/model/arn%3Aaws%3Abedrock%3A%3A1%3Ax%2Fy/converse', '/model/m/CONVERSE', '/x/model/m/converse-stream'])(
    'is judged on %s',
    async (path) => {
      const reply = await send(site.url + path, { body: { messages: input('UNSAFE').messages } })
      expect(reply.status).toBe(451)
    },
  )

  it('is none on a path of the app that ends in the same word', async () => {
    const reply = await send(`${site.url}/api/converse`, { body: { note: 'hello' } })
    expect(reply.status).toBe(404)
  })
})
