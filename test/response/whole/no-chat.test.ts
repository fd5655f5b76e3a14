// Replies on guarded routes that are no chat: downloads, parts of files, media. They leave as they came, and text among
// them is judged. On a chat, the same are refused.
import { describe, expect, it } from 'vitest'
import { gzipSync } from 'node:zlib'
import { ask, guarded, onNode, serving } from '../../helpers/apps.js'
import { chat, sleep } from '../../helpers/http.js'

const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0xff])

interface Row {
  readonly headers?: Readonly<Record<string, string>>
  readonly status?: number
  readonly body: string | Buffer
}

async function answer(
  row: Row,
  request: object | undefined,
): Promise<{ reply: Row & { why: string }; judged: string[] }> {
  const middleware = guarded({ check: ['output'], paths: ['/v1/chat/completions', '/files'] })
  const { headers = {}, status = 200, body } = row
  const server = onNode([middleware], (_req, res) => void res.writeHead(status, headers).end(body))
  const path = request === undefined ? '/files' : '/v1/chat/completions'
  const got = await serving(server, ({ url }) => ask(url + path, { body: request ?? {} }))
  const sent = Object.fromEntries(Object.keys(headers).map((name) => [name, String(got.headers[name])]))
  const why = String(got.headers['llama-guard'])
  return { reply: { headers: sent, status: got.status, body: got.body, why }, judged: middleware.guard.texts() }
}

const type = (name: string, more: object = {}): Record<string, string> => ({ 'content-type': name, ...more })
const PASS: Readonly<Record<string, Row>> = {
  'a picture': { headers: type('image/png'), body: PNG },
  sound: { headers: type('audio/mpeg'), body: PNG },
  'a file': { headers: type('application/octet-stream'), body: PNG },
  'a document': { headers: type('application/pdf'), body: '%PDF-1.7' },
  'a part of a film': { headers: type('video/mp4', { 'content-range': 'bytes 0-9/99' }), status: 206, body: PNG },
  'a part of a file': {
    headers: type('application/octet-stream', { 'content-range': 'bytes 0-9/99' }),
    status: 206,
    body: PNG,
  },
  'a file of a type of its own': { headers: type('application/x-own'), body: PNG },
  'a coding that we do not know': { headers: type('text/css', { 'content-encoding': 'zstd' }), body: PNG },
}
const JUDGED: Readonly<Record<string, readonly [Row, string]>> = {
  'a file of text': [{ headers: type('application/sql'), body: 'some words' }, 'some words'],
  'a form': [
    { headers: type('multipart/form-data; boundary=cut'), body: '--cut\n\nso\n--cut--' },
    '--cut\n\nso\n--cut--',
  ],
  'a Buffer of text': [{ headers: type('application/octet-stream'), body: 'some words' }, 'some words'],
  'a part of a text': [
    { headers: type('text/plain', { 'content-range': 'bytes 0-9/99' }), status: 206, body: 'some wor' },
    'some wor',
  ],
  'a part of JSON': [{ headers: type('application/json'), status: 206, body: '{"a":"so' }, '{"a":"so'],
  'packed text': [
    { headers: type('text/plain', { 'content-encoding': 'gzip' }), body: gzipSync('some words') },
    'some words',
  ],
}

describe('On a route that is no chat', () => {
  it.each(Object.entries(PASS))('%s leaves as it came', async (_name, row) => {
    const { reply, judged } = await answer(row, undefined)
    expect(reply).toEqual({
      ...row,
      status: row.status ?? 200,
      body: Buffer.from(row.body),
      why: 'input=skipped;why="stage-off", output=skipped;why="binary"',
    })
    expect(judged).toEqual([])
  })

  it.each(Object.entries(JUDGED))('%s is judged, and leaves as it came', async (_name, [row, words]) => {
    const { reply, judged } = await answer(row, undefined)
    expect(reply).toMatchObject({ ...row, status: row.status ?? 200, body: Buffer.from(row.body) })
    expect(judged).toEqual([words])
    expect((await answer({ ...row, body: 'UNSAFE', headers: type('text/plain') }, undefined)).reply.status).toBe(451)
  })
})

it.each([false, true])('Media leave as they come, whatever their length, with parallel: %s', async (parallel) => {
  const guard = guarded({ paths: ['/film'], maxReplyBytes: 100, parallel })
  const film = Array.from({ length: 40 }, () => PNG)
  const server = onNode([guard], async (_req, res) => {
    res.writeHead(200, { 'content-type': 'video/mp4' })
    for (const piece of film) {
      res.write(piece)
      await sleep(1)
    }
    res.end()
  })
  const got = await serving(server, ({ url }) => ask(`${url}/film`, { body: { play: 'the film' } }))
  expect([got.status, got.body, got.headers['llama-guard']]).toEqual([
    200,
    Buffer.concat(film),
    'input=safe, output=skipped;why="binary"',
  ])
})

it('A coding that we do not know is refused where the request has words, on a route of an app too', async () => {
  const row = PASS['a coding that we do not know']!
  const guard = guarded({ check: ['output'], paths: ['/ask'] })
  const server = onNode([guard], (_req, res) => void res.writeHead(200, row.headers).end(row.body))
  const got = await serving(server, ({ url }) => ask(`${url}/ask`, { body: { question: 'Why is the sky blue?' } }))
  expect([got.status, got.json().error.code]).toEqual([503, 'unreadable_response'])
})

describe('On a chat', () => {
  it('a redirect that is no text passes', async () => {
    for (const headers of [
      type('text/html; charset=iso-8859-1'),
      type('image/png'),
      type('text/html', { 'content-encoding': 'zstd' }),
    ]) {
      const row = { headers: { location: '/x', ...headers }, status: 302, body: PNG }
      expect((await answer(row, chat('hi'))).reply).toMatchObject({ ...row, body: PNG })
    }
  })
})
