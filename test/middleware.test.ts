// The whole middleware on the wire: what is safe comes out as the handler made it, what is not comes out as a
// refusal and nothing else.
import { customDialect } from '../src/dialects/custom.js'
import { createReadStream } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Request, Response } from 'express'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Dialect } from '../src/dialects/dialect.js'
import type { GuardedRequest, RequestState } from '../src/types.js'
import { ask, comparable, EXPRESSES, guarded, type Handler, onNode, SERVERS, serving, within } from './helpers/apps.js'
import { markerGuard } from './helpers/guards.js'
import { chat, chunk, completion, sleep } from './helpers/http.js'
import { few } from './helpers/sampled.js'

const PATH = '/v1/chat/completions'
const json = (text: string): string => JSON.stringify(completion(text))
const sse = (...words: readonly string[]): string =>
  [...words.map((content) => chunk({ content })), chunk({}, { finish: 'stop' }), 'data: [DONE]\n\n'].join('')
const asJson = { 'content-type': 'application/json' }

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'guard-test-'))
  for (const word of ['fine', 'UNSAFE']) await writeFile(join(folder, `${word}.json`), json(`The file says ${word}.`))
})
afterAll(() => rm(folder, { recursive: true }))

/** Ways of writing the same kind of reply that need no framework. `word` is what the model says. */
const WRITERS: Readonly<Record<string, (res: ServerResponse, word: string) => unknown>> = {
  'end(string)': (res, word) => void res.writeHead(200, asJson).end(json(word)),
  'end(Buffer)': (res, word) => void res.writeHead(200, asJson).end(Buffer.from(json(word))),
  'setHeader and end(string)': (res, word) => {
    res.setHeader('Content-Type', 'application/json')
    res.end(json(word))
  },
  'a content-length and end(string)': (res, word) => {
    res.setHeader('Content-Type', 'application/json')
    res.setHeader('Content-Length', Buffer.byteLength(json(word)))
    res.end(json(word))
  },
  'write and end()': (res, word) => {
    res.writeHead(200, asJson)
    res.write(json(word))
    res.end()
  },
  'write and end(callback)': (res, word) => {
    res.writeHead(200, asJson)
    res.write(json(word), () => res.end(() => undefined))
  },
  'writes in encodings and end(string, encoding, callback)': (res, word) => {
    const whole = json(`${word} größer`)
    res.writeHead(200, asJson)
    res.write(Buffer.from(whole.slice(0, 10)).toString('base64'), 'base64')
    res.write(Buffer.from(whole.slice(10, 20)).toString('hex'), 'hex', () => undefined)
    res.write(new Uint8Array(Buffer.from(whole.slice(20, 30))))
    res.write(Buffer.from(whole.slice(30)).toString('latin1').slice(0, -1), 'latin1')
    res.end('}', 'utf8', () => undefined)
  },
  'end(Uint8Array, callback)': (res, word) =>
    void res.writeHead(200, asJson).end(new Uint8Array(Buffer.from(json(word))), () => undefined),
  'byte by byte': (res, word) => {
    res.writeHead(200, asJson)
    for (const byte of Buffer.from(json(word))) res.write(Buffer.of(byte))
    res.end()
  },
  pipe: (res, word) =>
    Readable.from([Buffer.from(json(word).slice(0, 20)), Buffer.from(json(word).slice(20))]).pipe(
      res.writeHead(200, asJson),
    ),
  'pipeline from a file': (res, word) =>
    pipeline(createReadStream(join(folder, `${word}.json`), { highWaterMark: 16 }), res.writeHead(200, asJson)).catch(
      () => undefined,
    ),
  'a later turn of the loop': async (res, word) => {
    await sleep(5)
    res.writeHead(200, asJson)
    await new Promise<void>((resolve) => res.write(json(word).slice(0, 30), () => resolve()))
    await sleep(5)
    res.end(json(word).slice(30))
  },
  'flushHeaders first': (res, word) => {
    res.setHeader('Content-Type', 'application/json')
    res.flushHeaders()
    res.end(json(word))
  },
  'cork and uncork': (res, word) => {
    res.writeHead(200, asJson)
    res.cork()
    res.write(json(word).slice(0, 10))
    res.write(json(word).slice(10))
    // Before the end: Node 22 and 24 break the reply of a server that uncorks after it, guarded or not.
    res.uncork()
    res.end()
  },
  'an event stream': (res, word) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' })
    for (const event of sse(word, ' and more').split(/(?<=\n\n)/)) res.write(event)
    res.end()
  },
  'plain text': (res, word) => void res.writeHead(200, { 'content-type': 'text/plain' }).end(`The model says ${word}.`),
  'a status message': (res, word) => void res.writeHead(201, 'Made Up', asJson).end(json(word)),
  'a flat header array': (res, word) =>
    void res.writeHead(200, ['Content-Type', 'application/json', 'Set-Cookie', 'a=1']).end(json(word)),
}

