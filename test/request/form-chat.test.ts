// Chats that come as forms and uploads, in every spelling that a parser reads: judged, or 4xx.
import type express5 from 'express'
import { describe, expect, it } from 'vitest'
import type { Middleware } from '../../src/types.js'
import { EXPRESSES } from '../helpers/apps.js'
import { serve } from '../helpers/http.js'
import {
  WORD,
  LIMIT,
  bytesOf,
  handler,
  ours,
  messages,
  chat,
  form,
  handled,
  expectSeenOrRefused,
  expectUntouched,
  serving,
} from './planted.js'

const text = encodeURIComponent(JSON.stringify(messages))
const FORMS: readonly string[] = [
  `messages[0][role]=user&messages[0][content]=${WORD}`,
  `messages%5B0%5D%5Brole%5D=user&messages%5B0%5D%5Bcontent%5D=${WORD}`,
  `%6Dessages[0][role]=user&%6dessages[0][content]=${WORD}`,
  `messages.0.role=user&messages.0.content=${WORD}`,
  `messages%2E0%2Erole=user&messages%2E0%2Econtent=${WORD}`,
  `messages[][role]=user&messages[][content]=${WORD}`,
  `messages[]={"role":"user","content":"${WORD}"}`,
  `[messages][0][role]=user&[messages][0][content]=${WORD}`,
  `utf8=%E2%9C%93&messages[0][role]=user&messages[0][content]=${WORD}`,
  `utf8=%26%2310003%3B&messages[0][role]=user&messages[0][content]=${WORD}`,
  `messages=x&messages=${text}`,
  `messages=${text}&messages=`,
  `a&messages=${text}`,
  `a=1;messages=${text}`,
  `&&&messages=${text}`,
  `?messages=${text}`,
  `messages[300][role]=user&messages[300][content]=${WORD}`,
  `messages[a][role]=user&messages[a][content]=${WORD}`,
  `data[messages][0][role]=user&data[messages][0][content]=${WORD}`,
  `chat[0][role]=user&chat[0][content]=${WORD}`,
  `chat[0][content]=${WORD}&chat[0][role]=user`,
  `chat[0][parts][0][text]=${WORD}&chat[0][role]=user`,
  `chat[][role]=user&chat[][text]=${WORD}`,
  `payload=${encodeURIComponent(chat)}`,
  `payload=%20%EF%BB%BF${encodeURIComponent(chat)}`,
  `%EF%BB%BFmessages=${text}`,
  `+messages+=${text}`,
  `%ffx=1&messages=${text}`,
  encodeURIComponent(chat),
  chat,
]
const upload = (name: string, value = JSON.stringify(messages), more = ''): string =>
  `--x\r\ncontent-disposition: form-data; name=${name}${more}\r\n\r\n${value}\r\n--x--\r\n`
const UPLOADS: readonly string[] = [
  upload('"messages"'),
  upload('messages'),
  upload('"messages[0][content]"', WORD),
  upload('"mess%61ges"'),
  upload('"mess\\ages"'),
  upload(`"x"; name*=utf-8''messages`),
  upload('"messages.0.content"', WORD),
  upload('"payload"', chat),
  upload('"payload"', JSON.stringify(chat)),
  upload('"file"', chat, '; filename="chat.json"\r\ncontent-type: application/json'),
  `--x\r\ncontent-disposition: form-data; name="a"\r\n\r\n1\r\n${upload('"messages"')}`,
  upload('"chat[0][role]"', 'user').replace('--x--\r\n', '') + upload('"chat[0][content]"', WORD),
]

const any = { type: () => true, limit: '1mb' }
const PARSERS: Record<string, (express: typeof express5) => Middleware[]> = {
  nobody: () => [],
  qs: (express) => [express.urlencoded({ extended: true })],
  querystring: (express) => [express.urlencoded({ extended: false })],
  'express.text': (express) => [express.text(any)],
  'express.raw': (express) => [express.raw(any)],
  URLSearchParams: () => [
    (req, _res, next) =>
      void bytesOf(req).then((bytes) => (Object.assign(req, { body: new URLSearchParams(bytes.toString()) }), next())),
  ],
}

describe.each(EXPRESSES)('a form on %s', (_name, express) => {
  describe.each(Object.entries(PARSERS))('parsed by %s', (parser, steps) => {
    const app = express()
    app.set('env', 'test')
    for (const step of steps(express as typeof express5)) app.use(step)
    app.use(ours(), handler)
    const server = serving(app)
    // After a parser that does not split at semicolons the field is another one.
    const forms = ['nobody', 'express.text', 'express.raw'].includes(parser)
      ? FORMS
      : FORMS.filter((body) => !body.includes(';m'))
    it.each(forms)('%s is judged or refused', (body) => expectSeenOrRefused(server(), { type: form, body }))
    it.each(['a=1&b=2', 'q=what+is+this&items[0][name]=x', 'comment[type]=a&comment[text]=b', 'text=[1]', 'a=%', '&'])(
      '%s is no chat',
      (body) => expectUntouched(server(), { type: form, body }),
    )
    if (parser !== 'qs' && parser !== 'querystring' && parser !== 'URLSearchParams') {
      it.each(UPLOADS)('%j as an upload is judged or refused', (body) =>
        expectSeenOrRefused(server(), { type: 'multipart/form-data; boundary=x', body }),
      )
      it('as an upload without a chat is no chat', () =>
        expectUntouched(server(), {
          type: 'multipart/form-data; boundary="x"',
          body: upload('"title"', 'my messages') + upload('"file"', '{"a":[1,2]}', '; filename="messages.json"'),
        }))
    }
  })

  it('as an upload of any size reaches the handler whole', async () => {
    const app = express()
    app.use(ours(), handler)
    const server = await serve(app)
    const body = upload('"file"', 'x'.repeat(5 * LIMIT), '; filename="a"')
    await expectUntouched(server, { type: 'multipart/form-data; boundary=x', body })
    expect(handled[0]!.raw).toBe(body)
    await server.close()
  })
})
