// Headers, trailers and streams with middleware before or after us. Whole replies are in middleware-of-others.test.ts.
import type { ServerResponse } from 'node:http'
import compression from 'compression'
import { describe, expect, it } from 'vitest'
import type { Middleware } from '../src/types.js'
import { ask, guarded, onNode, SERVERS, serving, type Handler } from './helpers/apps.js'
import { chat, chunk, decoded } from './helpers/http.js'
import { post, rawClient } from './helpers/raw.js'

const PATH = '/v1/chat/completions'

const GZIP = { 'accept-encoding': 'gzip' }

describe('a stream through compression before us', () => {
  it('arrives while it is made, and is cut readably when it turns unsafe', async () => {
    const handler: Handler = (_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' })
      res.write(chunk({ content: 'fine' }))
      setTimeout(() => res.write(chunk({ content: ' UNSAFE' })), 50)
    }
    await serving(
      onNode([compression() as unknown as Middleware, guarded({ windowMs: 5 })], handler),
      async ({ url }) => {
        const reply = await ask(url + PATH, { body: chat('hi', { stream: true }), headers: GZIP })
        expect([reply.status, reply.complete, reply.headers['content-encoding']]).toEqual([200, true, 'gzip'])
        expect(decoded(reply)).toContain('fine')
        expect(decoded(reply)).not.toContain('UNSAFE')
        expect(decoded(reply)).toMatch(/"finish_reason":"content_filter".*\n\ndata: \[DONE\]\n\n$/s)
      },
    )
  })
})

describe.each(SERVERS)('headers on %s', (_name, mount) => {
  const withHeaders: Handler = (_req, res) => {
    res.setHeader('X-Model-Said', 'UNSAFE')
    res.setHeader('Set-Cookie', 'said=UNSAFE')
    res.setHeader('Content-Disposition', 'attachment; filename="UNSAFE"')
    res.setHeader('Content-Language', 'de')
    res.setHeader('ETag', '"UNSAFE"')
    res.setHeader('Trailer', 'X-Sum')
    res.writeHead(200, 'UNSAFE', { 'content-type': 'text/plain', 'Cache-Control': 'public, max-age=60' })
    res.end('UNSAFE')
  }

  it('never carry the reason phrase of the handler', async () => {
    await serving(mount([guarded()], withHeaders), async ({ port }) => {
      const client = await rawClient(port)
      client.write(post(chat('hi')))
      expect(await client.until(/\}\}$/)).toMatch(/^HTTP\/1\.1 451 Unavailable For Legal Reasons\r\n/)
      expect(client.text()).not.toMatch(/"UNSAFE|UNSAFE\r|said=/)
      client.leave()
    })
  })

  it('from a hook of someone after us reach an allowed reply and no refusal', async () => {
    let ran = 0
    const hook: Middleware = (_req, res, next) => {
      const writeHead = res.writeHead
      res.writeHead = function hooked(...args: unknown[]) {
        if (ran++ === 0) res.setHeader('X-Hook', 'ran').setHeader('Content-Encoding', 'identity')
        return Reflect.apply(writeHead, res, args) as ServerResponse
      }
      next()
    }
    for (const [word, status, header] of [
      ['fine', 200, 'ran'],
      ['UNSAFE', 451, undefined],
    ] as const) {
      ran = 0
      const reply = await serving(
        mount([guarded(), hook], (_req, res) => void res.setHeader('content-type', 'text/plain').end(word)),
        ({ url }) => ask(url + PATH, { body: chat('hi') }),
      )
      expect([reply.status, reply.headers['x-hook']]).toEqual([status, header])
    }
  })
})

it.each([
  ['fine', 200],
  ['UNSAFE', 451],
])('a reply of %j whose writeHead someone after us swallows is judged', async (word, status) => {
  const swallows: Middleware = (_req, res, next) => {
    const { writeHead } = res
    res.writeHead = () => ((res.writeHead = writeHead), res)
    next()
  }
  const handler: Handler = (_req, res) => void res.setHeader('content-type', 'text/plain').end(word)
  const reply = await serving(onNode([guarded(), swallows], handler), ({ url }) =>
    ask(url + PATH, { body: chat('hi') }),
  )
  expect([reply.status, reply.text.includes(word)]).toEqual([status, word === 'fine'])
})

describe('trailers', () => {
  const handlerSaying =
    (word: string): Handler =>
    (_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream', trailer: 'X-Sum' })
      res.write(chunk({ content: 'fine' }))
      setTimeout(() => {
        res.write(chunk({ content: word }))
        res.addTrailers({ 'X-Sum': word })
        res.end()
      }, 30)
    }
  const over = (handler: Handler, middlewares: Middleware[]): Promise<string> =>
    serving(onNode(middlewares, handler), async ({ port }) => {
      const client = await rawClient(port)
      client.write(post(chat('hi', { stream: true })))
      const text = await client.until(/\r\n0\r\n(.*\r\n)*\r\n$/)
      client.leave()
      return text
    })

  it('follow an allowed reply', async () => {
    expect(await over(handlerSaying('words'), [guarded()])).toMatch(/\r\n0\r\nX-Sum: words\r\n\r\n$/)
  })

  it('do not follow a stream that was cut', async () => {
    const text = await over(handlerSaying('UNSAFE'), [guarded({ windowMs: 1 })])
    expect(text).toContain('content_filter')
    expect(text).not.toContain('UNSAFE')
  })
})
