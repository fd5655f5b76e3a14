// Slow clients, slow guards and fast models: who is too fast is told to wait, who waits is told to go on, and
// no hold grows past its bound.
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import compression from 'compression'
import { describe, expect, it } from 'vitest'
import type { Guard, GuardedRequest, Middleware } from '../src/types.js'
import { ask, guarded, onNode, serving, within, type Handler } from './helpers/apps.js'
import { markerGuard, type MarkerGuard } from './helpers/guards.js'
import { chat, chunk, completion, sleep } from './helpers/http.js'
import { post, rawClient } from './helpers/raw.js'
import { LONG } from './helpers/sampled.js'

const PATH = '/v1/chat/completions'
const STREAM = { 'content-type': 'text/event-stream' }
const DONE = 'data: [DONE]\n\n'
const block = chunk({ content: 'word '.repeat(800) })
const zipped = (): Middleware => compression() as unknown as Middleware

/** Writes `count` blocks as a polite producer does: it stops at false and waits for 'drain'. */
async function politely(
  res: ServerResponse,
  count: number,
  tell: (written: number, waits: number) => void,
  text = (index: number): string => `: ${index}\n${block}`,
): Promise<void> {
  let waits = 0
  for (let index = 0; index < count && !res.destroyed; index++) {
    const goOn = res.write(text(index))
    tell(index + 1, waits)
    if (!goOn) {
      waits++
      tell(index + 1, waits)
      await once(res, 'drain')
    }
    if (index % 8 === 0) await sleep(0)
  }
  res.end(DONE)
}

describe('a client that stops reading', () => {
  // Bytes that gzip cannot make small, or a paused client would hold megabytes in its own buffers.
  const noise = Array.from({ length: 64 }, () =>
    Array.from({ length: 4000 }, () => Math.floor(Math.random() * 36).toString(36)).join(''),
  )
  it.each<[string, Middleware[], Record<string, string>]>([
    ['without compression', [], {}],
    ['through compression', [zipped()], { 'accept-encoding': 'gzip' }],
  ])(
    'makes a fast producer wait, and lets it go on when it reads again, %s',
    async (_how, before, headers) => {
      const state = { written: 0, waits: 0 }
      // More than the buffers of two sockets hold.
      const count = LONG ? 6000 : 2000
      const handler: Handler = (_req, res) => {
        res.writeHead(200, STREAM)
        void politely(
          res,
          count,
          (written, waits) => Object.assign(state, { written, waits }),
          (index) => chunk({ content: noise[index % 64]! }),
        )
      }
      // One that keeps nothing of the megabytes it is asked about.
      const guard: Guard = { judge: () => Promise.resolve({ safe: true, categories: [] }) }
      await serving(
        onNode([...before, guarded({ guard: guard as MarkerGuard, windowChars: 100_000 })], handler),
        async ({ port }) => {
          const client = await rawClient(port)
          client.socket.pause()
          client.write(
            post(chat('hi', { stream: true }), {
              headers: ['Connection: close', ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)],
            }),
          )
          let last = -1
          await within(
            (async () => {
              while (state.waits === 0 || state.written !== last) {
                last = state.written
                await sleep(150)
              }
            })(),
            'the pause of the producer',
          )
          expect(state.written).toBeLessThan(count)
          client.socket.resume()
          await within(client.closed, 'the rest of the stream', 110_000)
          expect(state.written).toBe(count)
          if (before.length === 0) expect(client.text()).toContain(DONE)
        },
      )
    },
    120_000,
  )
})

