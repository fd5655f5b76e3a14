// The end of a request that is refused: whether its connection lives on, and which checks are called off.
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { ask, guarded, onNode, serving, within } from '../helpers/apps.js'
import { markerGuard } from '../helpers/guards.js'
import { chat, completion, sleep } from '../helpers/http.js'
import { post, rawClient } from '../helpers/raw.js'
import type { VerdictEvent } from '../../src/types.js'
import { withProtection } from '../../src/options/protection.js'

const PATH = '/v1/chat/completions'
const app = (middleware = guarded()) =>
  onNode([middleware], (_req, res) => void res.end(JSON.stringify(completion('fine'))))

describe('The connection of a refused request', () => {
  it('serves the next request when the body has been read', async () => {
    await serving(app(), async ({ port }) => {
      const client = await rawClient(port)
      client.write(post(chat('UNSAFE')))
      expect(await client.until(/content_filter.*\}$/s)).toMatch(/\r\nconnection: keep-alive\r\n/i)
      client.write(post(chat('hi')))
      await client.until(/fine/)
      client.leave()
    })
  })

  it('is closed when the rest of the body is still to come', async () => {
    await serving(app(guarded({ maxBodyBytes: 1024 })), async ({ port }) => {
      const client = await rawClient(port)
      const whole = post(chat('words '.repeat(2000)))
      client.write(whole.slice(0, 4000))
      expect(await client.until(/\r\n\r\n\{.*\}$/s)).toMatch(/^HTTP\/1\.1 413 .*\r\nconnection: close\r\n/is)
      client.leave()
    })
  })

  it('is left to HTTP/2, which knows no such header', async () => {
    const server = createHttp2Server((req, res) => app(guarded({ maxBodyBytes: 1024 }))(req as never, res as never))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const session = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    const stream = session.request({ ':path': PATH, ':method': 'POST', 'content-type': 'application/json' })
    stream.on('error', () => undefined)
    const head = new Promise<Record<string, unknown>>((resolve) => stream.once('response', resolve))
    stream.write(JSON.stringify(chat('words '.repeat(2000))))
    const { ':status': status, connection } = await within(head)
    session.destroy()
    server.close()
    expect([status, connection]).toEqual([413, undefined])
  })
})

describe('A check that has failed', () => {
  const messages = [
    { role: 'user', content: 'SLOW words' },
    { role: 'assistant', content: 'so it is' },
    { role: 'user', content: 'BROKEN words' },
  ]
  /** How many checks were still running when the client had its answer. */
  async function running(options: object, slowMs: number): Promise<{ status: number; running: number }> {
    let done = 0
    const slow = markerGuard({ marker: /nothing/ })
    const { judge } = slow
    slow.judge = async (conversation, asked) => {
      if (conversation.at(-1)!.text.includes('SLOW')) await new Promise((resolve) => setTimeout(resolve, slowMs))
      done += 1
      return judge.call(slow, conversation, asked)
    }
    const middleware = guarded({
      guard: slow,
      turns: 'all',
      check: ['input'],
      ...withProtection({ maxAttempts: 1 }),
      ...options,
    })
    const { status } = await serving(app(middleware), ({ url }) => ask(url + PATH, { body: { model: 'm', messages } }))
    return { status, running: slow.asked.length === done ? 2 - done : -1 }
  }

  it('is the answer at once, because nothing that the others say could open the request', async () => {
    expect(await running({}, 20_000)).toEqual({ status: 503, running: 1 })
  })

  it.each([{ onError: 'open' }, { mode: 'shadow' }])('waits for the others with %j', async (options) => {
    expect(await running(options, 300)).toEqual({ status: 200, running: 0 })
  })
})

describe('No verdict is told', () => {
  const events: VerdictEvent[] = []
  const told = (): unknown[] => events.splice(0).map(({ stage, action }) => [stage, action])
  const onVerdict = (event: VerdictEvent): void => void events.push(event)

  it('on a reply beside a request that cannot be judged, and its connection serves the next request', async () => {
    const guard = markerGuard({ delay: () => 60 })
    const { judge } = guard
    guard.judge = (conversation, asked) =>
      conversation.length > 1 ? Promise.resolve({ safe: true, categories: [] }) : judge.call(guard, conversation, asked)
    const middleware = guarded({ guard, parallel: true, ...withProtection({ maxAttempts: 1 }), onVerdict })
    await serving(app(middleware), async ({ port }) => {
      const client = await rawClient(port)
      client.write(post(chat('BROKEN')))
      expect(await client.until(/\r\n\r\n\{.*\}$/s)).toMatch(/^HTTP\/1\.1 503 /)
      expect([client.text().includes('fine'), told()]).toEqual([false, [['input', 'unavailable']]])
      await sleep(20)
      client.write(post(chat('hi')))
      await client.until(/fine/)
      client.leave()
    })
    events.length = 0
  })

  it('on a reply whose client has left', async () => {
    const guard = markerGuard({ delay: 60 })
    await serving(app(guarded({ guard, onVerdict })), async ({ port }) => {
      const client = await rawClient(port)
      client.write(post(chat('hi')))
      while (guard.asked.length < 2) await sleep(5)
      client.leave()
      await sleep(100)
    })
    expect(told()).toEqual([['input', 'allow']])
  })
})
