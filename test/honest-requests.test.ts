// Requests that their APIs document, and requests that are no chats, on four mounts beside the same app without a
// guard. Each passes as it would without: status, headers and body, errors of the app's own parsers included.
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import type { Express, NextFunction, Request, Response } from 'express'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ExpressModule, ask, comparable, EXPRESSES, guarded } from './helpers/apps.js'
import { type Running, type SendOptions, serve } from './helpers/http.js'
import { few, rounds } from './helpers/sampled.js'

const MOUNTS = ['before the parsers', 'behind the parsers', 'on a route', 'in paths'] as const
type Mount = (typeof MOUNTS)[number]

interface Row {
  readonly path?: string
  readonly method?: string
  readonly type?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
  /** The status of the refusal that is documented where everything is judged and the guard reads the body. */
  readonly judged?: number
  /** JSON that the app's parsers leave alone. A guard that judges it sets `req.body`. */
  readonly leftAlone?: true
}

const CHAT = '/v1/chat/completions'
const user = (content: unknown, more = {}): object => ({ role: 'user', content, ...more })
const asked = (more: object): object => ({ model: 'm', messages: [user('Hi there')], ...more })
const tool = (name: string, parameters: object): object => ({ type: 'function', function: { name, parameters } })
const list = (length: number, of: (at: number) => unknown): unknown[] => Array.from({ length }, (_, at) => of(at))

const NOUNS: Readonly<Record<string, Row>> = {
  "Teams' activity": {
    path: '/api/messages',
    body: { type: 'message', id: '1485983408511', text: 'hello', from: { id: 'u1', name: 'A' }, channelId: 'msteams' },
  },
  'a message of a channel': { path: '/channels/1/messages', body: { text: 'Lunch?', attachments: [] } },
  'answers of a survey': { path: '/surveys/7/responses', body: { answers: { q1: 4, q2: 'Often' } } },
  'a completion of a course': { path: '/courses/7/completions', type: 'form', body: 'user=7&grade=A' },
  'a completion without a body': { path: '/courses/7/completions' },
  'a deleted message': { path: '/api/messages/7', method: 'DELETE' },
  'a thread': { path: '/v1/threads', body: {} },
  'embeddings of an index': { path: '/index/embeddings', body: { vector: [0.25, -1], namespace: 'a' } },
  'an upload to messages': {
    path: '/api/messages',
    type: 'multipart/form-data; boundary=x',
    body: '--x\r\ncontent-disposition: form-data; name="note"\r\n\r\nHello\r\n--x--\r\n',
  },
}

const NUMBERS: Readonly<Record<string, Row>> = {
  'eight numbers': { body: { values: list(8, (at) => at) } },
  GeoJSON: {
    body: {
      type: 'Feature',
      geometry: { type: 'Polygon', coordinates: [list(9, (at) => [at / 7, -at])] },
      properties: { name: 'Park' },
    },
  },
  'an embedding': { body: { id: 'vec1', values: list(768, (at) => at / 768), metadata: { genre: 'drama' } } },
  TipTap: { body: { type: 'doc', content: [{ type: 'paragraph', content: [{ type: 'text', text: 'Hi' }] }] } },
  Plotly: { body: { data: [{ x: list(20, (at) => at), y: list(20, (at) => at * at), type: 'scatter' }] } },
  'boxes of OCR': { body: { blocks: [{ text: 'Invoice', box: [12, 30, 200, 48], confidence: 0.98 }] } },
  "AI SDK's data part": {
    path: '/api/chat',
    body: {
      id: 'c1',
      messages: [
        {
          id: 'm1',
          role: 'user',
          parts: [
            { type: 'text', text: 'Plot' },
            { type: 'data-chart', data: list(9, (at) => at) },
          ],
        },
      ],
    },
  },
  "AG-UI's state": {
    path: '/agent',
    body: {
      threadId: 't1',
      runId: 'r1',
      state: { scores: list(12, (at) => at) },
      messages: [{ id: '1', role: 'user', content: 'Hi' }],
      tools: [],
      context: [],
      forwardedProps: {},
    },
  },
  "LangGraph's input": { path: '/runs/stream', body: { assistant_id: 'agent', input: { grid: list(9, (at) => at) } } },
  "Cohere's documents": {
    path: '/v2/chat',
    body: asked({ documents: [{ id: '1', data: { text: 'Rain', mm: list(9, (at) => at) } }] }),
  },
  'positional parameters of JSON-RPC': {
    path: '/rpc',
    body: { jsonrpc: '2.0', id: 1, method: 'sum', params: list(9, (at) => at) },
  },
  'echoed log probabilities': {
    path: '/v1/responses',
    body: {
      model: 'm',
      input: [
        user('Hi'),
        {
          type: 'message',
          role: 'assistant',
          id: 'msg_1',
          status: 'completed',
          content: [
            {
              type: 'output_text',
              text: 'Yo',
              annotations: [],
              logprobs: [{ token: 'Yo', bytes: [89, 111], logprob: -0.1, top_logprobs: [] }],
            },
          ],
        },
        user('And?'),
      ],
    },
  },
}

