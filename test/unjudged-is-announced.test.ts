// Everything that passes unjudged is told, once, with its reason; and what was judged and what was not adds up to what
// came in.
import { Registry } from 'prom-client'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { ServerResponse } from 'node:http'
import { llamaGuard } from '../src/llama-guard.js'
import type { LlamaGuardOptions } from '../src/options/index.js'
import { metrics } from '../src/telemetry/prometheus/index.js'
import type { NotJudgedReason } from '../src/types.js'
import { listen, type Heard } from './helpers/channels.js'
import { markerGuard, memoryLogger } from './helpers/guards.js'
import { chat, completion, send, serve, type Running, type SendOptions } from './helpers/http.js'
import { withProtection } from '../src/options/protection.js'

const open: Running[] = []
let heard: Heard
beforeEach(() => void (heard = listen()))
afterEach(async () => {
  heard.stop()
  await Promise.all(open.splice(0).map((server) => server.close()))
})

const reply = (res: ServerResponse, body: object = completion('hello')): void =>
  void res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))

async function guarded(options: LlamaGuardOptions, handler: (res: ServerResponse) => void = reply): Promise<string> {
  const guard = llamaGuard({ guard: markerGuard(), logger: memoryLogger(), ...options }, {})
  const server = await serve((req, res) => guard(req, res, () => handler(res)))
  open.push(server)
  return server.url
}

interface Way {
  readonly options?: LlamaGuardOptions
  readonly path?: string
  readonly send?: SendOptions
  readonly handler?: (res: ServerResponse) => void
  readonly stage?: 'input' | 'output' | 'both'
}

const PICTURE = { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } }
const pictures = (count: number): object => ({
  messages: [{ role: 'user', content: [{ type: 'text', text: 'hi' }, ...Array<object>(count).fill(PICTURE)] }],
})
const SEALED = 'gAAAAABn'.repeat(20)
const body = (value: object): SendOptions => ({ body: value })

const WAYS: readonly (readonly [reason: string, what: string, count: number, way: Way])[] = [
  ['skip-hook', 'the hook skip said so', 1, { options: { skip: () => true } }],
  ['path', 'the path is not guarded', 1, { options: { paths: ['/guarded'] }, path: '/other' }],
  ['no-body', 'a GET has nothing to read', 1, { send: { method: 'GET' }, path: '/' }],
  ['unknown-body', 'the body is no chat', 1, { path: '/things', send: body({ colour: 'red' }) }],
  [
    'unknown-body',
    'a body that no stored reply asks for',
    1,
    { path: '/v1/responses/resp_1', send: { body: 'some words', headers: { 'content-type': 'text/plain' } } },
  ],
  ['empty', 'the body has no word', 1, { path: '/things', send: body({ n: 1 }), options: { unknown: 'judge' } }],
  ['stage-off', 'the input stage is off', 1, { options: { check: ['output'] } }],
  [
    'shadow-sample',
    'a request outside the sample of shadow mode',
    2,
    { options: { mode: { shadow: 0 } }, stage: 'both' },
  ],
  ['stage-off', 'the output stage is off', 1, { options: { check: ['input'] }, stage: 'output' }],
  ['no-body', 'the response has no body', 1, { handler: (res) => void res.writeHead(204).end(), stage: 'output' }],
  [
    'empty',
    'the reply has no word',
    1,
    {
      handler: (res) => void res.writeHead(200, { 'content-type': 'text/event-stream' }).end('data: [DONE]\n\n'),
      stage: 'output',
    },
  ],
  [
    'status',
    'the reply is an error in its own words',
    1,
    {
      handler: (res) =>
        void res
          .writeHead(429, { 'content-type': 'application/json' })
          .end('{"error":{"message":"Rate limit reached","type":"tokens","code":"rate_limit_exceeded","param":null}}'),
      stage: 'output',
    },
  ],
  ['image', 'images nobody looks at', 2, { options: { images: 'ignore' }, send: body(pictures(2)) }],
  [
    'stored-history',
    'turns that the vendor keeps',
    1,
    { path: '/v1/responses', send: body({ input: 'hi', previous_response_id: 'resp_68e1f0c2b4a881908c4d2b9f' }) },
  ],
  [
    'stored-history',
    'a conversation and items by their id',
    3,
    {
      path: '/v1/responses',
      send: body({
        conversation: 'conv_68e1f0c2b4a881908c4d2b9f',
        input: [
          { type: 'message', role: 'user', content: 'hi' },
          { type: 'item_reference', id: 'msg_68e1f0c2b4a881908c4d2b9f' },
          { id: 'msg_68e1f0c2b4a881908c4d2ba0' },
        ],
      }),
    },
  ],
  [
    'binary',
    'sealed reasoning',
    1,
    {
      path: '/v1/responses',
      send: body({
        input: [
          { type: 'reasoning', summary: [], encrypted_content: SEALED },
          { type: 'message', role: 'user', content: 'hi' },
        ],
      }),
    },
  ],
]

describe('What passes unjudged is told once, with its reason:', () => {
  it.each(WAYS)('%s, when it is about %s', async (what, _about, count, way) => {
    const { options = {}, path = '/v1/chat/completions', handler, stage = 'input' } = way
    const url = await guarded(options, handler)
    await send(url + path, way.send ?? { body: chat('hi') })
    await vi.waitFor(() => expect(heard.requests).toHaveLength(1))
    const told = heard.notJudged.map((each) => [each.what, each.count, each.stage])
    const wanted = stage === 'both' ? [[what, 1, 'input'], [what, 1, 'output']] : [[what, count, stage]] // prettier-ignore
    expect(told).toEqual(wanted)
    expect(heard.requests[0]!.notJudged).toEqual([{ what, count }])
  })

  it('nothing at all, when all of it was judged', async () => {
    await send(`${await guarded({})}/v1/chat/completions`, { body: chat('hi') })
    await vi.waitFor(() => expect(heard.requests).toHaveLength(1))
    expect(heard.notJudged).toEqual([])
    expect(heard.requests[0]).toMatchObject({ judged: true, notJudged: [], action: 'allow', status: 200 })
  })
})

