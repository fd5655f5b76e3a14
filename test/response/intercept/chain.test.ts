// Our place in the chain, and how far a handler believes its response to be, case by case on the wire.

import { createServer, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import type { Middleware } from '../../../src/types.js'
import { ask, guarded, onNode, serving, within, type Handler } from '../../helpers/apps.js'
import { markerGuard } from '../../helpers/guards.js'
import { chat, chunk, completion, send, sleep } from '../../helpers/http.js'
import { serveHttp2 } from '../../helpers/http2.js'

const PATH = '/v1/chat/completions'
const STREAM = { 'content-type': 'text/event-stream' }
const reply = (middlewares: readonly Middleware[], handler: Handler): ReturnType<typeof ask> =>
  serving(onNode(middlewares, handler), ({ url }) => ask(url + PATH, { body: chat('hi') }))

describe('A handler that gets past our methods', () => {
  const WAYS: Readonly<Record<string, (res: ServerResponse) => void>> = {
    'deletes them': (res) => {
      Reflect.deleteProperty(res, 'write')
      Reflect.deleteProperty(res, 'end')
    },
    'defines others': (res) => {
      Object.defineProperty(res, 'write', { value: ServerResponse.prototype.write })
      Object.defineProperty(res, 'end', { value: ServerResponse.prototype.end })
    },
  }
  it.each(Object.entries(WAYS))('and %s breaks its connection and sends nothing', async (_way, unhook) => {
    for (const word of ['fine', 'UNSAFE'])
      await expect(
        reply([guarded()], (_req, res) => {
          unhook(res)
          res.setHeader('content-type', 'text/plain')
          res.write('so ')
          res.end(word)
        }),
      ).rejects.toMatchObject({ code: 'ECONNRESET' })
  })
})

it('A function that wraps none of ours is left out, and what it would have sent is judged.', async () => {
  for (const [word, status] of [
    ['fine', 200],
    ['UNSAFE', 451],
  ] as const) {
    const got = await reply([guarded()], (_req, res) => {
      res.end = ((...args: unknown[]) =>
        Reflect.apply(ServerResponse.prototype.end, res, args) as ServerResponse) as typeof res.end
      res.setHeader('content-type', 'text/plain').end(word)
    })
    expect([got.status, got.text.includes('UNSAFE')]).toEqual([status, false])
  }
})

describe('A held response that has ended', () => {
  const slow = (): Middleware => guarded({ guard: markerGuard({ delay: 60 }) })

  it('says so to its handler, and its head cannot be changed any more', async () => {
    const seen: unknown[] = []
    const got = await reply([slow()], (_req, res) => {
      res.end('fine')
      seen.push(res.writableEnded, res.writableFinished, res.headersSent, res.statusMessage)
      for (const late of [
        () => res.setHeader('x', '1'),
        () => res.appendHeader('x', '1'),
        () => res.removeHeader('x'),
        () => res.setHeaders(new Map([['x', '1']])),
        () => res.writeHead(500),
      ])
        try {
          late()
          seen.push('nothing')
        } catch (error) {
          seen.push((error as NodeJS.ErrnoException).code)
        }
      res.statusCode = 500
      res.statusMessage = 'Late'
    })
    expect(seen).toEqual([true, false, true, 'OK', ...Array.from({ length: 5 }, () => 'ERR_HTTP_HEADERS_SENT')])
    expect([got.status, got.headers['x'], got.headers['content-length'], got.text]).toEqual([
      200,
      undefined,
      '4',
      'fine',
    ])
  })

  it('is not taken for an idle connection by a server that closes', async () => {
    const server = createServer(onNode([slow()], (_req, res) => void res.end('fine')))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const asked = send(`http://127.0.0.1:${(server.address() as AddressInfo).port}${PATH}`, {
      body: chat('hi'),
      headers: { connection: 'keep-alive' },
    })
    await sleep(90)
    server.close()
    server.closeIdleConnections()
    expect((await within(asked)).text).toBe('fine')
  })
})

describe('A response of which the first words have left', () => {
  it('says that its headers are sent, to the handler as to Node', async () => {
    const seen: unknown[] = []
    let kept: ServerResponse | undefined
    const got = await reply([guarded({ windowMs: 1 })], async (_req, res) => {
      kept = res
      res.writeHead(200, STREAM)
      res.write(chunk({ content: 'fine ' }))
      await sleep(60)
      seen.push(res.headersSent, res.writableEnded)
      res.end()
    })
    seen.push(kept!.headersSent, kept!.writableEnded, Reflect.get(kept!, 'finished'))
    expect([got.status, got.complete, ...seen]).toEqual([200, true, true, false, true, true, true])
  })
})

describe('Those below us', () => {
  it('may return nothing from write, and a pipe does not hang on it', async () => {
    const silent: Middleware = (_req, res, next) => {
      const { write } = res
      res.write = ((...args: unknown[]) => void Reflect.apply(write, res, args)) as never
      next()
    }
    const got = await reply([silent, guarded()], async (_req, res) => {
      res.writeHead(200, STREAM)
      for (let count = 0; count < 3; count++) {
        await new Promise<void>((resolve) => void res.write(chunk({ content: 'fine ' }), () => resolve()))
        await sleep(20)
      }
      res.end()
    })
    expect([got.status, got.complete, got.text.match(/fine/g)?.length]).toEqual([200, true, 3])
  })

  it('may keep our end and hand it to res.write and res.end later: a refusal is not lost, and no late word passes', async () => {
    const late: Middleware = (_req, res, next) => {
      const { end } = res
      res.end = ((body: string | Buffer) => {
        setTimeout(() => {
          if (body) res.write(body)
          res.end = end
          res.end()
        }, 15)
        return res
      }) as never
      next()
    }
    for (const [word, status] of [
      ['fine', 200],
      ['UNSAFE', 451],
    ] as const) {
      const got = await reply([late, guarded()], (_req, res) => {
        res.setHeader('content-type', 'application/json')
        res.end(JSON.stringify(completion(word)))
        const timer = setInterval(() => void res.write('UNSAFE'), 2)
        res.on('close', () => clearInterval(timer))
      })
      expect([got.status, got.complete, got.text.includes('UNSAFE')]).toEqual([status, true, false])
    }
  })
})

describe('HTTP/2 trailers', () => {
  it.each([
    ['that is safe leave with it', 'fine', '1'],
    ['that is cut do not leave', 'UNSAFE', undefined],
  ])('of a reply %s', async (_what, word, sum) => {
    const http2 = await serveHttp2((req, res) =>
      guarded({ windowMs: 1 })(req, res, () => {
        res.writeHead(200, STREAM)
        res.write(chunk({ content: 'fine' }))
        setTimeout(() => {
          res.addTrailers({ 'x-sum': '1' })
          res.write(chunk({ content: word }))
          res.end()
        }, 40)
      }),
    )
    const { trailers, text } = await http2.ask({ body: chat('hi') })
    http2.close()
    expect([trailers['x-sum'], text.includes('UNSAFE')]).toEqual([sum, false])
  })
})