const BRACKETS: Readonly<Record<string, Row>> = Object.fromEntries(
  Object.entries({
    'a log line': '[2026-01-01 10:00:00] INFO started',
    INI: '[core]\neditor = vi\n',
    TOML: '[package]\nname = "x"\n',
    CSS: '{ color: red }',
    RTF: '{\\rtf1\\ansi Hello}',
    Jinja: '{% if user %}Hello {{ user }}{% endif %}',
    'a link': '[Express](https://expressjs.com) is small',
    'an envelope of Sentry': '{"event_id":"9ec79c33"}\n{"type":"event","length":2}\n{}\n',
  }).flatMap(([name, body]): [string, Row][] => [
    [`${name} as text`, { body, type: 'text/plain' }],
    [`${name} as an octet stream`, { body, type: 'application/octet-stream' }],
  ]),
)

const SHAPES: Readonly<Record<string, Row>> = {
  ...Object.fromEntries(
    ['human', 'ai', 'bot', 'model', 'USER', 'developer', 'wizard'].map((role): [string, Row] => [
      `the role ${role}`,
      { path: CHAT, body: { model: 'm', messages: [{ role, content: 'Hi' }, user('There')] } },
    ]),
  ),
  "LangChain's types": { path: '/chat', body: { messages: [{ type: 'human', content: 'Hi' }] } },
  "LangChain's constructors": {
    path: '/chat',
    body: {
      messages: [
        { lc: 1, type: 'constructor', id: ['langchain_core', 'messages', 'HumanMessage'], kwargs: { content: 'Hi' } },
      ],
    },
  },
  "Converse's blocks": { path: '/chat', body: { messages: [user([{ text: 'Hi' }])] } },
  'from and text': { path: '/chat', body: { messages: [{ from: 'me', text: 'Hi' }] } },
  'messages that are strings': { path: '/chat', body: { messages: ['Hi', 'There'] } },
  'a map of messages': { path: '/chat', body: { messages: { a: { text: 'Hi' } } } },
  'an unknown part': { path: CHAT, body: { model: 'm', messages: [user([{ type: 'sticker', name: 'cat' }])] } },
  'an empty list beside a question': { path: '/chat', body: { messages: [], question: 'Hi?' } },
  'an empty message': { path: CHAT, body: { model: 'm', messages: [user('')] } },
  'no message': { path: CHAT, body: { model: 'm', messages: [] } },
  'a call of tools without content': {
    path: CHAT,
    body: asked({
      messages: [
        user('Hi'),
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'f', arguments: '{}' } }],
        },
        { role: 'tool', tool_call_id: 'call_1', content: '[1,2]' },
      ],
    }),
  },
  "Ollama's preload": { path: '/api/generate', body: { model: 'llama3.2' } },
  "Ollama's preload of a chat": { path: '/api/chat', body: { model: 'llama3.2', messages: [] } },
  "Ollama's unload": { path: '/api/generate', body: { model: 'llama3.2', keep_alive: 0 } },
  'an SMS': { path: '/2010-04-01/Accounts/AC1/Messages.json', type: 'form', body: 'To=%2B1555&From=%2B1556&Body=Hi' },
  'a mail': {
    path: '/v3/mail/send',
    body: { personalizations: [{ to: [{ email: 'a@b.c' }] }], content: [{ type: 'text/plain', value: 'Hi' }] },
  },
  'texts of a translation': { path: '/i18n', body: { locale: 'de', messages: { hello: 'Hallo', bye: 'Ade' } } },
  'log lines': { path: '/logs', body: { messages: [{ level: 'info', message: 'started', ts: 1 }] } },
}

