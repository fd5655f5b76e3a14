// The hostile twin of honest-requests: words that two parties could read differently. No handler gets them unjudged.
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import type { Express, Request, RequestHandler, Response } from 'express'
import { describe, expect, it } from 'vitest'
import { guardFetch } from '../src/fetch/index.js'
import type { LlamaGuardOptions } from '../src/options/index.js'
import { type ExpressModule, ask, EXPRESSES, guarded, serving } from './helpers/apps.js'
import { chat, completion, type SendOptions } from './helpers/http.js'

const BAD = 'UNSAFE'
const CHAT = '/v1/chat/completions'
type Layout = (app: Express, guard: RequestHandler, module: ExpressModule) => void

interface Row {
  readonly body?: string | Buffer | object
  readonly path?: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string | string[]>>
  readonly layout?: Layout
  readonly options?: LlamaGuardOptions
  /** What a refusal may be. Default: blocked. */
  readonly status?: readonly number[]
}

const appWide: Layout = (app, guard) => app.use(guard)
const onRoute: Layout = (app, guard) => app.all(/.*/, guard)
const parsed: Layout = (app, guard, module) =>
  app.use(module.json(), module.urlencoded({ extended: true }), module.text({ type: () => true })).all(/.*/, guard)
const leaves =
  (body: () => unknown): Layout =>
  (app, guard) => {
    app.use((req, _res, next) => {
      req.body = body()
      next()
    })
    app.all(/.*/, guard)
  }

const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
const TEXT = { 'content-type': 'text/plain' }
const GZIP = { 'content-encoding': 'gzip' }
const words = JSON.stringify(chat(BAD))
const b64 = (text: string | Buffer): string => Buffer.from(text).toString('base64')
const file = (url: string): object => ({
  model: 'm',
  messages: [{ role: 'user', content: [{ type: 'file', file: { filename: 'a.txt', file_data: url } }] }],
})

/** gzip with a comment, which only some decoders skip. */
function commented(text: string): Buffer {
  const plain = gzipSync(text)
  plain[3] = 16
  return Buffer.concat([plain.subarray(0, 10), Buffer.from('c\0'), plain.subarray(10)])
}

class Question {
  readonly text = BAD
}
const form = (): FormData => {
  const data = new FormData()
  data.append('q', BAD)
  return data
}
const HOLDERS: Readonly<Record<string, () => unknown>> = {
  'a Map': () => new Map([['q', BAD]]),
  'a Map of names': () => new Map([[BAD, 1]]),
  'a Set': () => new Set([BAD]),
  FormData: form,
  URLSearchParams: () => new URLSearchParams({ q: BAD }),
  'a Blob': () => new Blob([BAD]),
  'an ArrayBuffer': () => new TextEncoder().encode(BAD).buffer,
  'a DataView': () => new DataView(new TextEncoder().encode(BAD).buffer),
  'a Buffer': () => Buffer.from(`"${BAD}"`),
  'an instance': () => new Question(),
  'a Map with a field': () => Object.assign(new Map(), { q: BAD }),
  'a form with a file': () => {
    const data = form()
    data.set('q', new Blob([BAD]))
    return data
  },
  'a text object': () => new String(BAD),
  'a stream': () => Readable.from([Buffer.from(BAD)]),
}

const PROMPT = '/v1/completions'
const utf16 = (text: string): Buffer => Buffer.from(text, 'utf16le')
const JSON_TYPE = { 'content-type': 'application/json' }
/** The fields by which APIs know their bodies. One parser keeps the first of two values, another the last. */
const FIELDS: Readonly<Record<string, unknown>> = {
  ...Object.fromEntries('prompt input inputs inputText message'.split(' ').map((name) => [name, BAD])),
  messages: [{ role: 'user', content: BAD }],
  contents: [{ parts: [{ text: BAD }] }],
  items: [{ type: 'message', content: BAD }],
  promptVariables: { q: { text: BAD } },
  chat_history: [BAD],
  command: { resume: BAD },
  question: BAD,
}
const twice = (name: string, one: unknown, other: unknown): Row => ({
  headers: JSON_TYPE,
  path: '/ask',
  body: `{"${name}":${JSON.stringify(one)},"${name}":${JSON.stringify(other)}}`,
  ...(name === 'question' && { options: { dialects: [{ in: 'question' }] } }),
  status: [400],
})