describe.each(few(SERVERS, 2))('on %s', (_name, mount) => {
  it.each(Object.entries(WRITERS))(
    'releases a safe reply written by %s just as an unguarded server sends it',
    async (_how, write) => {
      const handler: Handler = (_req, res) => write(res, 'fine')
      const twin = await serving(mount([], handler), ({ url }) => ask(url + PATH, { body: chat('hi') }))
      const reply = await serving(mount([guarded()], handler), ({ url }) => ask(url + PATH, { body: chat('hi') }))
      expect(comparable(reply)).toEqual(comparable(twin))
      expect(reply.headers['llama-guard']).toBe('input=safe, output=safe')
      expect(reply.headers).not.toHaveProperty('server-timing')
    },
  )

  it.each(Object.entries(WRITERS))(
    'answers 451 and nothing else for an unsafe reply written by %s',
    async (_how, write) => {
      const reply = await serving(
        mount([guarded()], (_req, res) => write(res, 'UNSAFE')),
        ({ url }) => ask(url + PATH, { body: chat('hi') }),
      )
      expect(reply.status).toBe(451)
      expect(reply.complete).toBe(true)
      expect(reply.text).not.toMatch(/UNSAFE|model says|and more/)
      expect(reply.json().error).toMatchObject({ code: 'content_filter', stage: 'output', param: 'choices' })
      expect(reply.headers['content-length']).toBe(String(reply.body.length))
      expect(reply.headers['set-cookie']).toBeUndefined()
      expect(reply.headers['llama-guard']).toBe('input=safe, output=unsafe;cat="O3"')
    },
  )

  it.each([true, false])('gives the handler the state of the request, with parallel %s', async (parallel) => {
    let state: RequestState | undefined
    const handler: Handler = async (req, res) => {
      state = (req as GuardedRequest).llamaGuard
      expect(state?.signal.aborted).toBe(false)
      await sleep(20)
      res.writeHead(200, asJson).end(json('fine'))
    }
    const reply = await serving(mount([guarded({ parallel })], handler), ({ url }) =>
      ask(url + PATH, { body: chat('hi'), headers: { 'x-request-id': 'req-7' } }),
    )
    expect(reply.status).toBe(200)
    expect(state).toMatchObject({
      requestId: 'req-7',
      input: { action: 'allow', stage: 'input' },
      output: { action: 'allow', stage: 'output' },
    })
    expect(state?.signal.aborted).toBe(false)
  })

  it.each(['input', 'output'])('aborts the signal when the %s is blocked beside a running handler', async (stage) => {
    let aborted: Promise<unknown> | undefined
    const handler: Handler = (req, res) => {
      const { signal } = (req as GuardedRequest).llamaGuard!
      aborted = new Promise((resolve) => signal.addEventListener('abort', resolve))
      res.writeHead(200, { 'content-type': 'text/event-stream' })
      res.write(chunk({ content: stage === 'output' ? 'UNSAFE' : 'fine' }))
    }
    const middleware = guarded({ parallel: true, guard: markerGuard({ delay: 20 }) })
    const reply = await serving(mount([middleware], handler), ({ url }) =>
      ask(url + PATH, { body: chat(stage === 'input' ? 'UNSAFE' : 'hi', { stream: true }) }),
    )
    expect(reply.status).toBe(451)
    expect(reply.json().error.stage).toBe(stage)
    await within(aborted!, 'the abort')
  })

  it('with parallel does not start the handler for a remembered unsafe text', async () => {
    let started = 0
    const reply = await serving(
      mount([guarded({ parallel: true, cacheMax: 10 })], (_req, res) => {
        started += 1
        res.end()
      }),
      async ({ url }) => {
        await ask(url + PATH, { body: chat('UNSAFE') })
        return ask(url + PATH, { body: chat('UNSAFE') })
      },
    )
    expect([reply.status, started]).toEqual([451, 1])
  })

  it.each(Object.entries(WRITERS))(
    'with parallel releases nothing before the input verdict for a reply written by %s',
    async (_how, write) => {
      const guard = markerGuard({ delay: () => 40 })
      await serving(
        mount([guarded({ guard, parallel: true })], (_req, res) => write(res, 'fine')),
        async ({ url }) => {
          const allowed = await ask(url + PATH, { body: chat('hi') })
          expect(allowed.headers['llama-guard']).toBe('input=safe, output=safe')
          const blocked = await ask(url + PATH, { body: chat('UNSAFE') })
          expect(blocked.status).toBe(451)
          expect(blocked.json().error.stage).toBe('input')
          expect(blocked.text).not.toContain('fine')
        },
      )
    },
  )
})

