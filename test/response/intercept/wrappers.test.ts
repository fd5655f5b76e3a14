// Wrappers of middleware mounted after us: how often they run.
import { describe, expect, it } from 'vitest'
import type { Hold } from '../../../src/response/context.js'
import { intercept } from '../../../src/response/intercept/index.js'
import { send, serve } from '../../helpers/http.js'

const HOLD: Hold = { write: () => undefined, end: () => undefined, fail: () => undefined, gone: () => undefined }

describe('A wrapper of writeHead that was mounted after us', () => {
  it.each(['write', 'end'] as const)(
    'runs once when nobody holds the reply and %s commits the head',
    async (method) => {
      let runs = 0
      const server = await serve((_req, res) => {
        intercept(res, () => undefined)
        const { writeHead } = res
        res.writeHead = ((...args: unknown[]) => {
          runs += 1
          return Reflect.apply(writeHead, res, args) as typeof res
        }) as typeof res.writeHead
        res[method]('fine')
        if (method === 'write') res.end()
      })
      const got = await send(server.url, {})
      await server.close()
      expect([got.status, got.text, runs]).toEqual([200, 'fine', 1])
    },
  )
})

it('A wrapper of write that was mounted after us runs for each write of a reply that nobody holds.', async () => {
  let runs = 0
  const server = await serve((_req, res) => {
    intercept(res, () => undefined)
    const { write } = res
    res.write = ((...args: unknown[]) => {
      runs += 1
      return Reflect.apply(write, res, args) as boolean
    }) as typeof res.write
    for (const word of ['one ', 'two ', 'three']) res.write(word)
    res.end()
  })
  const got = await send(server.url, {})
  await server.close()
  expect([got.text, runs]).toEqual(['one two three', 3])
})

it('A wrapper of writeHead that was mounted after us runs once for a reply whose end another keeps.', async () => {
  let runs = 0
  const server = await serve((_req, res) => {
    const { end } = res
    // Sessions keep the end until they are saved, and call Node's own, which then writes the head.
    res.end = ((...args: unknown[]) => {
      setTimeout(() => void Reflect.apply(end, res, args), 5)
      return res
    }) as typeof res.end
    intercept(res, (controller) => ({ ...HOLD, end: (chunk) => controller.finish(chunk) }))
    const { writeHead } = res
    res.writeHead = ((...args: unknown[]) => {
      runs += 1
      return Reflect.apply(writeHead, res, args) as typeof res
    }) as typeof res.writeHead
    res.end('fine')
  })
  const got = await send(server.url, {})
  await server.close()
  expect([got.status, got.text, runs]).toEqual([200, 'fine', 1])
})