const NAMES: Readonly<Record<string, Row>> = {
  'tools with the names of JavaScript': {
    path: CHAT,
    body: asked({
      tools: [
        tool('constructor', {
          type: 'object',
          properties: { prototype: { type: 'string' }, constructor: { type: 'string' } },
        }),
      ],
    }),
  },
  'data with the names of JavaScript': { body: { constructor: { name: 'Ada' }, prototype: true } },
  'Responses with a prompt alone': { path: '/v1/responses', body: { prompt: { id: 'pmpt_abc123', version: '2' } } },
  'Responses with an item by id': {
    path: '/v1/responses',
    body: { model: 'm', input: [{ type: 'item_reference', id: 'msg_1' }, { id: 'rs_2' }, user('Go on')] },
  },
  'Responses with a picture by id': {
    path: '/v1/responses',
    body: { model: 'm', input: [{ type: 'image_generation_call', id: 'ig_123' }, user('Make it red')] },
  },
  "Slack's payload": {
    path: '/slack',
    type: 'form',
    body: `payload=${encodeURIComponent(JSON.stringify({ type: 'block_actions', user: { id: 'U1' }, message: { text: 'Hi' } }))}`,
  },
  "Bedrock's count of tokens": {
    path: '/model/m/count-tokens',
    body: { input: { converse: { messages: [user([{ text: 'Hi' }])] } } },
  },
  'images of containers': { path: '/deploy', body: { images: ['nginx:1.25', 'redis:7'] } },
}

const PLAIN: Readonly<Record<string, Row>> = {
  'a page': { method: 'GET', path: '/garden?page=2&sort=name' },
  'a head': { method: 'HEAD', path: '/garden' },
  'a preflight': {
    method: 'OPTIONS',
    headers: { origin: 'https://a.example', 'access-control-request-method': 'POST' },
  },
  'a file that is put': { method: 'PUT', path: '/files/a.txt', type: 'text/plain', body: 'Hello' },
  'a patch': { method: 'PATCH', type: 'application/merge-patch+json', body: { name: 'Ada' }, leftAlone: true },
  'a DELETE with a body': { method: 'DELETE', body: { ids: [1, 2] } },
  'an empty list': { body: [] },
  'an empty object': { body: {} },
  'a JSON text': { body: '"hello"', judged: 400 },
  'a body in pieces': { headers: { 'transfer-encoding': 'chunked' }, body: { text: 'Hello' } },
  'much data': { body: { rows: list(rounds(60_000), (at) => `row ${at}`) } },
  'JSON under brotli': { headers: { 'content-encoding': 'br' }, body: brotliCompressSync('{"a":"b"}') },
  'JSON under deflate': { headers: { 'content-encoding': 'deflate' }, body: deflateSync('{"a":"b"}') },
  'a form with lists': { type: 'form', body: 'tag[]=a&tag[]=b&user[name]=Ada&empty=' },
  'a webhook of GitHub': {
    path: '/hooks',
    body: { action: 'opened', issue: { number: 7, body: 'It broke', user: { login: 'ada' } } },
  },
  GraphQL: { path: '/graphql', body: { query: '{ me { name } }', variables: { role: 'admin' } } },
  'JSON lines': { type: 'application/x-ndjson', body: '{"a":1}\n{"b":2}\n' },
  'a CSV': { type: 'text/csv', body: 'name,age\nAda,36\n' },
  'a CSP report': {
    type: 'application/csp-report',
    body: '{"csp-report":{"document-uri":"https://a.example"}}',
    leftAlone: true,
  },
}

