// The walker of replies: what its server fills is not judged, in its place and in its form; its work has bounds.
import { expect, it } from 'vitest'
import { anthropicMessages } from '../../../src/dialects/anthropic-messages.js'
import { generic } from '../../../src/dialects/generic.js'
import { openaiChat } from '../../../src/dialects/openai-chat.js'

const judged = (more: object): string =>
  openaiChat
    .reply({ choices: [{ index: 0, message: { content: 'a' } }], ...more })!
    .map(({ text }) => text)
    .join('\n')
const UNREADABLE = expect.objectContaining({ code: 'unreadable_response' }) as Error

it.each([
  'chatcmpl-9Qx2Lm7VzKpT4RwB',
  'gen-1730000000-AbCdEf',
  'resp_abc',
  'run-0a1b',
  'c1',
  'b4a1f0e2-94c3-4d7a-8f21-0c9d3e5a7b61',
  'x'.repeat(128),
])('The id %s in the place of an id is not judged, and anywhere else it is.', (id) => {
  expect(judged({ id })).toBe('a')
  expect(judged({ note: id })).toBe(`a\nnote\n${id}`)
  expect(judged({ note: { id } })).toBe(`a\nnote\nid\n${id}`)
})

it.each(['two words', 'x'.repeat(129), 'schön', 'tab\tstop', 'line\nbreak', '\u00a0'])(
  '%j in the place of an id is judged.',
  (text) => {
    expect(judged({ id: text })).toBe(`a\n${text}`)
    expect(judged({ usage: { note: text } })).toBe(`a\n${text}`)
    expect(judged({ usage: { [text]: 1 } })).toBe(`a\n${text}`)
  },
)

it('Sealed data of any length is not judged in its place, and words in it are.', () => {
  const block = (signature: string): object => ({
    type: 'message',
    content: [{ type: 'thinking', thinking: 'a', signature }],
  })
  const text = (signature: string): string => anthropicMessages.reply(block(signature))![0]!.text
  expect(text('EqMBCkYI/+a_-'.repeat(9000) + '==')).toBe('a')
  expect(text('two words')).toBe('a\ntwo words')
})

it('What the model wrote as an object is judged as JSON, ids in it included.', () => {
  const input = { id: 'tell', type: 'me', role: 'how' }
  const reply = { type: 'message', content: [{ type: 'tool_use', id: 'toolu_1', name: 'f', input }] }
  expect(anthropicMessages.reply(reply)![0]!.text).toBe(`f\n${JSON.stringify(input)}`)
})

it('In a reply of no known API, fields are the server’s by their names, in the form that these have.', () => {
  const text = (reply: unknown): string =>
    generic
      .reply(reply)!
      .map((choice) => choice.text)
      .join('|')
  const free = {
    id: 'c1',
    uuid: 'run-7',
    userId: '5',
    run_id: 'run-0a1b2c',
    type: 'x',
    role: 'r',
    status: 'ok',
    object: 'o',
  }
  const more = {
    model: 'm-1',
    version: '1.0',
    created: '1',
    timestamp: '2026-01-01T00:00:00Z',
    updated_at: '1',
    readAt: '2',
  }
  expect(text({ answer: 'Hi', ...free, ...more })).toBe('Hi')
  expect(
    text({
      list: [
        { ...free, content: 'Hi' },
        { ...free, content: 'Ho' },
      ],
    }),
  ).toBe('list\nHi\nHo')
  for (const [name, value] of Object.entries({
    id: 'tell-me-how-to-harm',
    userId: 'plantedwordsofharm',
    type: 'planted words',
    status: 'x'.repeat(129),
    name: 'x1',
    title: 'c1',
    state: 'ok',
    chat: 'x',
  }))
    expect(text({ answer: 'Hi', [name]: value })).toContain(value)
  expect(text({ id: ['tell', 'me', 'how'] })).toBe('tell\nme\nhow')
})

it('Names of fields that nobody knows are judged, once each.', () => {
  const keys = (count: number): object =>
    Object.fromEntries(Array.from({ length: count }, (_, at) => [`own${at}`, null]))
  expect(judged(keys(600)).split('\n')).toEqual(['a', ...Array.from({ length: 600 }, (_, at) => `own${at}`)])
  expect(judged({ citations: Array.from({ length: 5 }, () => ({ harmful: 1, e: 2 })) })).toBe('a\nharmful\ne')
  expect(judged(JSON.parse('{"__proto__":{"so":"it is"},"constructor":"so"}') as object)).toBe(
    'a\n__proto__\nso\nit is\nconstructor\nso',
  )
})

it('Numbers are numbers.', () => {
  expect(judged({ citations: [...Buffer.from('tellmehowtomake')] })).toBe('a')
})

it('A reply of more than 200,000 values, or nested deeper than 64, cannot be read.', () => {
  const nest = (depth: number): unknown => (depth === 0 ? 'words' : [nest(depth - 1)])
  expect(judged({ more: nest(62) })).toBe('a\nmore\nwords')
  expect(() => judged({ more: nest(70) })).toThrow(UNREADABLE)
  expect(judged({ more: Array.from({ length: 199_000 }, () => null) })).toBe('a\nmore')
  expect(() => judged({ more: Array.from({ length: 200_000 }, () => true) })).toThrow(UNREADABLE)
  const reader = openaiChat.stream()
  const more = { data: `{"more":[${'true,'.repeat(150_000)}true]}` }
  expect([more, more].map((event) => reader.read(event).length)).toEqual([1, 0])
})
