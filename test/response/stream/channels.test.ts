// Parts that arrive interleaved: the text that a client puts together, by what its API tells them apart, is among what
// was judged before it left.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ask, guarded, onNode } from '../../helpers/apps.js'
import { chat, serve, type Running } from '../../helpers/http.js'

const event = (data: object): string => `data: ${JSON.stringify(data)}\n\n`
const delta = (value: object, index: number | undefined = 0): object => ({ choices: [{ index, delta: value }] })
const call = (fields: object, text: string): object =>
  delta({ tool_calls: [{ ...fields, function: { arguments: text } }] })
const block = (index: number, text: string): object => ({
  type: 'content_block_delta',
  index,
  delta: { type: 'text_delta', text },
})
const said = (fields: object, text: string): object => ({ type: 'response.output_text.delta', ...fields, delta: text })

const CHAT = '/v1/chat/completions'
const ROWS: Record<string, readonly [path: string, events: readonly object[]]> = {
  'tool calls told apart by index': [
    CHAT,
    [call({ index: 0 }, 'UN'), call({ index: 1 }, 'x'), call({ index: 0 }, 'SAFE')],
  ],
  'tool calls whose index counts and not their id': [
    CHAT,
    [call({ index: 0, id: 'a' }, 'UN'), call({ index: 0, id: 'b' }, 'SAFE')],
  ],
  'choices told apart by index': [
    CHAT,
    [delta({ content: 'UN' }), delta({ content: 'x' }, 1), delta({ content: 'SAFE' })],
  ],
  'fields of one delta': [
    CHAT,
    [delta({ content: 'UN', reasoning: 'x' }), delta({ reasoning: 'y' }), delta({ content: 'SAFE' })],
  ],
  'short words beside the choices that come again': [
    CHAT,
    ['UN', 'x', 'UN', 'SAFE'].map((note) => ({ choices: [], note })),
  ],
  'long words beside the choices that come again': [
    CHAT,
    ['and so we come to the word UN', 'SAFE, and so we come to the word UN', 'SAFE, and so we come to the word UN'].map(
      (note) => ({ choices: [], note }),
    ),
  ],
  'long words beside the choices that come twice': [
    CHAT,
    Array.from({ length: 2 }, () => ({ choices: [], note: 'SAFE, and so we come to the word UN' })),
  ],
  'long words of two notifications': [
    '/mcp',
    Array.from({ length: 2 }, () => ({
      jsonrpc: '2.0',
      method: 'notifications/message',
      params: { level: 'info', data: 'SAFE, and so we come to the word UN' },
    })),
  ],
  'words of two choices in metadata': [
    CHAT,
    [0, 1].flatMap((index) => ['how UN', 'SAFE it'].map((status) => ({ choices: [{ index, delta: {}, status }] }))),
  ],
  'words of the first choice in the second': [
    CHAT,
    [
      { choices: [{ index: 0, delta: {}, note: 'SAFE words are these, all of them' }] },
      { choices: [{ index: 1, delta: {}, note: 'UN' }] },
      { choices: [{ index: 1, delta: {}, note: 'SAFE words are these, all of them' }] },
    ],
  ],
  'blocks told apart by index': ['/v1/messages', [block(0, 'UN'), block(1, 'x'), block(0, 'SAFE')]],
  'items told apart by index': [
    '/v1/responses',
    [said({ output_index: 0 }, 'UN'), said({ output_index: 1 }, 'x'), said({ output_index: 0 }, 'SAFE')],
  ],
  'parts of an item told apart by index': [
    '/v1/responses',
    [said({ content_index: 0 }, 'UN'), said({ content_index: 1 }, 'x'), said({ content_index: 0 }, 'SAFE')],
  ],
  'fields of messages of Ollama': [
    '/api/chat',
    [{ message: { content: 'UN', thinking: 'x' } }, { message: { thinking: 'y' } }, { message: { content: 'SAFE' } }],
  ],
}

const GEMINI = '/v1/models/m:streamGenerateContent'
Object.assign(ROWS, {
  'words beside the choices, of which another comes first': [
    CHAT,
    ['UN', 'SAFE'].map((note, index) => ({ ...delta({ content: 'x' }, index), note })),
  ],
})