describe('a guard that is slower than the model', () => {
  it.each([
    ['within the bound', {}],
    ['within a small bound', { maxReplyBytes: 100_000 }],
  ])('makes a polite producer wait %s, and lets it go on', async (_what, options) => {
    const state = { written: 0, waits: 0, most: 0 }
    let answered = 0
    const guard = markerGuard({
      delay: 60,
      onAnswer: () => {
        answered++
      },
    })
    const count = 400
    const handler: Handler = (_req, res) => {
      res.writeHead(200, STREAM)
      void politely(res, count, (written, waits) =>
        Object.assign(state, { written, waits, ...(answered <= 1 && { most: written }) }),
      )
    }
    const reply = await serving(onNode([guarded({ guard, ...options })], handler), ({ url }) =>
      ask(url + PATH, { body: chat('hi', { stream: true }) }),
    )
    expect([reply.status, reply.complete, state.written]).toEqual([200, true, count])
    expect(reply.text).toBe(Array.from({ length: count }, (_, index) => `: ${index}\n${block}`).join('') + DONE)
    expect(state.waits).toBeGreaterThan(0)
    // 256 KiB and one block may be held before the first verdict.
    expect(state.most * block.length).toBeLessThan(256 * 1024 + 3 * block.length)
  })

  it('takes hundreds of thousands of tiny frames that come in one write', async () => {
    const frames = ': \n\n'.repeat(200_000) + chunk({ content: 'fine' })
    const reply = await serving(
      onNode([guarded({ guard: markerGuard() })], (_req, res) => {
        res.writeHead(200, STREAM)
        res.write(frames)
        res.end(DONE)
      }),
      ({ url }) => ask(url + PATH, { body: chat('hi', { stream: true }) }),
    )
    expect([reply.status, reply.complete]).toEqual([200, true])
    // Compared as a flag: a difference in a text of this size would fill the terminal.
    expect(reply.text === frames + DONE).toBe(true)
  })

  it('stops it after words have left, too, with an error that a client can read', async () => {
    const guard = markerGuard({ delay: () => (guard.asked.length > 2 ? 500 : 0) })
    const reply = await serving(
      onNode([guarded({ guard, maxReplyBytes: 100_000 })], (_req, res) => {
        res.writeHead(200, STREAM)
        res.write(chunk({ content: 'fine' }))
        setTimeout(() => {
          for (let count = 0; count < 100; count++) res.write(block)
          res.end(DONE)
        }, 100)
      }),
      ({ url }) => ask(url + PATH, { body: chat('hi', { stream: true }) }),
    )
    expect([reply.status, reply.complete]).toEqual([200, true])
    expect(reply.text.startsWith(chunk({ content: 'fine' }))).toBe(true)
    expect(reply.text).toContain('reply_too_large')
    expect(reply.text).not.toContain('word ')
  })

  it('lets a producer that was told to wait run dry when the stream is refused', async () => {
    for (const first of ['', chunk({ content: 'fine' })]) {
      let ended = false
      const guard = markerGuard({ delay: 40 })
      const handler: Handler = (_req, res) => {
        res.writeHead(200, STREAM)
        res.write(first)
        setTimeout(
          () =>
            void politely(
              res,
              400,
              () => undefined,
              (index) => (index === 0 ? chunk({ content: 'UNSAFE' }) : block),
            ).then(() => (ended = true)),
          first === '' ? 0 : 120,
        )
      }
      await serving(onNode([guarded({ guard })], handler), async ({ url }) => {
        const reply = await ask(url + PATH, { body: chat('hi', { stream: true }) })
        expect([reply.status, reply.text.includes('UNSAFE')]).toEqual([first === '' ? 451 : 200, false])
        await within(
          (async () => {
            while (!ended) await sleep(5)
          })(),
          'the end of the producer',
        )
      })
    }
  })

  it.each([false, true])('never stalls a pipe, with parallel %s', async (parallel) => {
    for (const pieces of [
      Array.from({ length: 300 }, () => block),
      [`data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: 'x'.repeat(900_000) } }] })}\n\n`],
    ]) {
      const whole = Buffer.from(pieces.join('') + DONE)
      const cut = Array.from({ length: Math.ceil(whole.length / 60_000) }, (_, index) =>
        whole.subarray(index * 60_000, (index + 1) * 60_000),
      )
      const guard = markerGuard({ delay: 20 })
      for (const flow of [
        (source: Readable, res: ServerResponse) => void source.pipe(res),
        (source: Readable, res: ServerResponse) => pipeline(source, res),
      ]) {
        const reply = await serving(
          onNode(
            [guarded({ guard, parallel })],
            (_req, res) => void flow(Readable.from(cut), res.writeHead(200, STREAM)),
          ),
          ({ url }) => ask(url + PATH, { body: chat('hi', { stream: true }) }),
        )
        expect([reply.status, reply.complete, reply.body.equals(whole)]).toEqual([200, true, true])
      }
    }
  })

  it('takes a frame in pieces while a verdict on the frame before is due', async () => {
    const frame = chunk({ content: 'y'.repeat(600_000) })
    const whole = chunk({ content: 'first' }) + frame + DONE
    const guard = markerGuard({ delay: 50 })
    const reply = await serving(
      onNode([guarded({ guard })], (_req, res) => {
        res.writeHead(200, STREAM)
        const pieces = Array.from({ length: 20 }, (_, index) =>
          whole.slice((index * whole.length) / 20, ((index + 1) * whole.length) / 20),
        )
        Readable.from(pieces).pipe(res)
      }),
      ({ url }) => ask(url + PATH, { body: chat('hi', { stream: true }) }),
    )
    expect([reply.status, reply.complete, reply.text === whole]).toEqual([200, true, true])
  })
})

