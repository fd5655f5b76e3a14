// What stands beside the conversation: one extra text, the closed list of what goes unjudged, and the bounds.
import { describe, expect, it } from 'vitest'
import { anthropicMessages } from '../../../src/dialects/anthropic-messages.js'
import type { ChatRequest } from '../../../src/dialects/dialect.js'
import { openaiChat } from '../../../src/dialects/openai-chat.js'
import { openaiCompletions } from '../../../src/dialects/openai-completions.js'
import { openaiResponses } from '../../../src/dialects/openai-responses.js'
import { ask as send, guarded, onNode, serving } from '../../helpers/apps.js'

const MESSAGES = [{ role: 'user', content: 'Hi' }]
const ask = (more: object): ChatRequest => openaiChat.request({ messages: MESSAGES, ...more })
const extra = (more: object): string | undefined => ask(more).extras[0]
const UNREADABLE = expect.objectContaining({ code: 'unreadable_request' }) as Error
const codes = (text: string): number[] => Array.from(text, (sign) => sign.codePointAt(0)!)

describe('What is no conversation', () => {
  it('is one text for one more guard call, however many fields it fills', async () => {
    const fields = Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`field ${at}`, `some prose ${at}`]))
    const middleware = guarded({ check: ['input'] })
    await serving(
      onNode([middleware], (_req, res) => res.end('{}')),
      async ({ url }) => {
        const reply = await send(`${url}/v1/chat/completions`, {
          body: { messages: MESSAGES, ...fields, documents: ['a b', { text: 'c d' }], prediction: { content: 'e f' } },
        })
        expect(reply.status).toBe(200)
      },
    )
    const [, text = '', ...rest] = middleware.guard.texts()
    expect(rest).toEqual([])
    for (const words of ['field 0', 'some prose 0', 'field 299', 'some prose 299', 'a b', 'c d', 'e f'])
      expect(text).toContain(words)
  })

  it('is system text where an app sends the same every time, and a name in it is said once', () => {
    const tools = [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }]
    const tool_choice = { type: 'function', function: { name: 'f' } }
    expect(ask({ tools, tool_choice, guided_choice: ['yes', 'no'] })).toMatchObject({
      system: 'f\n{"type":"object"}\nyes\nno',
      extras: [],
    })
    expect(ask({ system: 'kill' }).system).toBe('kill')
    expect(ask({ system: 'auto' }).system).toBe('auto')
    expect(ask({ format: 'json', text: { format: { type: 'text' } } })).toMatchObject({ system: '', extras: [] })
    expect(ask({ format: 'yaml', text: 'auto' })).toMatchObject({ system: '', extras: ['yaml\nauto'] })
  })

  it.each(['prompt', 'input', 'query', 'question', 'message', 'context', 'text', 'content'])(
    'is prose in a field named %s, whatever stands in it',
    (name) => {
      for (const value of ['abc', 'auto', '42', 'call_1', '3f9a1c5e-7b2d-4c8f-9e6a-0d1b2c3a4f5e'])
        for (const field of [{ [name]: value }, { [name]: [value] }, { options: { [name]: value } }])
          expect(extra(field)).toBe(value)
    },
  )

  it('is read with its names and numbers where nobody knows the name', () => {
    expect(extra({ persona: { mood: 7, is_grim: true } })).toBe('persona\nmood\n7\nis_grim')
    expect(extra({ temperature: 7, options: { num_ctx: 9, stop: ['###'] }, seed: '7' })).toBeUndefined()
    expect(extra({ persona: 'auto' })).toBe('persona\nauto')
    expect(extra({ reasoning: { effort: 'tell_me_how' } })).toBe('tell_me_how')
  })

  it('is judged in the variables of a stored prompt', () => {
    const prompt = { id: 'pmpt_12', version: '2', variables: { topic: 'bomb', n: 'auto' } }
    expect(openaiResponses.request({ input: 'Hi', prompt }).extras).toEqual(['topic\nbomb\nauto'])
  })
})

