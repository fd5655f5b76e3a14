// /v1/moderations as OpenAI's own client sees it, over real HTTP, and with requests that must not read as safe.
import { llamaGuard, moderations, type LlamaGuardOptions } from '../../src/index.js'
import express from 'express'
import OpenAI, { APIError } from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { LlamaGuardError } from '../../src/types/errors.js'
import type { Judge } from '../../src/guard/index.js'
import { moderationsOf } from '../../src/moderations/index.js'
import { parseOptions } from '../../src/options/config.js'
import type { Category, Conversation, Verdict } from '../../src/types.js'
import { onNode, saying, serving } from '../helpers/apps.js'
import { markerGuard } from '../helpers/guards.js'
import { serve, type Running } from '../helpers/http.js'
import { post as rawPost, rawClient } from '../helpers/raw.js'
import { judgeOf, guardThat, never, sleep } from '../guard/fake-guards.js'
import { withProtection } from '../../src/options/protection.js'

const categories: Category[] = [
  { id: 'S1', name: 'Violent Crimes' },
  { id: 'S5', name: 'Defamation', action: 'flag' },
  { id: 'S9', name: 'Twins' },
  { id: 'S10', name: 'Twins' },
]

let server: Running
let client: OpenAI
let url: string
let theJudge: Judge
let vision = false
let seen: Conversation[]

const judge = async (_call: number, conversation: Conversation): Promise<Verdict> => {
  seen.push(conversation)
  const { text } = conversation[0] ?? { text: '' }
  if (text.includes('DOWN')) throw new LlamaGuardError('guard_throttled', `DOWN for ${text}`, { retryAfter: 7 })
  await sleep(text.length % 3)
  const found = /UNSAFE_(\w+)(?:@([\d.]+))?/.exec(text)
  if (!found) return { safe: true, categories: [], score: 0.01 }
  const id = found[1] ?? ''
  const known = categories.some((category) => category.id === id)
  return {
    safe: false,
    categories: known ? [id] : [],
    ...(!known && { unknown: [id] }),
    ...(found[2] && { score: Number(found[2]) }),
  }
}

beforeAll(async () => {
  const guard = {
    config: { ...parseOptions({ guard: 'local' }, {}), maxBodyBytes: 10_000 },
    judge: { judge: (...asked: Parameters<Judge['judge']>) => theJudge.judge(...asked) } as Judge,
    categories,
    model: 'llama-guard-3-8b',
  }
  const app = express()
  app.use('/parsed', express.json())
  app.use((req, res, next) => {
    if (req.headers['x-limit'] !== undefined) setTimeout(() => res.status(503).end('late'), 1)
    next()
  })
  for (const path of ['/v1/moderations', '/parsed/moderations']) {
    app.use(path, (req, res, next) => moderationsOf({ ...guard, vision })(req, res, next))
  }
  app.use((_req, res) => void res.status(404).json({ passed: true }))
  server = await serve(app)
  ;({ url } = server)
  client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'unused', maxRetries: 0 })
})
beforeEach(() => {
  seen = []
  vision = false
  theJudge = judgeOf(guardThat(judge), { maxAttempts: 1 })
})
afterAll(() => server.close())

const post = (body: string, headers = {}): Promise<Response> =>
  fetch(`${url}/v1/moderations`, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } })

