// Legacy Completions: prompts in, `choices[].text` out.
import OpenAI from 'openai'
import { expect, it } from 'vitest'
import { openaiCompletions } from '../../src/dialects/openai-completions.js'
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
