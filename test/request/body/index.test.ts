// Request bodies over real HTTP: by which code one is refused, and what passes as it came. On Express 4 and 5, because
// their parsers leave different things on `req.body`.
import http from 'node:http'
import zlib from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { EXPRESSES, onExpress } from '../../helpers/apps.js'
import { send, serve } from '../../helpers/http.js'
import {
  chat,
  expectSeen,
  expectUntouched,
  forget,
  form,
  handled,
  handler,
  json,
  LIMIT,
  ours,
  type Sent,
  serving,
  WORD,
} from '../planted.js'

/** All of the text in UTF-7's own base64, so that no name of a field stands in it. */
const utf7 = (text: string): string =>
  `+${Buffer.from(text, 'utf16le').swap16().toString('base64').replaceAll('=', '')}-`

describe.each(EXPRESSES)('a body on %s', (_name, express) => {
  const mount = onExpress(express)
  const server = serving(mount([ours()], handler))
  const parsed = serving(mount([express.json(), ours()], handler))

  it('is set on req.body where no parser has read it, whatever its content-type is', async () => {
    for (const type of [json, 'text/plain', undefined])
      for (const url of [server, parsed]) {
        forget()
        await expectSeen(url(), { type, body: chat })
        expect(handled[0]!.body).toEqual(JSON.parse(chat))
      }
  })

  it('leaves a keep-alive connection usable when the handler never reads the stream', async () => {
    const lazy = await serve(mount([ours()], (_req, res) => res.end()))
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
    const ports = new Set<number | undefined>()
    for (let round = 0; round < 5; round += 1)
      await new Promise((resolve, reject) => {
        const req = http.request(lazy.url, { method: 'POST', agent, headers: { 'content-type': json } }, (res) => {
          ports.add(req.socket?.localPort)
          res.resume().once('end', resolve)
        })
        req.once('error', reject).end(chat)
      })
    expect(ports.size).toBe(1)
    agent.destroy()
    await lazy.close()
  })

  const STATUS = { body_too_large: 413, invalid_json: 400, unreadable_request: 400, unsupported_media_type: 415 }
  it.each<[string, keyof typeof STATUS, Sent]>([
    [
      'JSON beyond the limit',
      'body_too_large',
      { body: JSON.stringify({ messages: [{ role: 'user', content: 'x'.repeat(2 * LIMIT) }] }) },
    ],
    [
      'JSON beyond the limit on any path',
      'body_too_large',
      { path: '/any', body: JSON.stringify({ a: 'x'.repeat(2 * LIMIT) }) },
    ],
    ['white space beyond the limit', 'body_too_large', { path: '/any', body: ' '.repeat(2 * LIMIT) }],
    ['broken JSON', 'invalid_json', { body: '{"messages":[' }],
    ['broken JSON on any path', 'invalid_json', { path: '/any', body: '{"messages":[' }],
    [
      'an unknown encoding',
      'unsupported_media_type',
      { path: '/any', body: chat, headers: { 'content-encoding': 'compress' } },
    ],
    [
      'two encodings',
      'unsupported_media_type',
      { body: zlib.gzipSync(zlib.gzipSync(chat)), headers: { 'content-encoding': 'gzip, gzip' } },
    ],
    ['zstd', 'unsupported_media_type', { body: chat, headers: { 'content-encoding': 'zstd' } }],
    ['bytes that are not gzip', 'invalid_json', { body: chat, headers: { 'content-encoding': 'gzip' } }],
    [
      'UTF-16 with its charset',
      'unsupported_media_type',
      {
        path: '/any',
        body: Buffer.from(chat, 'utf16le'),
        type: 'application/json; charset=utf-16le',
      },
    ],
    // The names that iconv-lite knows, which body parsers use.
    ...['utf-7', 'unicode11utf7', 'ucs4'].map((charset): [string, keyof typeof STATUS, Sent] => [
      charset,
      'unsupported_media_type',
      { path: '/any', body: utf7(chat), type: `application/json; charset=${charset}` },
    ]),
    ['UTF-16 without a charset', 'invalid_json', { path: '/any', body: Buffer.from(chat, 'utf16le') }],
    [
      'big-endian UTF-16 with a mark',
      'invalid_json',
      { path: '/any', body: Buffer.from(`\uFEFF${chat}`, 'utf16le').swap16() },
    ],
    ['a key named twice', 'unreadable_request', { body: '{"messages":[{"role":"user","content":"a","content":"b"}]}' }],
    [
      'messages named twice on any path',
      'unreadable_request',
      { path: '/any', body: '{"messages":[{"role":"user","content":"a"}],"mess\\u0061ges":1}' },
    ],
  ])('with %s is refused', async (_what, code, { path = '/v1/chat/completions', type = json, headers, body }) => {
    const reply = await send(server().url + path, { body, headers: { 'content-type': type, ...headers } })
    expect([reply.status, reply.json().error.code, handled]).toEqual([STATUS[code], code, []])
  })

  it.each<[string, Sent]>([
    ['JSON without messages', { path: '/any', body: '{"a":1}' }],
    ['a key named twice that is no chat', { path: '/any', body: '{"a":1,"a":2}' }],
    ['a form', { path: '/any', body: 'a=1', type: 'application/x-www-form-urlencoded' }],
    ['a multipart form', { path: '/any', body: '--x\r\n', type: 'multipart/form-data; boundary=x' }],
    ['bytes', { path: '/any', body: Buffer.from([0, 1, 2, 3]), type: 'application/octet-stream' }],
    ['latin-1 text', { path: '/any', body: Buffer.from([0xe9]), type: 'text/plain; charset=iso-8859-1' }],
    ['gzipped text', { path: '/any', body: zlib.gzipSync('hello'), headers: { 'content-encoding': 'gzip' } }],
    ['nothing', { path: '/any', body: '' }],
    ['a GET of a path of texts', { method: 'GET', path: '/v1/completions' }],
  ])('with %s passes untouched', async (_what, sent) => {
    await expectUntouched(server(), { type: json, ...sent })
    expect(handled[0]!.raw).toBe(Buffer.from(sent.body ?? '').toString('latin1'))
  })

  it('is a chat in a list of messages that a form parser turned into an object', async () => {
    const forms = await serve(mount([express.urlencoded({ extended: true }), ours()], handler))
    for (const at of [0, 900])
      await expectSeen(forms, { type: form, body: `messages[${at}][role]=user&messages[${at}][content]=${WORD}` })
    await forms.close()
  })
})
