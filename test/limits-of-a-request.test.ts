// What one request may cost, and that no length, number or order of its messages turns the guard off: on the wire,
// with the real SDK and the emulated endpoint.
import { brotliCompressSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { LlamaGuardOptions } from '../src/index.js'
import { ask, onNode, serving } from './helpers/apps.js'
import { emulated, type Emulated } from './helpers/emulated.js'
import { completion } from './helpers/http.js'

const PATH = '/v1/chat/completions'
let at: Emulated
beforeAll(async () => {
  at = await emulated()
})
afterAll(() => at.close())
beforeEach(() => at.emulator.reset())

/** Status and body of one chat, whether its handler ran, and the guard calls it took. */
async function sendChat(messages: readonly object[], options: LlamaGuardOptions = {}) {
  let handled = false
  const guard = at.guard({ check: ['input'], ...options })
  const listener = onNode([guard], (_req, res) => {
    handled = true
    res.setHeader('content-type', 'application/json').end(JSON.stringify(completion('fine')))
  })
  const reply = await serving(listener, ({ url }) => ask(url + PATH, { body: { model: 'demo', messages } }))
  return { status: reply.status, code: reply.json().error?.code as string, handled, calls: at.emulator.requests.length }
}
const user = (content: unknown): object => ({ role: 'user', content })
const assistant = (content: string): object => ({ role: 'assistant', content })
const words = (count: number): string => Array.from({ length: count }, (_, index) => `word${index}`).join(' ')

describe('a last turn without words', () => {
  it.each([' ', '\n', '\u200B', '\u2060', '\u3164'])(
    '(%j) does not hide what the client put in the mouth of the model',
    async (blank) => {
      for (const last of [
        user(blank),
        user([{ type: 'text', text: blank }]),
        { role: 'tool', tool_call_id: 'call_1', content: blank },
      ])
        for (const turns of ['last', 'all'] as const) {
          const { status, handled } = await sendChat([user('Hi'), assistant('UNSAFE_O3 words'), last], { turns })
          expect([status, handled]).toEqual([451, false])
        }
    },
  )
})

describe('an old turn that no prompt has room for', () => {
  it.each([
    ['user', user],
    ['assistant', assistant],
  ] as const)('is judged when it is of the %s', async (_name, say) => {
    const chat = [
      say('UNSAFE_O3'),
      ...Array.from({ length: 11 }, (_, index) => (index % 2 === 0 ? user : assistant)(words(150))),
    ]
    expect(await sendChat(chat)).toMatchObject({ status: 451, handled: false })
    at.emulator.reset()
    const fine = await sendChat(chat.slice(1))
    expect(fine).toMatchObject({ status: 200, handled: true })
  })
})

describe('a request that needs too many guard calls', () => {
  const LONG = [user(words(6000))]

  it.each([{ onError: 'open' }, {}, { parallel: true, onError: 'open' }] as const)(
    'is 413 too_many_checks and costs none, with %o',
    async (options) => {
      const reply = await sendChat(LONG, { maxChecks: 3, ...options })
      expect(reply).toEqual({ status: 413, code: 'too_many_checks', handled: false, calls: 0 })
    },
  )

  it('is 413 past 32 calls when the operator says nothing', async () => {
    expect(await sendChat([user(words(60_000))])).toMatchObject({ status: 413, code: 'too_many_checks', calls: 0 })
  })

  it('is let in when the operator allows as many', async () => {
    expect(await sendChat([user(words(6000))], { maxChecks: 1 })).toMatchObject({ status: 413 })
    expect(await sendChat([user(words(6000))], { maxChecks: 32 })).toMatchObject({ status: 200 })
  })

  it('counts system text, tools and turns together', async () => {
    const chat = [{ role: 'system', content: words(2000).toUpperCase() }, user(words(2000))]
    const { calls } = await sendChat(chat)
    at.emulator.reset()
    expect(await sendChat(chat, { maxChecks: calls - 1 })).toMatchObject({ code: 'too_many_checks', calls: 0 })
  })

  it.each(['the same words', 'other words'])(
    'is bound without a cache, and compressed: %s in each message',
    async (what) => {
      const body = JSON.stringify({
        messages: Array.from({ length: 400 }, (_, at) =>
          user(`${what === 'other words' ? at : ''} Please say it again. `.repeat(50)),
        ),
      })
      const sent = brotliCompressSync(body)
      expect(sent.length).toBeLessThan(body.length / 100)
      for (const turns of ['last', 'all'] as const) {
        at.emulator.reset()
        const guard = at.guard({ check: ['input'], cacheMax: 0, turns })
        const { status } = await serving(
          onNode([guard], (_req, res) => void res.end('{}')),
          ({ url }) =>
            ask(url + PATH, {
              body: sent,
              headers: {
                'content-type': 'application/json',
                'content-encoding': 'br',
                'content-length': String(sent.length),
              },
            }),
        )
        expect(at.emulator.requests.length).toBeLessThanOrEqual(32)
        expect(status).toBe(at.emulator.requests.length === 0 ? 413 : 200)
      }
    },
  )

  it('has the name of its own in `shadow` mode, which refuses nothing', async () => {
    expect(await sendChat(LONG, { maxChecks: 3, mode: 'shadow' })).toMatchObject({
      status: 200,
      handled: true,
      calls: 0,
    })
  })
})

describe('a text that is too long for an endpoint with hardly any context', () => {
  const text = words(400)

  it('is the fault of the client, which `onError: "open"` does not open', async () => {
    const small = await emulated({ contextTokens: 300 })
    try {
      for (const onError of ['closed', 'open'] as const) {
        const reply = await serving(
          onNode([small.guard({ onError })], (_req, res) => void res.end(JSON.stringify(completion('fine')))),
          ({ url }) => ask(url + PATH, { body: { messages: [user(text)] } }),
        )
        expect([reply.status, reply.json().error.code]).toEqual([413, 'guard_input_too_long'])
        expect(reply.headers['retry-after']).toBeUndefined()
      }
    } finally {
      await small.close()
    }
  })
})
