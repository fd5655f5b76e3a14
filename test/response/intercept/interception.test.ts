// What a handler is told while its reply is held or refused, and whether the connection lives on.
import type { ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import { intercept } from '../../../src/response/intercept/index.js'
import type { ResponseController } from '../../../src/response/context.js'
import { ask, guarded, SERVERS, serving } from '../../helpers/apps.js'
import { chat, serve, type Reply } from '../../helpers/http.js'
import { rawClient } from '../../helpers/raw.js'
import { IDLE } from '../fake-response.js'

/** Serves one reply of a hold that is full from its first byte on. `act` gets what the handler has heard so far. */
async function full(act: (exit: ResponseController, heard: string[]) => Promise<void>): Promise<Reply> {
  const heard: string[] = []
  let acted = Promise.resolve()
  const server = await serve((_req, res) => {
    let exit: ResponseController | undefined
    intercept(res, (controller) => {
      exit = controller
      return { ...IDLE, full: true }
    })
    res.on('drain', () => heard.push('drain'))
    heard.push(`write ${res.write('word', () => heard.push('callback'))}`)
    acted = act(exit!, heard)
    acted.catch(() => res.destroy())
  })
  try {
    const reply = await ask(server.url).catch(() => undefined)
    await acted
    return reply!
  } finally {
    await server.close()
  }
}
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('A handler that is told to wait', () => {
  it('goes on when the hold has room', async () => {
    const reply = await full(async (exit, heard) => {
      await turn()
      expect(heard).toEqual(['write false'])
      exit.drained()
      await turn()
      expect(heard.sort()).toEqual(['callback', 'drain', 'write false'])
      exit.drained()
      await turn()
      expect(heard).toHaveLength(3)
      exit.finish(Buffer.from('word'))
    })
    expect(reply.text).toBe('word')
  })

  it('hears of no room once its reply has left', async () => {
    const reply = await full(async (exit, heard) => {
      exit.finish(Buffer.from('other'))
      await turn()
      const before = [...heard]
      exit.drained()
      await turn()
      expect(heard).toEqual(before)
    })
    expect(reply.text).toBe('other')
  })

  it('goes on when its reply is refused, so that it does not wait for ever', async () => {
    const reply = await full(async (exit, heard) => {
      exit.refuse(451, {}, 'no')
      await turn()
      expect(heard.sort()).toEqual(['callback', 'drain', 'write false'])
      exit.drained()
      await turn()
      expect(heard).toHaveLength(3)
    })
    expect([reply.status, reply.text]).toEqual([451, 'no'])
  })
})

describe('The connection of a refused reply', () => {
  it.each<[string, string, (res: ServerResponse) => void]>([
    ['lives on without a handler', 'keep-alive', (res) => intercept(res).refuse(451, {}, 'no')],
    [
      'lives on when the handler has ended',
      'keep-alive',
      (res) => {
        const exit = intercept(res, () => IDLE)
        res.end('word')
        exit.refuse(451, {}, 'no')
      },
    ],
    [
      'is closed while the handler runs',
      'close',
      (res) => {
        const exit = intercept(res, () => IDLE)
        res.write('word')
        exit.refuse(451, {}, 'no')
      },
    ],
  ])('%s', async (_how, connection, answer) => {
    const server = await serve((_req, res) => answer(res))
    const client = await rawClient(server.port)
    client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    const got = await client.until(/\r\n\r\nno$/)
    client.leave()
    await server.close()
    expect(/^connection: (.*)\r$/im.exec(got)?.[1]).toBe(connection)
  })
})

describe.each(SERVERS)('On %s callbacks and events', (_name, mount) => {
  it.each([
    ['a chunk', ['c']],
    ['a chunk and its encoding', ['c', 'utf8']],
    ['nothing', []],
  ])('come in the order that Node gives them, for an end with %s', async (_what, args) => {
    const heard = async (middlewares: readonly ReturnType<typeof guarded>[]): Promise<string[]> => {
      const events: string[] = []
      const listener = mount(middlewares, (_req, res) => {
        res.on('finish', () => events.push('finish before'))
        res.write('a', () => events.push('write'))
        Reflect.apply(res.end, res, [...args, () => events.push('end')])
        res.on('finish', () => events.push('finish after'))
        res.on('close', () => events.push('close'))
      })
      await serving(listener, async ({ url }) => {
        await ask(`${url}/v1/chat/completions`, { body: chat('hi') })
        await turn()
      })
      return events.filter((event) => event !== 'close')
    }
    expect(await heard([guarded()])).toEqual(await heard([]))
  })
})
