// Wrappers of middleware mounted after us: how often they run.
import { describe, expect, it } from 'vitest'
import { intercept } from '../../../src/response/intercept/index.js'
import { send, serve } from '../../helpers/http.js'

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
