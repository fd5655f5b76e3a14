// The head of a refusal: which headers of the app a client still gets, and that hooks of the app cannot spoil it.
import { describe, expect, it } from 'vitest'
import type { Middleware } from '../../../src/types.js'
import { ask, guarded, onNode, serving, type Handler } from '../../helpers/apps.js'
import { chat, type Reply } from '../../helpers/http.js'

const reply = (middlewares: readonly Middleware[], handler: Handler): Promise<Reply> =>
  serving(onNode(middlewares, handler), ({ url }) => ask(`${url}/v1/chat/completions`, { body: chat('hi') }))

describe('A refusal', () => {
  it('keeps what a browser needs to read it, and nothing else that a handler has set', async () => {
    const got = await reply([guarded()], (_req, res) => {
      for (const name of ['access-control-allow-origin', 'access-control-expose-headers', 'vary', 'x-words', 'x-vary'])
        res.setHeader(name, 'Origin')
      res.end('UNSAFE')
    })
    expect(got.status).toBe(451)
    expect(got.headers).toMatchObject({
      'access-control-allow-origin': 'Origin',
      'access-control-expose-headers': 'Origin',
      vary: 'Origin',
    })
    expect(Object.keys(got.headers)).not.toEqual(expect.arrayContaining(['x-words']))
    expect(got.headers).not.toHaveProperty('x-vary')
  })

  it('keeps headers of middleware before the guard, except those about a body that is not sent', async () => {
    const before: Middleware = (_req, res, next) => {
      for (const name of ['x-request-id', 'content-security-policy', 'content-language', 'etag', 'last-modified'])
        res.setHeader(name, name)
      for (const name of ['expires', 'accept-ranges', 'content-encoding', 'content-type']) res.setHeader(name, name)
      res.setHeader('cache-control', 'public')
      next()
    }
    const got = await reply([before, guarded()], (_req, res) => {
      res.removeHeader('content-encoding')
      res.setHeader('content-type', 'text/plain')
      res.end('UNSAFE')
    })
    expect([got.status, got.headers['cache-control'], got.headers['content-type']]).toEqual([
      451,
      'no-store',
      'application/json',
    ])
    expect(got.headers).toMatchObject({
      'x-request-id': 'x-request-id',
      'content-security-policy': 'content-security-policy',
    })
    for (const name of ['content-language', 'etag', 'last-modified', 'expires', 'accept-ranges', 'content-encoding'])
      expect(got.headers).not.toHaveProperty(name)
  })
})

describe('A reply that is let through with onError open', () => {
  it('because it is past its bound leaves whole, before and after', async () => {
    const parts = Array.from({ length: 6 }, (_, at) => `${at}`.repeat(400))
    const got = await reply([guarded({ onError: 'open', maxReplyBytes: 1024 })], (_req, res) => {
      res.setHeader('content-type', 'text/plain')
      for (const part of parts) res.write(part)
      res.end('end')
    })
    expect([got.status, got.complete, got.text]).toEqual([200, true, `${parts.join('')}end`])
  })
})
