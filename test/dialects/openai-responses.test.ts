// The Responses API: items in, items out, deltas and the snapshots that repeat them.
import OpenAI from 'openai'
import { describe, expect, it } from 'vitest'
import { openaiResponses } from '../../src/dialects/openai-responses.js'
import { LlamaGuardError } from '../../src/types/errors.js'
import { BLOCKED, drain, event, frames, gather, readerOf, serving } from './streams.js'

const ask = (input: unknown, more: object = {}): ReturnType<typeof openaiResponses.request> =>
  openaiResponses.request({ model: 'm', input, ...more })

describe('a request', () => {
  it('is one turn when the input is text; instructions are system text', () => {
    expect(
      ask('Hi', {
        instructions: 'Be kind.',
        reasoning: { effort: 'low' },
        previous_response_id: 'resp_1',
        store: true,
        text: { format: { type: 'text' } },
      }),
    ).toEqual({
      system: 'Be kind.',
      turns: [{ role: 'User', text: 'Hi' }],
      userTurns: [0],
      extras: [],
      stream: false,
      ids: expect.anything(),
      model: 'm',
      unseen: [{ what: 'stored-history', count: 1 }],
    })
  })

  it('reads messages, calls, results and reasoning on their own sides', () => {
    const { turns, userTurns, system } = ask([
      { role: 'developer', content: 'Be brief.' },
      {
        type: 'message',
        role: 'user',
        content: [
          { type: 'input_text', text: 'Look' },
          { type: 'input_image', image_url: 'https://x.test/a.png', detail: 'auto' },
        ],
      },
      {
        type: 'reasoning',
        id: 'rs_1',
        summary: [{ type: 'summary_text', text: 'I think' }],
        encrypted_content: 'A'.repeat(500),
      },
      { type: 'function_call', call_id: 'call_1', name: 'f', arguments: '{"a":1}' },
      { type: 'function_call_output', call_id: 'call_1', output: 'the result' },
      {
        type: 'shell_call_output',
        call_id: 'call_2',
        output: [{ stdout: 'shell words here', stderr: '', outcome: { type: 'exit', exit_code: 0 } }],
      },
      { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Done', annotations: [] }] },
      { type: 'item_reference', id: 'msg_1' },
    ])
    expect(system).toBe('Be brief.')
    expect(turns).toEqual([
      { role: 'User', text: 'Look', images: [{ url: 'https://x.test/a.png' }] },
      { role: 'Agent', text: 'I think\nf\n{"a":1}' },
      { role: 'User', text: 'the result\nshell words here' },
      { role: 'Agent', text: 'Done' },
    ])
    expect(userTurns).toEqual([0])
  })

  it.each(['input_file', 'input_audio'])('with %s is unsupported', (type) => {
    expect(() => ask([{ role: 'user', content: [{ type }] }])).toThrow(
      expect.objectContaining({ code: 'unsupported_content' }),
    )
  })
})

const RESPONSE = {
  id: 'resp_1',
  object: 'response',
  created_at: 9,
  status: 'completed',
  model: 'gpt-4o',
  text: { format: { type: 'text' }, verbosity: 'medium' },
}
const message = (id: string, text: string): object => ({
  id,
  type: 'message',
  status: 'completed',
  role: 'assistant',
  content: [{ type: 'output_text', text, annotations: [], logprobs: [] }],
})

it('The items of a reply are one choice, exactly their words, however many they are.', () => {
  const call = {
    id: 'fc_1',
    type: 'function_call',
    status: 'completed',
    call_id: 'call_1',
    name: 'f',
    arguments: '{"a":"b"}',
  }
  expect(openaiResponses.reply({ ...RESPONSE, output: [message('msg_1', 'Hello.\n'), call] })).toEqual([
    { index: 0, text: 'Hello.\n\nf\n{"a":"b"}' },
  ])
  const research = Array.from({ length: 300 }, (_, at) => message(`msg_${at}`, `Step ${at}`))
  expect(openaiResponses.reply({ ...RESPONSE, output: research })).toHaveLength(1)
  const steps = research.map((each, at) => event({ type: 'response.output_item.done', output_index: at, item: each }))
  const choices = Object.keys(gather(openaiResponses.stream(), steps)).map((key) => key.split(':')[0])
  expect([choices.length, new Set(choices)]).toEqual([300, new Set(['0'])])
  expect(
    openaiResponses.reply({ ...RESPONSE, output: [message('msg_1', 'Hi there')], output_text: 'Hi there' }),
  ).toEqual([{ index: 0, text: 'Hi there' }])
  expect(
    openaiResponses.reply({ ...RESPONSE, output: [message('msg_1', 'a')], instructions: 'echoed words' })?.[0]?.text,
  ).toBe('a\nechoed words')
  expect(openaiResponses.reply({ error: {} })).toBeUndefined()
})

const at = { item_id: 'msg_1', output_index: 0, content_index: 0 }
const item = (text: string, status: string): object => ({
  id: 'msg_1',
  type: 'message',
  status,
  role: 'assistant',
  content: text === '' ? [] : [{ type: 'output_text', text, annotations: [] }],
})
const EVENTS = [
  { type: 'response.created', response: { ...RESPONSE, status: 'in_progress', output: [] } },
  { type: 'response.output_item.added', output_index: 0, item: item('', 'in_progress') },
  { type: 'response.content_part.added', ...at, part: { type: 'output_text', text: '', annotations: [] } },
  { type: 'response.output_text.delta', ...at, delta: 'Hello ', logprobs: [], obfuscation: 'aX9' },
  { type: 'response.output_text.delta', ...at, delta: 'there', logprobs: [{ token: 'there', logprob: -1 }] },
  {
    type: 'response.output_text.done',
    ...at,
    text: 'Hello there',
    logprobs: [{ token: 'Hello ' }, { token: 'there' }],
  },
  { type: 'response.content_part.done', ...at, part: { type: 'output_text', text: 'Hello there', annotations: [] } },
  { type: 'response.output_item.done', output_index: 0, item: item('Hello there', 'completed') },
  { type: 'response.function_call_arguments.delta', item_id: 'fc_1', output_index: 1, delta: '{"a":' },
  { type: 'response.function_call_arguments.delta', item_id: 'fc_1', output_index: 1, delta: '1}' },
  { type: 'response.function_call_arguments.done', item_id: 'fc_1', output_index: 1, arguments: '{"a":1}' },
  {
    type: 'response.completed',
    response: {
      ...RESPONSE,
      output: [
        item('Hello there', 'completed'),
        { type: 'function_call', id: 'fc_1', name: 'f', arguments: '{"a":1}' },
      ],
    },
  },
].map((data, index) => event({ ...data, sequence_number: index }, data.type))

describe('a stream', () => {
  it('judges each text once, though snapshots repeat it', () => {
    expect(gather(openaiResponses.stream(), EVENTS)).toEqual({
      '0:0.output_text.0': 'Hello there',
      '0:1.function_call_arguments.0': '{"a":1}',
      '0:1.item.name': 'f',
    })
  })

  it('judges a snapshot again when it is longer than what is remembered', () => {
    const text = 'words '.repeat(700_000)
    const reader = openaiResponses.stream()
    const said = (data: object): number =>
      reader.read(event(data)).reduce((sum, { text: { length } }) => sum + length, 0)
    expect(said({ type: 'response.output_text.delta', output_index: 0, content_index: 0, delta: text })).toBe(4_200_000)
    expect(said({ type: 'response.output_text.done', output_index: 0, content_index: 0, text })).toBe(4_200_000)
  })

  it('judges a snapshot that says something else than its deltas', () => {
    const other = event({ type: 'response.output_text.done', ...at, text: 'Something else' })
    expect(Object.values(gather(openaiResponses.stream(), [...EVENTS.slice(0, 5), other]))).toContain('Something else')
  })

  it('with audio cannot be read', () => {
    expect(() => openaiResponses.stream().read(event({ type: 'response.audio.delta', delta: 'AAAA' }))).toThrow(
      expect.objectContaining({ code: 'unreadable_response' }),
    )
  })

  it.each([0, 1, 5])('that is blocked after %i events ends as incomplete for the SDK', async (sent) => {
    const end = readerOf(openaiResponses, EVENTS, sent).block(BLOCKED)
    await serving(frames(EVENTS.slice(0, sent)) + end, async (baseURL) => {
      const response = await new OpenAI({ baseURL, apiKey: 'k' }).responses
        .stream({ model: 'm', input: 'a' })
        .finalResponse()
      expect(response).toMatchObject({
        status: 'incomplete',
        incomplete_details: { reason: 'content_filter' },
        ...(sent > 0 ? { id: 'resp_1' } : {}),
      })
    })
    expect(readerOf(openaiResponses, EVENTS, EVENTS.length).block(BLOCKED)).toBe('')
    expect(end).toContain(`"sequence_number":${sent === 0 ? 1 : sent}`)
  })

  it.each(['completed', 'incomplete', 'failed', 'cancelled'])('that is %s gets no other end', (end) => {
    const reader = readerOf(openaiResponses, [event({ type: `response.${end}`, response: RESPONSE })], 1)
    expect([reader.block(BLOCKED), reader.fail(new LlamaGuardError('guard_timeout'))]).toEqual(['', ''])
  })

  it('that declines numbers its events on, and its last one has the words', () => {
    const sent = readerOf(openaiResponses, EVENTS, 5).block(BLOCKED, 'No.')
    const told = [...sent.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data!) as Record<string, any>)
    expect(told.map((each) => each.sequence_number)).toEqual(told.map((_, index) => 5 + index))
    expect(told.at(-1)).toMatchObject({ type: 'response.incomplete', response: { status: 'incomplete' } })
    expect(told.at(-1)!.response.output[0].content).toEqual([{ type: 'refusal', refusal: 'No.' }])
  })

  it('that declines puts its words into an item after those that were sent', () => {
    for (const [sent, index] of [
      [1, 0],
      [5, 1],
      [10, 2],
    ] as const)
      for (const type of ['output_item.added', 'refusal.delta', 'output_item.done']) {
        const told = readerOf(openaiResponses, EVENTS, sent).block(BLOCKED, 'No.')
        const [, data] = new RegExp(`^event: response.${type}\r?\ndata: (.*)$`, 'm').exec(told)!
        expect(JSON.parse(data!)).toMatchObject({ output_index: index })
      }
  })

  it('that sent no event of its own yet is opened by its end', () => {
    const told = readerOf(openaiResponses, [event('[DONE]'), { other: ': hello' }], 2).block(BLOCKED)
    expect(told).toMatch(/^event: response.created/)
  })

  it.each(['created', 'in_progress', 'queued'])(
    'has what it repeats of the request in `%s` beside its words',
    (type) => {
      const echoed = { ...RESPONSE, output: [], instructions: 'Be kind to everybody who asks.' }
      const [first] = openaiResponses.stream().read(event({ type: `response.${type}`, response: echoed }))
      expect(first).toMatchObject({ text: 'Be kind to everybody who asks.', aside: true })
    },
  )

  it('that failed numbers its error on, which the SDK raises', async () => {
    const end = readerOf(openaiResponses, EVENTS, 4).fail(new LlamaGuardError('guard_timeout'))
    expect(end).toContain('"sequence_number":4')
    await serving(frames(EVENTS.slice(0, 4)) + end, async (baseURL) => {
      const stream = await new OpenAI({ baseURL, apiKey: 'k' }).responses.create({
        model: 'm',
        input: 'a',
        stream: true,
      })
      await expect(drain(stream)).rejects.toMatchObject({ code: 'guard_timeout', type: 'guard_unavailable' })
    })
  })
})