describe.each(EXPRESSES)('with %s', (_name, express) => {
  type Send = (res: Response, word: string) => unknown
  const SENDERS: Readonly<Record<string, Send>> = {
    'res.json': (res, word) => res.json(completion(word)),
    'res.send of an object': (res, word) => res.send(completion(word)),
    'res.send of a string': (res, word) => res.type('json').send(json(word)),
    'res.send of a Buffer': (res, word) => res.type('json').send(Buffer.from(json(word))),
    'res.send of text': (res, word) => res.send(`<p>${word}</p>`),
    'res.status(201).json': (res, word) => res.status(201).json(completion(word)),
    'res.sendFile': (res, word) => res.sendFile(join(folder, `${word}.json`)),
    'res.sendFile with a callback': (res, word) => res.sendFile(join(folder, `${word}.json`), () => undefined),
    'an async handler': async (res, word) => {
      await sleep(5)
      res.json(completion(word))
    },
    'res.cookie and res.json': (res, word) => res.cookie('a', '1').cookie('b', '2').json(completion(word)),
    'a big reply': (res, word) => res.json(completion(`${word} ${'x'.repeat(300_000)}`)),
  }
  const appWith = (send: Send, word: string, middleware?: ReturnType<typeof guarded>): ReturnType<typeof express> => {
    const app = express()
    if (middleware) app.use(middleware)
    app.post(PATH, (_req: Request, res: Response) => void send(res, word))
    return app
  }

  it.each(Object.entries(SENDERS))(
    '%s of a safe reply arrives as from an unguarded twin, ETag and length included',
    async (_how, send) => {
      const twin = await serving(appWith(send, 'fine'), ({ url }) => ask(url + PATH, { body: chat('hi') }))
      const reply = await serving(appWith(send, 'fine', guarded()), ({ url }) => ask(url + PATH, { body: chat('hi') }))
      expect(comparable(reply)).toEqual(comparable(twin))
      expect(reply.headers['llama-guard']).toBe('input=safe, output=safe')
    },
  )

  it.each(Object.entries(SENDERS))('%s of an unsafe reply becomes a 451', async (_how, send) => {
    const reply = await serving(appWith(send, 'UNSAFE', guarded()), ({ url }) => ask(url + PATH, { body: chat('hi') }))
    expect(reply.status).toBe(451)
    expect(reply.text).not.toContain('UNSAFE')
    for (const name of ['etag', 'last-modified', 'accept-ranges', 'set-cookie'])
      expect(reply.headers[name]).toBeUndefined()
    expect(reply.headers['content-type']).toBe('application/json')
  })

  it('reads a Buffer sent without a type', async () => {
    const reply = await serving(
      appWith((res) => res.send(Buffer.from(json('fine'))), '', guarded()),
      ({ url }) => ask(url + PATH, { body: chat('hi') }),
    )
    expect([reply.status, reply.text]).toEqual([200, json('fine')])
  })

  it('leaves errors of the handler as Express makes them', async () => {
    const failing: readonly ((req: Request, res: Response, next: (error?: unknown) => void) => void)[] = [
      () => {
        throw Object.assign(new Error('no'), { status: 418 })
      },
      (_req, _res, next) => next(new Error('no')),
      (_req, res) => void res.status(404).json({ error: { message: 'no such model' } }),
      (_req, _res, next) => next(),
      (_req, res) => {
        res.setHeader('x-half', '1')
        throw new Error('no')
      },
    ]
    for (const handler of failing) {
      const build = (guard: boolean): ReturnType<typeof express> => {
        const app = express().set('env', 'test')
        if (guard) app.use(guarded())
        return app.post(PATH, handler)
      }
      const hidden = (text: string): string => text.replace(/\n? +at .*|<br>.*/g, '')
      const twin = await serving(build(false), ({ url }) => ask(url + PATH, { body: chat('hi') }))
      const reply = await serving(build(true), ({ url }) => ask(url + PATH, { body: chat('hi') }))
      expect([reply.status, hidden(reply.text), reply.headers['content-security-policy']]).toEqual([
        twin.status,
        hidden(twin.text),
        twin.headers['content-security-policy'],
      ])
    }
  })
})

