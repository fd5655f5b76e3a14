// A chat in every encoding, whatever the content-type says and whoever has read the body before us: its words are
// judged, or the answer is 4xx.
import { Readable } from 'node:stream'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import type express5 from 'express'
import { describe, expect, it } from 'vitest'
import type { Middleware } from '../../../src/types.js'
import { EXPRESSES, type Mount } from '../../helpers/apps.js'
import { type Running, serve } from '../../helpers/http.js'
import { crossed } from '../../helpers/sampled.js'
import {
  bytesOf,
  handler,
  ours,
  chat,
  json,
  handled,
  forget,
  sendRaw,
  prompts,
  WORD,
  expectSeen,
  expectUntouched,
  serving,
} from '../planted.js'

const utf8 = (text: string): Buffer => Buffer.from(text)
const utf16 = (text: string): Buffer => Buffer.from(text, 'utf16le')
const utf32 = (text: string): Buffer =>
  Buffer.concat(Array.from(text, (char) => Buffer.from(new Uint32Array([char.codePointAt(0)!]).buffer)))

interface Encoding {
  readonly body: Buffer
  readonly headers?: Record<string, string>
  readonly charset?: string
  /** It passes as without us. */
  readonly honest?: true
  /** The status of what is not honest, as JSON that nobody has read. Default: 400. */
  readonly alone?: number
}
/** One chat in many spellings of bytes, each with the headers that announce it. */
const ENCODINGS: Record<string, Encoding> = {
  plain: { honest: true, body: utf8(chat) },
  'a byte order mark': { honest: true, body: utf8(`\uFEFF${chat}`) },
  'two byte order marks': { body: utf8(`\uFEFF\uFEFF${chat}`) },
  'blanks around': { honest: true, body: utf8(` \t\r\n${chat}\n `) },
  'all that trim() removes around': { body: utf8(`\v\f\u00A0\u1680\u2003\u2028\u202F\u3000${chat}\u00A0\uFEFF`) },
  'a NUL before': { body: utf8(`\0${chat}`) },
  'control characters around': { body: utf8(`\x1e\x7f\x85${chat}\x1e\x00`) },
  'a JSON text sequence': { body: utf8(`\x1e${chat}\n\x1e{"a":1}\n`) },
  NDJSON: { body: utf8(`{"a":1}\n${chat}\n`) },
  'NDJSON with line breaks of Windows': { body: utf8(`${chat}\r\n\r\n{"a":1}\r\n`) },
  'a JSON string': { honest: true, body: utf8(JSON.stringify(chat)) },
  'a JSON string of a JSON string': { honest: true, body: utf8(JSON.stringify(JSON.stringify(chat))) },
  'a JSON string with escapes': { honest: true, body: utf8(`"\\u007b${JSON.stringify(chat).slice(2)}`) },
  'blanks in a JSON string': { honest: true, body: utf8(JSON.stringify(` \n${chat} `)) },
  latin1: { body: Buffer.from(chat, 'latin1'), charset: 'iso-8859-1', alone: 200 },
  'a NBSP of latin1': { body: Buffer.from(`\u00A0${chat}`, 'latin1') },
  'UTF-16': { body: utf16(chat) },
  'UTF-16 with a mark': { body: utf16(`\uFEFF${chat}`), charset: 'utf-16', alone: 415 },
  'UTF-16 after a NBSP': { body: utf16(`\u00A0${chat}`) },
  'UTF-16 after blanks': { body: utf16(` \n\u2003${chat}`) },
  'UTF-16 of a JSON string': { body: utf16(JSON.stringify(chat)) },
  'big-endian UTF-16': { body: utf16(chat).swap16() },
  'UTF-32': { body: utf32(chat) },
  'UTF-32 after blanks': { body: utf32(`\uFEFF ${chat}`), charset: 'utf-32', alone: 415 },
  gzip: { honest: true, body: gzipSync(chat), headers: { 'content-encoding': 'gzip' } },
  'GZIP with blanks': { honest: true, body: gzipSync(chat), headers: { 'content-encoding': ' GZIP ' } },
  deflate: { honest: true, body: deflateSync(chat), headers: { 'content-encoding': 'deflate' } },
  br: { honest: true, body: brotliCompressSync(chat), headers: { 'content-encoding': 'br' } },
  'gzip after blanks': { honest: true, body: gzipSync(`\uFEFF\n${chat}`), headers: { 'content-encoding': 'gzip' } },
  'gzip of gzip': { body: gzipSync(gzipSync(chat)), headers: { 'content-encoding': 'gzip, gzip' }, alone: 415 },
  'br of gzip': { body: brotliCompressSync(gzipSync(chat)), headers: { 'content-encoding': 'gzip,br' }, alone: 415 },
  'gzip and identity': { body: gzipSync(chat), headers: { 'content-encoding': 'gzip, identity' }, alone: 415 },
}
const TYPES = [undefined, '', json, 'text/plain', 'application/vnd.api+json', 'application/octet-stream', 'image/png']