const BESIDE: Readonly<Record<string, Row>> = {
  'a list of models': { method: 'GET', path: '/v1/models' },
  'stored completions': { method: 'GET', path: `${CHAT}?limit=20&order=asc` },
  'a stored response': { method: 'GET', path: '/v1/responses/resp_68a1b2c3d4e5f6' },
  'a response that is cancelled': { path: '/v1/responses/resp_68a1b2c3d4e5f6/cancel' },
  'a response that is deleted': { method: 'DELETE', path: '/v1/responses/resp_68a1b2c3d4e5f6' },
  'a moderation': { path: '/v1/moderations', body: { model: 'omni-moderation-latest', input: ['Hi', 'There'] } },
  'a speech': { path: '/v1/audio/speech', body: { model: 'tts-1', voice: 'alloy', input: 'Hello' } },
  'a transcription': {
    path: '/v1/audio/transcriptions',
    type: 'multipart/form-data; boundary=x',
    body: Buffer.from(
      '--x\r\ncontent-disposition: form-data; name="file"; filename="a.wav"\r\n\r\nRIFF\x01\xff\r\n--x--\r\n',
      'latin1',
    ),
    judged: 415,
  },
  'a vector store': { path: '/v1/vector_stores', body: { name: 'docs', file_ids: ['file-abc123'] } },
  'a batch': { path: '/v1/batches', body: { input_file_id: 'file-abc123', endpoint: CHAT, completion_window: '24h' } },
  "Anthropic's count of tokens": { path: '/v1/messages/count_tokens', body: { model: 'm', messages: [user('Hi')] } },
  "Gemini's count of tokens": {
    path: '/v1beta/models/g:countTokens',
    body: { contents: [{ parts: [{ text: 'Hi' }] }] },
  },
  "Gemini's embedding": { path: '/v1beta/models/g:embedContent', body: { content: { parts: [{ text: 'Hi' }] } } },
  'a rerank': { path: '/v2/rerank', body: { model: 'r', query: 'Rain?', documents: ['It rains', 'Sun'], top_n: 1 } },
  "vLLM's tokens": { path: '/tokenize', body: { model: 'm', prompt: 'Hi' } },
  "Ollama's pull": { path: '/api/pull', body: { model: 'llama3.2', stream: false } },
  "Ollama's embedding": { path: '/api/embed', body: { model: 'e', input: ['Hi', 'There'] } },
  'a text of TGI': { path: '/generate', body: { inputs: 'Hi', parameters: { max_new_tokens: 20 } } },
  'tensors of KServe': {
    path: '/v2/models/m/infer',
    body: { inputs: [{ name: 'x', shape: [1, 4], datatype: 'FP32', data: [1, 2, 3, 4] }] },
  },
  'a bulk of Elasticsearch': {
    path: '/_bulk',
    type: 'application/x-ndjson',
    body: '{"index":{"_id":"1"}}\n{"title":"Rain"}\n',
  },
  'a search of Elasticsearch': { path: '/docs/_search', body: { query: { match: { message: 'rain' } }, size: 10 } },
  'a poll of Socket.IO': {
    path: '/socket.io/?EIO=4&transport=polling',
    type: 'text/plain;charset=UTF-8',
    body: '42["chat message","hi"]',
  },
  'a piece of a tus upload': {
    method: 'PATCH',
    path: '/files/24e533e0',
    type: 'application/offset+octet-stream',
    headers: { 'upload-offset': '0', 'tus-resumable': '1.0.0' },
    body: Buffer.from([0, 255, 1, 254]),
    judged: 415,
  },
  'an upload of the AWS SDK': {
    method: 'PUT',
    path: '/bucket/a.txt',
    type: 'text/plain',
    headers: { 'content-encoding': 'aws-chunked' },
    body: '5\r\nHello\r\n0\r\n\r\n',
    judged: 415,
  },
  'a compressed upload of the AWS SDK': {
    method: 'PUT',
    path: '/bucket/a.txt',
    type: 'application/octet-stream',
    headers: { 'content-encoding': 'gzip,aws-chunked' },
    body: Buffer.concat([Buffer.from('5\r\n'), gzipSync('Hello'), Buffer.from('\r\n0\r\n\r\n')]),
    judged: 415,
  },
  'an upload of a compressed file, compressed': {
    method: 'PUT',
    path: '/bucket/a.csv.gz',
    type: 'application/gzip',
    headers: { 'content-encoding': 'gzip' },
    body: gzipSync(gzipSync('a,b')),
    judged: 415,
  },
  'spans of OpenTelemetry': {
    path: '/v1/traces',
    body: {
      resourceSpans: [{ scopeSpans: [{ spans: [{ traceId: '5b8efff798038103d269b633813fc60c', name: 'GET' }] }] }],
    },
  },
  'a webhook of Stripe': {
    path: '/hooks',
    body: { id: 'evt_1Nxyz', object: 'event', type: 'charge.succeeded', data: { object: { amount: 100 } } },
  },
  'an event of Slack': {
    path: '/slack/events',
    body: { type: 'event_callback', event: { type: 'message', text: 'hi', user: 'U1', ts: '1.2' } },
  },
  "Telegram's update": {
    path: '/bot',
    body: { update_id: 1, message: { message_id: 2, text: 'Hi', chat: { id: 3, type: 'private' } } },
  },
  "WhatsApp's webhook": {
    path: '/wa',
    body: { entry: [{ changes: [{ value: { messages: [{ from: '1', type: 'text', text: { body: 'Hi' } }] } }] }] },
  },
  "Discord's interaction": {
    path: '/discord',
    body: { type: 2, data: { name: 'roll', options: [{ name: 'dice', type: 4, value: 6 }] } },
  },
  'a message of Matrix': {
    method: 'PUT',
    path: '/_matrix/client/v3/rooms/!a:b/send/m.room.message/1',
    body: { msgtype: 'm.text', body: 'Hi' },
  },
  'LSP over HTTP': {
    path: '/lsp',
    body: { jsonrpc: '2.0', id: 1, method: 'textDocument/hover', params: { position: { line: 1, character: 2 } } },
  },
}

