// Errors of the app: its own words pass without a check, and a model's do not, whatever the status and the label.
import type { RequestHandler } from 'express'
import { describe, expect, it } from 'vitest'
import { ask, EXPRESSES, guarded, onExpress, onNode, serving, type Handler } from '../../helpers/apps.js'
import { chat, chunk, completion, type Reply } from '../../helpers/http.js'

const PATH = '/v1/chat/completions'
const CHINESE = '如何制造炸弹'
const marker = /UNSAFE|炸弹|ระเบิด|爆弾/

async function answered(handler: Handler): Promise<{ reply: Reply; asked: readonly string[] }> {
  const middleware = guarded({ check: ['output'] })
  const { judge } = middleware.guard
  middleware.guard.judge = async (conversation, options) => {
    const verdict = await judge.call(middleware.guard, conversation, options)
    return marker.test(conversation.at(-1)!.text) ? { safe: false, categories: ['O3'] } : verdict
  }
  const reply = await serving(onNode([middleware], handler), ({ url }) => ask(url + PATH, { body: chat('hi') }))
  return { reply, asked: middleware.guard.texts() }
}
const sending =
  (status: number, type: string | undefined, body: string | Buffer): Handler =>
  (_req, res) =>
    res.writeHead(status, type === undefined ? {} : { 'content-type': type }).end(body)

describe('An error that holds words of a model', () => {
  const BODIES: Readonly<Record<string, string>> = {
    prose: 'This is how UNSAFE things are done.',
    'one Chinese word': CHINESE,
    'one Thai word': 'วิธีทำระเบิด',
    'one Japanese word': '爆弾の作り方',
    'a page with prose': '<!DOCTYPE html><html><body><h1>404</h1><p>UNSAFE words</p></body></html>',
    'prose in an attribute': '<h1>Not Found</h1><img alt="how UNSAFE things are done">',
    'prose in a comment of a page': '<h1>Not Found</h1><!-- how UNSAFE things are done -->',
    'prose between the lines of a stack': 'Error\n    at f (/a.js:1:2)\nUNSAFE words\n    at g (/a.js:1:2)',
    'prose in the clothes of a stack': 'Error\n    at how UNSAFE things are done:1:2',
    'a whole reply': JSON.stringify(completion('UNSAFE')),
    'events in two pieces': chunk({ content: 'UN' }) + chunk({ content: 'SAFE' }),
    'JSON lines in two pieces': ['UN', 'SAFE']
      .map((word) => `{"choices":[{"delta":{"content":"${word}"}}]}\n`)
      .join(''),
    'a field that is not of errors': '{"error":{"message":"no","failed_generation":"so UNSAFE it is"}}',
    'a Chinese field that is not of errors': `{"error":"no","answer":"${CHINESE}"}`,
    'a Chinese key': `{"error":"no","${CHINESE}":1}`,
    'a long message': `{"error":{"message":"${'The model said this and that. '.repeat(20)} UNSAFE"}}`,
    'many short messages': JSON.stringify({
      errors: 'now the UNSAFE words come one by one in '
        .repeat(20)
        .split('o')
        .map((message) => ({ message: `${message} a` })),
    }),
    'a list': '["UN", "so UNSAFE"]',
  }
  for (const status of [302, 400, 404, 429, 500, 503]) {
    it.each(Object.entries(BODIES))(`is blocked with status ${status} as %s`, async (_name, body) => {
      for (const type of [
        'text/html',
        'text/plain; charset=utf-8',
        'application/octet-stream',
        'image/png',
        undefined,
      ]) {
        const { reply } = await answered(sending(status, type, body))
        expect([type, reply.status, marker.test(reply.text)]).toEqual([type, 451, false])
      }
    })
  }

  it('is refused when its bytes are no text', async () => {
    const { reply } = await answered(sending(404, 'image/png', Buffer.from([0x89, 0x50, 0xff, 0x00])))
    expect([reply.status, reply.json().error.code]).toEqual([503, 'unreadable_response'])
  })
})

describe('An error in its own words', () => {
  it.each<[string, number, string | undefined, string]>([
    ['a JSON error', 404, 'application/json', '{"error":"not found"}'],
    [
      'an OpenAI error',
      429,
      'application/json',
      '{"error":{"message":"Rate limit reached for gpt-4o. Try again in 2s.","type":"requests","param":null,"code":"rate_limit_exceeded"}}',
    ],
    [
      'a problem',
      400,
      'application/problem+json',
      '{"type":"https://x.test/p?a=b#c","title":"Bad Request","status":400,"detail":"The field n is wrong.","instance":"/v1/x"}',
    ],
    [
      'a validation error',
      422,
      'application/json',
      '{"detail":[{"loc":["body","n"],"msg":"value is not a valid integer","type":"type_error.integer"}]}',
    ],
    [
      'a JSON error with ids',
      500,
      'application/json',
      '{"error":"Internal Server Error","requestId":"0f8fad5b-d9cb-469f-a165-70867728950e","timestamp":"2024-04-01T12:00:00.000Z"}',
    ],
    [
      'a JSON error with a stack',
      500,
      'application/json',
      JSON.stringify({
        message: 'no',
        stack: `Error: no\n${'    at Layer.handle [as handle_request] (/app/node_modules/express/lib/router/layer.js:95:5)\n'.repeat(12)}`,
      }),
    ],
    ['a reason phrase', 404, 'text/plain', 'Not Found'],
    [
      'a page of nginx',
      502,
      'text/html',
      '<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<h1>502 Bad Gateway</h1>\r\n</body>\r\n</html>\r\n',
    ],
    ['the words of a rate limiter', 429, 'text/html', 'Too many requests, please try again later.'],
    ['nothing', 500, 'text/plain', ''],
    ['nothing of no type', 302, undefined, ''],
  ])('leaves without a check as %s', async (_name, status, type, body) => {
    const { reply, asked } = await answered(sending(status, type, body))
    expect([reply.status, reply.text, asked]).toEqual([status, body, []])
  })

  it.each([
    { 'content-encoding': 'gzip' },
    { 'content-encoding': 'own', 'content-type': 'image/png' },
    { 'content-type': 'text/plain; charset=own' },
  ])('leaves without a check when it has no body, whatever its label %j', async (headers) => {
    const { reply, asked } = await answered((_req, res) => void res.writeHead(502, headers).end())
    expect([reply.status, reply.text, asked]).toEqual([502, '', []])
  })

  it.each(EXPRESSES)('leaves without a check as the pages that %s makes', async (_name, express) => {
    const handlers: readonly RequestHandler[] = [
      (_req, _res, next) => next(),
      () => {
        throw new Error('no such thing')
      },
      (_req, res) => res.redirect('/elsewhere'),
      (_req, res) => void res.sendStatus(403),
    ]
    for (const handler of handlers) {
      const middleware = guarded({ check: ['output'] })
      const listener = onExpress(express)([middleware], handler as never)
      const reply = await serving(listener, ({ url }) => ask(url + PATH, { body: chat('hi') }))
      expect([reply.text, middleware.guard.texts()]).toEqual([reply.text, []])
      expect(reply.status).not.toBe(200)
    }
  })
})
