// The ways in which clients read one stream. Each stream here says its word to one kind of client alone.
import { describe, expect, it } from 'vitest'
import { openaiChat } from '../../../src/dialects/openai-chat.js'
import { readEvents } from '../../../src/response/whole/read-stream.js'

const json = (content: string): string => JSON.stringify({ choices: [{ index: 0, delta: { content } }] })
/** A value over several lines, each behind `before`. */
const pretty = (content: string, before: string): string =>
  JSON.stringify(JSON.parse(json(content)), null, 1).replace(/^/gm, before)
const SSE = 'text/event-stream'
const NDJSON = 'application/x-ndjson'
const texts = (body: string, type: string): string[] =>
  readEvents(body, type, openaiChat).flatMap(({ text }) => text.split('\n'))

describe('The word of', () => {
  it.each<[string, string]>([
    ['JSON lines with events between', `${json('UN')}\ndata: ${json('x')}\n\n${json('SAFE')}\n`],
    ['events with JSON lines between', `data: ${json('UN')}\n\n${json('x')}\ndata: ${json('SAFE')}\n\n`],
    ['two `data:` lines of one event', `data: ${json('UN')}\ndata: ${json('SAFE')}\n\n`],
    ['a list in an event', `data: [${json('UN')},${json('SAFE')}]\n\n`],
    ['a list in a line', `[${json('UN')},${json('SAFE')}]\n`],
    ['a list and an event', `data: [${json('UN')}]\n\ndata: ${json('SAFE')}\n\n`],
    ['an event of lines behind byte order marks', `${pretty('UNSAFE', '\uFEFFdata: ')}\n\n`],
    ['an event of lines behind a broken value', `{"a": [\n${pretty('UNSAFE', 'data: ')}\n\n`],
    [
      'events of Python’s lines with JSON between',
      `${json('x')}\x85data: ${json('UN')}\n${json('x')}\x85data: ${json('SAFE')}\n`,
    ],
    [
      'JSON of Python’s lines with events between',
      `data: ${json('x')}\x85${json('UN')}\n\ndata: ${json('x')}\x85${json('SAFE')}\n\n`,
    ],
    [
      'one of Python’s lines and an event, with JSON between',
      `${json('x')}\x85data: ${json('UN')}\n${json('x')}\ndata: ${json('SAFE')}\n\n`,
    ],
  ])('%s is read', (_form, body) => {
    for (const type of [SSE, NDJSON])
      expect([type, texts(body, type)]).toEqual([type, expect.arrayContaining([expect.stringContaining('UNSAFE')])])
  })
})

describe('Lines of one event', () => {
  it.each<[string, string, string[]]>([
    [
      'bare words behind byte order marks',
      '\uFEFFdata: so\n\uFEFFdata: fine\n\n',
      ['\uFEFFdata: fine', 'so', 'sofine', 'so', 'fine'],
    ],
    ['JSON', `data: ${json('so ')}\ndata: ${json('fine')}\n\n`, [json('so '), json('fine'), 'so fine']],
  ])('stay lines of their own where they are %s', (_what, body, said) => {
    for (const type of [SSE, NDJSON]) expect([type, texts(body, type)]).toEqual([type, said])
  })
})

describe('Each reading', () => {
  it.each<[string, string, string[]]>([
    ['a list in an event', `data: [${json('so ')},${json('fine')}]\n\n`, ['so ', 'fine', 'so fine']],
    ['a list that is broken', `data: [so]\ndata: ${json('fine')}\n\n`, ['[so]', json('fine'), '[so]', 'fine']],
    ['JSON of Python’s lines', `${json('so ')}\x85${json('fine')}\n`, [`${json('so ')}\x85${json('fine')}`, 'so fine']],
    ['words behind a bracket', 'data: [so \n\ndata: it\n\n', ['[so it']],
  ])('of %s begins where it differs from the others, and not before', (_what, body, said) => {
    for (const type of [SSE, NDJSON]) expect([type, texts(body, type)]).toEqual([type, said])
  })

  it('has one copy of the words before it, and none of those of other readings', () => {
    const body = `data: [${json('a')}]\n\n\uFEFFdata: b\n\uFEFFdata: c\n\n${json('d')}\ndata: e\n\n`
    const early = ['a', '\uFEFFdata: b', '\uFEFFdata: c']
    for (const type of [SSE, NDJSON])
      expect([type, texts(body, type)]).toEqual([
        type,
        [...['a', 'ad', ...early, 'bce', 'b', 'ce', ...early, ...early, ...early], ...['d', 'd', 'e', 'e', 'e']],
      ])
  })
})

describe('A stream that all clients read alike', () => {
  it.each<[string, string]>([
    ['events', `data: ${json('so ')}\n\ndata: ${json('fine')}\n\ndata: [DONE]\n\n`],
    ['events with keep-alives', `: ping\n\ndata: ${json('so ')}\n\n:\n\ndata: ${json('fine')}\n\n`],
    ['events with lines of blanks', `data: ${json('so ')}\n\n  \ndata: ${json('fine')}\n\n`],
    ['JSON lines', `${json('so ')}\n${json('fine')}\n`],
    ['JSON lines with blank lines', `${json('so ')}\n\n${json('fine')}\n`],
    ['an array by lines', `[\n${json('so ')},\n${json('fine')}\n]\n`],
  ])('is read once as %s', (_form, body) => {
    for (const type of [SSE, NDJSON]) expect([type, texts(body, type)]).toEqual([type, ['so fine']])
  })
})
