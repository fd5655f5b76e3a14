// Ways out past the guard: every place of a reply where model text can stand, over real HTTP on Express with
// the real AWS SDK.
// The request is harmless; the reply is blocked, refused as unreadable, or goes out with every word judged.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { setImmediate as nextTurn } from 'node:timers/promises'
import compression from 'compression'
import express5, { type Response } from 'express'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { LlamaGuardOptions } from '../src/index.js'
import { EXPRESSES } from './helpers/apps.js'
import { emulated, type Emulated } from './helpers/emulated.js'
import { chat, chunk, completion, send, serve } from './helpers/http.js'
import { serveHttp2 } from './helpers/http2.js'
import { crossed } from './helpers/sampled.js'

const BAD = ' UNSAFE_O3 SECRET'
const message = (more: object): object => completion('fine', more)

interface Row {
  answer(res: Response): void
  /** 200: blocked after a harmless beginning had left. */
  expect: number
  code?: string
  path?: string
  request?: object
  options?: LlamaGuardOptions
}
const reply = (body: object, wanted = 451): Row => ({ answer: (res) => void res.json(body), expect: wanted })
const raw = (
  type: string | undefined,
  body: string | Buffer,
  wanted = 451,
  headers: Record<string, string> = {},
  status = 200,
): Row => ({
  answer: (res) =>
    void res.writeHead(status, { ...(type !== undefined && { 'content-type': type }), ...headers }).end(body),
  expect: wanted,
})
const stream = (...frames: string[]): Row => ({
  answer(res) {
    res.writeHead(200, { 'content-type': 'text/event-stream' })
    for (const frame of frames) res.write(frame)
    res.end()
  },
  expect: 451,
})
/** Bare text that its handler writes as it comes. */
const textStream = (text: string): Row => ({
  answer: (res) => void res.type('text').write(text, () => res.end()),
  expect: 451,
})
/** Each frame in a turn of the event loop of its own, so that a check of the first has begun before the next. */
const pacedStream = (...frames: string[]): Row => ({
  answer(res) {
    res.writeHead(200, { 'content-type': 'text/event-stream' })
    void (async () => {
      for (const frame of frames) {
        res.write(frame)
        await nextTurn()
      }
      res.end()
    })()
  },
  expect: 200,
})
const event = (data: object): string => `data: ${JSON.stringify(data)}\n\n`
const DONE = 'data: [DONE]\n\n'
const SEALED = Buffer.from('{"a":"fine"}').toString('base64')

