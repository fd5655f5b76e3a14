// Cohere's own client against a guarded route: what it sends is judged, and what it reads ends as it expects.
import { CohereClientV2, CohereError } from 'cohere-ai'
import { type Response } from 'express'
import { beforeEach, describe, expect, it } from 'vitest'
import { cohereChat } from '../../src/dialects/cohere-chat.js'
import { heard } from '../helpers/guards.js'
import { send } from '../helpers/http.js'
import { REPLIES } from './replies.js'
import { guardedSite, parsedJson } from './site.js'

/** The events of a stream, or a whole reply. */
let events: object[]

const content = (text: string, index = 0): object => ({
  type: 'content-delta',
  index,
  delta: { message: { content: { text } } },
})
const START = {
  type: 'message-start',
  id: '0f6bb5f8-9f3e-4c52-8f4a-2b1d7c9e6a30',
  delta: { message: { role: 'assistant', content: [] } },
}
const saying = (...texts: string[]): object[] => [
  START,
  { type: 'content-start', index: 0, delta: { message: { content: { type: 'text', text: '' } } } },
  ...texts.map((text) => content(text)),
  { type: 'content-end', index: 0 },
  { type: 'message-end', delta: { finish_reason: 'COMPLETE', usage: { tokens: { input_tokens: 1 } } } },
]
const framed = (event: object): string =>
  `event: ${(event as { type: string }).type}\ndata: ${JSON.stringify(event)}\n\n`

async function answer(res: Response, stream: boolean): Promise<void> {
  if (!stream) return void res.json(events[0])
  res.setHeader('content-type', 'text/event-stream')
  for (const event of events) {
    res.write(framed(event))
    await heard(site.guard, /"text":"([^"]*)"/.exec(framed(event))?.[1])
  }
  res.end('data: [DONE]\n\n')
}

const site = guardedSite((app) => {
  app.post('/v2/chat', (req, res) => answer(res, (req.body as { stream: boolean }).stream))
}, parsedJson)
beforeEach(() => {
  events = saying('Hello ', 'there.')
})

const client = (): CohereClientV2 => new CohereClientV2({ token: 't', environment: site.url, maxRetries: 0 })
const asking = (text: string) => ({ model: 'command-a-03-2025', messages: [{ role: 'user' as const, content: text }] })

interface Said {
  text: string
  types: string[]
  end: unknown
  error: unknown
}
async function stream(text = 'hello'): Promise<Said> {
  const said: Said = { text: '', types: [], end: undefined, error: undefined }
  try {
    for await (const event of await client().chatStream(asking(text))) {
      said.types.push(event.type)
      if (event.type === 'content-delta') said.text += event.delta?.message?.content?.text ?? ''
      if (event.type === 'message-end') said.end = event.delta
    }
  } catch (error) {
    said.error = error
  }
  return said
}

describe('the client of Cohere', () => {
  it('raises its own error, with the categories, for an unsafe question and an unsafe reply', async () => {
    events = [REPLIES['cohere-chat']!('UNSAFE')]
    for (const [question, stage] of [
      ['UNSAFE', 'input'],
      ['hello', 'output'],
    ] as const) {
      const error: unknown = await client()
        .chat(asking(question))
        .catch((told: unknown) => told)
      expect(error).toBeInstanceOf(CohereError)
      expect(error).toMatchObject({
        statusCode: 451,
        body: { code: 'content_filter', stage, categories: [{ code: 'O3' }] },
      })
    }
  })

  it('is stopped in the middle: the part ends, the message ends, and no unjudged word was read', async () => {
    events = saying('Hello ', 'there, ', 'UNSAFE', ' and more')
    const { text, types, end, error } = await stream()
    expect([text, error]).toEqual(['Hello there, ', undefined])
    expect(types.slice(-2)).toEqual(['content-end', 'message-end'])
    expect(end).toMatchObject({ finishReason: 'ERROR', error: expect.stringContaining('Criminal Planning') as string })
  })

  it('is told that the guard failed in the middle', async () => {
    events = saying('Hello ', 'there, ', 'BROKEN')
    const { text, end } = await stream()
    expect(text).toBe('Hello there, ')
    expect(end).toMatchObject({ finishReason: 'ERROR', error: 'The guard answered with an error' })
  })

  it('reads a refusal as words of the assistant, of the question and in the middle', async () => {
    site.options = { onBlock: 'refusal', refusalText: 'No.' }
    // The AI SDK's provider for Cohere raises an error for a reply without the tokens.
    const end = { finishReason: 'COMPLETE', usage: { tokens: { inputTokens: 0, outputTokens: 0 } } }
    const whole = await client().chat(asking('UNSAFE'))
    expect(whole).toMatchObject({ message: { content: [{ type: 'text', text: 'No.' }] }, ...end })
    expect(await stream('UNSAFE')).toMatchObject({ text: 'No.', end })
    events = saying('Hello, ', 'UNSAFE')
    expect(await stream()).toMatchObject({ text: 'Hello, No.', end })
  })
})

it.each<[string, object[]]>([
  ['parts that interleave', [content('UN'), content('x', 1), content('SAFE')]],
  [
    'calls that interleave',
    [0, 1, 0].map((index, at) => ({
      type: 'tool-call-delta',
      index,
      delta: { message: { tool_calls: { function: { arguments: ['UN', 'x', 'SAFE'][at] } } } },
    })),
  ],
])('Words in a stream are judged as they will be read: %s.', async (_, said) => {
  events = [START, ...said, { type: 'message-end', delta: { finish_reason: 'COMPLETE' } }]
  const reply = await send(`${site.url}/v2/chat`, { body: { ...asking('hello'), stream: true } })
  expect(site.guard.texts().some((text) => text.includes('UNSAFE'))).toBe(true)
  expect(reply.status === 451 || reply.text.includes('llama_guard')).toBe(true)
})

it('A request is read with its documents, plans and results.', () => {
  const request = cohereChat.request({
    model: 'command-a-03-2025',
    messages: [
      { role: 'system', content: 'Be kind.' },
      { role: 'user', content: 'Look' },
      {
        role: 'assistant',
        tool_plan: 'I look.',
        tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'f', arguments: '{}' } }],
      },
      {
        role: 'tool',
        tool_call_id: 'call_1',
        content: [{ type: 'document', document: { id: '1', data: { text: 'found' } } }],
      },
    ],
    documents: [{ data: { text: 'A document.' } }],
    safety_mode: 'STRICT',
    citation_options: { mode: 'FAST' },
  })
  expect(request).toMatchObject({ system: 'Be kind.', userTurns: [0], extras: ['A document.'] })
  expect(request.turns.map(({ role }) => role)).toEqual(['User', 'Agent', 'User'])
  expect(request.turns[1]!.text).toBe('I look.\nf\n{}')
  expect(request.turns[2]!.text).toContain('found')
})