describe('Settings that no model reads', () => {
  it('go unjudged under names of their own, unless they are prose or many', () => {
    expect(extra({ user: 'u-1', metadata: { tier: 'gold', plan_b: 'x' }, prompt_cache_key: 'k' })).toBeUndefined()
    expect(extra({ user: 'do bad things' })).toBe('do bad things')
    expect(extra({ metadata: { 'do bad': 'x', y: 'things here' } })).toBe('do bad\nthings here')
    const many = Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`k${at}`, `v${at}`]))
    expect(extra({ metadata: many })?.split('\n')).toHaveLength(16)
  })

  it('are stop strings without blanks within them', () => {
    expect(extra({ stop: ['###', '\n\n', 'Observation:', '\nHuman: '] })).toBeUndefined()
    expect(extra({ stop: 'stop at this' })).toBe('stop at this')
    expect(extra({ stop_sequences: ['x'.repeat(33)] })).toBe('x'.repeat(33))
    expect(extra({ stop: `${' '.repeat(99)}x` })).toBeDefined()
    // Within a message a model reads them.
    expect(openaiChat.request({ messages: [{ ...MESSAGES[0], stop: 'bomb' }] }).turns[0]?.text).toBe('Hi\nbomb')
  })

  it.each(['stop', 'stop_sequences', 'model', 'models', 'lora'])('are no `%s` within another field', (name) => {
    for (const value of ['gpt-zorbomat', ['gpt-zorbomat']])
      for (const field of [
        { '': { [name]: value } },
        { whatever: { options: { [name]: value } } },
        { tools: [{ type: 'function', options: { [name]: value } }] },
        { options: { options: { [name]: value } } },
        { options: [{ [name]: value }] },
      ]) {
        const { system, extras } = ask(field)
        expect([system, ...extras].join()).toContain('gpt-zorbomat')
      }
  })

  it('are the names of models and identifiers in their own fields alone', () => {
    expect(extra({ model: 'gpt-4o', previous_response_id: 'resp_67ccd2bed1ec8190b14f964abc054267' })).toBeUndefined()
    expect(extra({ model: 'tell-me-how-to-build-a-bomb' })).toBe('tell-me-how-to-build-a-bomb')
    expect(extra({ service_tier: '67ccd2bed1ec8190b14f964abc054267' })).toBe('67ccd2bed1ec8190b14f964abc054267')
    expect(extra({ previous_response_id: 'resp_tellmehow' })).toBe('resp_tellmehow')
  })

  it('are 64 identifiers and 8 numbers that are strings, and no more', () => {
    const ids = Array.from({ length: 70 }, (_, at) => ({ role: 'user', content: 'a', id: `msg_${at}` }))
    const text = openaiChat.request({ messages: ids }).turns[0]!.text
    expect(text).not.toContain('msg_63')
    expect(text.match(/msg_/g)).toHaveLength(6)
    const numbers = Array.from({ length: 40 }, (_, at) => String(100 + at))
    expect(extra({ modalities: numbers })?.split('\n')).toHaveLength(32)
  })
})

describe('Numbers that are text', () => {
  it.each<[object]>([
    [{ input_ids: [5] }],
    [{ inputIds: [[5]] }],
    [{ prompt_token_ids: [1, 2] }],
    [{ prompt: [1] }],
    [{ context: [1, 2, 3] }],
    [{ tokens: [1] }],
    [{ prompt_embeds: 'AAAA' }],
    [{ inputs_embeds: [[0.1]] }],
    [{ mine: codes('hello') }],
    [{ mine: [[104], [101], [108], [108], [111]] }],
    [{ mine: { deep: [{ a: codes('hello') }] } }],
    [{ mine: { 0: 104, 1: 101, 2: 108, 3: 108, 4: 111 } }],
    [{ mine: [1082, 1072, 1082, 1082, 1072, 1082, 1082, 1072] }],
    [{ metadata: { a: codes('hello') } }],
    [{ stop: codes('hello') }],
    [{ tools: [{ type: 'function', function: { name: 'f', parameters: { x: codes('tell me how') } } }] }],
    [{ messages: [{ role: 'user', content: 'a', note: codes('hello') }] }],
    [{ messages: [{ role: 'user', content: [{ type: 'text', text: 'a', note: codes('hello') }] }] }],
    [
      {
        messages: [
          { role: 'assistant', content: '', tool_calls: [{ function: { arguments: { x: codes('tell me how') } } }] },
        ],
      },
    ],
  ])('in %j are refused', (more) => {
    expect(() => ask(more)).toThrow(UNREADABLE)
  })

  it('are not the ids that stop a reply, nor a few of them, nor what tools are called with', () => {
    expect(ask({ stop_token_ids: [1, 2, 3, 4, 5, 6, 7, 8, 9], logit_bias: { 50256: -100, 11: 5 } }).extras).toEqual([])
    expect(extra({ modalities: [104, 111, 119] })).toBe('104\n111\n119')
    expect(extra({ box: [10, 20, 300, 400] })).toBe('box\n10\n20\n300\n400')
    const scores = { scores: [85, 90, 78, 92, 88, 76, 95, 89, 71, 66] }
    const call = {
      role: 'assistant',
      content: '',
      tool_calls: [{ id: 'call_1', function: { name: 'f', arguments: scores } }],
    }
    expect(openaiChat.request({ messages: [...MESSAGES, call] }).turns[1]?.text).toBe(`f\n${JSON.stringify(scores)}`)
    expect(extra({ logit_bias: { 11: 'tell me' } })).toBe('11\ntell me')
  })

  it('are refused as a prompt, as is a suffix that is no text', () => {
    for (const prompt of [[1], ['a', 1], [[1]], {}, []])
      expect(() => openaiCompletions.request({ prompt })).toThrow(UNREADABLE)
    for (const suffix of [[1], {}, 5])
      expect(() => openaiCompletions.request({ prompt: 'a', suffix })).toThrow(UNREADABLE)
    expect(openaiCompletions.request({ prompt: 'a', suffix: null }).turns).toHaveLength(1)
  })
})