const ROWS: Readonly<Record<string, Row>> = {
  ...Object.fromEntries(
    Object.entries(FIELDS).flatMap(([name, value]): [string, Row][] => [
      [`${name} twice, words first`, twice(name, value, 1)],
      [`${name} twice, words last`, twice(name, 1, value)],
    ]),
  ),
  'a form that is JSON, read as a form': { headers: FORM, body: `{"a":"x&message=%55NSAFE"}`, layout: onRoute },
  'a form that is JSON, read as JSON': { headers: FORM, body: `{"a":"x&message=\\u0055NSAFE"}`, layout: onRoute },
  'a form that is JSON, parsed as a form': { headers: FORM, body: `{"a":"x&message=\\u0055NSAFE"}`, layout: parsed },
  'a form that is a chat': { headers: FORM, body: words.replace(BAD, '\\u0055NSAFE') },
  'a query that is JSON': { method: 'GET', path: `/?{"a":"x&message=%55NSAFE"}`, layout: onRoute },
  // Python reads NaN and finds the charset by itself; Go reads the first value.
  'NaN beside a prompt': { headers: JSON_TYPE, path: PROMPT, body: `{"prompt":"${BAD}","x":NaN}`, status: [400] },
  'NaN in a call of a tool': {
    headers: JSON_TYPE,
    path: '/ask',
    body: `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${BAD}","arguments":{"n":-Infinity}}}`,
    status: [400],
  },
  'NaN in a text that is a chat': { headers: TEXT, body: words.replace(/}$/, ',"x":NaN}') },
  'NaN in a line beside a chat': { headers: TEXT, path: '/ask', body: `{"a":NaN}\n${words}\n` },
  'a prompt in UTF-16': { headers: JSON_TYPE, path: PROMPT, body: utf16(`{"prompt":"${BAD} \u2200"}`), status: [400] },
  'a call of a tool in UTF-16': {
    headers: JSON_TYPE,
    path: '/ask',
    body: utf16(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${BAD} \u2200"}}`),
    status: [400],
  },
  'a prompt with more behind it': { headers: JSON_TYPE, path: PROMPT, body: `{"prompt":"${BAD}"}x`, status: [400] },
  'a prompt in a text with more behind it': { headers: TEXT, path: PROMPT, body: `{"prompt":"${BAD}"}x` },
  'a chat in a text with more behind it': { headers: TEXT, body: `${words.replace(BAD, '\\u0055NSAFE')}x` },
  'a text that is a chat and no UTF-8': {
    headers: TEXT,
    path: '/ask',
    body: Buffer.concat([Buffer.from(words.slice(0, -4)), Buffer.from('\xff"}]}', 'latin1')]),
    status: [415],
  },
  'a comment in gzip': { headers: GZIP, body: commented(words), status: [400] },
  'a second stream of gzip': { headers: GZIP, body: Buffer.concat([gzipSync('{}'), gzipSync(words)]), status: [400] },
  'gzip in gzip': { headers: GZIP, body: gzipSync(gzipSync(words)), status: [415] },
  'two content-types': {
    headers: { 'content-type': ['text/plain', 'application/json'] },
    body: words,
    status: [415, 451],
  },
  'two content-types in one': {
    headers: { 'content-type': 'text/csv, application/json' },
    body: words,
    status: [415, 451],
  },
  ...Object.fromEntries(
    Object.entries(HOLDERS).flatMap(([name, make]): [string, Row][] => {
      const row = { body: '{}', status: [/Blob|file|stream/.test(name) ? 415 : 451] }
      return [
        [`${name} as the body`, { ...row, layout: leaves(make) }],
        [`${name} in the body`, { ...row, layout: leaves(() => ({ text: 'hi', more: [make()] })) }],
      ]
    }),
  ),
  'deeper than a stack': { headers: JSON_TYPE, body: '['.repeat(2e4) + ']'.repeat(2e4), layout: parsed, status: [400] },
  'a data: URL': { body: file(`data:text/plain,${BAD}`) },
  'a data: URL in base64': { body: file(`data:text/plain;base64,${b64(BAD)}`) },
  'a data: URL in escaped base64': {
    body: file(`data:text/plain;base64,${b64(BAD).replace(/./, (c) => `%${c.charCodeAt(0).toString(16)}`)}`),
  },
  'a data: URL in base64 with blanks': { body: file(`data:text/plain; base64,${b64(BAD).replace(/..../, '$& ')}`) },
  'a data: URL without a type': { body: file(`data:;base64,${b64(BAD)}`) },
  'a data: URL in UTF-16': {
    body: file(`data:text/plain;charset=utf-16le;base64,${b64(Buffer.from(BAD, 'utf16le'))}`),
    status: [451, 400, 415],
  },
  'a conversation with items': {
    path: '/v1/conversations',
    body: { items: [{ type: 'message', role: 'user', content: BAD }] },
  },
  'a prompt whose name Go reads in any case': { path: PROMPT, body: { Prompt: BAD } },
  'instructions on what the vendor keeps': {
    path: '/v1/responses',
    body: { model: 'm', previous_response_id: 'resp_1', instructions: BAD },
  },
  "Ollama's generation": { path: '/api/generate', body: { model: 'm', prompt: 'Hi', system: BAD } },
  "Mistral's conversation": { path: '/v1/conversations', body: { agent_id: 'ag_1', inputs: BAD } },
  "A2A's message": {
    path: '/a2a',
    body: {
      jsonrpc: '2.0',
      id: 1,
      method: 'SendMessage',
      params: { message: { role: 'ROLE_USER', parts: [{ text: BAD }] } },
    },
  },
  "Gemini's contents without a role": {
    path: '/v1beta/models/gemini-2.5-flash:generateContent',
    body: { contents: [{ parts: [{ text: BAD }] }] },
  },
  'a mount on an API and a suffix': {
    path: '/v1/completions/x',
    body: { prompt: BAD },
    layout: (app, guard) => app.use('/v1/completions', guard),
  },
  'a text that is a chat, on a route': { headers: TEXT, body: words.replace(BAD, '\\u0055NSAFE'), layout: onRoute },
  'a file beside fields': {
    headers: { 'content-type': 'multipart/form-data; boundary=x' },
    body: `--x\r\ncontent-disposition: form-data; name="f"; filename="a.txt"\r\ncontent-type: text/plain\r\n\r\n${BAD}\r\n--x--\r\n`,
    layout: onRoute,
    status: [451, 400, 415],
  },
  'a question that is a list': {
    body: { question: ['hi', { text: BAD }] },
    options: { dialects: [{ in: 'question' }] },
    layout: onRoute,
  },
  'words of a path': { path: `/topics/${BAD}`, body: {}, layout: (app, guard) => app.all('/topics/:name', guard) },
  'words of a query': { path: `/?q=${BAD}`, method: 'GET', layout: onRoute },
}

