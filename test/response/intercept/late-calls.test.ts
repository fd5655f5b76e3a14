// Calls that come too late: after the handler's end, after its head, after a refusal, or after the first bytes.
import type { ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import type { ResponseController } from '../../../src/response/context.js'
import { intercept } from '../../../src/response/intercept/index.js'
import { ask, guarded, onNode, serving, type Handler } from '../../helpers/apps.js'
import { markerGuard } from '../../helpers/guards.js'
import { chat, sleep, type Reply } from '../../helpers/http.js'
import { post, rawClient } from '../../helpers/raw.js'
import { IDLE } from '../fake-response.js'

const PATH = '/v1/chat/completions'
const slow = (handler: Handler) => onNode([guarded({ guard: markerGuard({ delay: 30 }) })], handler)
const reply = (handler: Handler): Promise<Reply> =>
  serving(slow(handler), ({ url }) => ask(url + PATH, { body: chat('hi') }))
const codeOf = (error: unknown): unknown => (error as NodeJS.ErrnoException | undefined)?.code

describe('A handler that listens to no error and goes on after its end', () => {
  type More = (res: ServerResponse, callback: (error?: Error | null) => void) => void
  it.each<[string, More, unknown]>([
    ['writes words', (res, callback) => void res.write('UNSAFE', callback), 'ERR_STREAM_WRITE_AFTER_END'],
    ['writes nothing', (res, callback) => void res.write('', callback), 'ERR_STREAM_WRITE_AFTER_END'],
    ['ends with words', (res, callback) => void res.end('UNSAFE', callback), undefined],
  ])('%s: they go nowhere, and no error event ends the process', async (_what, more, error) => {
    const events: unknown[] = []
    const errors: unknown[] = []
    let kept: ServerResponse | undefined
    const got = await reply((_req, res) => {
      kept = res
      expect(res.listenerCount('error')).toBe(0)
      const { emit } = res
      res.emit = (event: string, ...args: unknown[]) => {
        events.push(event)
        return event === 'error' || (Reflect.apply(emit, res, [event, ...args]) as boolean)
      }
      res.end('fine')
      more(res, (error) => errors.push(codeOf(error)))
    })
    expect(got.text).toBe('fine')
    more(kept!, () => undefined)
    await sleep(5)
    expect(events).not.toContain('error')
    expect(errors).toEqual([error])
  })
})

describe('A head that was written', () => {
  it('keeps its reason phrase and its status', async () => {
    const listener = slow((_req, res) => {
      res.writeHead(201, 'Made', { 'content-type': 'text/plain' })
      res.statusMessage = 'Late'
      res.statusCode = 500
      res.end('fine')
    })
    await serving(listener, async ({ port }) => {
      const client = await rawClient(port)
      client.write(post(chat('hi')))
      expect(await client.until(/fine/)).toMatch(/^HTTP\/1\.1 201 Made\r\n/)
      client.leave()
    })
  })
})

/** Serves a reply that is held from its first byte on, and full. */
async function held(act: (res: ServerResponse, exit: ResponseController) => unknown): Promise<Reply | undefined> {
  return serving(
    (_req, res) => {
      const exit = intercept(res, () => ({ ...IDLE, full: true }))
      void act(res, exit)
    },
    ({ url }) => ask(url).catch(() => undefined),
  )
}

describe('A handler that ends', () => {
  it('is called back after a refusal, so that it does not wait for ever', async () => {
    const called: unknown[] = []
    const got = await held((res, exit) => {
      res.write('UNSAFE')
      exit.refuse(451, {}, 'no')
      res.setHeader('late', 'a').end('more', () => called.push('end'))
      res.removeHeader('late')
    })
    await sleep(5)
    expect([got!.text, called]).toEqual(['no', ['end']])
  })

  it('is not called back when its connection is broken, as without the guard', async () => {
    const called: unknown[] = []
    await held((res, exit) => {
      res.write('words')
      exit.destroy()
      res.end('more', () => called.push('end'))
      expect([res.destroyed, res.writableEnded]).toEqual([true, true])
    })
    await sleep(5)
    expect(called).toEqual([])
  })
})

it('A refusal that comes after the first bytes breaks the connection, and tells it to whoever waits.', async () => {
  const told: unknown[] = []
  const got = await held((res, exit) => {
    res.write('so ', (error) => told.push(codeOf(error)))
    exit.release(Buffer.from('so '))
    setTimeout(() => exit.refuse(451, {}, 'no'), 20)
  })
  await sleep(5)
  expect([got!.status, got!.text, got!.complete, told]).toEqual([200, 'so ', false, ['ERR_STREAM_DESTROYED']])
})

it('Nothing is released after a refusal, also while a middleware before us keeps its end.', async () => {
  const released: boolean[] = []
  const got = await serving(
    (_req, res) => {
      const { end } = res
      res.end = ((...args: unknown[]) => void setTimeout(() => void Reflect.apply(end, res, args), 20)) as never
      let exit: ResponseController | undefined
      intercept(res, (controller) => {
        exit = controller
        return IDLE
      })
      res.write('UNSAFE')
      exit!.refuse(451, {}, 'no')
      exit!.abandon()
      released.push(exit!.release(Buffer.from('UNSAFE')))
      res.statusCode = 200
      res.statusMessage = 'Late'
    },
    ({ url }) => ask(url),
  )
  expect([got.status, got.text, released]).toEqual([451, 'no', [false]])
})
