// Requests that a client sends before it has the reply to the first: a reply that waits for its turn leaves behind what
// Node has queued for it, such as `100 Continue`.
import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { RequestHandler } from 'express'
import { describe, expect, it } from 'vitest'
import type { Middleware } from '../../../src/types.js'
import { EXPRESSES, guarded, serving, within } from '../../helpers/apps.js'
import { markerGuard } from '../../helpers/guards.js'
import { chat, chunk } from '../../helpers/http.js'
import { post, rawClient } from '../../helpers/raw.js'

const STREAM = { 'content-type': 'text/event-stream' }
const HANDLERS: Readonly<Record<string, (res: ServerResponse, word: string) => unknown>> = {
  'one end': (res, word) => res.end(word),
  'an end in an encoding': (res, word) => res.end(Buffer.from(word).toString('hex'), 'hex'),
  'an end with a callback': (res, word) => res.end(word, () => undefined),
  'an explicit head': (res, word) => res.writeHead(200, { 'x-some': '1' }).end(word),
  'a head that leaves first': (res, word) => {
    res.flushHeaders()
    res.end(word)
  },
  'several writes': (res, word) => {
    res.write(`${word} `)
    res.end(word)
  },
  'a stream': (res, word) => {
    res.writeHead(200, STREAM).write(chunk({ content: word }))
    setTimeout(() => res.end(chunk({ content: word })), 5)
  },
}

/** What comes back for two requests in one packet. `before` runs before the guard. */
async function twice(
  handler: (res: ServerResponse) => unknown,
  before: (res: ServerResponse) => unknown,
): Promise<string> {
  const guard: Middleware = guarded({ guard: markerGuard({ delay: 5 }) })
  const server = createServer()
  server.on('checkContinue', (req, res: ServerResponse) => {
    res.writeContinue()
    before(res)
    guard(req, res, () => void handler(res))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const client = await rawClient((server.address() as AddressInfo).port)
  client.write(post(chat('hi'), { headers: ['Expect: 100-continue'] }).repeat(2))
  await client.until(/^(?:HTTP\/1\.1 100[^]*?HTTP\/1\.1 (?:200|451)[^]*?\r\n\r\n[^]*?(?:0\r\n\r\n|Hello|[}])){2}/)
  client.leave()
  server.close()
  return client.text()
}

/** The status lines, in their order, and whether each stands where a head begins. */
const heads = (text: string): string[] =>
  [...text.matchAll(/HTTP\/1\.1 (\d{3}) [^]*?\r\n\r\n/g)].map(([, status]) => status!)

/** Without the id of the request, which a refusal names, and the sizes of chunks, of which Node 24 makes fewer. */
const bodyOf = (message: string): string =>
  message
    .replace(/^[^]*?\r\n\r\n/, '')
    .replace(/[\da-f-]{36}/, '')
    .replace(/^[\da-f]{1,4}\r\n/gm, '')
    .replaceAll('\r\n', '')

describe.each(Object.entries(HANDLERS))('A pipelined reply of %s', (_name, handler) => {
  it.each(['Hello', 'UNSAFE'])('leaves behind its 100 Continue, whole: %s', async (word) => {
    const text = await twice(
      (res) => handler(res, word),
      () => undefined,
    )
    const status = word === 'Hello' ? '200' : '451'
    expect(heads(text)).toEqual(['100', status, '100', status])
    const [, first, , second] = text.split(/(?=HTTP\/1\.1 \d{3} )/).map(bodyOf)
    expect(second).toBe(first)
  })
})

it('A pipelined reply leaves behind its early hints.', async () => {
  const text = await twice(
    (res) => res.end('Hello'),
    (res) => res.writeEarlyHints({ link: '</a>; rel=preload' }),
  )
  expect(heads(text)).toEqual(['100', '103', '200', '100', '103', '200'])
})

it('A pipelined reply leaves whole when a middleware before us ends it later, with the arguments that it got.', async () => {
  const text = await twice(
    (res) => res.end('Grüße 😀 Hello'),
    (res) => {
      const { end } = res
      let kept = false
      res.end = ((...args: unknown[]) => {
        if (kept) return Reflect.apply(end, res, args) as ServerResponse
        kept = true
        setTimeout(() => Reflect.apply(res.end, res, args), 5)
        return res
      }) as ServerResponse['end']
    },
  )
  expect(heads(text)).toEqual(['100', '200', '100', '200'])
  expect(
    Buffer.from(text, 'latin1')
      .toString()
      .match(/Grüße 😀 Hello/g) ?? text.match(/Grüße 😀 Hello/g),
  ).toHaveLength(2)
})

describe.each(EXPRESSES)('On %s, a handler that throws after it has written', (_name, express) => {
  it.each([
    ['json', 'full'],
    ['event-stream', 'window'],
    ['event-stream', 'async'],
  ] as const)('closes its connection with all that waits behind it: %s, %s', async (type, streaming) => {
    const app = express().set('env', 'test')
    app.use(guarded({ streaming, guard: markerGuard({ delay: 5 }) }) as unknown as RequestHandler)
    let asked = 0
    const handler: RequestHandler = (_req, res, next) => {
      asked += 1
      // Those behind it have ended by then.
      if (asked === 1) setTimeout(() => next(new Error('too late')), 40)
      res.type(type).write('data: so\n\n')
      if (asked > 1) res.end()
    }
    await serving(app.use(handler) as RequestListener, async ({ port }) => {
      const client = await rawClient(port)
      client.write(post(chat('hi')).repeat(3))
      await within(client.closed, 'the end of the connection')
      expect(asked).toBe(3)
    })
  })
})
