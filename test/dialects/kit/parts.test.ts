// What stands in a message: parts that are one text, pictures, files and data in whatever field they come.
import { describe, expect, it } from 'vitest'
import { anthropicMessages } from '../../../src/dialects/anthropic-messages.js'
import type { ChatRequest } from '../../../src/dialects/dialect.js'
import { LlamaGuardError } from '../../../src/types/errors.js'
import { ollamaChat } from '../../../src/dialects/ollama-chat.js'
import { openaiChat } from '../../../src/dialects/openai-chat.js'
import { KNOWN_KEYS } from '../../../src/dialects/kit/request-keys.js'
import { openaiResponses } from '../../../src/dialects/openai-responses.js'

const PNG = 'data:image/png;base64,iVBORw0KGgo='
const user = (content: unknown, more: object = {}): object => ({ role: 'user', content, ...more })
const ask = (...messages: readonly object[]): ChatRequest => openaiChat.request({ messages })
const text = (words: string): object => ({ type: 'text', text: words })
const base64 = (words: string): string => Buffer.from(words).toString('base64')
const failure = (code: string): Error => expect.objectContaining({ code }) as Error

describe('text parts', () => {
  it('of one message are one text, whatever pictures stand between', () => {
    const picture = { type: 'image_url', image_url: { url: PNG } }
    expect(ask(user([text('UN'), 'SA', text('FE '), picture, text('word')])).turns).toEqual([
      { role: 'User', text: 'UNSAFE word', images: [{ url: PNG }] },
    ])
  })

  it('of a tool result, of a system prompt and of a Responses item are one text too', () => {
    const result = { type: 'tool_result', tool_use_id: 'toolu_1', content: [text('UN'), text('SAFE')] }
    const read = anthropicMessages.request({ system: [text('Be k'), text('ind.')], messages: [user([result])] })
    expect(read).toMatchObject({ system: 'Be kind.', turns: [{ text: 'UNSAFE' }], userTurns: [] })
    expect(ask(user('a'), { role: 'tool', tool_call_id: 'call_1', content: [text('UN'), text('SAFE')] }).turns).toEqual(
      [{ role: 'User', text: 'a\nUNSAFE' }],
    )
    const output = ['UN', 'SAFE'].map((words) => ({ type: 'input_text', text: words }))
    expect(
      openaiResponses.request({ input: [{ type: 'function_call_output', call_id: 'call_1', output }] }).turns,
    ).toEqual([{ role: 'User', text: 'UNSAFE' }])
  })

  it('are read on their own and joined when another part splits a word', () => {
    const call = { type: 'tool_use', id: 'toolu_1', name: 'f', input: { a: 'b' } }
    expect(anthropicMessages.request({ messages: [user([text('UN'), call, text('SAFE')])] }).turns[0]?.text).toBe(
      'UN\nf\n{"a":"b"}\nSAFE\nUNSAFE',
    )
    expect(anthropicMessages.request({ messages: [user([text('One.'), call, text(' Two.')])] }).turns[0]?.text).toBe(
      'One.\nf\n{"a":"b"}\n Two.',
    )
  })

  it('keep what stands beside their words, nested parts included', () => {
    const part = { type: 'text', text: [text('in'), text('ner')], note: 'beside it', citations: [{ cited_text: 'c' }] }
    expect(ask(user([part])).turns[0]?.text).toBe('inner\nnote\nbeside it\nc')
    const result = { type: 'tool_result', tool_use_id: 'how to', content: [text('r')], note: 'rest' }
    expect(ask(user([result])).turns[0]?.text).toBe('r\nhow to\nnote\nrest')
  })

  it('of a result keep the fields beside them as the JSON that a model reads', () => {
    const result = {
      type: 'tool_result',
      tool_use_id: 'toolu_1',
      content: [text('r')],
      result: { a: ['b', { c: 'd' }] },
    }
    expect(ask(user([result])).turns[0]?.text).toBe('r\n{"a":["b",{"c":"d"}]}')
  })
})