describe('a refusal', () => {
  const blockedBy = async (
    options: Parameters<typeof guarded>[0],
    said = 'UNSAFE',
    model = 'fine',
  ): ReturnType<typeof ask> =>
    serving(
      onNode([guarded(options)], (_req, res) => void res.writeHead(200, asJson).end(json(model))),
      ({ url }) => ask(url + PATH, { body: chat(said), headers: { 'x-request-id': 'abc' } }),
    )

  it('has the body and headers that the README promises', async () => {
    const reply = await blockedBy({ policy: { url: 'https://example.org/policy' } })
    expect(reply.json()).toEqual({
      error: {
        message: 'Blocked by the content policy: Criminal Planning (O3).',
        type: 'content_policy_violation',
        code: 'content_filter',
        param: 'messages',
        stage: 'input',
        categories: [{ code: 'O3', name: 'Criminal Planning' }],
        request_id: 'abc',
      },
    })
    const { date: _date, connection: _connection, 'keep-alive': _keepAlive, ...headers } = reply.headers
    expect(headers).toEqual({
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'content-length': String(reply.body.length),
      link: '<https://example.org/policy>; rel="blocked-by"',
      'llama-guard': 'input=unsafe;cat="O3"',
    })
  })

  it('has status 400 for what a client sent wrong, whatever onError says', async () => {
    for (const onError of ['open', 'closed'] as const) {
      await serving(
        onNode([guarded({ onError })], (_req, res) => void res.end('reached')),
        async ({ url }) => {
          expect((await ask(url + PATH, { body: '{"messages": [', headers: { 'content-length': '14' } })).status).toBe(
            400,
          )
          expect((await ask(url + PATH, { body: { ...chat('x'), prompt_token_ids: [1, 2] } })).json().error.code).toBe(
            'unreadable_request',
          )
        },
      )
    }
  })
})

