// Events that are recognised instead of parsed: they must say what a parser finds in them, whatever came before.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { anthropicMessages } from '../../../src/dialects/anthropic-messages.js'
import type { Dialect, StreamDelta, StreamEvent } from '../../../src/dialects/dialect.js'
import { openaiChat } from '../../../src/dialects/openai-chat.js'
import { openaiCompletions } from '../../../src/dialects/openai-completions.js'
import { RepeatedEvent } from '../../../src/dialects/kit/stream-memory.js'
import { BLOCKED, event, readerOf } from '../streams.js'
import { rounds } from '../../helpers/sampled.js'

/** One spelling of a JSON string out of many. */
const literal = (text: string, escaped: boolean): string =>
  escaped
    ? `"${Array.from({ length: text.length }, (_, at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')}"`
    : JSON.stringify(text)

// Few, so that words often stand in an event twice.
const model = fc.constantFrom('demo', 'a')
const words = fc.oneof(
  model,
  fc.constantFrom('stop', '', ' ', 'say "this"', 'back\\slash', 'line\nbreak', '[DONE]', '"', 'content'),
  fc.string({ unit: 'grapheme', maxLength: 8 }),
)

const chatEvent = fc
  .record({
    content: words,
    escaped: fc.boolean(),
    model,
    index: fc.constantFrom(0, 0, 0, 1),
    extra: fc.option(words, { freq: 6, nil: undefined }),
    blank: fc.constantFrom('', '', ' '),
  })
  .map(
    ({ content, escaped, model: name, index, extra, blank }) =>
      `{"id":"chatcmpl-1","model":"${name}","choices":[{"index":${index},"delta":{"content":${blank}${literal(content, escaped)}${extra === undefined ? '' : `,"reasoning":${JSON.stringify(extra)}`}},"finish_reason":null}]}`,
  )
const completionEvent = fc
  .record({ text: words, escaped: fc.boolean(), model })
  .map(
    ({ text, escaped, model: name }) => `{"model":"${name}","choices":[{"index":0,"text":${literal(text, escaped)}}]}`,
  )
const blockEvent = fc
  .record({ text: words, escaped: fc.boolean(), extra: fc.option(words, { freq: 6, nil: undefined }) })
  .map(
    ({ text, escaped, extra }) =>
      `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":${literal(text, escaped)}${extra === undefined ? '' : `,"thinking":${JSON.stringify(extra)}`}}}`,
  )

// What choices say together depends on what came before. It is read in full.
const said = (deltas: readonly StreamDelta[]): StreamDelta[] =>
  deltas.filter(({ text, channel }) => text !== '' && !channel.startsWith('choices.'))

function readsLikeNew(dialect: Dialect, events: readonly StreamEvent[]): void {
  const reader = dialect.stream()
  // A reader that has seen nothing yet has nothing to recognise.
  for (const each of events) expect(said(reader.read(each))).toEqual(said(dialect.stream().read(each)))
}

it('An event is recognised by the one before it, unless one of them has more than data.', () => {
  const chunk = (words: string, more: Partial<StreamEvent> = {}): StreamEvent => ({ data: `{"a":"${words}"}`, ...more })
  const learnt = (more?: Partial<StreamEvent>): RepeatedEvent => {
    const repeated = new RepeatedEvent(/^a$/)
    repeated.learn(chunk('one', more), [{ choice: 3, channel: 'a', text: 'one' }])
    return repeated
  }
  expect(learnt().read(chunk('two'))).toEqual({ choice: 3, channel: 'a', text: 'two' })
  for (const more of [{ event: 'e' }, { other: 'o' }, { part: '0' }, { plain: true }] as const) {
    expect(learnt(more).read(chunk('two'))).toBeUndefined()
    expect(learnt().read(chunk('two', more))).toBeUndefined()
  }
})

