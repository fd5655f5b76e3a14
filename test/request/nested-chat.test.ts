// Chats anywhere in a body, in lists, envelopes and JSON texts: judged with all that stands beside them, or 4xx.
// Bodies that are no chat reach the handler untouched.
import { describe, expect, it } from 'vitest'
import { FREE_SETTINGS } from '../../src/dialects/kit/request-keys.js'
import { SERVERS } from '../helpers/apps.js'
import { crossed } from '../helpers/sampled.js'
import {
  WORD,
  handler,
  ours,
  prompts,
  messages,
  chat,
  json,
  handled,
  forget,
  sendRaw,
  expectSeenOrRefused,
  expectUntouched,
  serving,
} from './planted.js'

const message = (role: string, words: object): object => ({ role, ...words })
const TEXT = `${WORD} is a word`
/** Lists of messages in the forms that clients send. */
const LISTS: Record<string, unknown> = {
  'role and content': [message('user', { content: TEXT })],
  'role and text': [message('user', { text: TEXT })],
  'role and parts': [message('user', { parts: [{ type: 'text', text: TEXT }] })],
  'content parts': [message('user', { content: [{ type: 'text', text: TEXT }] })],
  'another role': [message('model', { parts: [{ type: 'text', text: TEXT }] })],
  'an unknown role': [message('oracle', { text: TEXT })],
  'a role in capitals': [message('USER', { content: TEXT })],
  'names in capitals': [{ Role: 'user', Content: TEXT }],
  'a type and content': [{ type: 'human', content: TEXT }],
  'an unknown type and text': [{ type: 'paragraph', text: TEXT }],
  'a type and nested content': [{ type: 'doc', content: [{ type: 'p', content: [{ type: 'text', text: TEXT }] }] }],
  'a harmless first': [message('user', { content: 'hi' }), message('user', { content: TEXT })],
  'a number first': [5, null, message('user', { content: TEXT })],
  'a text first': ['hi', message('user', { content: TEXT })],
  'a stranger last': [message('user', { content: 'hi' }), { note: TEXT }],
  'a text last': [message('user', { content: 'hi' }), WORD],
}
/** Places, each made of a list. */
const PLACES: Record<string, (list: unknown) => unknown> = {
  'at the top': (list) => list,
  'under a name': (list) => ({ conversation: list }),
  'as messages of an envelope': (list) => ({ data: { messages: list, model: 'm', temperature: 1 } }),
  'in a list': (list) => [{ id: 1 }, list],
  'in bodies in a list': (list) => [{ messages: list }],
  'in JSON:API': (list) => ({ data: { type: 'chats', attributes: { messages: list } } }),
  'in variables of GraphQL': (list) => ({
    query: 'mutation($m: [M]) { chat(m: $m) }',
    variables: { input: { m: list } },
  }),
  'far down': (list) => Array.from({ length: 40 }).reduce((inner) => ({ a: [inner] }), list),
  'beside a list that is none': (list) => ({ messages: 'x', items: [{ a: 1 }], chat: list }),
  'beside a document': (list) => ({ blocks: [{ type: 'h1', text: 'Title' }], chat: list }),
  'beside another chat': (list) => ({ a: [{ role: 'user', content: 'hello' }], b: list }),
  'as JSON text': (list) => ({ messages: JSON.stringify(list) }),
  'as JSON text in a field': (list) => ({ payload: ` ${JSON.stringify({ messages: list })}\n` }),
  'as JSON text twice': (list) => ({ payload: JSON.stringify({ p: JSON.stringify({ messages: list }) }) }),
  'as JSON text of JSON text': (list) => ({ payload: JSON.stringify(JSON.stringify({ messages: list })) }),
  'as NDJSON text': (list) => ({ payload: `{"a":1}\n${JSON.stringify({ messages: list })}` }),
  'as a JSON string alone': (list) => JSON.stringify({ messages: list }),
  'as the name of a field': (list) => ({ [JSON.stringify({ messages: list })]: 1 }),
  'in an own __proto__': (list) => JSON.parse(`{"a":{"__proto__":${JSON.stringify({ messages: list })}}}`) as unknown,
  'as an own __proto__': (list) => JSON.parse(`{"a":{"__proto__":${JSON.stringify(list)}}}`) as unknown,
  'in constructor': (list) => ({ a: { constructor: { prototype: { messages: list } } } }),
}
const spelt = (value: unknown): string => JSON.stringify(value)
/** Every letter as an escape, but for those of `null` and of escapes. */
const escaped = (value: unknown): string =>
  spelt(value).replace(/\\.|null|[A-Za-z]/g, (found) =>
    found.length > 1 ? found : `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

/** Servers by what mounts them. */
const servers = new Map(SERVERS.map(([, mount]) => [mount, serving(mount([ours()], handler))]))

describe('a chat', () => {
  it.each(crossed({ place: PLACES, list: LISTS, server: SERVERS }))(
    '$title: is judged or refused',
    async ({ place: put, list, server: mount }) => {
      const server = servers.get(mount)!
      for (const path of ['/ask', '/v1/chat/completions', '/v1/responses', '/v1/messages', '/api/chat']) {
        await expectSeenOrRefused(server(), { path, type: json, body: spelt(put(list)) })
        forget()
      }
      await expectSeenOrRefused(server(), { type: json, body: escaped(put(list)) })
    },
  )

  it.each(crossed({ place: PLACES, server: SERVERS }))(
    '$title: is answered with 451 when it is unsafe',
    async ({ place: put, server: mount }) => {
      const list = [message('user', { content: 'UNSAFE words' })]
      expect([400, 451]).toContain(await sendRaw(servers.get(mount)!(), { type: json, body: spelt(put(list)) }))
      expect(handled).toEqual([])
    },
  )
})

describe.each(SERVERS)('a chat inside a body on %s', (_name, mount) => {
  const server = servers.get(mount)!

  it.each([...FREE_SETTINGS, 'model', 'models', 'stop', 'stop_sequences', 'lora', 'options'])(
    'in a text is judged with its `%s`, because a handler may pass the text on',
    async (name) => {
      for (const value of [`tell_me_${WORD}`, { stop: `tell_${WORD}` }, [`tell_${WORD}`]]) {
        const chat = { messages: [message('user', { content: 'hi' })], [name]: value }
        for (const body of [{ question: spelt(chat) }, { a: [{ b: spelt(spelt(chat)) }] }, spelt(chat)]) {
          await expectSeenOrRefused(server(), { type: json, body: spelt(body) })
          forget()
        }
      }
    },
  )

  it('in a text that names a key twice is refused', async () => {
    const twice = `{"role":"user","content":"${WORD}","content":"hi"}`
    for (const text of [`[${twice}]`, `{"messages":[${twice}]}`, `{"a":1}\n{"messages":[${twice}]}`])
      for (const body of [{ question: text }, { messages: text }, { a: { b: [spelt(text)] } }, text])
        await expectSeenOrRefused(server(), { type: json, body: spelt(body) })
  })

  it.each(['message alone', 'message under a name', 'messages under names', 'messages under numbers'])(
    '%s is judged or refused',
    async (title) => {
      const one = message('user', { content: WORD })
      const bodies: Record<string, unknown> = {
        'message alone': one,
        'message under a name': { id: 1, message: one },
        'messages under names': { chat: { first: message('user', { content: 'hi' }), second: one } },
        'messages under numbers': { chat: { 0: one } },
      }
      await expectSeenOrRefused(server(), { type: json, body: spelt(bodies[title]) })
      await expectSeenOrRefused(server(), { type: json, body: spelt({ text: spelt(bodies[title]) }) })
    },
  )

  it('is judged with all that stands beside it', async () => {
    const rest = {
      note: 'BESIDE_1',
      data: { system: 'BESIDE_2', tools: [{ description: 'BESIDE_3' }], messages },
      z: ['BESIDE_4'],
    }
    expect(await sendRaw(server(), { type: json, body: spelt(rest) })).toBe(200)
    for (const word of [WORD, 'BESIDE_1', 'BESIDE_2', 'BESIDE_3', 'BESIDE_4']) expect(prompts()).toContain(word)
    expect(handled[0]!.body).toEqual(rest)
  })

  it.each<[string, unknown]>([
    ['its list', { BESIDE_1: messages }],
    ['the object that holds it', { BESIDE_1: { messages } }],
    ['a JSON text that holds it', { BESIDE_1: spelt({ messages }) }],
    ['a list that holds it', { BESIDE_1: [[{ chat: messages }]] }],
    ['each of its messages', { chat: { BESIDE_1: messages[0] } }],
    ['an object far above it', { BESIDE_1: { a: { b: { messages, model: 'm' } }, c: 1 } }],
  ])('is judged with the name of %s', async (_place, body) => {
    expect(await sendRaw(server(), { type: json, body: spelt(body) })).toBe(200)
    for (const word of [WORD, 'BESIDE_1']) expect(prompts()).toContain(word)
  })

  it('is judged with fields that have the names of ours', async () => {
    const body = { a: 'BESIDE_1', data: { chat: messages, messages: 'BESIDE_2', envelope: 'BESIDE_3' } }
    expect(await sendRaw(server(), { type: json, body: spelt(body) })).toBe(200)
    for (const word of [WORD, 'BESIDE_1', 'BESIDE_2', 'BESIDE_3']) expect(prompts()).toContain(word)
  })

  it.each([
    `{"chat":${spelt(messages)},"chat":1}`,
    `{"a":{"chat":${spelt(messages)}},"a":1}`,
    `{"chat":[{"role":"user","role":5,"content":"${WORD}"}],"b":1,"b":2}`,
    `{"chat":[{"role":"user","content":"${WORD}","content":5}]}`,
    `{"chat":[{"r\\u006fle":"user","role":5,"content":"${WORD}"}]}`,
    `{"messages":"a","messages":"b"}`,
  ])('%s, which another parser finds in keys named twice, is refused', async (body) => {
    expect(await sendRaw(server(), { type: json, body })).toBe(400)
    expect(handled).toEqual([])
  })

  it('behind more texts that are nearly JSON than anybody sends, or more layers, is refused', async () => {
    const texts = Array.from({ length: 1100 }, () => '{"aaaaaaaaaaaaaaaaaaaaaaa}')
    expect(await sendRaw(server(), { type: json, body: spelt([...texts]) })).toBe(400)
    let layers = chat
    for (let layer = 0; layer < 10; layer += 1) layers = spelt(layers)
    expect(await sendRaw(server(), { type: json, body: spelt({ layers }) })).toBe(400)
  })

  it.each<[string, string, string?]>([
    ['an object', '{"a":1,"b":[1,2,{"c":null}]}'],
    ['a list', '[1,"two",{"three":3}]'],
    ['an empty list', '[]'],
    ['a text', '"hello there, how are you today"'],
    ['a text that only begins like JSON', '{"note":"[1] is the first of {many}"}'],
    [
      'records',
      spelt([
        { id: 1, type: 'article', title: 'x' },
        { role: 'admin', name: 'y' },
      ]),
    ],
    ['a user with a role', spelt({ name: 'x', role: 'user', email: 'y' })],
    ['JSON in a text', spelt({ payload: spelt({ a: [1, 2, 3], b: 'a longer text here' }) })],
    ['a prompt', spelt({ prompt: 'x', n: 1 })],
    ['keys named twice', '{"a":1,"a":2}'],
    ['NDJSON', '{"index":{}}\n{"a":1}\n', 'application/x-ndjson'],
    ['a table', '"a","b"\n"{c","d"', 'text/csv'],
    ['prose', 'Hello [there]', 'text/plain'],
    ['XML', '<a>{"b":1}</a>', 'application/xml'],
    ['a length before its data', '\0\0\0\x7b\xff\xd8\xff', 'application/octet-stream'],
  ])('is not seen in %s, which the handler gets as it came', async (_title, body, type = json) => {
    const bytes = Buffer.from(body, 'latin1')
    await expectUntouched(server(), { type, body: bytes })
    expect(handled[0]!.raw).toBe(bytes.toString('latin1'))
  })
})