describe('client.moderations.create', () => {
  it('gets a result with the categories of the guard', async () => {
    const answer = await client.moderations.create({ input: 'please UNSAFE_S1@0.9' })
    expect(answer.id).toMatch(/^modr-/)
    expect(answer.model).toBe('llama-guard-3-8b')
    expect(answer.results).toEqual([
      {
        flagged: true,
        categories: { 'Violent Crimes': true, Defamation: false, S9: false, S10: false },
        category_scores: { 'Violent Crimes': 0.9, Defamation: 0, S9: 0, S10: 0 },
        category_applied_input_types: { 'Violent Crimes': ['text'], Defamation: ['text'], S9: ['text'], S10: ['text'] },
      },
    ])
  })
  it('gets one result per text, in order', async () => {
    const input = Array.from({ length: 30 }, (_, index) => (index % 3 === 0 ? `UNSAFE_S1 ${index}` : `fine ${index}`))
    const { results } = await client.moderations.create({ input })
    expect(results.map(({ flagged }) => flagged)).toEqual(input.map((text) => text.startsWith('UNSAFE')))
  })
  it('gets one result for all parts together', async () => {
    vision = true
    const { results } = await client.moderations.create({
      input: [
        { type: 'text', text: 'look' },
        { type: 'image_url', image_url: { url: 'data:image/png;base64,AA' } },
        { type: 'text', text: 'UNSAFE_S5' },
      ],
    })
    expect(results).toHaveLength(1)
    expect(results[0]).toMatchObject({
      flagged: true,
      categories: { Defamation: true },
      category_scores: { Defamation: 1 },
      category_applied_input_types: { Defamation: ['text', 'image'] },
    })
    expect(seen).toEqual([[{ role: 'User', text: 'look\nUNSAFE_S5', images: [{ url: 'data:image/png;base64,AA' }] }]])
  })
  it('sees categories that the policy does not know', async () => {
    const { results } = await client.moderations.create({ input: 'UNSAFE_S77' })
    expect(results[0]).toMatchObject({
      flagged: true,
      categories: { S77: true, 'Violent Crimes': false },
      category_scores: { S77: 1 },
    })
  })
  it('is told when the guard could not judge, and gets no half an answer', async () => {
    const error: unknown = await client.moderations
      .create({ input: ['fine', 'DOWN', 'fine too'] })
      .catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(APIError)
    expect(error).toMatchObject({ status: 503, code: 'guard_throttled', type: 'guard_unavailable' })
    expect((error as APIError).headers?.get('retry-after')).toBe('7')
    // The words of a guard's error are for the operator.
    expect((error as APIError).message).not.toContain('DOWN')
  })
  it('is told when the guard reads no images', async () => {
    const error: unknown = await client.moderations
      .create({ input: [{ type: 'image_url', image_url: { url: 'https://example.com/a.png' } }] })
      .catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ status: 400, code: 'unsupported_content', param: 'input' })
  })
})

describe('a request', () => {
  it('works behind a body parser as well', async () => {
    const response = await fetch(`${url}/parsed/moderations`, {
      method: 'POST',
      body: '{"input":"UNSAFE_S1"}',
      headers: { 'content-type': 'application/json' },
    })
    expect(await response.json()).toMatchObject({ results: [{ flagged: true }] })
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(seen).toEqual([[{ role: 'User', text: 'UNSAFE_S1' }]])
  })
  it('with another method goes on', async () => {
    expect(await (await fetch(`${url}/v1/moderations`)).json()).toEqual({ passed: true })
  })
  it.each([
    ['no body', ''],
    ['no JSON', 'input=hello'],
    ['broken JSON', '{"input":'],
    ['no input', '{}'],
    ['null', '{"input":null}'],
    ['a number', '{"input":1}'],
    ['an empty list', '{"input":[]}'],
    ['an empty text', '{"input":""}'],
    ['white space only', '{"input":["fine"," \\n"]}'],
    ['token ids', '{"input":[1,2,3]}'],
    ['a text among parts', '{"input":["fine",{"type":"text","text":"UNSAFE_S1"}]}'],
    ['an unknown part', '{"input":[{"type":"audio","text":"fine"}]}'],
    ['an image without an address', '{"input":[{"type":"image_url","image_url":{"url":""}}]}'],
    ['a part without text', '{"input":[{"type":"text"}]}'],
    ['the key twice', '{"input":"UNSAFE_S1","input":"fine"}'],
    ['too many', JSON.stringify({ input: Array.from({ length: 65 }, () => 'fine') })],
    ['a list as body', '["fine"]'],
  ])('with %s is a 400 in the envelope of OpenAI', async (_name, body) => {
    const response = await post(body)
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({
      error: {
        type: 'invalid_request_error',
        param: 'input',
        message: expect.stringMatching(/Send \{"input": "text"\}|JSON|a key twice/) as string,
        code: expect.stringMatching(/^(unreadable_request|invalid_json)$/) as string,
      },
    })
    expect(seen).toEqual([])
  })
  it('that is too large is a 413, and the next one on its connection is answered', async () => {
    const client = await rawClient(server.port)
    const path = '/v1/moderations'
    client.write(rawPost({ input: 'x'.repeat(300_000) }, { path }) + rawPost({ input: 'UNSAFE_S1' }, { path }))
    await client.until(/^HTTP\/1\.1 413[^]*HTTP\/1\.1 200[^]*"flagged":true/)
    client.leave()
  })
})

