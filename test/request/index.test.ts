// Which request is a chat, and of which dialect: the path first, in all its spellings, then the body.
import { customDialect } from '../../src/dialects/custom.js'
import { generic } from '../../src/dialects/generic.js'
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { createConversationReader } from '../../src/request/index.js'
import { plainPath } from '../../src/request/url.js'
import type { GuardedRequest } from '../../src/types.js'

const MESSAGES = { messages: [{ role: 'user', content: 'Hi' }] }

function request(url: string, body: unknown, method = 'POST'): GuardedRequest {
  return Object.assign(Readable.from([]), { headers: {}, method, originalUrl: url, body }) as unknown as GuardedRequest
}

async function dialectOf(
  url: string,
  body: unknown,
  options: object = {},
  method = 'POST',
): Promise<string | undefined> {
  const chat = await createConversationReader({ maxBodyBytes: 1000, ...options }).recognise(request(url, body, method))
  return chat.kind === 'chat' ? chat.dialect.name : undefined
}

describe('a path', () => {
  it.each([
    ['/v1/chat/completions', MESSAGES, 'openai-chat'],
    ['/openai/deployments/x/chat/completions?api-version=1', MESSAGES, 'openai-chat'],
    ['http://host/v1/completions#x', { prompt: 'a' }, 'openai-completions'],
    ['/v1/completions', MESSAGES, 'openai-chat'],
    ['/v1/responses', { input: 'a' }, 'openai-responses'],
    ['/v1/messages', MESSAGES, 'anthropic-messages'],
    ['/api/chat', { ...MESSAGES, model: 'llama3.2' }, 'ollama-chat'],
    ['/v1/conversations', { items: [] }, 'openai-responses'],
    ['/v1/conversations/conv_1', { inputs: 'a' }, 'openai-responses'],
    ['/v1/responses/compact', { input: 'a' }, 'openai-responses'],
    ['/v1/fim/completions', { prompt: 'a' }, 'openai-completions'],
    ['/v1/completions', { prompt: null, suffix: 'a' }, 'openai-completions'],
    ['/api/embed', { Input: 'a' }, 'embeddings'],
    ['/any', { contents: [{ parts: [{ text: 'a' }] }] }, 'gemini'],
    ['/any', [MESSAGES.messages], 'openai-chat'],
    ['/any', { a: { b: { c: { d: MESSAGES } } } }, 'openai-chat'],
    ['/api/chat', MESSAGES, 'openai-chat'],
    ['/chat', MESSAGES, 'openai-chat'],
    ['/v1/embeddings', { input: 'a' }, 'embeddings'],
    ['/v1/embeddings', MESSAGES, 'openai-chat'],
    ['/v1/images/generations', { prompt: 'a' }, 'images'],
  ])('%s is of the right dialect', async (url, body, name) => {
    expect(await dialectOf(url, body)).toBe(name)
  })

  it.each([
    ['/any', { input: 'a' }],
    ['/any', { prompt: 'a' }],
    ['/any', {}],
    ['/any', undefined],
    ['/any', [1, 'a', { b: 2 }]],
    ['/any', 'text'],
    ['/v1/notcompletions', { prompt: 'a' }],
    ['/any', { messages: 'a' }],
    ['/any', { messages: { a: 'b', c: 5 } }],
    ['/any', { user: { role: 'user', email: 'a@b.test' } }],
  ])('%s with %j is no chat', async (url, body) => {
    expect(await dialectOf(url, body)).toBeUndefined()
  })

  it.each([
    ['/v1/completions', { title: 'a' }],
    ['/courses/7/completions', { prompt: 'a' }],
    ['/surveys/7/responses', { input: 'a' }],
    ['/v1/conversations/conv_1', { metadata: { a: 'b' } }],
    ['/v1/conversations/7/messages', { inputs: 'a' }],
    ['/index/embeddings', { input: 'a' }],
    ['/v1/threads', { title: 'a', body: 'b' }],
    ['/api/messages', { type: 'message', text: 'a' }],
    ['/channels/1/messages', { content: 'a' }],
    ['/any', { a: { b: { c: { d: { e: MESSAGES } } } } }],
  ])('%s with %j is nobody’s chat', async (url, body) => {
    expect(await dialectOf(url, body)).toBeUndefined()
    expect(await dialectOf(url, body, { paths: ['/*'] })).toBeDefined()
  })

  it('survives bad escapes', () => {
    expect(plainPath('/a%zz%2Fb%ff/c?d')).toBe('/a%zz/b%ff/c')
  })
})

