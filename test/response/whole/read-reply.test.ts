// What is read of a whole reply: by its label, its form and its status.
import { describe, expect, it } from 'vitest'
import { openaiChat } from '../../../src/dialects/openai-chat.js'
import { readReply } from '../../../src/response/whole/index.js'

async function read(body: string, contentType: string, status = 200, codings: string[] = []): Promise<string[]> {
  const reply = { bytes: Buffer.from(body), status, contentType, codings, maxBytes: 1e6 }
  try {
    return (await readReply(reply, openaiChat))!.map(({ text }) => text)
  } catch (error) {
    return [`error ${(error as { code: string }).code}`]
  }
}
const UNREADABLE = ['error unreadable_response']
const json = (content: string): string => JSON.stringify({ choices: [{ index: 0, delta: { content } }] })

describe('A whole reply', () => {
  it.each([
    '',
    'text/plain',
    'TEXT/Markdown; charset=utf-8',
    'application/json',
    'application/problem+json',
    'application/x-ndjson',
    'text/event-stream',
    'application/xml',
    'application/javascript',
    'application/x-javascript',
    'application/yaml',
    'application/xhtml+xml',
    'application/octet-stream',
  ])('is read under the label %j', async (type) => {
    expect(await read('"some words"', type)).toEqual(['some words'])
  })

  it.each(['image/png', 'application/pdf', 'audio/mpeg', 'application/xml2', 'x'])(
    'is not read under the label %j, unless it is an error',
    async (type) => {
      expect(await read('some words', type)).toEqual(UNREADABLE)
      expect(await read('some words', type, 500)).toEqual(['some words'])
    },
  )

  it('without bytes says nothing, whatever it is named', async () => {
    for (const type of ['', 'application/json', 'image/png', 'text/event-stream', 'text/plain; charset=utf-16'])
      for (const status of [200, 206, 500])
        for (const codings of [[], ['gzip'], ['unheard-of']]) expect(await read('', type, status, codings)).toEqual([])
  })

  it('in part is not read', async () => {
    expect(await read('some words', 'text/plain', 206)).toEqual(UNREADABLE)
  })

  it.each<[string, string, string, readonly string[]]>([
    ['words', 'text/plain', 'UN\nSAFE', ['UN\nSAFE']],
    ['words in brackets', 'text/plain', '[so] it is', ['[so] it is']],
    ['words that say JSON', 'application/json', 'so it is', ['so it is']],
    ['the numbers of Python', 'application/json', '{"answer":"so it is","id":-Infinity}', ['so it is']],
    ['broken JSON', 'application/json', '\uFEFF {"a": "so', UNREADABLE],
    ['broken JSON of an array', 'text/json', '["so', UNREADABLE],
    ['binary', 'text/plain', 'a\u0000b', UNREADABLE],
    ['a key twice', 'application/json', '{"a":"so","a":"fine"}', UNREADABLE],
    ['a number', 'application/json', '42', ['42']],
    ['events', 'text/plain', `data: ${json('UN')}\n\ndata: ${json('SAFE')}\n\n`, ['UNSAFE']],
    ['one event whose line does not end', 'text/plain', `data: ${json('UNSAFE')}`, ['UNSAFE']],
    [
      'events of which the last line does not end',
      'text/plain',
      `data: ${json('UN')}\n\ndata: ${json('SAFE')}`,
      ['UNSAFE'],
    ],
    [
      'words before events',
      'application/xml',
      `so\n\ndata: ${json('fine')}\n\n`,
      [`so\n\ndata: ${json('fine')}\n\n\nfine`],
    ],
    ['named events', 'text/plain', `event: so\ndata: ${json('fine')}\n\n`, ['so\nfine']],
    ['events with a name of a server', 'text/event-stream', `event: so\ndata: ${json('fine')}\n\n`, ['fine']],
    ['events among words', 'text/plain', `so\n\ndata: ${json('fine')}\n\n`, [`so\n\ndata: ${json('fine')}\n\n\nfine`]],
    ['keys', 'application/json', '{"so":{"it":"is"},"and":["so",null,1]}', ['so\nit\nis\nand\nso']],
    ['a list', 'application/json', `[${json('UN')},${json('SAFE')}]`, ['UNSAFE']],
  ])('is read as %s', async (_form, type, body, said) => {
    expect(await read(body, type)).toEqual(said)
  })
})

describe('An error', () => {
  it.each<[string, string, string, readonly string[]]>([
    ['nothing', 'text/plain', '', []],
    ['its own words', 'application/json', '{"error":{"message":"No such model."}}', []],
    ['words in other fields', 'application/json', '{"error":"no","answer":"so it is"}', ['so it is']],
    ['words in keys', 'application/json', '{"error":"no","so it is":1}', ['so it is']],
    ['a reason', 'text/html', '<h1>Not Found</h1>', []],
    ['words', 'text/html', '<h1>So it is</h1>', ['<h1>So it is</h1>']],
    ['broken JSON', 'application/json', '{"error": "no', UNREADABLE],
    ['a reply', 'application/json', '{"choices":[{"index":0,"message":{"content":"fine"}}]}', ['fine']],
    ['a list', 'application/json', '[{"message":"no"}]', ['no']],
    ['words of the model', 'application/json', '{"error":{"message":"no","failed_generation":"so"}}', ['so']],
    ['a number of its own', 'application/json', '{"error":"no","statusCode":404}', []],
  ])('that is %s', async (_form, type, body, said) => {
    expect(await read(body, type, 500)).toEqual(said)
  })
})
