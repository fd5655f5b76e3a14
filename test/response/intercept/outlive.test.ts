// The guard's own answer outlives what a handler does to the connection after it.
import type { ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import type { Hold, ResponseController } from '../../../src/response/hold.js'
import { intercept } from '../../../src/response/intercept/index.js'
import { ask, serving } from '../../helpers/apps.js'
import type { Reply } from '../../helpers/http.js'

const HOLD: Hold = { write: () => undefined, end: () => undefined, fail: () => undefined, gone: () => undefined }

function answered(act: (res: ServerResponse, exit: ResponseController) => void): Promise<Reply> {
  return serving(
    (_req, res) => {
      let exit: ResponseController | undefined
      intercept(res, (controller) => {
        exit = controller
        return HOLD
      })
      res.write('UNSAFE')
      act(res, exit!)
    },
    ({ url }) => ask(url),
  )
}

describe.each<[string, (res: ServerResponse) => void]>([
  ['destroys its response', (res) => void res.destroy()],
  ['destroys its response with an error', (res) => void res.destroy(new Error('enough'))],
  ['destroys its connection', (res) => void res.req.socket.destroy()],
])('A handler that %s', (_how, destroy) => {
  it('does not take a refusal back that came before its end', async () => {
    // More than the buffers of the system take at once.
    const body = 'no '.repeat(6_000_000)
    const got = await answered((res, exit) => {
      exit.refuse(451, {}, body)
      destroy(res)
    })
    expect([got.status, got.complete, got.text === body]).toEqual([451, true, true])
  })

  it('does not take the last words of a cut stream back', async () => {
    const got = await answered((res, exit) => {
      exit.release(Buffer.from('so '))
      exit.cut('no more')
      destroy(res)
    })
    expect([got.status, got.complete, got.text]).toEqual([200, true, 'so no more'])
  })
})
