// Legacy Completions: prompts in, `choices[].text` out.
import OpenAI from 'openai'
import { describe, expect, it } from 'vitest'
import { openaiCompletions } from '../../src/dialects/openai-completions.js'
import { heard } from '../helpers/guards.js'
import { guardedSite, parsedJson } from './site.js'
import { BLOCKED, drain, event, frames, gather, readerOf, serving } from './streams.js'

const ask = (body: Record<string, unknown>): ReturnType<typeof openaiCompletions.request> =>
  openaiCompletions.request({ model: 'm', ...body })
const chunk = (index: number, text: string, finish: string | null = null): object => ({
  id: 'cmpl-1',
  object: 'text_completion',
  created: 1,
  model: 'm',
  choices: [{ index, text, logprobs: null, finish_reason: finish }],
})

it('Prompts and suffix are one user turn.', () => {
  expect(ask({ prompt: 'Once', max_tokens: 5, echo: true })).toEqual({
    system: '',
    turns: [{ role: 'User', text: 'Once' }],
    userTurns: [0],
    extras: [],
    stream: false,
    ids: expect.anything(),
    model: 'm',
  })
  expect(ask({ prompt: ['a', 'b'], suffix: 'c' }).turns).toEqual([{ role: 'User', text: 'a\nb\nc' }])
})

it('Tokens in place of a prompt cannot be read.', () => {
  for (const prompt of [
    [1, 2, 3],
    [[1, 2], [3]],
  ])
    expect(() => ask({ prompt })).toThrow(expect.objectContaining({ code: 'unreadable_request' }))
})

it('Every choice of a reply is read, without its tokens.', () => {
  const logprobs = (...tokens: string[]): object => ({
    tokens,
    token_logprobs: tokens.map(() => -1),
    text_offset: [0],
    top_logprobs: tokens.map((token) => ({ [token]: -1, [`${token}?`]: -2 })),
  })
  const choices = [
    { index: 0, text: 'a b', logprobs: logprobs('a', ' b'), finish_reason: 'stop' },
    { index: 1, text: 'c', logprobs: logprobs('x', ' y'), finish_reason: 'length' },
  ]
  expect(openaiCompletions.reply({ id: 'cmpl-1', object: 'text_completion', created: 1, model: 'm', choices })).toEqual(
    [
      { index: 0, text: 'a b' },
      { index: 1, text: 'c' },
    ],
  )
})

it('A stream is read by choice and ends as the SDK expects.', async () => {
  const events = [chunk(0, 'On'), chunk(1, 'Up'), chunk(0, 'ce'), chunk(1, '', 'stop')].map((data) => event(data))
  expect(gather(openaiCompletions.stream(), events)).toEqual({
    '0:text': 'Once',
    '1:text': 'Up',
  })
  await serving(frames(events) + readerOf(openaiCompletions, events, 4).block(BLOCKED), async (baseURL) => {
    const parts = await drain(
      await new OpenAI({ baseURL, apiKey: 'k' }).completions.create({ model: 'm', prompt: 'a', stream: true }),
    )
    expect(parts.at(-1)).toMatchObject({
      id: 'cmpl-1',
      object: 'text_completion',
      choices: [{ index: 0, text: '', finish_reason: 'content_filter' }],
    })
  })
})

describe('A guarded stream that turns bad', () => {
  const delta = (content: string): object => ({
    id: 'cmpl-2',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'm',
    choices: [{ index: 0, delta: { content }, finish_reason: null }],
  })
  /** Azure sends it first, to completions and to chats. */
  const filters = { id: '', object: '', created: 0, model: '', prompt_filter_results: [], choices: [] }
  let said: object[] = []
  const site = guardedSite((app) => {
    app.post(/./, async (_req, res) => {
      res.setHeader('content-type', 'text/event-stream')
      for (const each of said) {
        res.write(frames([event(each)]))
        await heard(site.guard, /"(?:text|content)":"([^"]*)"/.exec(JSON.stringify(each))?.[1])
      }
      res.end('data: [DONE]\n\n')
    })
  }, parsedJson)
  const read = async (): Promise<object[]> =>
    drain(
      await new OpenAI({ baseURL: `${site.url}/v1`, apiKey: 'k' }).completions.create({
        model: 'm',
        prompt: 'a',
        stream: true,
      }),
    )
  const asChat = async (): Promise<object[]> =>
    drain(
      await new OpenAI({ baseURL: `${site.url}/v1`, apiKey: 'k' }).chat.completions.create({
        model: 'm',
        messages: [{ role: 'user', content: 'a' }],
        stream: true,
      }),
    )
  const TEXT = { object: 'text_completion', choices: [{ index: 0, text: '', finish_reason: 'content_filter' }] }
  const CHAT = { object: 'chat.completion.chunk', choices: [{ index: 0, delta: {}, finish_reason: 'content_filter' }] }

  it.each([
    ['completions', [chunk(0, 'Once'), chunk(0, ' UNSAFE')], read, TEXT],
    ['completions behind an event without choices', [filters, chunk(0, 'Once'), chunk(0, ' UNSAFE')], read, TEXT],
    // Mistral's fill-in-the-middle is asked as completions are.
    ['chunks of a chat that were asked as completions', [delta('Once'), delta(' UNSAFE')], read, CHAT],
    ['a chat behind an event without choices', [filters, delta('Once'), delta(' UNSAFE')], asChat, CHAT],
    ['completions that were asked as a chat', [chunk(0, 'Once'), chunk(0, ' UNSAFE')], asChat, TEXT],
  ])('ends as it began: %s', async (_name, events, ask, last) => {
    said = events
    expect((await ask()).at(-1)).toMatchObject(last)
  })

  it('says the words of a refusal as its text', async () => {
    site.options = { onBlock: 'refusal', refusalText: 'No.' }
    said = [chunk(0, 'Once, '), chunk(0, 'UNSAFE')]
    const texts = (await read()).map((each) => (each as OpenAI.Completion).choices[0]?.text)
    expect(texts).toEqual(['Once, ', 'No.', ''])
  })
})