const any = { type: () => true, limit: '1mb' }
/** Middleware before us, by what it does to the body. */
const BEFORE: Record<string, (express: typeof express5) => Middleware[]> = {
  nobody: () => [],
  'express.json': (express) => [express.json()],
  'express.json for all types': (express) => [express.json({ ...any, strict: false })],
  'express.text': (express) => [express.text(any)],
  'express.raw': (express) => [express.raw(any)],
  'all parsers of Express': (express) => [
    express.json(),
    express.urlencoded({ extended: true }),
    express.text(),
    express.raw(),
  ],
  'who sets {}': () => [(req, _res, next) => (Object.assign(req, { body: {} }), next())],
  'who sets null': () => [(req, _res, next) => (Object.assign(req, { body: null }), next())],
  'who sets another body': () => [(req, _res, next) => (Object.assign(req, { body: { user: 'x' } }), next())],
  'who leaves req.rawBody': () => [
    (req, _res, next) => void bytesOf(req).then((rawBody) => (Object.assign(req, { rawBody }), next())),
  ],
  'who leaves req.rawBody and {}': () => [
    (req, _res, next) => void bytesOf(req).then((rawBody) => (Object.assign(req, { rawBody, body: {} }), next())),
  ],
}

const onExpress =
  (express: typeof express5): Mount =>
  (steps, last) => {
    const app = express()
    app.set('env', 'test')
    for (const step of steps) app.use(step)
    app.use(last as never)
    return app
  }
const servers = new Map(
  EXPRESSES.map(([, express]) => [
    express,
    new Map(
      Object.values(BEFORE).map((steps) => [
        steps,
        [[ours()], []].map((guards) =>
          serving(onExpress(express as typeof express5)([...steps(express as typeof express5), ...guards], handler)),
        ) as [() => Running, () => Running],
      ]),
    ),
  ]),
)

it.each(crossed({ encoding: ENCODINGS, before: BEFORE, express: EXPRESSES }))(
  '$title: the body is judged or refused',
  async ({ encoding: { body, headers, charset, honest, alone = 400 }, before, express }) => {
    const [server, unguarded] = servers.get(express)!.get(before)!
    for (const type of TYPES) {
      forget()
      const typed = charset === undefined ? type : `${type || 'text/plain'}; charset=${charset}`
      for (const path of ['/ask', '/v1/chat/completions']) {
        const sent = { path, type: typed, headers, body }
        // What a parser before us refuses is its own.
        const twin = honest === true ? await sendRaw(unguarded(), sent) : undefined
        forget()
        const status = await sendRaw(server(), sent)
        const may = before === BEFORE['nobody'] && type === json ? [alone] : [200, 400, 415]
        expect(twin === undefined ? may : [twin]).toContain(status)
        if (status === 200) expect(prompts()).toContain(WORD)
        else expect(handled).toEqual([])
      }
    }
  },
)

describe.each(EXPRESSES)('a body on %s', (_name, express) => {
  it('that somebody consumed is an error on a known or named path, and on a route', async () => {
    const consume: Middleware = (req, _res, next) => void req.resume().on('end', () => next())
    const app = express()
    app.use(consume)
    app.post('/route', ours(), handler)
    app.use(ours(), handler)
    const server = await serve(app)
    for (const path of ['/v1/chat/completions', '/route'])
      for (const type of [json, 'application/vnd.x+json', undefined])
        expect(await sendRaw(server, { path, type, body: chat })).toBe(400)
    expect(handled).toEqual([])
    // On a route every body is to be judged, and an upload that nobody shows us cannot be.
    const upload = 'multipart/form-data; boundary=x'
    expect(await sendRaw(server, { path: '/route', type: upload, body: '--x--' })).toBe(400)
    await expectUntouched(server, { path: '/elsewhere', type: upload, body: '--x--' })
    forget()
    await expectUntouched(server, { path: '/elsewhere', type: json, body: chat })
    await server.close()
  })

  it('of an empty object on a route is no error', async () => {
    const app = express()
    app.post('/route', express.json(), ours(), handler)
    const server = await serve(app)
    await expectUntouched(server, { path: '/route', type: json, body: '{}' })
    await server.close()
  })

  it('is as good as unread afterwards, so that fetch and a second guard can read it', async () => {
    let disturbed: boolean | undefined
    const app = express()
    app.use(
      ours(),
      ours(),
      (req, _res, next) => {
        disturbed = req.readableDidRead || Readable.isDisturbed(req)
        next()
      },
      handler,
    )
    const server = await serve(app)
    await expectUntouched(server, { type: 'text/plain', body: 'hello' })
    expect(disturbed).toBe(false)
    expect(handled[0]!.raw).toBe('hello')
    await server.close()
  })

  it('in which rawBody names a key twice is refused', async () => {
    const app = express()
    app.use(
      express.json({ verify: (req, _res, bytes) => void Object.assign(req, { rawBody: bytes }) }),
      ours(),
      handler,
    )
    const server = await serve(app)
    expect(
      await sendRaw(server, { type: json, body: `{"messages":[],"messages":[{"role":"user","content":"x"}]}` }),
    ).toBe(400)
    await expectSeen(server, { type: json, body: chat })
    expect(handled).toHaveLength(1)
    await server.close()
  })
})