describe('An event like the one before it', () => {
  it.each([
    ['chat chunks', openaiChat, chatEvent],
    ['completion chunks', openaiCompletions, completionEvent],
    ['blocks of Anthropic', anthropicMessages, blockEvent],
  ] as const)('says what a parser finds in it: %s.', (_name, dialect, one) => {
    fc.assert(
      fc.property(fc.array(one, { maxLength: 12 }), (list) =>
        readsLikeNew(
          dialect,
          list.map((data) => event(data, dialect === anthropicMessages ? 'content_block_delta' : undefined)),
        ),
      ),
      { numRuns: rounds(2000) },
    )
  })

  it('is read anew when its words are spelt in a way that could hide others.', () => {
    const chunk = (content: string, name = 'demo'): StreamEvent =>
      event(`{"model":"${name}","choices":[{"index":0,"delta":{"content":${content}}}]}`)
    // The one literal `"demo"` is the model's name here, not the words.
    readsLikeNew(openaiChat, [chunk('"\\u0064emo"'), chunk('"\\u0064emo"', 'other'), chunk('"\\u0064emo"', 'x')])
    readsLikeNew(openaiChat, [chunk('"a"'), chunk('"b","refusal":"c"'), chunk('"d\\"e"')])
    readsLikeNew(openaiChat, [
      chunk('"a"'),
      { ...chunk('"b"'), other: 'a comment' },
      { ...chunk('"c"'), event: 'two words' },
      chunk('"d"'),
    ])
    const reader = openaiChat.stream()
    reader.read(chunk('"a"'))
    expect(() => reader.read(chunk('"b","content":"c"'))).toThrow(
      expect.objectContaining({ code: 'unreadable_response' }),
    )
    expect(() => reader.read(chunk('"data:image/png;base64,AAAA"'))).toThrow(
      expect.objectContaining({ code: 'unreadable_response' }),
    )
  })

  it('is not taken for one when its words stand beside the choices, where only a second copy is left out.', () => {
    const reader = openaiChat.stream()
    const note = (text: string): StreamEvent => event({ model: 'demo', note: text, choices: [] })
    const texts = [
      'A note of the provider, first.',
      'A note of the provider, second.',
      'A note of the provider, first.',
      'A note of the provider, first.',
      'A note of the provider, first.',
    ].map((text) => reader.read(note(text)).length)
    // The first event has the name of the field as well.
    expect(texts).toEqual([2, 1, 1, 1, 0])
  })

  it.each([
    [23, 6],
    [24, 3],
  ])(
    'tells a text of %i characters beside the words, with the name of its field, %i times of five.',
    (length, times) => {
      const reader = openaiChat.stream()
      const note = event({ model: 'demo', note: 'words and more words and '.slice(0, length), choices: [] })
      expect(Array.from({ length: 5 }, () => reader.read(note)).flat()).toHaveLength(times)
    },
  )

  it('counts as sent like any other.', () => {
    const chunk = (content: string, index = 1): StreamEvent =>
      event({
        id: 'chatcmpl-9',
        created: 7,
        model: 'gpt-4o',
        choices: [{ index, delta: { content }, finish_reason: null }],
      })
    const one = readerOf(openaiChat, [chunk('a')], 1).block(BLOCKED)
    expect(one).toContain('"index":1')
    expect(
      readerOf(
        openaiChat,
        Array.from({ length: 200 }, (_, at) => chunk(`word ${at}`)),
        200,
      ).block(BLOCKED),
    ).toBe(one)
    expect(readerOf(openaiChat, [chunk('a'), chunk('b'), chunk('c'), chunk('d', 2)], 2).block(BLOCKED)).toBe(one)
  })

  it('is read in full again after one that was not like it.', () => {
    const reader = openaiChat.stream()
    const chunk = (status: string): StreamEvent =>
      event({ status, choices: [{ index: 0, delta: { content: 'a' }, finish_reason: null }] })
    const said = ['in good order', 'in good order', 'in good order', 'not so good', 'in good order']
      .flatMap((status) => reader.read(chunk(status)))
      .filter(({ channel }) => channel === '(event).status')
    expect(said.map(({ text }) => text)).toEqual(['in good order', 'not so good', 'in good order'])
  })

  it('is not known by words that stand in two places.', () => {
    const chunk = (model: string, content: string): StreamEvent =>
      event({ model, choices: [{ index: 0, delta: { content }, finish_reason: null }] })
    readsLikeNew(openaiChat, [chunk('demo', 'demo'), chunk('other', 'demo'), chunk('demo', 'other')])
  })
})