describe("a dialect of one's own", () => {
  it.each(['refusal', 'stream'] as const)(
    'that throws in its %s still ends in a refusal or a broken connection, and in nothing unhandled',
    async (broken) => {
      const stray: unknown[] = []
      const note = (error: unknown): void => void stray.push(error)
      process.on('unhandledRejection', note)
      const fail = (): never => {
        throw new Error('no')
      }
      const own = customDialect({
        name: 'own',
        request: () => ({ turns: [{ role: 'user', text: 'hi' }] }),
        claims: () => true,
        ...(broken === 'refusal' && { refusal: fail }),
      })
      const dialect = broken === 'refusal' ? own : { ...own, stream: () => ({ ...own.stream(), block: fail, fail }) }
      const handler: Handler = async (req, res) => {
        if (req.url === '/json') return void res.end('"UNSAFE"')
        res.writeHead(200, { 'content-type': 'text/event-stream' })
        res.write('data: fine\n\n')
        await sleep(40)
        res.write('data: UNSAFE\n\n')
        return undefined
      }
      await serving(onNode([guarded({ dialects: [dialect], windowMs: 5 })], handler), async ({ url }) => {
        expect((await ask(`${url}/json`, { body: { q: 'UNSAFE' } })).status).toBe(451)
        expect((await ask(`${url}/json`, { body: { q: 'hi' } })).status).toBe(451)
        const cut = await ask(`${url}/stream`, { body: { q: 'hi' } })
        expect(cut.text).not.toContain('UNSAFE')
        expect(cut.complete).toBe(broken === 'refusal')
      })
      process.off('unhandledRejection', note)
      expect(stray).toEqual([])
    },
  )
})

describe("a dialect of one's own that numbers choices its own way", () => {
  it.each<unknown>([-1, 1.5, NaN, undefined, 'first'])('has every choice judged all the same: %s', async (choice) => {
    const own = customDialect({
      name: 'own',
      request: () => ({ turns: [{ role: 'user', text: 'hi' }] }),
      claims: () => true,
    })
    const dialect: Dialect = {
      ...own,
      stream: () => ({
        ...own.stream(),
        read: ({ data = '' }) => [{ choice: choice as number, channel: 'data', text: data }],
      }),
    }
    const handler: Handler = async (_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' })
      res.write('data: fine\n\n')
      await sleep(60)
      res.end('data: UNSAFE\n\n')
    }
    await serving(onNode([guarded({ dialects: [dialect], windowMs: 5 })], handler), async ({ url }) => {
      const { text } = await ask(`${url}/stream`, { body: { q: 'hi' } })
      expect(text).toContain('fine')
      expect(text).not.toContain('UNSAFE')
    })
  })
})