describe('a chat inside a body', () => {
  const recognise = async (body: unknown) => {
    const chat = await createConversationReader({ maxBodyBytes: 1000 }).recognise(request('/any', body))
    return chat.kind === 'chat' ? chat.request : undefined
  }

  it('keeps the settings that stand beside its messages', async () => {
    const body = { data: { list: MESSAGES.messages, stream: true, model: 'gpt-4o', temperature: 1 } }
    expect(await recognise(body)).toMatchObject({ stream: true, model: 'gpt-4o', extras: [expect.any(String)] })
  })

  it('is found in `messages` that are a text', async () => {
    const messages = JSON.stringify(MESSAGES.messages)
    expect(await recognise({ messages })).toMatchObject({ turns: [{ role: 'User', text: 'Hi' }] })
    expect(await recognise({ messages: 'two [letters]' })).toBeUndefined()
  })

  it("is found in LangChain's messages, which have a type in place of a role", async () => {
    for (const type of ['human', 'ai', 'HumanMessage', 'AIMessageChunk', 'SystemMessage', 'toolmessage'])
      expect([type, await recognise({ data: { list: [{ type, content: 'a' }] } })]).toEqual([type, expect.anything()])
    expect(await recognise({ data: { list: [{ type: 'note', content: 'a' }] } })).toBeUndefined()
  })

  it.each([
    ['heard from a', 'user human HumanMessage USER', { turns: [{ role: 'User', text: 'a' }] }],
    ['answered by a', 'assistant ai AIMessage bot model', { turns: [{ role: 'Agent', text: 'a' }] }],
    ['steered by a', 'system developer SystemMessage', { system: 'a', turns: [] }],
    ['told by a', 'tool function ToolMessage FunctionMessage', { turns: [{ role: 'User', text: 'a' }], userTurns: [] }],
  ])('is %s %s', async (_how, roles, request) => {
    for (const role of roles.split(' '))
      expect(await recognise({ data: { list: [{ role, content: 'a' }] } })).toMatchObject(request)
  })

  it.each(['customer', 'agent'])(
    'is heard from a %s in a list of messages, and may be none in another',
    async (role) => {
      const list = [{ role, content: 'a' }]
      expect(await recognise({ data: { messages: list } })).toMatchObject({ turns: [{ role: 'User', text: 'a' }] })
      expect(await recognise({ data: { list } })).toMatchObject({
        turns: [{ text: `list\n${role}\na` }],
        images: 'ignore',
      })
    },
  )
})

describe('a body that is no chat, where it is judged', () => {
  it.each<[string, unknown, Record<string, unknown>]>([
    ['an object', { question: 'a', stream: true }, { question: 'a', stream: true }],
    ['a text', 'some words', { content: 'some words' }],
    ['a list', ['some', { more: 'words' }], { content: ['some', { more: 'words' }] }],
  ])('is read as %s', async (_what, body, readable) => {
    const chat = await createConversationReader({ maxBodyBytes: 1000, paths: ['/any'] }).recognise(
      request('/any', body),
    )
    expect(chat.kind === 'chat' && chat.request).toEqual(generic.request(readable))
  })
})

it.each([
  ['a text', 'x'.repeat(1001)],
  ['a name', { ['x'.repeat(1001)]: 1 }],
])('a body that a parser has left is too large by %s beyond the limit', async (_what, beside) => {
  const read = createConversationReader({ maxBodyBytes: 1000 }).recognise(request('/any', { ...MESSAGES, beside }))
  await expect(read).rejects.toMatchObject({ code: 'body_too_large' })
})

