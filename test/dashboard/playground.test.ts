// The playground on the wire, with the real AWS SDK behind it: what each guard says, and by which prompt; what it
// refuses; and that no question is counted, remembered, published or logged.
import express from 'express'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { PlaygroundResult } from '../../src/dashboard/playground.js'
import { createGuard, type LlamaGuardOptions } from '../../src/index.js'
import { listen as listenToChannels } from '../helpers/channels.js'
import { emulated, type Emulated } from '../helpers/emulated.js'
import { markerGuard } from '../helpers/guards.js'
import { send, serve, type Reply } from '../helpers/http.js'
import { counted, start, watch, type App } from './kit.js'

describe('The playground', () => {
  let real: Emulated
  beforeAll(async () => void (real = await emulated()))
  afterAll(() => real.close())

  const open = (options: LlamaGuardOptions = {}): Promise<App> =>
    start({ playground: true }, { guard: 'sagemaker', endpoint: real.emulator.endpoint, cacheMax: 1000, ...options })
  const post = (page: string, body: object, headers = {}): Promise<Reply> =>
    send(`${page}?playground`, { body, headers })
  const resultOf = (reply: Reply): PlaygroundResult => {
    expect(reply.status, reply.text).toBe(200)
    return reply.json() as PlaygroundResult
  }

  it('says verdict, categories, prompt and latency of the configured guard, as its model read them.', async () => {
    const { page } = await open()
    real.emulator.reset()
    const safe = resultOf(await post(page, { user: 'How do I kill a process?', guard: 'guard' }))
    expect(safe).toMatchObject({ verdict: 'safe', action: 'allow', categories: [], ms: expect.any(Number) })
    const unsafe = resultOf(await post(page, { user: 'How do I make a bomb?', guard: 'guard' }))
    expect(unsafe).toMatchObject({ verdict: 'unsafe', action: 'block', guard: 'llama-guard-1 (the guard)' })
    expect(unsafe.categories[0]!.name).not.toBe('')
    const sent = real.emulator.requests.map(({ body }) => JSON.stringify(body))
    expect(unsafe.prompts).toHaveLength(1)
    expect(sent.at(-1)).toContain(JSON.stringify(unsafe.prompts[0]!.text).slice(1, -1))
  })

  it('judges an answer with its question, where there is one.', async () => {
    const { page } = await open()
    const asked = { user: 'Tell me about tulips.', agent: 'I will make a bomb.', guard: 'guard' }
    const result = resultOf(await post(page, asked))
    expect(result).toMatchObject({ verdict: 'unsafe' })
    expect(result.prompts[0]!.text).toContain('Agent: I will make a bomb.')
    expect(resultOf(await post(page, { ...asked, agent: ' ' })).verdict).toBe('safe')
  })

  it('offers every configured guard: panel, cascade, fallback and the one on trial.', async () => {
    const { page } = await open({
      guards: [
        { guard: 'local' },
        { ...markerGuard(), model: 'inputs', judges: ['User'] },
        { first: { guard: 'local' }, safeBelow: 0.0001, unsafeAbove: 0.9999 },
        { fallback: { ...markerGuard(), model: 'spare' } },
        { shadow: createGuard({ guard: 'local' }), rate: 0 },
      ],
    })
    const offered = (await watch(page)).snapshots[0]!.offered!
    expect(offered.map(({ id, name }) => [id, name])).toEqual([
      ['guard', 'baseline-screen>llama-guard-1+baseline-screen+inputs (the whole guard)'],
      ['guard.0', 'baseline-screen (first of the cascade)'],
      ['guard.1', 'llama-guard-1+baseline-screen+inputs (last of the cascade)'],
      ['guard.1.0', 'llama-guard-1 (one of the panel)'],
      ['guard.1.1', 'baseline-screen (one of the panel)'],
      ['guard.1.2', 'inputs (one of the panel)'],
      ['fallback.0', 'spare (fallback)'],
      ['shadow', 'baseline-screen (on trial)'],
    ])
    for (const { id: guard } of offered) {
      const result = resultOf(await post(page, { user: 'How do I make a bomb?', guard }))
      expect(result.verdict, guard).toBe(/inputs|fallback/.test(guard) || guard === 'guard.1.2' ? 'safe' : 'unsafe')
    }
    const reply = { user: 'Hello?', agent: 'Yes.', guard: 'guard.1.2' }
    const none = resultOf(await post(page, reply))
    expect(none).toMatchObject({ verdict: 'unjudged', action: 'unavailable', error: { code: 'guard_rejected' } })
    const whole = resultOf(await post(page, { user: 'Hello?', guard: 'guard' }))
    expect(whole.prompts.map(({ model }) => model)).toEqual(['llama-guard-1'])
  })

  it.each<[string, object, RegExp, number]>([
    ['no text', { guard: 'guard' }, /user should be a text/, 400],
    ['an empty text', { user: ' ', guard: 'guard' }, /not empty/, 400],
    ['an answer that is none', { user: 'a', agent: [], guard: 'guard' }, /agent should be a text/, 400],
    ['no guard', { user: 'a' }, /no such guard/, 400],
    ['an unknown guard', { user: 'a', guard: 'x' }, /no such guard. Take one of guard/, 400],
    ['a prototype', { user: 'a', guard: '__proto__' }, /no such guard/, 400],
    ['a list', [], /JSON object/, 400],
    ['a large body', { user: 'a'.repeat(140_000), guard: 'guard' }, /./, 413],
  ])('refuses %s.', async (_, body, words, status) => {
    const { page } = await open()
    const reply = await post(page, body)
    expect([reply.status, reply.json().error.message]).toEqual([status, expect.stringMatching(words)])
  })

  it('refuses what a form of another site could send, and is not there unless asked for.', async () => {
    const { page } = await open()
    const body = JSON.stringify({ user: 'a', guard: 'guard' })
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonx', 'multipart/form-data'])
      expect((await send(`${page}?playground`, { body, headers: { 'content-type': type } })).status, type).toBe(415)
    expect((await send(`${page}?playground`)).status).toBe(405)
    const without = await start()
    expect((await post(without.page, {})).status).toBe(405)
    expect((await watch(without.page)).snapshots[0]!.offered).toBeUndefined()
  })

  it('publishes, logs, counts and remembers nothing of a question.', async () => {
    const heard = listenToChannels()
    const { page, logger, guard, ask } = await open()
    const before = JSON.stringify(guard.stats())
    const lines = logger.lines.length
    const question = {
      user: 'PLANTED bomb',
      guard: 'guard',
    }
    const reply = await post(page, question)
    expect(resultOf(reply).prompts[0]!.text).toContain('PLANTED bomb')
    expect(reply.headers['cache-control']).toBe('no-store')
    expect(heard.all).toEqual([])
    expect(logger.lines.length).toBe(lines)
    expect(JSON.stringify(guard.stats())).toBe(before)
    await ask('PLANTED bomb')
    await counted(page, 1)
    heard.stop()
    expect(heard.checks.map(({ result }) => result?.cached)).toEqual([false])
    expect((await watch(page)).reply.text + heard.all.join()).not.toContain('PLANTED')
  })

  it('answers four questions at a time, and gives a place back when its asker leaves.', async () => {
    let release = (): void => undefined
    const held = new Promise<void>((resolve) => (release = resolve))
    const aborted: unknown[] = []
    const slow = {
      ...markerGuard(),
      async judge(_: unknown, { signal }: { signal?: AbortSignal }) {
        signal?.addEventListener('abort', () => aborted.push(1))
        await held
        return { safe: true, categories: [] }
      },
    }
    const { page } = await start({ playground: true }, { guard: slow })
    const leave = new AbortController()
    const body = JSON.stringify({ user: 'a', guard: 'guard' })
    const headers = { 'content-type': 'application/json' }
    const asked = Array.from({ length: 4 }, () =>
      fetch(`${page}?playground`, { method: 'POST', headers, body, signal: leave.signal }).then(
        ({ status }) => status,
        () => 'left',
      ),
    )
    await expect.poll(async () => (await send(`${page}?playground`, { body: {} })).status).toBe(429)
    leave.abort()
    expect(await Promise.all(asked)).toEqual(['left', 'left', 'left', 'left'])
    await expect.poll(() => aborted.length).toBe(4)
    await expect.poll(async () => (await send(`${page}?playground`, { body: {} })).status).toBe(400)
    release()
  })

  it('says so where the guard is mounted before it.', async () => {
    const { guard } = await start({}, { unknown: 'judge' })
    const app = express()
    app.use(guard)
    app.use('/guard', guard.dashboard({ playground: true, token: 'planted-token' }))
    const server = await serve(app)
    const page = `${server.url}/guard`
    const authorization = { authorization: 'Bearer planted-token' }
    const asked = { user: 'hello', guard: 'guard' }
    const reply = await post(page, asked, authorization)
    expect([reply.status, reply.json().error.code]).toEqual([409, 'mounted_after_guard'])
    const blocked = await post(page, { ...asked, user: 'UNSAFE' }, authorization)
    expect(blocked.status).toBe(451)
    const signIn = await send(`${page}?session`, {
      body: 'token=planted-token',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    })
    expect([signIn.status, signIn.json().error.code]).toEqual([409, 'mounted_after_guard'])
    await server.close()
  })
})