describe('a model that pauses', () => {
  it('has its judged words delivered while it is silent', async () => {
    let goOn: (() => void) | undefined
    const silence = new Promise<void>((resolve) => (goOn = resolve))
    const handler: Handler = async (_req, res) => {
      res.writeHead(200, STREAM)
      for (const word of ['first ', 'second ', 'third ']) res.write(chunk({ content: word }))
      await silence
      res.end(chunk({ content: 'last' }) + DONE)
    }
    await serving(onNode([guarded({ windowMs: 30 })], handler), async ({ port }) => {
      const client = await rawClient(port)
      client.write(post(chat('hi', { stream: true })))
      expect(await client.until(/third/)).not.toContain('last')
      goOn!()
      await client.until(/last[^]*\[DONE\][^]*\r\n0\r\n\r\n$/)
      client.leave()
    })
  })
})

describe('a whole reply', () => {
  it('is taken from a pipe without a stall, up to its bound', async () => {
    const text = JSON.stringify(completion('x'.repeat(2_000_000)))
    const reply = await serving(
      onNode(
        [guarded()],
        (_req, res) =>
          void Readable.from(text.match(/.{1,65536}/gs)!).pipe(
            res.writeHead(200, { 'content-type': 'application/json' }),
          ),
      ),
      ({ url }) => ask(url + PATH, { body: chat('hi') }),
    )
    expect([reply.status, reply.text === text]).toEqual([200, true])
  })

  it('past its bound is refused while the handler goes on, and the handler ends', async () => {
    let finished = false
    const handler: Handler = async (req, res) => {
      const { signal } = (req as GuardedRequest).llamaGuard!
      res.setHeader('content-type', 'application/json')
      const endless = Readable.from(
        (function* () {
          for (let count = 0; count < 2000; count++) yield 'x'.repeat(10_000)
        })(),
      )
      await pipeline(endless, res, { signal }).catch(() => undefined)
      finished = true
    }
    const reply = await serving(onNode([guarded({ maxReplyBytes: 100_000 })], handler), async ({ url }) => {
      const got = await ask(url + PATH, { body: chat('hi') })
      await within(
        (async () => {
          while (!finished) await sleep(5)
        })(),
        'the end of the handler',
      )
      return got
    })
    expect([reply.status, reply.json().error.code]).toEqual([503, 'reply_too_large'])
  })
})