describe('options', () => {
  const reply = (options: Parameters<typeof guarded>[0], said: string, model: string): ReturnType<typeof ask> =>
    serving(
      onNode([guarded(options)], (_req, res) => void res.writeHead(200, asJson).end(json(model))),
      ({ url }) => ask(url + PATH, { body: chat(said) }),
    )
  const streamed = (options: Parameters<typeof guarded>[0], words: readonly string[]): ReturnType<typeof ask> =>
    serving(
      onNode(
        [guarded(options)],
        (_req, res) => void res.writeHead(200, { 'content-type': 'text/event-stream' }).end(sse(...words)),
      ),
      ({ url }) => ask(url + PATH, { body: chat('hi', { stream: true }) }),
    )

  it.each([false, true])('shadow mode blocks nothing and says what it saw, with parallel %s', async (parallel) => {
    const both = await reply({ mode: 'shadow', parallel }, 'UNSAFE', 'UNSAFE')
    expect([both.status, both.headers['llama-guard']]).toEqual([200, 'input=unsafe;cat="O3", output=unsafe;cat="O3"'])
    expect((await reply({ mode: 'shadow', parallel }, 'BROKEN', 'BROKEN')).status).toBe(200)
  })

  it('shadow mode lets a stream pass whole, whatever it says', async () => {
    for (const words of [
      ['UNSAFE ', 'words'],
      ['fine ', 'BROKEN'],
    ]) {
      const got = await streamed({ mode: 'shadow' }, words)
      expect([got.status, got.text]).toEqual([200, sse(...words)])
    }
  })

  it.each([{ onError: 'open' }, { mode: 'shadow' }] as const)(
    '%j lets through a reply that cannot be read or is too large, whole or streamed',
    async (switched) => {
      const odd = 'data: {"choices": [broken\n\n' + sse('fine')
      for (const options of [switched, { ...switched, parallel: true }]) {
        await serving(
          onNode([guarded({ ...options, maxReplyBytes: 2000 })], (req, res) => {
            const kind = new URL(req.url ?? '', 'http://x').searchParams.get('kind')
            if (kind === 'image') res.writeHead(200, { 'content-type': 'image/png' }).end('pixels')
            else if (kind === 'large') res.writeHead(200, asJson).end(json('x'.repeat(5000)))
            else if (kind === 'frame')
              res
                .writeHead(200, { 'content-type': 'text/event-stream' })
                .end(`data: ${'x'.repeat(5000)}\n\n${sse('fine')}`)
            else {
              res.writeHead(200, { 'content-type': 'text/event-stream' })
              res.write(odd.slice(0, 40))
              setTimeout(() => res.end(odd.slice(40)), 10)
            }
          }),
          async ({ url }) => {
            expect((await ask(`${url}${PATH}?kind=image`, { body: chat('hi') })).text).toBe('pixels')
            expect((await ask(`${url}${PATH}?kind=broken`, { body: chat('hi') })).text).toBe(odd)
            if (!('parallel' in options)) {
              const large = await ask(`${url}${PATH}?kind=large`, { body: chat('hi') })
              expect([large.status, large.headers['llama-guard']]).toEqual([
                200,
                'input=safe, output=unjudged;code="reply_too_large"',
              ])
              expect((await ask(`${url}${PATH}?kind=frame`, { body: chat('hi') })).text).toBe(
                `data: ${'x'.repeat(5000)}\n\n${sse('fine')}`,
              )
            }
          },
        )
      }
    },
  )

  it('onError open with parallel still waits for the input verdict before an unreadable reply leaves', async () => {
    for (const type of ['image/png', 'text/event-stream']) {
      await serving(
        onNode(
          [guarded({ onError: 'open', parallel: true, guard: markerGuard({ delay: 80 }) })],
          (_req, res) => void res.writeHead(200, { 'content-type': type }).end('data: {"choices": [broken\n\n'),
        ),
        async ({ url }) => {
          const got = await ask(url + PATH, { body: chat('UNSAFE') })
          expect([got.status, got.json().error.stage]).toEqual([451, 'input'])
        },
      )
    }
  })

  it('flag lets a category pass and says so', async () => {
    const got = await reply({ policy: { actions: { O3: 'flag' } } }, 'UNSAFE', 'UNSAFE')
    expect([got.status, got.headers['llama-guard']]).toEqual([200, 'input=unsafe;cat="O3", output=unsafe;cat="O3"'])
  })

  it.each([
    [['input'], 'hi', 'UNSAFE', 200],
    [['input'], 'UNSAFE', 'fine', 451],
    [['output'], 'UNSAFE', 'fine', 200],
    [['output'], 'hi', 'UNSAFE', 451],
  ] as const)('check %j on %j answered by %j gives %i', async (check, said, model, status) => {
    for (const parallel of [false, true]) {
      const got = await reply({ check, parallel }, said, model)
      expect(got.status).toBe(status)
      expect(got.headers['llama-guard']).not.toMatch(
        check[0] === 'input' ? /output=(safe|unsafe)/ : /input=(safe|unsafe)/,
      )
    }
  })

  it('streaming full holds a stream whole, and async says that it does not', async () => {
    expect((await streamed({ streaming: 'full' }, ['fine ', 'UNSAFE'])).status).toBe(451)
    expect((await streamed({ streaming: 'full' }, ['fine ', 'words'])).text).toBe(sse('fine ', 'words'))
    const async = await streamed({ streaming: 'async' }, ['fine ', 'words'])
    expect([async.text, async.headers['llama-guard']]).toEqual([
      sse('fine ', 'words'),
      'input=safe, output=unjudged;code="streaming_async"',
    ])
  })
})