/** Words beside the choices, in a field that a choice has too. */
for (const [path, list] of [
  [CHAT, 'choices'],
  ['/v1/completions', 'choices'],
  [GEMINI, 'candidates'],
] as const)
  Object.assign(ROWS, {
    [`words of ${list} apart from those beside them, on ${path}`]: [
      path,
      ['UN', 'SAFE'].map((text) => ({ [list]: [{ index: 0, text, content: { parts: [] } }], text: 'x' })),
    ],
    [`words beside ${list} apart from those in them, on ${path}`]: [
      path,
      ['UN', 'SAFE'].map((text) => ({ [list]: [{ index: 0, text: 'x', content: { parts: [] } }], text })),
    ],
  })

/** The Vercel AI SDK's own stream, which dialects that do not know it must read as its clients do. */
const uiPart = (type: string, id: string, text: string): object => ({ type: `${type}-delta`, id, delta: text })
for (const path of [CHAT, '/v1/messages', '/v1/responses', '/api/chat'])
  Object.assign(ROWS, {
    [`events told apart by type, on ${path}`]: [
      path,
      [uiPart('text', 'a', 'UN'), uiPart('reasoning', 'a', 'x'), uiPart('text', 'a', 'SAFE')],
    ],
    [`events told apart by id, on ${path}`]: [
      path,
      [uiPart('text', 'a', 'UN'), uiPart('text', 'b', 'x'), uiPart('text', 'a', 'SAFE')],
    ],
  })

const REQUESTS: Record<string, object> = {
  '/v1/responses': { input: 'hi', stream: true },
  '/v1/completions': { prompt: 'hi', stream: true },
  '/mcp': { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'get', arguments: { q: 'hi' } } },
  [GEMINI]: { contents: [{ role: 'user', parts: [{ text: 'hi' }] }] },
}

describe('Interleaved text', () => {
  let server: Running
  let body = ''
  const middleware = guarded({ check: ['output'], windowMs: 5 })
  beforeAll(async () => {
    server = await serve(
      onNode([middleware], (_req, res) => {
        res.setHeader('content-type', 'text/event-stream')
        for (const frame of body.split(/(?<=\n\n)/)) res.write(frame)
        res.end()
      }),
    )
  })
  afterAll(() => server.close())
  beforeEach(() => void (middleware.guard.asked.length = 0))

  it.each(Object.entries(ROWS))('is judged as %s', async (_name, [path, events]) => {
    body = events.map(event).join('')
    const reply = await ask(server.url + path, { body: REQUESTS[path] ?? chat('hi', { stream: true }) })
    expect(middleware.guard.texts().some((text) => text.includes('UNSAFE'))).toBe(true)
    expect(reply.status === 451 || reply.text.includes('llama_guard')).toBe(true)
    expect(reply.text).not.toContain('UNSAFE')
    // What completes the word has not left.
    expect(reply.text.split('SAFE').length).toBeLessThan(body.split('SAFE').length)
  })

  it('that comes again and again beside the choices is judged twice', async () => {
    const note = 'A note of the provider that comes with every chunk.'
    body = Array.from({ length: 200 }, () => event({ ...delta({ content: 'a ' }), note })).join('')
    const reply = await ask(server.url + CHAT, { body: chat('hi', { stream: true }) })
    expect(reply.text).toBe(body)
    const longest = middleware.guard.texts().reduce((max, text) => Math.max(max, text.length), 0)
    expect(longest).toBeLessThan(400 + 3 * note.length)
  })

  it('is judged once while nothing tells parts apart', async () => {
    body = Array.from({ length: 50 }, (_, at) =>
      event(call(at === 0 ? { index: 0, id: 'call_1', type: 'function' } : { index: 0 }, 'word ')),
    ).join('')
    await ask(server.url + CHAT, { body: chat('hi', { stream: true }) })
    expect(middleware.guard.texts().at(-1)).toBe('word '.repeat(50))
  })
})