async function sent(row: Row, module: ExpressModule): Promise<{ status: number; reached: boolean }> {
  const { layout = appWide, options = {}, path = CHAT, method = 'POST', headers, body } = row
  const app = module()
  app.set('env', 'test')
  layout(app, guarded(options) as RequestHandler, module)
  let reached = false
  app.all(/.*/, (_req: Request, res: Response) => {
    reached = true
    res.json(completion('fine'))
  })
  const { status } = await serving(app, ({ url }) => ask(url + path, { method, headers, body } as SendOptions))
  return { status, reached }
}

/** The same without the words. */
function harmless(row: Row): Row {
  const swap = (text: string): string =>
    text.replace(/UNSAFE|%55NSAFE|\\u0055NSAFE/g, 'garden').replace(/VU5TQUZF|%56U5TQUZF|VU5T QUZF/g, b64('garden'))
  const { body, path } = row
  return {
    ...row,
    ...(path !== undefined && { path: swap(path) }),
    body:
      typeof body === 'string'
        ? swap(body)
        : Buffer.isBuffer(body)
          ? body
          : (JSON.parse(swap(JSON.stringify(body ?? {}))) as object),
  }
}

describe.each(EXPRESSES)('%s', (_name, module) => {
  it.each(Object.entries(ROWS))('%s', async (_row, row) => {
    const { status, reached } = await sent(row, module)
    expect([reached, row.status ?? [451]]).toEqual([false, expect.arrayContaining([status])])
    if (row.status === undefined) expect((await sent(harmless(row), module)).status).toBe(200)
  })
})

it.each(['GET', 'POST'])('judges the words of a path with guardFetch: %s', async (method) => {
  const guard = guardFetch(() => Response.json(completion('fine')), guarded())
  const init = { method, ...(method === 'POST' && { body: '{}', headers: { 'content-type': 'application/json' } }) }
  const statuses = [BAD, 'garden'].map(
    async (word) => (await guard(new Request(`https://a.example/ask/${word}`, init))).status,
  )
  expect(await Promise.all(statuses)).toEqual([451, 200])
})
