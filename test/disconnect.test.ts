// Clients leave and handlers fail at every moment: the work stops, nothing leaks, and no unjudged byte takes
// the confusion as its way out.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setImmediate } from 'node:timers/promises'
import compression from 'compression'
import session from 'express-session'
import { describe, expect, it, vi } from 'vitest'
import type { Guard, GuardedRequest, Middleware } from '../src/types.js'
import { ask, EXPRESSES, guarded, onNode, serving, within, type Handler } from './helpers/apps.js'
import { markerGuard } from './helpers/guards.js'
import { chat, chunk, completion, sleep } from './helpers/http.js'
import { post, rawClient } from './helpers/raw.js'

const PATH = '/v1/chat/completions'
const json = (word: string): string => JSON.stringify(completion(word))

/** Never answers; keeps what became of each call. */
function hangingGuard(answersFirst = 0): Guard & { readonly calls: { aborted: boolean }[] } {
  const calls: { aborted: boolean }[] = []
  return {
    model: 'hanging',
    calls,
    judge: (_conversation, { signal }) =>
      new Promise((resolve, reject) => {
        const call = { aborted: false }
        if (calls.push(call) <= answersFirst) return resolve({ safe: true, categories: [] })
        signal?.addEventListener('abort', () => {
          call.aborted = true
          reject(new Error('aborted'))
        })
      }),
  }
}

interface Seen {
  signal?: AbortSignal
  closed: boolean
  res?: ServerResponse
}
const watching = (then: Handler): { handler: Handler; seen: Seen } => {
  const seen: Seen = { closed: false }
  return {
    seen,
    handler: (req: IncomingMessage, res) => {
      seen.signal = (req as GuardedRequest).llamaGuard!.signal
      seen.res = res
      res.on('close', () => (seen.closed = true))
      return then(req, res)
    },
  }
}