describe('Every reason', () => {
  /** The compiler asks for a line when a reason is added. */
  const REASONS: Record<NotJudgedReason, true> = {
    'unknown-body': true,
    'no-body': true,
    path: true,
    'stage-off': true,
    'skip-hook': true,
    image: true,
    binary: true,
    empty: true,
    status: true,
    'stored-history': true,
    'shadow-sample': true,
  }

  it('has a way above on which it is told', () => {
    expect([...new Set(WAYS.map(([reason]) => reason))].sort()).toEqual(Object.keys(REASONS).sort())
  })

  it('and all of them in one process add up: judged and not judged are the requests, in events and in metrics', async () => {
    const { register, close } = metrics({ register: new Registry() })
    const sent: [options: LlamaGuardOptions, path: string, way: SendOptions, handler?: Way['handler']][] = [
      ...WAYS.map(([, , , way]): (typeof sent)[number] => [
        way.options ?? {},
        way.path ?? '/v1/chat/completions',
        way.send ?? { body: chat('hi') },
        way.handler,
      ]),
      ...['hi', 'UNSAFE', 'BROKEN'].map((text): (typeof sent)[number] => [
        { ...withProtection({ breaker: false }) },
        '/v1/chat/completions',
        { body: chat(text) },
      ]),
      [{}, '/v1/chat/completions', { body: '{"messages":' }],
      [{}, '/v1/chat/completions', { body: chat('hi') }, (res) => reply(res, completion('UNSAFE words'))],
      [{}, '/v1/chat/completions', { body: chat('hi') }, (res) => void res.destroy()],
    ]
    for (const [options, path, way, handler] of sent)
      await send((await guarded(options, handler)) + path, way).catch(() => undefined)
    await vi.waitFor(() => expect(heard.requests).toHaveLength(sent.length))
    expect(heard.requests.slice(-6).map(({ status, judged }) => [status, judged])).toEqual([
      [200, true],
      [451, true],
      [503, false],
      [400, false],
      [451, true],
      [0, true],
    ])
    const count = async (name: string, label: string): Promise<Record<string, number>> => {
      const found = await register.getSingleMetric(name)!.get()
      const sums: Record<string, number> = {}
      for (const { labels, value } of found.values) {
        const key = String((labels as Record<string, unknown>)[label])
        sums[key] = (sums[key] ?? 0) + value
      }
      return sums
    }
    const judged = heard.requests.filter((event) => event.judged).length
    expect(await count('llama_guard_requests_total', 'outcome')).toEqual({
      judged,
      'not-judged': sent.length - judged,
    })
    for (const event of heard.requests) expect(event.judged || event.notJudged.length > 0).toBe(true)
    const told: Record<string, number> = {}
    for (const { what, count: times } of heard.requests.flatMap(({ notJudged }) => notJudged))
      told[what] = (told[what] ?? 0) + times
    expect(await count('llama_guard_not_judged_total', 'reason')).toEqual(told)
    expect(Object.keys(told).sort()).toEqual([...Object.keys(REASONS), 'client-left', 'error'].sort())
    close()
  })
})

describe('One event for each request', () => {
  it('tells of a client that left before the verdict', async () => {
    const url = await guarded({ guard: markerGuard({ delay: 300 }) })
    const controller = new AbortController()
    const asked = fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(chat('hi')),
      signal: controller.signal,
    }).catch(() => undefined)
    setTimeout(() => controller.abort(), 100)
    await asked
    await vi.waitFor(() => expect(heard.requests).toHaveLength(1))
    expect(heard.requests[0]).toMatchObject({
      judged: false,
      status: 0,
      stages: [],
      notJudged: [{ what: 'client-left', count: 1 }],
    })
  })

  it('is one also where the middleware is mounted twice and passes the first time', async () => {
    let seen = 0
    const guard = llamaGuard({ guard: markerGuard(), logger: memoryLogger(), skip: () => seen++ === 0 }, {})
    const server = await serve((req, res) => guard(req, res, () => guard(req, res, () => reply(res))))
    open.push(server)
    await send(`${server.url}/v1/chat/completions`, { body: chat('hi') })
    await vi.waitFor(() => expect(heard.requests).toHaveLength(1))
    expect(heard.requests[0]!.judged).toBe(true)
    expect(heard.requests[0]!.stages.map(({ verdict }) => verdict)).toEqual(['safe', 'safe'])
  })

  it('waits for the last verdict of an async stream, which comes after its last byte', async () => {
    const url = await guarded(
      { streaming: 'async', guard: markerGuard({ delay: () => 150 }) },
      (res) =>
        void res
          .writeHead(200, { 'content-type': 'text/event-stream' })
          .end('data: {"choices":[{"index":0,"delta":{"content":"some words"}}]}\n\ndata: [DONE]\n\n'),
    )
    await send(`${url}/v1/chat/completions`, { body: { ...chat('hi'), stream: true } })
    await vi.waitFor(() => expect(heard.requests).toHaveLength(1))
    expect(heard.requests[0]!.stages.map(({ stage, verdict }) => [stage, verdict])).toEqual([
      ['input', 'safe'],
      ['output', 'safe'],
    ])
    expect(heard.requests[0]).toMatchObject({ stream: true, amount: { choices: 1, pieces: 2 } })
  })
})