describe('a body on req.body beside one on req.rawBody', () => {
  const turnsOf = async (body: unknown, rawBody: unknown): Promise<unknown> => {
    const req = Object.assign(request('/v1/chat/completions', body), { rawBody })
    const chat = await createConversationReader({ maxBodyBytes: 1000 }).recognise(req)
    expect(req.body).toBe(body)
    return chat.kind === 'chat' ? chat.request.turns.map(({ text }) => text) : chat.kind
  }
  const said = (content: string) => ({ messages: [{ role: 'user', content }] })
  const raw = Buffer.from(JSON.stringify(said('raw')))

  it('is judged, because handlers read it', async () => {
    expect(await turnsOf(said('parsed'), raw)).toEqual(['parsed'])
    expect(await turnsOf(said('parsed'), undefined)).toEqual(['parsed'])
    expect(await turnsOf(said('parsed'), Buffer.alloc(0))).toEqual(['parsed'])
  })

  it.each([undefined, null, {}])('of %j has its words in the raw one', async (empty) => {
    expect(await turnsOf(empty, raw)).toEqual(['raw'])
    expect(await turnsOf(empty, undefined)).not.toEqual(['raw'])
  })

  it.each([undefined, null, {}])('of %j is read as if it stood alone when the raw one is empty', async (empty) => {
    const recognise = (rawBody?: Uint8Array): Promise<unknown> =>
      createConversationReader({ maxBodyBytes: 1000 }).recognise(Object.assign(request('/any', empty), { rawBody }))
    expect(await recognise(Buffer.alloc(0))).toEqual(await recognise())
  })
})

describe('the options', () => {
  it('limit what is guarded to the paths named, exact or with a star', async () => {
    const options = { paths: ['/chat', '/v2/*'] }
    expect(await dialectOf('/Chat/', MESSAGES, options)).toBe('openai-chat')
    expect(await dialectOf('/v2/x/y', MESSAGES, options)).toBe('openai-chat')
    expect(await dialectOf('/v1/chat', MESSAGES, options)).toBeUndefined()
    expect(await dialectOf('/v20', MESSAGES, options)).toBeUndefined()
    expect(await dialectOf('/chat', { text: 'a' }, options)).toBe('generic')
  })

  it('let a named dialect claim its bodies on any path', async () => {
    expect(await dialectOf('/any', { prompt: 'a' }, { dialects: ['openai-completions'] })).toBe('openai-completions')
    expect(await dialectOf('/any', { input: 'a' }, { dialects: ['openai-chat', 'openai-responses'] })).toBe(
      'openai-responses',
    )
    expect(await dialectOf('/any', MESSAGES, { dialects: ['anthropic-messages'] })).toBe('anthropic-messages')
    expect(await dialectOf('/any', MESSAGES, { dialects: ['anthropic-messages', 'openai-chat'] })).toBe('openai-chat')
  })

  it('put a dialect of the user first', async () => {
    const own = customDialect({
      name: 'own',
      paths: ['/ask'],
      claims: (body) => 'q' in body,
      request: ({ q }) => ({ turns: [{ role: 'user', text: String(q) }] }),
    })
    expect(await dialectOf('/any', { ...MESSAGES, q: 'a' }, { dialects: ['openai-chat', own] })).toBe('own')
    expect(await dialectOf('/x/ask', { q: 'a' }, { dialects: [own] })).toBe('own')
  })

  it('that cannot work are found at once', () => {
    expect(() => createConversationReader({ maxBodyBytes: 1, dialects: ['openai'] })).toThrow(
      expect.objectContaining({ code: 'invalid_option' }),
    )
    expect(() => createConversationReader({ maxBodyBytes: 1, paths: ['chat'] })).toThrow(
      expect.objectContaining({ code: 'invalid_option' }),
    )
  })
})