const REPLIES: Record<string, Row> = {
  'plain content': reply(completion(BAD)),
  "a word in LiteLLM's fields of a choice": reply({
    ...completion('fine'),
    choices: [{ index: 0, message: { content: 'fine' }, provider_specific_fields: { note: 'UNSAFE_O3' } }],
  }),
  'two choices of the same index': reply({
    ...completion('fine'),
    choices: [
      { index: 0, message: { content: 'fine' } },
      { index: 0, message: { content: BAD } },
    ],
  }),
  'an audio transcript': reply(message({ audio: { id: 'a', transcript: BAD } })),
  'audio data': {
    ...reply(message({ audio: { id: 'a', data: 'AAAA', transcript: 'fine' } }), 503),
    code: 'unreadable_response',
  },
  'a key named twice': {
    ...raw('application/json', `{"choices":[{"index":0,"message":{"content":"${BAD}","content":"fine"}}]}`, 503),
    code: 'unreadable_response',
  },
  ...Object.fromEntries(
    ['{"id":"UNSAFE_O3"}', '{"choices":[{"message":{"content":"fine"}}],"id":"UNSAFE_O3"}'].flatMap((text) => [
      [`a text that is ${text}`, raw('text/html', text)],
      [`lines of ${text}`, textStream(`${text}\n{"id":"x"}\n`)],
      [`events of ${text}`, textStream(`data: ${text}\n\n`)],
      [`a list of ${text}`, textStream(`[${text}\n]`)],
    ]),
  ),
  'an object among bare words': stream('data: fine\n\n', 'data: {"id":"UNSAFE_O3"}\n\n'),
  'a text like a comment': textStream(': UNSAFE_O3\n'),
  'a text like a comment and lines': textStream(':\nUNSAFE_O3\n'),
  'a text like the name of an event': textStream('event: UNSAFE_O3\ndata: fine\n\n'),
  '200 with an error': reply({ error: { message: BAD } }),
  'a Messages reply': {
    ...reply({
      type: 'message',
      content: [
        { type: 'text', text: 'fine' },
        { type: 'tool_use', id: 't', name: 'f', input: { UNSAFE_O3: 1 } },
      ],
    }),
    path: '/v1/messages',
  },
  'a Responses reply': {
    ...reply({ object: 'response', output: [{ type: 'message', content: [{ type: 'output_text', text: BAD }] }] }),
    path: '/v1/responses',
    request: { input: 'hi' },
  },
  'a legacy completion': {
    ...reply({ choices: [{ index: 0, text: BAD }] }),
    path: '/v1/completions',
    request: { prompt: 'hi' },
  },

  'a stream': stream(chunk({ content: BAD }), DONE),
  'a stream cut within a word': pacedStream(
    chunk({ content: 'UNS' }),
    chunk({ content: 'AFE' }),
    chunk({ content: '_O3' }),
    DONE,
  ),
  'a stream cut within a character': pacedStream(
    event({ choices: [{ index: 0, delta: { content: '\u{1F600}'.slice(0, 1) } }] }),
    chunk({ content: BAD }),
    DONE,
  ),
  'a stream that is held whole': { ...stream(chunk({ content: BAD }), DONE), options: { streaming: 'full' } },
  'an unknown field of an event': stream(`note: ${BAD}\n${chunk({ content: 'fine' })}`, DONE),
  'a field without a colon': stream(`${BAD}\n${chunk({ content: 'fine' })}`, DONE),
  'a stream of bare text': stream(`data: ${BAD}\n\n`),
  ...Object.fromEntries(
    ['', 'id: ', 'event: ', 'retry: ', ': '].map((field) => [
      `one word on a line behind words, ${field}`,
      stream(`data: fine\n${field}UNSAFE_O3\n\n`),
    ]),
  ),
  'words behind base64': { ...stream(event({ bytes: `${SEALED} ${BAD}` })), expect: 503, code: 'unreadable_response' },
  'words beside base64': stream(event({ chunk: { bytes: SEALED, p: BAD } })),
  'words before base64 under the same name': {
    ...stream(`data: {"bytes":"${BAD}","bytes":"${SEALED}"}\n\n`),
    expect: 503,
    code: 'unreadable_response',
  },
  'data in several lines': stream('data: {"choices":[{"index":0,\ndata: "delta":{"content":"UNSAFE_O3"}}]}\n\n', DONE),
  'a last event without an end': {
    ...stream(
      chunk({ content: 'fine' }),
      `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: BAD } }] })}`,
    ),
    options: { streaming: 'full' },
  },
  'data after [DONE]': {
    ...stream(chunk({ content: 'fine' }), DONE, chunk({ content: BAD })),
    options: { streaming: 'full' },
  },
  'tool arguments in pieces': pacedStream(
    chunk({ tool_calls: [{ index: 0, function: { arguments: '{"q":"UNS' } }] }),
    chunk({ tool_calls: [{ index: 0, function: { arguments: 'AFE_O3"}' } }] }),
    DONE,
  ),
  'a key named twice in an event': {
    ...stream('data: {"choices":[{"index":0,"delta":{"content":"SECRET","content":"fine"}}]}\n\n', DONE),
    expect: 503,
    code: 'unreadable_response',
  },
  'a stream with a promised length': {
    answer: (res) =>
      void res
        .writeHead(200, {
          'content-type': 'text/event-stream',
          'content-length': Buffer.byteLength(chunk({ content: BAD })),
        })
        .end(chunk({ content: BAD })),
    expect: 451,
  },
  "JSON in a stream's clothes": raw('text/event-stream', JSON.stringify(completion(BAD))),
}

let wire: Emulated
beforeAll(async () => {
  wire = await emulated()
})
afterAll(() => wire.close())
beforeEach(() => wire.emulator.reset())