it('moderations() of its own can be closed, and its guard with it', async () => {
  let closed = 0
  const handler = moderations({
    guard: { judge: async () => ({ safe: true, categories: [] }), close: () => void (closed += 1) },
  })
  await handler.close()
  expect(closed).toBe(1)
})

describe('guard.moderations()', () => {
  const ask = async (input: unknown, options: LlamaGuardOptions): Promise<Response> => {
    const handler = llamaGuard(
      { logger: false, ...withProtection({ breaker: false }), ...withProtection({ maxAttempts: 1 }), ...options },
      {},
    ).moderations()
    return serving(
      onNode([handler], () => undefined),
      ({ url }) => fetch(url, { method: 'POST', body: JSON.stringify({ input }) }),
    )
  }
  const guard = guardThat((call) => judge(call, [{ role: 'User', text: 'UNSAFE_S1' }]))

  it('judges a long list on a guard that takes one call at a time, which is idle, and answers others meanwhile', async () => {
    const guard = markerGuard({ delay: 20 })
    const middleware = llamaGuard({ guard, logger: false, concurrency: 1 })
    await serving(onNode([middleware.moderations()], saying()), async ({ url }) => {
      const input = Array.from({ length: 64 }, (_, number) => (number === 40 ? 'UNSAFE' : `text ${number}`))
      const list = fetch(url, { method: 'POST', body: JSON.stringify({ input }) })
      await vi.waitFor(() => expect(guard.asked.length).toBeGreaterThan(8))
      // Four requests may wait.
      const others = await Promise.all(
        ['a', 'b', 'c'].map((text) => fetch(url, { method: 'POST', body: JSON.stringify({ input: text }) })),
      )
      expect(others.map(({ status }) => status)).toEqual([200, 200, 200])
      expect(guard.asked.length).toBeLessThan(40)
      const { results } = (await (await list).json()) as { results: { flagged: boolean }[] }
      expect(results.map(({ flagged }) => flagged)).toEqual(input.map((text) => text === 'UNSAFE'))
    })
    await middleware.close()
  })

  it('flags what is unsafe and fails where nothing was judged, whatever passes on its chats', async () => {
    const broken = guardThat(() => Promise.reject(new LlamaGuardError('guard_throttled')))
    for (const passing of [{ mode: 'shadow' }, { onError: 'open' }, { mode: 'shadow', onError: 'open' }] as const) {
      expect(await (await ask('a', { guard, ...passing })).json()).toMatchObject({ results: [{ flagged: true }] })
      expect((await ask('a', { guard: broken, ...passing })).status).toBe(503)
    }
  })

  it('fails where a threshold has no score to be held against', async () => {
    const unscored = guardThat(() => ({ safe: true, categories: [] }))
    const answer = await ask('a', { guard: unscored, threshold: 0.5, onError: 'open' })
    expect(answer.status).toBe(503)
    expect(await answer.json()).toMatchObject({ error: { code: 'score_unavailable' } })
  })

  it('knows no category of a text that the actions let pass', async () => {
    const unknown = guardThat(() => ({ safe: false, categories: ['S1'], unknown: [] }))
    const answer = await ask('a', { guard: unknown, policy: { actions: { S1: 'ignore' } } })
    const { results } = (await answer.json()) as { results: { flagged: boolean; categories: object }[] }
    expect(results[0]!.flagged).toBe(false)
    expect(Object.values(results[0]!.categories)).not.toContain(true)
  })
})

it('A client that leaves has its inputs judged no further.', async () => {
  const guard = guardThat(never)
  theJudge = judgeOf(guard, { timeoutMs: 100_000 })
  const leave = new AbortController()
  const asked = fetch(`${url}/v1/moderations`, { method: 'POST', body: '{"input":"a"}', signal: leave.signal })
  await vi.waitFor(() => expect(guard.calls).toMatchObject([{ options: { stage: 'input' } }]))
  leave.abort()
  await expect(asked).rejects.toThrow()
  await vi.waitFor(() => expect(guard.calls[0]!.options.signal?.aborted).toBe(true))
})

it('What the app has answered in the meantime, as at a time limit, stays the answer.', async () => {
  let judged = false
  theJudge = judgeOf(guardThat(() => sleep(20).then(() => ((judged = true), { safe: true, categories: [] }))))
  const reply = await post('{"input":"a"}', { 'x-limit': '1' })
  expect([reply.status, await reply.text()]).toEqual([503, 'late'])
  await vi.waitFor(() => expect(judged).toBe(true))
})
