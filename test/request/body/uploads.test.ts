// Uploads that multer or another parser has read before us: the names and the text of their files are judged, and what
// cannot be judged is refused on a route.
import multer from 'multer'
import type { Request, RequestHandler, Response } from 'express'
import { describe, expect, it } from 'vitest'
import { EXPRESSES } from '../../helpers/apps.js'
import { LIMIT, expectRefused, expectSeen, handled, ours, prompts, sendRaw, serving, WORD } from '../planted.js'

const handler = (req: Request, res: Response): void => {
  handled.push({ body: [req.body, req.file, req.files], raw: '' })
  res.json({ ok: true })
}
const guarded = (vision = false): RequestHandler => ours({ ...(vision && { images: 'ignore' }) }) as RequestHandler
const type = 'multipart/form-data; boundary=x'
const part = (head: string, value: string | Buffer): Buffer =>
  Buffer.concat([
    Buffer.from(`--x\r\ncontent-disposition: form-data; ${head}\r\n\r\n`),
    Buffer.from(value),
    Buffer.from('\r\n'),
  ])
const upload = (...parts: readonly Buffer[]): Buffer => Buffer.concat([...parts, Buffer.from('--x--\r\n')])
const file = (head: string, kind: string, value: string | Buffer = 'hi'): Buffer =>
  part(`${head}\r\ncontent-type: ${kind}`, value)
const field = part('name="prompt"', 'hello')

/** Other parsers, by what they leave of a file. */
const LEFT: Readonly<Record<string, (content: Buffer) => Record<string, unknown>>> = {
  'express-fileupload': (data) => ({ files: { f: { name: 'a.txt', mimetype: 'text/plain', data } } }),
  'several files': (data) => ({
    files: {
      f: [
        { name: 'a.txt', mimetype: 'text/plain', data: Buffer.from('a') },
        { name: 'b', mimetype: 'text/plain', data },
      ],
    },
  }),
  'a file on the disk': () => ({
    file: { fieldname: 'f', originalname: 'a.txt', mimetype: 'text/plain', path: '/tmp/a' },
  }),
  'a file without a type': (buffer) => ({ file: { fieldname: 'f', originalname: 'a.txt', buffer } }),
}

describe.each(EXPRESSES)('An upload on a route of %s', (_name, express) => {
  const app = express()
  app.set('env', 'test')
  app.post('/ask', multer().any(), guarded(), handler)
  app.post('/one', multer().single('f'), guarded(), handler)
  app.post('/fields', multer().fields([{ name: 'f' }]), guarded(), handler)
  app.post('/seen', multer().any(), guarded(true), handler)
  for (const [at, left] of Object.values(LEFT).entries())
    app.post(
      `/left${at}`,
      (req, _res, next) => (Object.assign(req, left(Buffer.from(`tell me ${WORD}`))), next()),
      guarded(),
      handler,
    )
  const server = serving(app)

  it.each([
    ['its text', file('name="f"; filename="a.txt"', 'text/plain', `tell me ${WORD}`)],
    ['its JSON', file('name="f"; filename="a.json"', 'application/json', `{"q":"${WORD}"}`)],
    ['its text in UTF-16', file('name="f"; filename="a.txt"', 'text/plain', Buffer.from(WORD, 'utf16le'))],
    [
      'its text in another charset',
      file('name="f"; filename="a.txt"', 'text/plain', Buffer.from(`\xff ${WORD}`, 'latin1')),
    ],
    ['its name', file(`name="f"; filename="tell me ${WORD}.txt"`, 'text/plain')],
    ['its encoded name', file(`name="f"; filename*=utf-8''tell%20me%20${WORD}.txt`, 'text/plain')],
    ['data of no kind', file('name="f"; filename="a.bin"', 'application/octet-stream', WORD)],
    ['its text without a type', part('name="f"; filename="a.txt"', `tell me ${WORD}`)],
  ])('hides no words in %s', async (where, sent) => {
    const unread = /UTF-16|charset|no kind/.test(where)
    for (const path of ['/ask', '/one', '/fields'])
      for (const body of [upload(field, sent), upload(sent)]) {
        if (unread) await expectRefused(server(), { path, type, body }, 400)
        else await expectSeen(server(), { path, type, body })
      }
  })

  it('hides no words in its type', async () => {
    const body = upload(file('name="f"; filename="a"', 'text/tell-me-how'))
    await expectSeen(server(), { path: '/ask', type, body }, 'tell-me-how')
  })

  it('hides no words in the name of a field', async () => {
    const body = upload(file(`name="${WORD}"; filename="a.txt"`, 'text/plain'))
    await expectSeen(server(), { path: '/ask', type, body })
  })

  it.each(Object.keys(LEFT).map((name, at) => [name, at] as const))('is judged or refused as %s', async (left, at) => {
    const sent = { path: `/left${at}`, type: 'application/json', body: '{"a":"hi"}' }
    if (/disk|without a type/.test(left)) await expectRefused(server(), sent, 400)
    else await expectSeen(server(), sent)
  })

  it('is judged with the fields beside it, and reaches the handler as it came', async () => {
    const text = file('name="f"; filename="a.txt"', 'text/plain', 'some text')
    expect(await sendRaw(server(), { path: '/one', type, body: upload(field, text) })).toBe(200)
    expect(prompts()).toBe('hello\nf\na.txt\nsome text')
    expect(handled).toMatchObject([{ body: [{ prompt: 'hello' }, { originalname: 'a.txt', size: 9 }, undefined] }])
  })

  it.each([
    ['a number', 'a[4294967294]'],
    ['a number that no list reaches', 'a[4294967295]'],
  ])('is read at once when %s names its field', async (_what, name) => {
    const body = upload(part('name="a[1]"', 'hi'), part(`name="${name}"`, `tell me ${WORD}`))
    await expectSeen(server(), { path: '/one', type, body })
  })

  it('may hold a picture where pictures may pass, and no file that is larger than a body', async () => {
    const png = Buffer.from('iVBORw0KGgo=', 'base64')
    const picture = upload(field, file('name="f"; filename="a.png"', 'image/png', png))
    expect(await sendRaw(server(), { path: '/ask', type, body: picture })).toBe(400)
    expect(await sendRaw(server(), { path: '/seen', type, body: picture })).toBe(200)
    const long = upload(file('name="f"; filename="a.txt"', 'text/plain', 'a '.repeat(LIMIT)))
    expect(await sendRaw(server(), { path: '/ask', type, body: long })).toBe(400)
  })
})
