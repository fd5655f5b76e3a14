// What becomes of a reply after its handler has ended it: the handler fails, breaks the connection, or gave an
// encoding with its last words. Case by case on the wire.
import { Agent, request, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import type { RequestHandler } from 'express'
import { describe, expect, it } from 'vitest'
import type { Middleware } from '../../../src/types.js'
import { guarded, onExpress, onNode, serving, SERVERS, within, EXPRESSES, type Mount } from '../../helpers/apps.js'
import { markerGuard } from '../../helpers/guards.js'
import { chat, send } from '../../helpers/http.js'
import { serveHttp2 } from '../../helpers/http2.js'

const PATH = '/v1/chat/completions'
const slow = (): Middleware => guarded({ guard: markerGuard({ delay: 30 }) })

interface Got {
  readonly status: number | undefined
  readonly text: string
  readonly complete: boolean
}

/** Asks on a connection that it wants to keep. */
function askKept(port: number, agent: Agent): Promise<Got> {
  const headers = { 'content-type': 'application/json' }
  return within(
    new Promise((resolve) => {
      const req = request({ port, host: '127.0.0.1', path: PATH, method: 'POST', agent, headers }, (res) => {
        let text = ''
        res.on('data', (data: Buffer) => (text += data.toString())).on('error', () => undefined)
        res.on('close', () => resolve({ status: res.statusCode, text, complete: res.complete }))
      })
      req.on('error', () => resolve({ status: undefined, text: '', complete: false }))
      req.end(JSON.stringify(chat('hi')))
    }),
  )
}

async function reply(mount: Mount, handler: (req: IncomingMessage, res: ServerResponse) => unknown): Promise<Got> {
  const agent = new Agent({ keepAlive: true })
  try {
    return await serving(mount([slow()], handler), ({ port }) => askKept(port, agent))
  } finally {
    agent.destroy()
  }
}

const BREAKS: Readonly<Record<string, (req: IncomingMessage, res: ServerResponse) => void>> = {
  'destroys its response': (_req, res) => void res.destroy(),
  'destroys its request': (req) => void req.destroy(new Error('enough')),
  'destroys the connection': (req) => void req.socket.destroy(),
}

describe.each(SERVERS)('On %s, a handler that has ended its reply', (_name, mount) => {
  it.each(Object.entries(BREAKS))('and %s does not take the reply back', async (_how, breaks) => {
    for (const [word, status] of [
      ['fine', 200],
      ['UNSAFE', 451],
    ] as const) {
      const got = await reply(mount, (req, res) => {
        res.end(word)
        breaks(req, res)
      })
      expect([got.status, got.complete, got.text.includes(word)]).toEqual([status, true, word === 'fine'])
    }
  })

  it('is cut off from its client when it breaks the connection before the end', async () => {
    const got = await reply(mount, (req, res) => {
      res.write('fine')
      req.socket.destroy()
    })
    expect(got.complete).toBe(false)
  })

  it.each(['hex', 'base64', 'latin1', 'utf16le'] as const)(
    'with words in %s is refused in words that a client can read',
    async (encoding) => {
      const got = await reply(mount, (_req, res) => {
        res.setHeader('content-type', 'text/plain; charset=utf-8')
        res.end(Buffer.from('UNSAFE').toString(encoding === 'utf16le' ? 'utf8' : encoding), encoding)
      })
      expect([got.complete, (JSON.parse(got.text) as { error: object }).error]).toMatchObject([
        true,
        { code: expect.any(String) as string },
      ])
    },
  )
})

describe.each(EXPRESSES)('On %s, a handler that fails after its end', (_name, module) => {
  it('has its reply sent whole', async () => {
    const got = await reply(onExpress(module), (_req, res) => {
      res.end('fine')
      throw new Error('too late')
    })
    expect(got).toEqual({ status: 200, text: 'fine', complete: true })
  })

  it('some time later has its reply sent whole', async () => {
    const failing: RequestHandler = (_req, res, next) => {
      res.end('fine')
      setTimeout(() => next(new Error('too late')), 5)
    }
    const app = module()
    app.set('env', 'test').use(slow() as RequestHandler, failing)
    const agent = new Agent()
    const got = await serving(app as RequestListener, ({ port }) => askKept(port, agent))
    expect(got).toEqual({ status: 200, text: 'fine', complete: true })
  })
})

describe('On HTTP/2, a wrapper of write that was defined after us', () => {
  it.each([
    ['fine', 200],
    ['UNSAFE', 451],
  ])('does not lose the words of an end (%s)', async (word, status) => {
    const http2 = await serveHttp2((req, res) =>
      guarded()(req, res, () => {
        const { write } = res
        Object.defineProperty(res, 'write', {
          value: (...args: unknown[]) => Reflect.apply(write, res, args) as boolean,
        })
        res.end(word)
      }),
    )
    const { status: got, text } = await http2.ask({ body: chat('hi') })
    http2.close()
    expect([got, text === word]).toEqual([status, word === 'fine'])
  })
})

describe('Middleware before us that keeps the body', () => {
  it('may still add a header when the first words of a handler leave', async () => {
    const keeping: Middleware = (_req, res, next) => {
      const { end } = res
      const kept: Buffer[] = []
      res.write = ((chunk: Buffer) => kept.push(Buffer.from(chunk)) > 0) as never
      res.end = ((chunk?: Buffer) => {
        if (chunk) kept.push(Buffer.from(chunk))
        res.setHeader('x-length', Buffer.concat(kept).length)
        return Reflect.apply(end, res, [Buffer.concat(kept)]) as ServerResponse
      }) as never
      next()
    }
    const handler = (_req: IncomingMessage, res: ServerResponse): void => {
      res.write('so ')
      res.end('fine')
    }
    await serving(onNode([keeping, guarded()], handler), async ({ url }) => {
      const got = await send(url + PATH, { body: chat('hi') })
      expect([got.headers['x-length'], got.headers['content-length'], got.text]).toEqual(['7', '7', 'so fine'])
    })
  })
})

describe('Middleware before us that calls the handler back while the reply leaves', () => {
  const eager: Middleware = (_req, res, next) => {
    const { end } = res
    res.end = ((chunk: unknown, encoding: unknown, callback?: () => void) => {
      callback?.()
      return Reflect.apply(end, res, [chunk, encoding]) as ServerResponse
    }) as never
    next()
  }
  const waiting: Middleware = (_req, res, next) => {
    const { end } = res
    res.end = ((...args: unknown[]) => void setTimeout(() => void Reflect.apply(end, res, args), 15)) as never
    next()
  }
  it.each([
    ['in the middle of its end', eager],
    ['for a late call, while it keeps the end', waiting],
  ])('%s does not let it write past the hold', async (_when, middleware) => {
    const handler = (_req: IncomingMessage, res: ServerResponse): void => {
      const more = (): void => void res.write('UNSAFE')
      res.on('error', () => undefined)
      res.write('so ', more)
      res.end('fine', 'utf8', more)
      res.end(undefined, more)
      res.write('late', more)
    }
    await serving(onNode([middleware, guarded()], handler), async ({ url }) => {
      const got = await send(url + PATH, { body: chat('hi') })
      expect([got.status, got.text]).toEqual([200, 'so fine'])
    })
  })
})

describe('A connection that is kept', () => {
  it('closes when a reply has left whose handler has broken it, with all behind it as without the guard', async () => {
    let asked = 0
    const listener = onNode([slow()], (req, res) => {
      asked += 1
      res.end(`reply ${asked}`)
      req.socket.destroy()
    })
    await serving(listener, async ({ port }) => {
      const socket = connect(port, '127.0.0.1')
      const body = JSON.stringify(chat('hi'))
      const head = `POST ${PATH} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`
      let text = ''
      socket.on('data', (data) => (text += data.toString()))
      socket.write(head + body + head + body)
      await within(new Promise((resolve) => socket.on('close', resolve)))
      expect(text.match(/reply \d/g)).toEqual(['reply 1'])
    })
  })

  it.each(['a part of the last words', 'nothing'])(
    'closes when a middleware before us that sent %s has sent all',
    async (first) => {
      const saving: Middleware = (_req, res, next) => {
        const { write, end } = res
        res.end = ((last: Buffer) => {
          const sent = first === 'nothing' ? 0 : 2
          if (sent > 0) Reflect.apply(write, res, [last.subarray(0, sent)])
          setImmediate(() => void Reflect.apply(end, res, [last.subarray(sent)]))
          return res
        }) as never
        next()
      }
      const listener = onNode([saving, slow()], (req, res) => {
        res.end('fine')
        req.socket.destroy()
      })
      await serving(listener, async ({ port }) => {
        const agent = new Agent({ keepAlive: true })
        expect(await askKept(port, agent)).toEqual({ status: 200, text: 'fine', complete: true })
        agent.destroy()
      })
    },
  )

  it('serves the next request, and is broken by a handler that breaks it there', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    let asked = 0
    const ports = new Set<number | undefined>()
    const listener = onNode([slow()], (req, res) => {
      asked += 1
      ports.add(req.socket.remotePort)
      if (asked === 3) return void req.socket.destroy()
      res.end('fine')
    })
    await serving(listener, async ({ port }) => {
      for (const text of ['fine', 'fine', '']) expect((await askKept(port, agent)).text).toBe(text)
    })
    agent.destroy()
    expect(ports.size).toBe(1)
  })
})