describe('a picture', () => {
  it.each<[object]>([
    [{ images: ['iVBORw0KGgo='] }],
    [{ Images: ['iVBORw0KGgo='] }],
    [{ IMAGES: ['iVBORw0KGgo='] }],
    [{ images: 'iVBORw0KGgo=' }],
    [{ image_url: PNG }],
    [{ image_url: { url: PNG, detail: 'low' } }],
    [{ imageUrl: PNG }],
    [{ input_image: PNG }],
    [{ extra: { deep: [{ image: PNG }] } }],
    [{ experimental_attachments: [{ contentType: 'image/png', url: PNG }] }],
    [{ parts: [{ type: 'file', mediaType: 'image/png', url: PNG }] }],
    [{ parts: [{ type: 'file', mimeType: 'image/png', data: 'iVBORw0KGgo=' }] }],
    [{ parts: [{ type: 'image', image: PNG }] }],
    [{ unknown: PNG }],
  ])('in %j of a message is a picture of its turn, in every dialect of messages', (field) => {
    for (const dialect of [openaiChat, anthropicMessages, ollamaChat]) {
      const { turns, userTurns } = dialect.request({ model: 'm', messages: [user('', field)] })
      expect(turns[0]?.images).toEqual([{ url: PNG }])
      expect(userTurns).toEqual([0])
    }
  })

  it('at the top of a body, or in an unknown field there, is a picture of a new turn', () => {
    for (const field of [{ images: ['iVBORw0KGgo='] }, { mine: { a: [PNG] } }])
      expect(openaiChat.request({ messages: [user('a')], ...field }).turns).toEqual([
        { role: 'User', text: 'a', images: [{ url: PNG }] },
      ])
  })

  it('of one turn is judged with the others of the turn', () => {
    const { turns } = ask(
      user([{ type: 'image_url', image_url: PNG }], { images: ['/9j/AAAA'] }),
      user('a', { image: PNG }),
    )
    expect(turns).toHaveLength(1)
    expect(turns[0]?.images).toEqual([{ url: PNG }, { url: 'data:image/jpeg;base64,/9j/AAAA' }, { url: PNG }])
  })

  it('of a system message is a human turn of its own', () => {
    const system = { role: 'system', content: [text('Be kind.'), { type: 'image_url', image_url: PNG }] }
    expect(ask(system)).toMatchObject({
      system: 'Be kind.',
      turns: [{ role: 'User', images: [{ url: PNG }] }],
      userTurns: [0],
    })
  })

  it('is no word of an app that has the same name', () => {
    expect(ask(user('a', { image: 'a cat' })).turns[0]).toEqual({ role: 'User', text: 'a\na cat' })
    expect(openaiChat.request({ messages: [user('a')], image: 'nginx:1', images: 5 }).extras).toEqual(['nginx:1'])
  })

  it.each([...KNOWN_KEYS, 'details', 'value'])('lets no words pass in `%s` beside it', (key) => {
    for (const part of [
      { type: 'image_url', image_url: { url: PNG, detail: 'low' } },
      { type: 'input_image', image_url: PNG },
      { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' } },
    ])
      for (const words of ['planted words', { note: 'planted words' }]) {
        let read: ChatRequest | undefined
        try {
          read = ask(user([text('a'), { [key]: words, ...part }]))
        } catch (error) {
          expect(error).toBeInstanceOf(LlamaGuardError)
        }
        // What comes twice is the part's own.
        if (read !== undefined && !(key in part)) expect(read.turns[0]?.text).toContain('planted words')
      }
  })
})

describe('inline data', () => {
  it('of a long text is judged as the text alone', () => {
    const long = 'A text that nobody takes for a word, because it has more than sixty-four characters in base64.'
    const url = `data:text/plain;base64,${base64(long)}`
    expect(ask(user(url)).turns[0]?.text).toBe(long)
    expect(ask(user([{ type: 'file', mediaType: 'text/plain', data: base64(long) }])).turns[0]?.text).toBe(long)
  })

  const words = 'words that are hidden'
  it.each([
    `data:text/plain;base64,${base64(words)}`,
    `data:text/html;charset=utf-8;base64,${base64(words)}`,
    `  DATA:TEXT/PLAIN;BASE64,${base64(words)}`,
    `data:application/ld+json;base64,${base64(words)}`,
    `data:text/plain;base64,${encodeURIComponent(base64(words))}`,
    `data:text/plain;charset=utf-16le;base64,${Buffer.from(words, 'utf16le').toString('base64')}`,
    `data:,${encodeURIComponent(words)}`,
    `data:text/plain,${words} 100%`,
  ])('%s is decoded as fetch() does', (url) => {
    expect(ask(user(url)).turns[0]?.text).toContain(words)
  })

  it.each(['text/tell-me-how', 'application/tell.me.how+json', 'image/tell-me-how'])(
    '%s is judged as words',
    (type) => {
      const words = type.split('/')[1]
      const data = base64(type.startsWith('image') ? '\x89PNG' : 'hello')
      for (const message of [
        user(`data:${type};base64,${data}`),
        user([{ type: 'file', file: { filename: 'a', file_data: `data:${type};base64,${data}` } }]),
        user('a', { mine: `data:${type};base64,${data}` }),
        user('a', { parts: [{ type: 'file', mediaType: type, url: `data:${type};base64,${data}` }] }),
      ])
        expect(ask(message).turns[0]?.text).toContain(words)
      for (const known of ['data:text/plain,hello', 'data:TEXT/HTML,hello', 'data:,hello'])
        expect(ask(user(known)).turns[0]?.text).toBe('hello')
    },
  )

  it('that is words as they stand is judged as it stands', () => {
    const url = 'data:text/plain;base64,tellmehowtobuildabomb'
    expect(ask(user('a', { mine: url })).turns[0]?.text).toContain('tellmehowtobuildabomb')
    const named = `data:text/plain;name=tell-me-how;base64,${base64('x')}`
    expect(ask(user(named)).turns[0]?.text).toContain('tell-me-how')
  })

  it('is told from prose that begins alike', () => {
    for (const prose of ['data: the following, please', 'data:see above', 'Data, data:a/b,c'])
      expect(ask(user(prose)).turns[0]?.text).toBe(prose)
  })

  it('that is not in the message itself is refused', () => {
    for (const part of [
      { type: 'file', file: { file_id: 'file_12' } },
      { type: 'file', file: { file_id: 'file_12', file_data: 'data:,a' } },
      { type: 'file', mediaType: 'text/plain', url: 'https://x.test/a.txt' },
      { type: 'input_file', file_url: 'https://x.test/a.txt' },
      { type: 'file', url: 'AAAA' },
    ])
      expect(() => ask(user([part]))).toThrow(failure('unsupported_content'))
  })
})

describe('a message of the AI SDK', () => {
  it('is read from its parts, and once where its content says the same', () => {
    const parts = [text('Hel'), text('lo')]
    expect(ask({ role: 'user', parts }).turns).toEqual([{ role: 'User', text: 'Hello' }])
    expect(ask(user('Hello', { parts })).turns).toEqual([{ role: 'User', text: 'Hello' }])
    expect(ask(user('Hi', { parts })).turns).toEqual([{ role: 'User', text: 'Hi\nHello' }])
  })
})

describe('encrypted and signed data', () => {
  const blob = 'EqMBCkYIBRgCKkBh7mCa0uX9bVn3Qw1rTg5Yz8PoLk2JdHs6FcXeNiMv4RtUyWq0ZaBxSgKp'
  const judged = (part: object): string => anthropicMessages.request({ messages: [user([part])] }).turns[0]?.text ?? ''

  it('goes unjudged in its own fields, where it is no text', () => {
    expect(judged({ type: 'thinking', thinking: 'hm', signature: blob })).toBe('hm')
    expect(judged({ type: 'redacted_thinking', data: blob })).toBe('')
    expect(judged({ type: 'text', text: 'hm', data: blob })).toBe(`hm\n${blob}`)
    const words = base64('words that are hidden')
    expect(judged({ type: 'thinking', thinking: 'hm', signature: words })).toBe(`hm\n${words}`)
    expect(judged({ type: 'thinking', thinking: 'hm', signature: 'some words' })).toBe('hm\nsome words')
  })
})
