// Bare text, and streams of an app's own shape: words flow, and the guard reads them as the app's page shows them.
import { ChatCompletionStream } from 'openai/lib/ChatCompletionStream'
import { describe, expect, it } from 'vitest'
import { guarded, onNode, serving } from '../../helpers/apps.js'
import { chat, send } from '../../helpers/http.js'
import { streamed, writing } from './streamed.js'

const WORDS = 'I will now show you how it is done , and why .'.split(' ')

const told = (type: string | undefined, pieces: readonly string[], pauseMs?: number) =>
  streamed(writing(type, pieces, pauseMs))

describe.each([undefined, 'text/plain', 'text/plain; charset=utf-8', 'text/markdown', 'text/html'])(
  'As %s a text',
  (type) => {
    it('flows while it is written', async () => {
      const middleware = guarded({ check: ['output'] })
      let seen = (): void => undefined
      const arrived = new Promise<void>((resolve) => (seen = resolve))
      await serving(
        onNode([middleware], async (_req, res) => {
          if (type !== undefined) res.setHeader('content-type', type)
          res.write('The first words')
          await arrived
          res.end(' and the last.')
        }),
        async ({ url }) => {
          const reply = await send(`${url}/v1/chat/completions`, { body: chat('hi'), onData: () => void seen() })
          expect([reply.text, reply.headers['llama-guard']]).toEqual([
            'The first words and the last.',
            'input=skipped;why="stage-off", output=safe',
          ])
        },
      )
    })

    it('is cut off before an unsafe word, and is a 451 when it begins with one', async () => {
      const { reply } = await told(type, ['It is all fine so far. ', 'UN', 'SAFE'], 40)
      expect(reply.text).not.toContain('SAFE')
      expect((await told(type, ['UNSAFE', ' words'])).reply.status).toBe(451)
    })
  },
)

describe('A text', () => {
  it.each(['data: ', 'data: "', '"'])('is read line by line too, where lines begin with %s', async (before) => {
    const line = (word: string): string => `${before}${word}${before.endsWith('"') ? '"' : ''}\n\n`
    const { reply, texts } = await told('text/plain', ['Now:\n', line('UN'), line('SAFE'), line('.')], 40)
    expect([texts.some((text) => text.includes('UNSAFE')), reply.text.includes('SAFE')]).toEqual([true, false])
  })

  it.each<[string, readonly string[]]>([
    [
      'code',
      [
        'const a = ',
        '{ "x": 1 }\n',
        '{"role": "user", "content": prompt}\n',
        '    {"a": b}\n',
        'data: {"a": ',
        'x}\n',
        '}\n{\n',
      ],
    ],
    ['a smile', [':', ') So\n', '[1] and {"a":1}\n', ':', '\n']],
    ['a list', ['[a', ' link](http://x)\n[ ] to do\n', '[{"a":1}] is a list']],
    ['JSON and words', ['{"a":1}\n', 'This is JSON.\n', '{"b":2}\n']],
    ['an object that grows', ['{"', 'name', '": "', 'a\\n', '"}']],
    // What the AI SDK's streamObject writes, in the lines of a model.
    [
      'an object over several lines',
      ['{\n  "steps": [\n    {\n', '      "say": "}{\\""\n    },\n    {', '"say": "x"},', '\n    {\n    }\n  ]\n}\n'],
    ],
    ['YAML', ['id: 7\nname: x\n', 'data: y\nevent: z\n']],
    ['an event to learn from', ['An event:\n\n', 'data: {"choices":[', '{"delta":{}}]}\n\n']],
  ])('that holds %s leaves as it is', async (_what, pieces) => {
    const { reply } = await told('text/plain', pieces, 3)
    expect([reply.status, reply.text]).toEqual([200, pieces.join('')])
  })

  it('that is the JSON lines of openai-node is read as its client reads it', async () => {
    const line = (content: string): string =>
      `${JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta: { role: 'assistant', content }, finish_reason: content === '.' ? 'stop' : null }] })}\n`
    const { reply, texts } = await told('text/plain', ['Hello ', 'there', '.'].map(line), 5)
    // Ids stand beside the words, because the model may have written such lines itself.
    expect(texts.at(-1)!.split('\n')).toContain('Hello there.')
    const stream = ChatCompletionStream.fromReadableStream(new Blob([reply.text]).stream())
    let content = ''
    for await (const { choices } of stream) content += choices[0]?.delta.content ?? ''
    expect(content).toBe('Hello there.')
    expect((await told('text/plain', ['UN', 'SAFE', '.'].map(line))).reply.status).toBe(451)
  })
})

describe('A stream of one word an event', () => {
  const shapes: Record<string, readonly [type: string, write: (word: string) => string]> = {
    'bare events': ['text/event-stream', (word) => `data: ${word}\n\n`],
    'events of an object': ['text/event-stream', (word) => `data: ${JSON.stringify({ token: word })}\n\n`],
    'JSON lines': ['application/x-ndjson', (word) => `${JSON.stringify({ token: word })}\n`],
    'JSON strings': ['text/event-stream', (word) => `data: ${JSON.stringify(word)}\n\n`],
  }

  it.each(Object.entries(shapes))('is read with blanks between, and without, as %s', async (_name, [type, write]) => {
    const { texts, reply } = await told(type, WORDS.map(write))
    expect(texts.at(-1)!.replace('token\n', '').split('\n')).toEqual([
      WORDS.join(''),
      'I will now show you how it is done, and why.',
    ])
    expect(reply.text).toBe(WORDS.map(write).join(''))
    expect((await told(type, ['so', 'it', 'is', 'UN', 'SAFE'].map(write))).reply.status).toBe(451)
  })

  it.each(Object.entries(shapes))('that brings its blanks along is read once, as %s', async (_name, [type, write]) => {
    const tokens = ['I', ' will', ' sh', 'ow', ' you', '.']
    expect((await told(type, tokens.map(write))).texts.at(-1)).toMatch(/^(?:token\n)?I will show you\.$/)
  })

  it.each([['fine:\n'], ['x'.repeat(1100)], ['so\n', 'it', 'was\n']])(
    'is read with blanks between, whatever the model writes first: %j',
    async (...first) => {
      const [type, write] = shapes['JSON strings']!
      const { texts } = await told(type, [...first, ...WORDS].map(write))
      expect(texts.at(-1)).toContain(' will now show you how it is done, and why.')
    },
  )

  it('stays whole in languages that write no blanks', async () => {
    const [type, write] = shapes['bare events']!
    for (const text of ['我现在告诉你怎么做', 'これからやり方を見せます', 'ฉันจะบอกคุณ'])
      expect((await told(type, Array.from(text, write))).texts.at(-1)).toBe(text)
  })
})

describe('A JSON sequence', () => {
  it('that is cut ends with a record of its own', async () => {
    const line = (content: string): string =>
      `\u001e${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n`
    const { reply } = await told('application/json-seq', [line('It is fine. '), line('UNSAFE')], 60)
    expect(reply.status).toBe(200)
    const records = reply.text.split('\u001e')
    expect(records.shift()).toBe('')
    expect(records.map((record) => JSON.parse(record).choices[0].finish_reason)).toEqual([undefined, 'content_filter'])
  })
})