const UNREADABLE: Readonly<Record<string, Row>> = {
  'JSON in UTF-16': {
    type: 'application/json; charset=utf-16le',
    body: Buffer.from('{"a":1}', 'utf16le'),
    judged: 415,
  },
  'JSON in a charset that nobody knows': { type: 'application/json; charset=x-own', body: '{"a":1}', judged: 415 },
  'broken JSON': { type: 'application/json', body: '{"a":', judged: 400 },
  'JSON under gzip': { headers: { 'content-encoding': 'gzip' }, body: gzipSync('{"a":"b"}') },
  'JSON under zstd': {
    headers: { 'content-encoding': 'zstd' },
    body: Buffer.from('28b52ffd200949000', 'hex'),
    judged: 415,
  },
  'what is not gzip': { headers: { 'content-encoding': 'gzip' }, body: '{"a":"b"}', judged: 400 },
  XML: { type: 'application/xml', body: '<a>Hi</a>' },
  'Latin-1': { type: 'text/plain; charset=iso-8859-1', body: Buffer.from('größer', 'latin1'), judged: 415 },
  "Sentry's envelope with a recording": {
    type: 'text/plain;charset=UTF-8',
    body: Buffer.concat([
      Buffer.from('{"event_id":"9ec7"}\n{"type":"event"}\n{"user":{"role":"admin"}}\n'),
      gzipSync('[]'),
    ]),
    judged: 415,
  },
  'spans of a chat in protobuf': {
    type: 'application/x-protobuf',
    body: Buffer.concat([Buffer.from('\n"\n\0{"role":"user","content":"Hi"}'), Buffer.from([0xff, 0, 1])]),
    judged: 415,
  },
  'broken JSON with a prompt': { path: '/hooks', body: '{"prompt":"Hi",', judged: 400 },
  'NaN in a log': { path: '/logs', body: '{"message":"Hi","value":NaN}', judged: 400 },
  protobuf: { type: 'application/x-protobuf', body: Buffer.from([10, 3, 97, 98, 99, 200, 1]), judged: 415 },
  'a picture': { type: 'image/png', body: Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]), judged: 415 },
}

