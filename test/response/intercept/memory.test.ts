// What an intercepted response keeps in memory once its reply has left. Node may keep the response for longer.
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { expect, it } from 'vitest'
import type { Hold, ResponseController } from '../../../src/response/context.js'
import { intercept } from '../../../src/response/intercept/index.js'
import { send, serve } from '../../helpers/http.js'
import { alive, turn } from '../alive.js'

const SIZE = 1 << 20

it('A response that has finished keeps no bytes of its reply', async () => {
  const refs: WeakRef<Buffer>[] = []
  const fresh = (): Buffer => {
    const bytes = Buffer.alloc(SIZE, 'x')
    refs.push(new WeakRef(bytes))
    return bytes
  }
  const kept: ServerResponse[] = []
  /** Keeps nothing itself: it sends other bytes of the same length. */
  const hold = (controller: ResponseController): Hold => ({
    write: () => void controller.release(fresh()),
    end: () => controller.finish(fresh()),
    fail: () => undefined,
    gone: () => undefined,
  })
  const server = await serve((_req, res) => {
    kept.push(res)
    intercept(res, hold)
    res.write(fresh())
    res.end(fresh())
  })
  const reply = await send(server.url)
  if (!kept[0]!.writableFinished) await once(kept[0]!, 'finish')
  await turn()
  expect([reply.body.length, kept.length, refs.length]).toEqual([2 * SIZE, 1, 4])
  expect(await alive(refs)).toBe(0)
  await server.close()
})
