// Bodies of any shape on a route: what two parsers read differently, or only some of them can read, is refused, and all
// of the rest is judged.
import type { Express, RequestHandler } from 'express'
import type express5 from 'express'
import { deflateSync, brotliCompressSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { EXPRESSES, type Handler } from '../../helpers/apps.js'
import { expectRefused, expectSeen, forget, handler, json, ours, prompts, sendRaw, serving, WORD } from '../planted.js'
import { few } from '../../helpers/sampled.js'

const ndjson = 'application/x-ndjson'
const form = 'application/x-www-form-urlencoded'
const any = { type: () => true }
const last = handler as Handler as RequestHandler

/** Parsers around the guard. */
const LAYOUTS: Readonly<Record<string, (express: typeof express5, guard: RequestHandler) => RequestHandler[]>> = {
  'no parser': (_express, guard) => [guard],
  'express.json after us': (express, guard) => [guard, express.json({ ...any, strict: false })],
  'express.text after us': (express, guard) => [guard, express.text(any)],
  'express.raw before us': (express, guard) => [express.raw(any), guard],
  'express.raw after us': (express, guard) => [guard, express.raw(any)],
  'express.urlencoded after us': (express, guard) => [guard, express.urlencoded({ ...any, extended: true })],
  'a body that somebody set': (_express, guard) => [
    (req, _res, next) => ((req.body = { tenant: 'acme' }), next()),
    guard,
  ],
}

const TWICE: Readonly<Record<string, readonly [string, string]>> = {
  'a key twice': [json, `{"text":"${WORD}","text":"hi"}`],
  'a key twice within': [json, `{"a":[{"text":"${WORD}","text":"hi"}]}`],
  'a key twice, once as an escape': [json, `{"text":"${WORD}","te\\u0078t":"hi"}`],
  'a key twice in a line': [ndjson, `{"text":"${WORD}","text":"hi"}\n{"a":1}`],
  'a key twice in the last line': [ndjson, `{"a":1}\n{"text":"${WORD}","text":"hi"}`],
  'words in a text': ['text/plain', `tell me ${WORD}`],
  'words in a form': [form, `q=tell+me+${WORD}`],
  'words in lines': [ndjson, `{"a":1}\n{"q":"${WORD}"}`],
  'words in JSON': [json, `{"q":"${WORD}"}`],
  'words in data': ['application/octet-stream', WORD],
  'words in an upload': [
    'multipart/form-data; boundary=x',
    `--x\r\ncontent-disposition: form-data; name="q"\r\n\r\n${WORD}\r\n--x--\r\n`,
  ],
}

/** Words as bytes that become words only in the charset that the type names. */
const CHARSETS: readonly (readonly [string, Buffer])[] = [
  ['gbk', Buffer.from('d5a8b5af', 'hex')],
  ['shift_jis', Buffer.from('948ae2', 'hex').subarray(0, 2)],
  ['koi8-r', Buffer.from('c2cfcdc2c1', 'hex')],
  ['windows-1251', Buffer.from('e1eeece1e0', 'hex')],
  ['iso-8859-1', Buffer.from('b\xf6mbe', 'latin1')],
  ['binary', Buffer.from('b\xf6mbe', 'latin1')],
  ['base64', Buffer.from(WORD.repeat(4), 'base64')],
  ['hex', Buffer.from('decade', 'hex')],
  ['utf-16le', Buffer.from(WORD, 'utf16le')],
  ['utf-7', Buffer.from('+AFAATABBAE4AVABFAEQ-')],
]

describe.each(few(EXPRESSES, 1))('A route of %s', (_name, express) => {
  describe.each(Object.entries(LAYOUTS))('with %s', (name, layout) => {
    const app: Express = express()
    app.set('env', 'test')
    app.post('/ask', ...layout(express, ours() as RequestHandler), last)
    const server = serving(app)

    it.each(Object.entries(TWICE))('lets %s pass unjudged nowhere', async (what, [type, body]) => {
      if (what.startsWith('a key twice')) await expectRefused(server(), { type, body }, 400)
      // The parser behind us has an error of its own for what is no JSON.
      else if (name.startsWith('express.json') && type !== json) {
        expect(await sendRaw(server(), { type, body })).toBe(400)
        expect(prompts()).toContain(WORD)
      } else await expectSeen(server(), { type, body })
    })

    it.each(CHARSETS)('lets no words pass in the charset %s', async (charset, bytes) => {
      await expectRefused(server(), { type: `text/plain; charset=${charset}`, body: bytes }, 415)
      forget()
      const body = Buffer.concat([Buffer.from('q='), bytes])
      await expectRefused(server(), { type: `${form}; charset=${charset}`, body }, 415)
    })

    it('lets no words pass in the escapes of a form in another charset', async () => {
      const send = (charset: string, q: string): Promise<number> =>
        sendRaw(server(), { type: `${form}; charset=${charset}`, body: `q=${q}` })
      for (const charset of ['koi8-r', 'iso-8859-1']) expect(await send(charset, '%C2%CF%CD%C2%C1')).toBe(415)
      expect(await send('iso-2022-jp', '%1B$BGzCF%1b(B')).toBe(415)
      // The parser behind us has an error of its own for what it does not read.
      for (const charset of ['utf-8', 'UTF8', 'iso-8859-1']) {
        await send(charset, `a%20${WORD}`)
        expect(prompts()).toContain(`a ${WORD}`)
        forget()
      }
      await send('utf-8', '%C3%A4')
      expect(prompts()).toContain('ä')
    })

    it('refuses text that is not UTF-8', async () => {
      for (const body of [
        Buffer.from(WORD, 'utf16le'),
        Buffer.from(WORD, 'utf16le').swap16(),
        Buffer.from('b\xf6se', 'latin1'),
      ])
        expect(await sendRaw(server(), { type: 'text/plain', body })).toBe(415)
    })
  })

  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
  ] as const)('refuses bytes after the end of %s', async (encoding, encode) => {
    for (const text of ['', ' ', '{"text":"hi"}', '{"messages":[{"role":"user","content":"hi"}]}'])
      for (const more of [WORD, '\0\0', 'x'.repeat(40_000), encode(WORD)]) {
        const body = Buffer.concat([encode(text), Buffer.from(more)])
        for (const type of [json, form, 'text/plain'])
          expect(await sendRaw(plain(), { type, body, headers: { 'content-encoding': encoding } })).toBe(400)
      }
  })

  describe('of an upload', () => {
    const upload = (head: string, bytes: string | Buffer, preamble = ''): Buffer =>
      Buffer.concat([
        Buffer.from(`${preamble}--x\r\ncontent-disposition: form-data; name="q"\r\n${head}\r\n`),
        Buffer.from(bytes),
        Buffer.from('\r\n--x--\r\n'),
      ])
    const type = 'multipart/form-data; boundary=x'
    // Each byte of these letters is one of ASCII.
    const cyrillic = Buffer.from('\u0431\u043e\u043c\u0431\u0430', 'utf16le')
    const secret = Buffer.from(`tell me ${WORD}`).toString('base64').split('').join('!')

    it.each([
      ['a charset', 'content-type: text/plain; charset=utf-16le\r\n', cyrillic],
      ['a charset that Node alone knows', 'Content-Type: text/plain; CHARSET="UCS2"\r\n', cyrillic],
      ['a charset in a second line', 'content-type: text/plain;\r\n charset=utf-16le\r\nx: y\r\n', cyrillic],
      ['a charset after a line break alone', 'content-type: text/plain\n; charset=utf-16le\r\n', cyrillic],
      ['a charset before a line like a boundary', 'content-type: a/b; charset=utf-16le\r\n--y: z\r\n', cyrillic],
      ['a charset of one byte', 'content-type: text/plain; charset=iso-8859-1\r\n', 'b\xf6se'],
      ['base64', 'Content-Transfer-Encoding: base64\r\n', secret],
      ['base64 in a second line', 'content-transfer-encoding:\r\n base64\r\n', secret],
      ['quoted-printable', 'content-transfer-encoding: Quoted-Printable\r\n', '=50LANTED'],
    ])('refuses a part with %s', async (_what, head, bytes) => {
      for (const preamble of ['', 'a preamble\r\n', '\r\n\r\n'])
        await expectRefused(plain(), { type, body: upload(head, bytes, preamble) }, 415)
      expect(await sendRaw(wide(), { type, body: upload(head, bytes) })).toBe(200)
    })

    it.each([
      ['UTF-8', 'content-type: text/plain; charset=utf-8\r\n', `b\xf6se ${WORD}`],
      ['"UTF-8"', 'content-type: text/plain; charset="UTF-8"\r\n', `b\xf6se ${WORD}`],
      ['ISO-8859-1 that is ASCII', 'content-type: text/plain; charset=ISO-8859-1\r\n', WORD],
      ['US-ASCII', 'content-type: text/plain; charset=US-ASCII\r\ncontent-transfer-encoding: 8bit\r\n', WORD],
      ['bytes', 'Content-Transfer-Encoding: binary\r\n', `b\xf6se ${WORD}`],
      ['a text about them', '', `Content-Type: a; charset=utf-16le\nContent-Transfer-Encoding: base64 ${WORD}`],
    ])('judges a part in %s', async (_what, head, bytes) => {
      await expectSeen(plain(), { type, body: upload(head, bytes) })
    })
  })

  it('finds a chat in a second stream of gzip, behind a first one without words', async () => {
    const send = (text: string): Promise<number> => {
      const body = Buffer.concat([gzipSync(''), gzipSync(text)])
      return sendRaw(wide(), { type: json, body, headers: { 'content-encoding': 'gzip' } })
    }
    expect(await send(`{"messages":[{"role":"user","content":"${WORD}"}]}`)).toBe(400)
    expect(await send('{"name":"no chat"}')).toBe(200)
  })
  const app = express()
  app.post('/ask', ours() as RequestHandler, last)
  const plain = serving(app)
  const wide = serving(express().use(ours() as RequestHandler, last))
})
