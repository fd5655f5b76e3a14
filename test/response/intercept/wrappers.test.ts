// Wrappers of middleware mounted after us: how often they run.
import type { ServerResponse } from 'node:http'
import { expect, it } from 'vitest'
import { intercept } from '../../../src/response/intercept/index.js'
import { send, serve } from '../../helpers/http.js'
import { IDLE } from '../fake-response.js'

/** Serves one reply. `wrap` mounts a wrapper of the method, whose runs are counted. */
async function counted(
  method: 'write' | 'writeHead',
  reply: (res: ServerResponse, wrap: () => void) => void,
): Promise<[status: number, text: string, runs: number]> {
  let runs = 0
  const server = await serve((_req, res) =>
    reply(res, () => {
      const wrapped = res[method]
      res[method] = ((...args: unknown[]) => {
        runs += 1
        return Reflect.apply(wrapped, res, args) as unknown
      }) as never
    }),
  )
  const got = await send(server.url, {})
  await server.close()
  return [got.status, got.text, runs]
}

it.each(['write', 'end'] as const)(
  'A wrapper of writeHead runs once when nobody holds the reply and %s commits the head.',
  async (method) => {
    const got = await counted('writeHead', (res, wrap) => {
      intercept(res, () => undefined)
      wrap()
      res[method]('fine')
      if (method === 'write') res.end()
    })
    expect(got).toEqual([200, 'fine', 1])
  },
)

it('A wrapper of write runs for each write of a reply that nobody holds.', async () => {
  const got = await counted('write', (res, wrap) => {
    intercept(res, () => undefined)
    wrap()
    for (const word of ['one ', 'two ', 'three']) res.write(word)
    res.end()
  })
  expect(got).toEqual([200, 'one two three', 3])
})

it('A wrapper of writeHead runs once for a reply whose end another keeps.', async () => {
  const got = await counted('writeHead', (res, wrap) => {
    const { end } = res
    // Sessions keep the end until they are saved, and call Node's own, which then writes the head.
    res.end = ((...args: unknown[]) => {
      setTimeout(() => void Reflect.apply(end, res, args), 5)
      return res
    }) as typeof res.end
    intercept(res, (controller) => ({ ...IDLE, end: (chunk) => controller.finish(chunk) }))
    wrap()
    res.end('fine')
  })
  expect(got).toEqual([200, 'fine', 1])
})
