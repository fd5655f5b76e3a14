// The methods of a middleware, beside what it does with requests.
import { describe, expect, it } from 'vitest'
import { ask, guarded, onNode, serving } from './helpers/apps.js'
import { markerGuard, memoryLogger } from './helpers/guards.js'
import { chat, completion, sleep } from './helpers/http.js'
import { post, rawClient } from './helpers/raw.js'
import type { LlamaGuardOptions } from '../src/options/index.js'
import type { VerdictEvent } from '../src/types.js'

describe('judge', () => {
  it('judges a text as a request unless it is told that it is a reply', async () => {
    const stages: unknown[] = []
    const guard = markerGuard()
    const { judge } = guard
    guard.judge = (conversation, options) => {
      stages.push(options.stage)
      return judge.call(guard, conversation, options)
    }
    const middleware = guarded({ guard })
    const turns = [{ role: 'User', text: 'hi' }] as const
    await middleware.judge(turns)
    await middleware.judge(turns, {})
    await middleware.judge(turns, { stage: 'output' })
    expect(stages).toEqual(['input', 'input', 'output'])
  })
})

it('A middleware that is closed closes its dashboards.', async () => {
  const middleware = guarded()
  await serving(
    onNode([middleware.dashboard()], () => undefined),
    async ({ url }) => {
      expect((await ask(url)).status).toBe(200)
      await middleware.close()
      expect((await ask(url)).status).toBe(503)
    },
  )
})

describe('A middleware that is mounted twice', () => {
  it('judges nothing again, and records nothing', async () => {
    const logger = memoryLogger()
    const guard = guarded({ logger })
    const handler = onNode(
      [guard, guard],
      (_req, res) =>
        void res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(completion('fine'))),
    )
    const { status, headers } = await serving(handler, ({ url }) =>
      ask(`${url}/v1/chat/completions`, { body: chat('hi') }),
    )
    expect([status, headers['llama-guard']]).toEqual([200, 'input=safe, output=safe'])
    expect(guard.guard.texts()).toEqual(['hi', 'fine'])
    expect(logger.lines).toHaveLength(2)
  })
})

describe('A request that cannot be read', () => {
  const asked = (path: string, options: LlamaGuardOptions = {}): ReturnType<typeof ask> =>
    serving(
      onNode([guarded(options)], (_req, res) => void res.end(JSON.stringify(completion('fine')))),
      ({ url }) => ask(url + path, { body: '{"messages": [', headers: { 'content-type': 'application/json' } }),
    )

  it('is refused in the envelope of the API of its path', async () => {
    const openai = await asked('/v1/chat/completions')
    expect([openai.status, openai.headers['llama-guard']]).toEqual([400, 'input=unjudged;code="invalid_json"'])
    expect(openai.json().error).toMatchObject({ code: 'invalid_json' })
    const anthropic = await asked('/v1/messages')
    expect([anthropic.status, anthropic.json().type]).toEqual([400, 'error'])
  })

  it('passes in shadow mode, and its client is told that it was not judged', async () => {
    const { status, headers, text } = await asked('/v1/chat/completions', { mode: 'shadow' })
    expect([status, headers['llama-guard']]).toEqual([200, 'input=unjudged;code="invalid_json"'])
    expect(text).toContain('fine')
  })

  it('because its client has left says nothing about the guard', async () => {
    const events: VerdictEvent[] = []
    let ran = 0
    const middleware = guarded({ onVerdict: (event) => void events.push(event) })
    await serving(
      onNode([middleware], () => void ran++),
      async ({ port }) => {
        const client = await rawClient(port)
        client.write(
          'POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{',
        )
        await sleep(30)
        client.leave()
        await sleep(30)
      },
    )
    expect([events, ran]).toEqual([[], 0])
  })
})

it.each(['closed', 'open'] as const)(
  'A client that leaves while its request is judged costs no call of the handler and tells no verdict, with onError %s.',
  async (onError) => {
    let ran = 0
    const events: VerdictEvent[] = []
    const onVerdict = (event: VerdictEvent): void => void events.push(event)
    const middleware = guarded({ guard: markerGuard({ delay: 40 }), onError, onVerdict })
    await serving(
      onNode([middleware], () => void ran++),
      async ({ port }) => {
        const client = await rawClient(port)
        client.write(post(chat('hi')))
        await sleep(20)
        client.leave()
        await sleep(60)
      },
    )
    expect([middleware.guard.texts(), ran, events]).toEqual([['hi'], 0, []])
  },
)