describe('a client that leaves', () => {
  it('during its upload starts no check and no handler, and tells no verdict', async () => {
    const events: unknown[] = []
    const middleware = guarded({ onVerdict: (event) => void events.push(event) })
    let ran = false
    await serving(
      onNode([middleware], () => (ran = true)),
      async ({ port }) => {
        const client = await rawClient(port)
        client.write(post(chat('hello')).slice(0, -5))
        await sleep(20)
        client.leave()
        await client.closed
        await sleep(30)
      },
    )
    expect([ran, middleware.guard.asked, events]).toEqual([false, [], []])
  })

  it('ends what waits behind another on its connection too, whose handler never runs, and tells no verdict', async () => {
    let ran = 0
    const events: unknown[] = []
    const guard = markerGuard({ delay: 100 })
    await serving(
      onNode([guarded({ guard, onError: 'open', onVerdict: (event) => void events.push(event) })], () => void ran++),
      async ({ port }) => {
        const client = await rawClient(port)
        client.write(post(chat('one')) + post(chat('two')))
        await vi.waitFor(() => expect(guard.asked).toHaveLength(2), { interval: 5 })
        client.leave()
        await client.closed
        await sleep(150)
      },
    )
    expect([ran, events]).toEqual([0, []])
  })

  it('does not take the check away from another who waits for the same', async () => {
    let answer: (() => void) | undefined
    let aborted = false
    const guard: Guard = {
      judge: (_conversation, { signal, stage }) =>
        new Promise((resolve) => {
          if (stage === 'output') return resolve({ safe: true, categories: [] })
          signal?.addEventListener('abort', () => (aborted = true))
          answer = () => resolve({ safe: true, categories: [] })
        }),
    }
    await serving(
      onNode([guarded({ guard })], (_req, res) => void res.end(json('fine'))),
      async ({ url, port }) => {
        const first = await rawClient(port)
        first.write(post(chat('hello')))
        await vi.waitFor(() => expect(answer !== undefined).toBe(true))
        const second = ask(url + PATH, { body: chat('hello') })
        await sleep(30)
        first.leave()
        await sleep(30)
        expect(aborted).toBe(false)
        answer!()
        expect((await second).status).toBe(200)
      },
    )
  })

  it.each([
    ['a held JSON reply', (_req: IncomingMessage, res: ServerResponse) => void res.end(json('fine'))],
    [
      'a held stream',
      (_req: IncomingMessage, res: ServerResponse) =>
        void (res.writeHead(200, { 'content-type': 'text/event-stream' }), res.write(chunk({ content: 'fine' }))),
    ],
    ['a handler that has not answered', () => undefined],
  ])('during %s closes the response, aborts the signal and the check', async (what, then) => {
    const guard = hangingGuard(1)
    const { handler, seen } = watching(then)
    await serving(onNode([guarded({ guard, timeoutMs: 100_000 })], handler), async ({ port }) => {
      const client = await rawClient(port)
      client.write(post(chat('hello')))
      await vi.waitFor(() =>
        expect(seen.signal !== undefined && (guard.calls.length === 2 || what.startsWith('a handler'))).toBe(true),
      )
      expect(seen.signal!.aborted).toBe(false)
      client.leave()
      await vi.waitFor(() => expect(seen.closed && seen.signal!.aborted).toBe(true))
      if (guard.calls.length === 2) await vi.waitFor(() => expect(guard.calls[1]!.aborted).toBe(true))
      expect(client.text()).toBe('')
    })
  })

  it('in the middle of a stream stops it, and a handler that goes on writing harms nobody', async () => {
    const { handler, seen } = watching((_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' })
      const timer = setInterval(() => res.write(chunk({ content: 'word ' }), () => undefined), 5)
      setTimeout(() => {
        clearInterval(timer)
        res.end('data: [DONE]\n\n', () => undefined)
      }, 400)
    })
    const middleware = guarded({ windowMs: 5 })
    await serving(onNode([middleware], handler), async ({ port }) => {
      const client = await rawClient(port)
      client.write(post(chat('hello', { stream: true })))
      await client.until(/word/)
      client.leave()
      await vi.waitFor(() => expect(seen.closed && seen.signal!.aborted).toBe(true))
      await sleep(20)
      const asked = middleware.guard.asked.length
      expect(seen.res!.write('late')).toBe(false)
      await sleep(100)
      expect(middleware.guard.asked.length).toBe(asked)
      await sleep(350)
    })
  })

  it('two hundred times leaves no listener, timer or call behind', async () => {
    const guard = markerGuard({ delay: 3 })
    const middleware = guarded({ guard, windowMs: 3, timeoutMs: 2000 })
    const handler: Handler = (req, res) => {
      const { signal } = (req as GuardedRequest).llamaGuard!
      res.writeHead(200, { 'content-type': 'text/event-stream' })
      const timer = setInterval(() => res.write(chunk({ content: 'word ' })), 2)
      signal.addEventListener('abort', () => clearInterval(timer))
    }
    const handles = (): number =>
      process.getActiveResourcesInfo().filter((kind) => ['Timeout', 'TCPSocketWrap'].includes(kind)).length
    await serving(onNode([middleware], handler), async ({ port }) => {
      const before = handles()
      const leave = async (index: number): Promise<void> => {
        const client = await rawClient(port)
        const request = post(chat('hello', { stream: true }))
        client.write(index % 4 === 0 ? request.slice(0, -9) : request)
        if (index % 4 === 3) await client.until(/word/)
        else await sleep(index % 4)
        client.leave()
        await client.closed
      }
      for (let round = 0; round < 10; round++)
        await within(Promise.all(Array.from({ length: 20 }, (_, index) => leave(index))), 'a round')
      await vi.waitFor(() => expect(handles() <= before + 1).toBe(true))
      expect(middleware.stats().cache.inFlight).toBe(0)
      expect(middleware.stats().guards[0]).toMatchObject({ inFlight: 0, queued: 0 })
    })
  })

  it('or stays, two hundred times on one connection, leaves no listener on the socket', async () => {
    const counts: number[] = []
    const middleware = guarded()
    await serving(
      onNode([middleware], (req, res) => {
        counts.push(req.socket.eventNames().reduce((sum, name) => sum + req.socket.listenerCount(name), 0))
        res.end(json('fine'))
      }),
      async ({ port }) => {
        const client = await rawClient(port)
        for (let count = 1; count <= 200; count++) {
          client.write(post(chat('hello')))
          await vi.waitFor(() => expect(client.text().split(/chatcmpl-1.*\}\}/)).toHaveLength(count + 1), {
            interval: 2,
            timeout: 30_000,
          })
        }
        client.leave()
      },
    )
    expect(new Set(counts).size).toBe(1)
  })
})