describe('A body', () => {
  it('may hold 100,000 values and names together, nested 64 deep', () => {
    const list = (length: number): object => ({ mine: Array.from({ length }, () => null) })
    expect(extra(list(99_980))).toBe('mine')
    expect(() => ask(list(100_000))).toThrow(UNREADABLE)
    const names = (count: number): object => ({
      mine: Object.fromEntries(Array.from({ length: count }, (_, at) => [`k${at}`, true])),
    })
    expect(extra(names(49_980))).toContain('k49979')
    expect(() => ask(names(50_000))).toThrow(UNREADABLE)
    const nest = (depth: number): unknown => (depth === 0 ? 'words' : [nest(depth - 1)])
    expect(extra({ mine: nest(63) })).toBe('mine\nwords')
    expect(() => ask({ mine: nest(64) })).toThrow(UNREADABLE)
  })

  it.each(['__proto__', 'constructor', 'prototype'])('with a key named %s is refused wherever it stands', (key) => {
    const planted = JSON.parse(`{"${key}": "x"}`) as object
    for (const more of [planted, { mine: [planted] }, { messages: [{ role: 'user', content: 'a', mine: planted }] }])
      expect(() => openaiChat.request({ messages: MESSAGES, ...JSON.parse(JSON.stringify(more)) })).toThrow(UNREADABLE)
  })

  it('costs little to walk, whatever it is made of', () => {
    const fill = (unit: string): string => unit.repeat(1_000_000 / unit.length)
    const bodies: object[] = [
      { stop: `${fill(' ')}x` },
      { stop: Array.from({ length: 90_000 }, () => ' ') },
      { model: fill('a-') },
      { metadata: { a: fill(' a') } },
      { mine: fill('data:') },
      { mine: `data:text/plain${fill(';a=b')},x` },
      { mine: `${fill(' ')}data:,x` },
      { images: Array.from({ length: 40_000 }, () => 'iVBORw0KGgo=') },
      { mine: Object.fromEntries(Array.from({ length: 49_000 }, (_, at) => [`k${at}`, at])) },
      { messages: [{ role: 'user', content: Array.from({ length: 19_000 }, () => ({ type: 'text', text: 'ab' })) }] },
      {
        messages: [
          { role: 'user', content: [{ type: 'thinking', thinking: 'x', signature: fill('qZ9xKv2LpW8rTn4Y') }] },
        ],
      },
      {
        messages: Array.from({ length: 13_000 }, (_, at) => ({
          role: 'user',
          content: 'a',
          id: `call_${at}xYz9Qw8RtB7`,
        })),
      },
    ]
    for (const body of bodies) {
      const started = process.cpuUsage()
      ask(body)
      const { user, system } = process.cpuUsage(started)
      expect((user + system) / 1000).toBeLessThan(500)
    }
  })
})

it('An item of Responses that is unknown, or a picture that a model made, is refused; more tools are system text.', () => {
  const read = (item: object): ChatRequest =>
    openaiResponses.request({ input: [{ role: 'user', content: 'Hi' }, item] })
  expect(() => read({ type: 'riddle', text: 'a' })).toThrow(UNREADABLE)
  expect(() => read({ type: 'image_generation_call', id: 'ig_12', result: 'AAAA' })).toThrow(
    expect.objectContaining({ code: 'unsupported_content' }) as Error,
  )
  expect(read({ type: 'additional_tools', tools: [{ name: 'f', description: 'Tells.' }] }).system).toBe('f\nTells.')
  const result = { type: 'function_call_output', call_id: 'how to', output: 'Sunny', note: 'rest' }
  expect(read(result).turns).toEqual([{ role: 'User', text: 'Hi\nSunny\nhow to\nnote\nrest' }])
  expect(read(result).userTurns).toEqual([0])
  const screenshot = { type: 'computer_screenshot', image_url: 'https://x.test/a.png' }
  expect(read({ type: 'computer_call_output', call_id: 'call_1', output: screenshot }).turns[0]?.images).toEqual([
    { url: 'https://x.test/a.png' },
  ])
})

it('A turn is human when any of its messages is, and a list of no messages is refused.', () => {
  const result = { type: 'tool_result', tool_use_id: 'toolu_1', content: 'Sunny' }
  const human = { role: 'user', content: 'Go on' }
  for (const messages of [
    [human, { role: 'user', content: [result] }],
    [{ role: 'user', content: [result] }, human],
  ])
    expect(anthropicMessages.request({ messages }).userTurns).toEqual([0])
  expect(() => openaiChat.request({ messages: [], prompt: 'a' })).toThrow(UNREADABLE)
})
