// Two interceptions of one response, as two guards of different policies would make: each gets what the one
// behind it lets out, and no call comes round again.
import { describe, expect, it } from 'vitest'
import type { ResponseController, Hold } from '../../../src/response/context.js'
import { intercept } from '../../../src/response/intercept/index.js'
import { send, serve } from '../../helpers/http.js'

/** Keeps all, and lets it go at the end. */
function keeper(seen: string[], name: string): (exit: ResponseController) => Hold {
  return (exit) => {
    const chunks: Buffer[] = []
    return {
      write: (chunk) => void chunks.push(chunk),
      end(chunk) {
        if (chunk) chunks.push(chunk)
        seen.push(`${name} ${Buffer.concat(chunks).toString()}`)
        setImmediate(() => exit.finish(Buffer.concat(chunks)))
      },
      fail: () => undefined,
      gone: () => undefined,
    }
  }
}

describe('Two interceptions of one response', () => {
  it.each([false, true])('pass its bytes on, the later one first (a wrapper between them: %s)', async (wrapped) => {
    const seen: string[] = []
    const server = await serve((_req, res) => {
      intercept(res, keeper(seen, 'first'))
      if (wrapped) {
        const { write, end } = res
        res.write = ((...args: unknown[]) => Reflect.apply(write, res, args) as boolean) as typeof res.write
        res.end = ((...args: unknown[]) => Reflect.apply(end, res, args) as typeof res) as typeof res.end
      }
      intercept(res, keeper(seen, 'second'))
      res.writeHead(201, { 'content-type': 'text/plain' })
      res.write('he')
      expect([res.headersSent, res.writableEnded]).toEqual([true, false])
      res.end('llo')
      expect(res.writableEnded).toBe(true)
    })
    const reply = await send(server.url, {})
    await server.close()
    expect([reply.status, reply.text]).toEqual([201, 'hello'])
    expect(seen).toEqual(['second hello', 'first hello'])
  })

  it('let the later one refuse', async () => {
    const server = await serve((_req, res) => {
      intercept(res, keeper([], 'first'))
      intercept(res).refuse(451, { 'content-type': 'text/plain' }, 'no')
      res.end('hello')
    })
    const reply = await send(server.url, {})
    await server.close()
    expect(reply.text).not.toContain('hello')
    expect([reply.status, reply.text]).toEqual([451, 'no'])
  })
})