function app(module: ExpressModule, mount?: Mount): Express {
  const site = module()
  site.set('env', 'test').set('x-powered-by', false)
  const parsers = [module.json({ limit: '5mb' }), module.urlencoded({ extended: true }), module.text()]
  const guard = mount === 'in paths' ? guarded({ paths: ['/*'] }) : guarded()
  if (mount === 'before the parsers' || mount === 'in paths') site.use(guard)
  site.use(parsers)
  if (mount === 'behind the parsers') site.use(guard)
  site.all(/.*/, ...(mount === 'on a route' ? [guard] : []), async (req: Request, res: Response) => {
    const raw: Buffer[] = []
    if (!req.readableEnded) for await (const chunk of req) raw.push(chunk as Buffer)
    res.json({ echo: { url: req.url, body: req.body as unknown, raw: Buffer.concat(raw).toString('latin1') } })
  })
  site.use((error: Error & { status: number }, _req: Request, res: Response, _next: NextFunction) => {
    res.status(error.status).json({ error: { app: error.message } })
  })
  return site
}

function sent({ method = 'POST', type, headers, body }: Row): SendOptions {
  const named = type === 'form' ? 'application/x-www-form-urlencoded' : (type ?? 'application/json')
  const content = body === undefined ? {} : { 'content-type': named }
  return {
    method,
    headers: { ...content, ...headers },
    ...(body !== undefined && {
      body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
    }),
  } as SendOptions
}

describe.each(few(EXPRESSES, 1))('%s', (_name, module) => {
  const servers: Partial<Record<Mount | 'none', Running>> = {}
  beforeAll(async () => {
    servers.none = await serve(app(module))
    for (const mount of MOUNTS) servers[mount] = await serve(app(module, mount))
  })
  afterAll(() => Promise.all(Object.values(servers).map((server) => server.close())))

  describe.each([
    ['nouns in paths', NOUNS],
    ['numbers', NUMBERS],
    ['texts that begin with a bracket', BRACKETS],
    ['messages of other shapes', SHAPES],
    ['names', NAMES],
    ['what is no chat', PLAIN],
    ['APIs beside chats', BESIDE],
    ['what we cannot read', UNREADABLE],
  ])('%s', (_group, rows) => {
    it.each(Object.entries(rows))('%s', async (_row, row) => {
      const path = row.path ?? '/data'
      const twin = comparable(await ask(servers.none!.url + path, sent(row)))
      for (const mount of few(MOUNTS, 2)) {
        const reply = comparable(await ask(servers[mount]!.url + path, sent(row)))
        // What the app's parsers have read before the guard is judged as they read it.
        const refuses = mount === 'in paths' || (mount === 'on a route' && reply.status !== twin.status)
        if (refuses && row.judged !== undefined) expect([mount, reply.status]).toEqual([mount, row.judged])
        else if (row.leftAlone && mount !== MOUNTS[0] && mount !== MOUNTS[1]) expect(reply.status).toBe(twin.status)
        else expect([mount, reply]).toEqual([mount, twin])
      }
    })
  })
})
