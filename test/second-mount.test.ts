// Several mounts on one request: the strictest counts, and mounts with the same settings are one.
import compression from 'compression'
import express from 'express'
import { describe, expect, it, vi } from 'vitest'
import { guardFetch } from '../src/fetch/index.js'
import type { LlamaGuardOptions } from '../src/options/index.js'
import type { GuardedRequest } from '../src/types.js'
import { ask, EXPRESSES, guarded, onExpress, serving } from './helpers/apps.js'
import { markerGuard, memoryLogger } from './helpers/guards.js'
import { chat, chunk, completion, decoded, type Reply } from './helpers/http.js'
import { few } from './helpers/sampled.js'

const PATH = '/v1/chat/completions'
const SHADOW: LlamaGuardOptions = { mode: 'shadow' }
const FLAGS: LlamaGuardOptions = { policy: { actions: { O3: 'flag' } } }
const LATER: LlamaGuardOptions = { mode: 'shadow', parallel: true }
const AT_ONCE: LlamaGuardOptions = { mode: 'shadow', streaming: 'async' }
const OUTPUT_ALONE: LlamaGuardOptions = { check: ['output'] }
const INPUT_ALONE: LlamaGuardOptions = { check: ['input'] }
const BLIND: LlamaGuardOptions = { guard: markerGuard({ marker: /nothing/ }) }

const PAIRS: Readonly<Record<string, readonly LlamaGuardOptions[]>> = {
  'shadow, then enforce': [SHADOW, {}],
  'enforce, then shadow': [{}, SHADOW],
  'flag, then block': [FLAGS, {}],
  'block, then flag': [{}, FLAGS],
  'shadow with parallel, then enforce': [LATER, {}],
  'shadow of released streams, then enforce': [AT_ONCE, {}],
  'output, then both': [OUTPUT_ALONE, {}],
  'input, then both': [INPUT_ALONE, {}],
  'another guard that sees nothing, then enforce': [BLIND, {}],
  'enforce, then another guard that sees nothing': [{}, BLIND],
  'open, then closed': [{ onError: 'open' }, {}],
  'shadow, then enforce in parallel': [SHADOW, { parallel: true }],
  'shadow of whole replies, then enforce': [{ mode: 'shadow', streaming: 'full' }, {}],
  'shadow, flag, then enforce': [SHADOW, FLAGS, {}],
}

function app(module: typeof express, mounts: readonly LlamaGuardOptions[], word: string): express.Express {
  const site = module()
  site.set('env', 'test')
  const guard = markerGuard()
  const guards = mounts.map((options) => guarded({ guard, expose: 'verdict', ...options }))
  for (const guard of guards.slice(0, -1)) site.use(guard)
  site.use(module.json())
  site.post(PATH, guards.at(-1)!, (req, res) => {
    if ((req.body as { stream?: boolean }).stream !== true) return void res.json(completion(word))
    res.type('text/event-stream')
    res.write(chunk({ content: word }))
    res.end(`${chunk({}, { finish: 'stop' })}data: [DONE]\n\n`)
  })
  return site
}

const asked = (listener: express.Express, text: string, extra = {}): Promise<Reply> =>
  serving(listener, ({ url }) => ask(url + PATH, { body: chat(text, extra) }))

describe.each(few(EXPRESSES, 1))('%s', (_name, module) => {
  describe.each(Object.entries(PAIRS))('%s', (_pair, mounts) => {
    it.each([[{}], [{ stream: true }]])('refuses input that one of them refuses: %o', async (extra) => {
      const reply = await asked(app(module, mounts, 'fine'), 'UNSAFE', extra)
      expect([reply.status, reply.headers['llama-guard']]).toEqual([451, expect.stringContaining('input=unsafe')])
      expect(reply.text).not.toContain('fine')
    })

    it('refuses a reply that one of them refuses', async () => {
      const reply = await asked(app(module, mounts, 'UNSAFE'), 'hi')
      expect([reply.status, reply.headers['llama-guard']]).toEqual([451, expect.stringContaining('output=unsafe')])
      expect(reply.text).not.toContain('UNSAFE')
    })

    it('keeps from a stream what one of them refuses', async () => {
      const reply = await asked(app(module, mounts, 'UNSAFE'), 'hi', { stream: true })
      expect(reply.text).not.toContain('UNSAFE')
      expect(reply.text).toContain('O3')
    })

    it('lets through what all find safe, as it is', async () => {
      for (const extra of [{}, { stream: true }]) {
        const plain = await asked(app(module, [{ skip: () => true }], 'fine'), 'hi', extra)
        const reply = await asked(app(module, mounts, 'fine'), 'hi', extra)
        expect([reply.status, reply.text]).toEqual([200, plain.text])
        // The head of a stream in `async` leaves before there is a verdict.
        const later = 'stream' in extra && mounts.includes(AT_ONCE)
        const named = later ? 'unjudged;code="streaming_async"' : 'safe'
        expect(reply.headers['llama-guard']).toBe(`input=safe, output=${named}`)
      }
    })
  })
})