describe('a handler that hands its signal on', () => {
  const endless = (word: string): Readable =>
    Readable.from(
      (async function* () {
        for (let count = 0; count < 100_000; count++) {
          yield chunk({ content: `${word} ${count}` })
          await setImmediate()
        }
      })(),
    )

  it.each<[string, (source: Readable, res: ServerResponse, signal: AbortSignal) => unknown]>([
    [
      'to a pipeline into the response',
      (source, res, signal) => pipeline(source, res, { signal }).catch(() => undefined),
    ],
    [
      'and destroys the response',
      (source, res, signal) => {
        signal.addEventListener('abort', () => res.destroy())
        source.pipe(res)
      },
    ],
    [
      'and ends the response',
      (source, res, signal) => {
        signal.addEventListener('abort', () => res.end('UNSAFE end'))
        source.pipe(res)
      },
    ],
  ])('%s does not tear the refusal down', async (_how, flow) => {
    const layouts: Middleware[][] = [
      [],
      [compression() as unknown as Middleware],
      [session({ secret: 'x', resave: true, saveUninitialized: true }) as unknown as Middleware],
    ]
    for (const before of layouts) {
      for (const first of [0, 100]) {
        const handler: Handler = (req, res) => {
          res.writeHead(200, { 'content-type': 'text/event-stream' })
          if (first > 0) res.write(chunk({ content: 'fine' }))
          setTimeout(() => void flow(endless('UNSAFE'), res, (req as GuardedRequest).llamaGuard!.signal), first)
        }
        const reply = await serving(onNode([...before, guarded()], handler), ({ url }) =>
          ask(url + PATH, { body: chat('hi', { stream: true }) }),
        )
        expect([reply.status, reply.complete]).toEqual([first > 0 ? 200 : 451, true])
        expect(reply.text).toContain(first > 0 ? 'content_filter"' : '"stage":"output"')
        expect(reply.text).not.toContain('UNSAFE')
      }
    }
  })
})

describe.each(EXPRESSES)('a handler on %s whose call to the model fails with the abort', (_name, express) => {
  it.each(['input', 'output', 'mid-stream'])(
    'does not tear the refusal down with the error page, blocked at the %s',
    async (stage) => {
      for (const saves of [0, 15]) {
        const store = new session.MemoryStore()
        const set = store.set.bind(store)
        if (saves > 0) store.set = (id, data, done) => void globalThis.setTimeout(() => set(id, data, done), saves)
        const app = express().set('env', 'test')
        app.use(session({ store, secret: 'x', resave: true, saveUninitialized: true }))
        app.use(guarded({ parallel: stage === 'input', windowMs: 5, guard: markerGuard({ delay: 20 }) }))
        app.post(PATH, ((req: GuardedRequest, res: ServerResponse, next: (error: unknown) => void) => {
          const { signal } = req.llamaGuard!
          signal.addEventListener('abort', () => next(new Error('aborted')))
          res.writeHead(200, { 'content-type': 'text/event-stream' })
          if (stage === 'mid-stream') res.write(chunk({ content: 'fine' }))
          setTimeout(() => res.write(chunk({ content: 'UNSAFE' })), 80)
        }) as never)
        const reply = await serving(app, ({ url }) =>
          ask(url + PATH, { body: chat(stage === 'input' ? 'UNSAFE' : 'hi') }),
        )
        expect([reply.status, reply.complete]).toEqual([stage === 'mid-stream' ? 200 : 451, true])
        expect(reply.text).toContain(stage === 'mid-stream' ? 'content_filter"' : `"stage":"${stage}"`)
        expect(reply.text).not.toContain('UNSAFE')
      }
    },
  )
})

describe('a connection that is kept', () => {
  it('is closed after a 413 of a body that is still coming, which is never taken for a request', async () => {
    let ran = 0
    await serving(
      onNode([guarded({ maxBodyBytes: 1000 })], (_req, res) => void (ran++, res.end('{}'))),
      async ({ port }) => {
        const client = await rawClient(port)
        const hidden = post(chat('smuggled'))
        const body = `{"messages":[{"role":"user","content":"${'x'.repeat(2000)}`
        client.write(
          `POST ${PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n${body}`,
        )
        await client.until(/HTTP\/1\.1 413 [^]*body_too_large[^]*\}\}$/)
        expect(client.text()).toMatch(/connection: close/i)
        client.write(hidden)
        await within(client.closed, 'the end of the connection')
        expect(client.text().match(/HTTP\/1\.1/g)).toHaveLength(1)
      },
    )
    expect(ran).toBe(0)
  })

  it('tells a client of a large upload why, while that still sends', async () => {
    await serving(
      onNode([guarded({ maxBodyBytes: 1000 })], (_req, res) => void res.end('{}')),
      async ({ url }) => {
        const reply = await ask(url + PATH, { body: chat('x'.repeat(500_000)) })
        expect([reply.status, reply.json().error.code]).toEqual([413, 'body_too_large'])
      },
    )
  })
})
