// The same random handler of Requests, with the guard and without: what is safe comes out as it would, byte for byte,
// and what is unsafe never does. On a wire, a client that leaves stops the handler.
import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import * as fc from 'fast-check'
import { Hono } from 'hono'
import { describe, expect, it, vi } from 'vitest'
import { guardFetch } from '../../src/fetch/index.js'
import type { LlamaGuardOptions } from '../../src/options/index.js'
import { guarded, within } from '../helpers/apps.js'
import { chat, chunk, completion, send, sleep } from '../helpers/http.js'

const RUNS = Number(process.env['FC_RUNS'] ?? 150)
// The gate runs the same replies every time: FC_SEED=$RANDOM looks for new ones.
const SEED = { seed: Number(process.env['FC_SEED'] ?? 7) }
const guard = guarded()

interface Reply {
  readonly init: ResponseInit
  readonly text: string
  /** Where the text is cut into chunks, as shares of its length. Undefined: it is no stream. */
  readonly cuts: readonly number[] | undefined
  readonly later: boolean
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

function respond({ init, text, cuts, later }: Reply): Response {
  if ([204, 205, 304].includes(init.status ?? 200)) return new Response(null, init)
  if (cuts === undefined) return new Response(text, init)
  const bytes = bytesOf(text)
  const ends = [...cuts.map((share) => Math.floor(share * bytes.length)), bytes.length].sort((a, b) => a - b)
  let from = 0
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (later) await sleep(0)
      const end = ends.shift()
      if (end === undefined) return controller.close()
      controller.enqueue(bytes.slice(from, end))
      from = end
    },
  })
  return new Response(body, init)
}

const prose = fc
  .array(fc.constantFrom('Hello', 'wörld', '🙂', '\n', ' ', '"', '\\', '{', 'data:', '<p>', '0'), { maxLength: 30 })
  .map((parts) => parts.join(' '))
const json = prose.map((text) => JSON.stringify(completion(text)))
const events = fc
  .array(prose, { maxLength: 6 })
  .map((parts) => `${parts.map((content) => chunk({ content })).join('')}data: [DONE]\n\n`)
const content = fc.oneof(
  prose.map((text) => ['text/plain;charset=utf-8', text] as const),
  json.map((text) => ['application/json', text] as const),
  events.map((text) => ['text/event-stream', text] as const),
)
const headers = fc.array(
  fc.tuple(
    fc.constantFrom('set-cookie', 'x-one', 'vary', 'etag', 'cache-control', 'link', 'Content-Language', 'age'),
    fc.constantFrom('a=1', 'b; c', '"q"', '', 'é', 'x, y'),
  ),
  { maxLength: 6 },
)
const replies: fc.Arbitrary<Reply> = fc
  .record({
    content,
    headers,
    status: fc.constantFrom(200, 200, 200, 201, 202, 203, 204, 205, 299, 304),
    statusText: fc.constantFrom('', 'OK', 'Fine by me'),
    cuts: fc.option(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 5 }), { nil: undefined }),
    later: fc.boolean(),
  })
  .map(({ content: [type, text], headers: lines, status, statusText, cuts, later }) => ({
    init: { status, statusText, headers: [...lines, ['content-type', type]] },
    text,
    cuts,
    later,
  }))

const request = (): Request =>
  new Request('https://app.example/v1/chat/completions', { method: 'POST', body: JSON.stringify(chat('hello')) })

async function told(response: Response): Promise<object> {
  const ours = ['llama-guard', 'server-timing']
  // White space at the ends of a value is lost in any copy of Headers, and on any wire.
  const lines = [...response.headers]
    .filter(([name]) => !ours.includes(name))
    .map(([name, value]) => [name, value.trim()])
  const bytes = Buffer.from(await response.arrayBuffer()).toString('latin1')
  return { status: response.status, statusText: response.statusText, lines, bytes }
}

describe('A random reply', () => {
  it('comes out as it would without the guard.', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(replies, async (reply) => {
        const response = await within(guardFetch(() => respond(reply), guard)(request()))
        expect(await told(response)).toEqual(await told(respond(reply)))
      }),
      { ...SEED, numRuns: RUNS },
    )
  })

  it('with an unsafe word in it never shows that word.', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(replies, fc.boolean(), async (reply, isStream) => {
        const words = completion('UNSAFE')
        const text = isStream ? chunk({ content: 'UNSAFE' }) : JSON.stringify(words)
        const type = isStream ? 'text/event-stream' : 'application/json'
        const init = { ...reply.init, headers: { 'content-type': type } }
        const response = await within(guardFetch(() => respond({ ...reply, init, text }), guard)(request()))
        expect(await response.text()).not.toContain('UNSAFE')
      }),
      { ...SEED, numRuns: RUNS },
    )
  })
})

describe('A Hono app on a server', () => {
  async function serving(app: Hono, options: LlamaGuardOptions, use: (url: string) => Promise<void>): Promise<void> {
    const server = createAdaptorServer({
      fetch: guardFetch(app.fetch, guarded(options)),
      // Other test files use the Request and the Response of this process.
      overrideGlobalObjects: false,
    }) as Server
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    try {
      await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    } finally {
      server.close()
      server.closeAllConnections()
    }
  }

  it('gets its environment, answers what is safe, and not what is not.', async () => {
    const app = new Hono<{ Bindings: { incoming: { method: string } } }>()
    app.post('/ask', async (c) => c.json({ method: c.env.incoming.method, said: (await c.req.json()).question }))
    app.get('/page', (c) => c.html('<p>Hello.</p>'))
    await serving(app as unknown as Hono, {}, async (url) => {
      const safe = await send(`${url}/ask`, { body: { question: 'hello' } })
      expect([safe.status, safe.json()]).toEqual([200, { method: 'POST', said: 'hello' }])
      expect((await send(`${url}/ask`, { body: { question: 'UNSAFE' } })).status).toBe(451)
      const page = await send(`${url}/page`)
      expect([page.status, page.text]).toEqual([200, '<p>Hello.</p>'])
      expect((await send(`${url}/none`)).status).toBe(404)
    })
  })

  it('stops its stream when the client leaves.', async () => {
    // Hono reports a client that left.
    vi.spyOn(console, 'error').mockReturnValue(undefined)
    let cancelled = 0
    const app = new Hono()
    app.post('/v1/chat/completions', (c) => {
      const body = new ReadableStream<Uint8Array>({
        start: (controller) => controller.enqueue(bytesOf(chunk({ content: 'One ' }))),
        async pull(controller) {
          await sleep(20)
          controller.enqueue(bytesOf(chunk({ content: 'more ' })))
        },
        cancel: () => void cancelled++,
      })
      return c.body(body, 200, { 'content-type': 'text/event-stream' })
    })
    await serving(app, { windowMs: 20 }, async (url) => {
      const left = send(`${url}/v1/chat/completions`, { body: chat('good'), onData: () => true })
      expect((await within(left)).complete).toBe(false)
      await vi.waitFor(() => expect(cancelled).toBe(1))
    })
    vi.restoreAllMocks()
  })

  it('ends a large upload of which it reads nothing.', async () => {
    await serving(new Hono(), {}, async (url) => {
      const big = await within(send(`${url}/ask`, { body: { question: 'word '.repeat(1_000_000) } }))
      expect(big.status).toBe(413)
      expect((await within(send(`${url}/ask`, { body: { question: 'hello' } }))).status).toBe(404)
    })
  })
})