describe('a reply', () => {
  it.each(crossed({ row: REPLIES, express: EXPRESSES }))(
    'does not leave unjudged as $title',
    async ({
      row: { answer, path = '/v1/chat/completions', request = chat('hi'), options = {}, expect: wanted, code },
      express,
    }) => {
      const app = express()
      app.use(
        wire.guard({ check: ['output'], ...(options.streaming !== 'full' && { windowMs: 50 }), ...options }),
        (_req, res) => answer(res),
      )
      const server = await serve(app)
      try {
        const got = await send(`${server.url}${path}`, { body: request })
        expect(got.text).not.toMatch(/SECRET|UNSAFE|AFE_O3/)
        expect(got.status).toBe(wanted)
        if (wanted === 200)
          return expect(got.text).toMatch(
            /"finish_reason":"content_filter".*"llama_guard":\{"stage":"output","categories":\[\{"code":"O3".*\n\ndata: \[DONE\]\n\n$/,
          )
        const { error } = got.json()
        expect(error.code).toBe(wanted === 451 ? 'content_filter' : code)
        expect(error.stage ?? 'output').toBe('output')
      } finally {
        await server.close()
      }
    },
  )
})

it('is judged before compression makes it unreadable, whichever side of us compresses', async () => {
  for (const order of ['before', 'after']) {
    const app = express5()
    const layers = [compression({ threshold: 0 }), wire.guard({ check: ['output'] })]
    app.use(...(order === 'before' ? layers : layers.reverse()), (_req, res) => void res.json(completion(BAD)))
    const server = await serve(app)
    const got = await send(`${server.url}/v1/chat/completions`, {
      body: chat('hi'),
      headers: { 'accept-encoding': 'gzip' },
    })
    await server.close()
    expect(got.status).toBe(451)
    expect(wire.seen()).toContain(BAD.trim())
  }
})

it.each([
  ['written', 'application/json', false],
  ['given to the end', 'application/json', true],
  ['written to a stream', 'text/event-stream', false],
  ['given to the end of a stream', 'text/event-stream', true],
])('leaves as it was judged when its handler reuses a buffer that it has %s', async (_, type, ends) => {
  const say = (words: string): string =>
    type === 'text/event-stream' ? chunk({ content: words }) + DONE : JSON.stringify(completion(words))
  const app = express5()
  app.use(wire.guard({ check: ['output'] }), (_req, res) => {
    const buffer = Buffer.from(say('x'.repeat(BAD.length)))
    res.type(type)
    if (ends) res.end(buffer)
    else res.write(buffer)
    buffer.write(say(BAD))
    if (!ends) res.end()
  })
  const server = await serve(app)
  const got = await send(`${server.url}/v1/chat/completions`, {
    body: chat('hi', { stream: type !== 'application/json' }),
  })
  await server.close()
  expect([got.status, got.text]).toEqual([200, say('x'.repeat(BAD.length))])
})

it('is judged where a middleware before us renames a POST to HEAD, as its client wishes', async () => {
  const guard = wire.guard({ check: ['output'] })
  const listener = (req: IncomingMessage, res: ServerResponse): void => {
    req.method = String(req.headers['x-http-method-override'] ?? req.method)
    guard(req, res, () => {
      res.setHeader('content-type', 'text/plain')
      res.end(BAD)
    })
  }
  const app = express5()
  app.use(listener)
  const server = await serve(app)
  const http2 = await serveHttp2(listener)
  const override = { body: chat('hi'), headers: { 'x-http-method-override': 'HEAD' } }
  const url = `${server.url}/v1/chat/completions`
  const got = [await send(url, override), await http2.ask(override)]
  const twins = [await send(url, { method: 'HEAD' }), await http2.ask({ method: 'HEAD' })]
  await server.close()
  http2.close()
  expect(got.map(({ status, text }) => [status, text.includes(BAD)])).toEqual([
    [451, false],
    [451, false],
  ])
  expect(twins.map(({ status, text }) => [status, text])).toEqual([
    [200, ''],
    [200, ''],
  ])
})