it.each(Object.entries(PAIRS))('refuses what the strictest could not judge: %s', async (_pair, mounts) => {
  const { status, headers } = await asked(app(express, [...mounts, {}], 'BROKEN'), 'hi')
  expect([status, headers['llama-guard']]).toEqual([503, expect.stringContaining('output=unjudged')])
})

it('names that the upstream of the inner mount is down', async () => {
  for (const extra of [{}, { stream: true }]) {
    const reply = await asked(app(express, [INPUT_ALONE, { upstream: 'http://127.0.0.1:9' }], 'fine'), 'hi', extra)
    const named = 'input=safe, output=unjudged;code="upstream_unavailable"'
    expect([reply.status, reply.headers['llama-guard']]).toEqual([503, named])
  }
})

it('holds between mounts that compress, for events too', async () => {
  for (const [word, extra] of [
    ['UNSAFE', {}],
    ['UNSAFE', { stream: true }],
    ['fine', {}],
    ['fine', { stream: true }],
  ] as const) {
    const site = express()
    site.use(guarded(SHADOW), compression({ threshold: 0 }) as express.RequestHandler)
    site.use(app(express, [{}], word))
    const reply = await serving(site, ({ url }) =>
      ask(url + PATH, { body: chat('hi', extra), headers: { 'accept-encoding': 'gzip' } }),
    )
    expect(reply.complete).toBe(true)
    expect([word, decoded(reply).includes(word)]).toEqual([word, word === 'fine'])
  }
})

it('counts the strictest of guards around each other with guardFetch', async () => {
  for (const mounts of [
    [SHADOW, {}],
    [{}, SHADOW],
  ])
    for (const [asks, says, status] of [
      ['UNSAFE', 'fine', 451],
      ['hi', 'UNSAFE', 451],
      ['hi', 'fine', 200],
    ] as const) {
      const inner = guardFetch(() => Response.json(completion(says)), guarded(mounts[1]))
      const outer = guardFetch(inner, guarded(mounts[0]))
      const headers = { 'content-type': 'application/json' }
      const request = new Request(`https://a.example${PATH}`, {
        method: 'POST',
        headers,
        body: JSON.stringify(chat(asks)),
      })
      const reply = await outer(request)
      expect([reply.status, reply.headers.get('llama-guard')?.includes('unsafe')]).toEqual([status, status === 451])
    }
})

describe('mounts with the same settings', () => {
  it('judge once, and record once', async () => {
    const guard = markerGuard()
    const logger = memoryLogger()
    const options = { guard, logger, windowChars: 100, dialects: ['openai-chat'] }
    const reply = await serving(
      onExpress(express)([guarded(options), guarded({ ...options, dialects: ['openai-chat'] })], (_req, res) => {
        res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(completion('fine')))
      }),
      ({ url }) => ask(url + PATH, { body: chat('hi') }),
    )
    expect([reply.status, guard.asked.length, logger.lines.length]).toEqual([200, 2, 2])
  })

  it('judge the parameters of a route that the first could not know', async () => {
    const guard = guarded()
    const site = express()
    site.use(guard)
    site.post('/:topic/v1/chat/completions', guard, (_req, res) => void res.json(completion('fine')))
    const [bad, fine] = await serving(site, async ({ url }) => [
      await ask(`${url}/UNSAFE${PATH}`, { body: chat('hi') }),
      await ask(`${url}/garden${PATH}`, { body: chat('hi') }),
    ])
    expect([bad.status, fine.status]).toEqual([451, 200])
  })
})

it.each([
  ['the outer one', [OUTPUT_ALONE, SHADOW]],
  ['the inner one', [SHADOW, OUTPUT_ALONE]],
])('shows the handler the stricter decision, and a signal that any of them aborts: %s', async (_, mounts) => {
  const states: GuardedRequest['llamaGuard'][] = []
  const signals: boolean[] = []
  await serving(
    onExpress(express)(mounts.map(guarded), (req, res) => {
      const state = (req as GuardedRequest).llamaGuard!
      states.push(state)
      state.signal.addEventListener('abort', () => signals.push(true))
      res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(completion('UNSAFE')))
    }),
    ({ url }) => ask(url + PATH, { body: chat('UNSAFE') }),
  )
  expect([states[0]?.input?.outcome.state, states[0]?.output?.action, signals]).toEqual(['unsafe', 'block', [true]])
})

it.each([
  ['shadow, then enforce', SHADOW, {}],
  ['enforce, then shadow', {}, SHADOW],
])('counts the strictest of two copies of the package: %s', async (_pair, first, second) => {
  vi.resetModules()
  const { llamaGuard } = await import('../src/llama-guard.js')
  for (const [asks, says, status] of [
    ['UNSAFE', 'fine', 451],
    ['hi', 'UNSAFE', 451],
    ['hi', 'fine', 200],
  ] as const) {
    const reply = await serving(
      onExpress(express)(
        [guarded(first), llamaGuard({ guard: markerGuard(), logger: false, ...second })],
        (_req, res) => {
          res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(completion(says)))
        },
      ),
      ({ url }) => ask(url + PATH, { body: chat(asks) }),
    )
    expect([asks, says, reply.status]).toEqual([asks, says, status])
  }
})
