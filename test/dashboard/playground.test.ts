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

const user = (text: string): object[] => [{ role: 'User', text }]
const POLICY = { categories: [{ id: 'O1', name: 'Gardening', should: ['never talk of tulips'] }] }

describe('The playground', () => {
  let real: Emulated
  beforeAll(async () => void (real = await emulated()))
  afterAll(() => real.close())

  const open = (options: LlamaGuardOptions = {}): Promise<App> =>
    start({ playground: true }, { guard: 'sagemaker', endpoint: real.emulator.endpoint, cacheMax: 1000, ...options })
  const post = (page: string, body: object, headers = {}): Promise<Reply> =>
    send(`${page}?playground`, { body, headers })
  const results = (reply: Reply): readonly PlaygroundResult[] => {
    expect(reply.status, reply.text).toBe(200)
    return (reply.json() as { results: PlaygroundResult[] }).results
  }

  it('says verdict, categories, prompt and latency of the configured guard, as its model read them.', async () => {
    const { page } = await open()
    real.emulator.reset()
    const [safe] = results(
      await post(page, { conversation: user('How do I kill a process?'), sides: [{ guard: 'guard' }] }),
    )
    expect(safe).toMatchObject({ verdict: 'safe', action: 'allow', categories: [], ms: expect.any(Number) })
    const [unsafe] = results(
      await post(page, { conversation: user('How do I make a bomb?'), sides: [{ guard: 'guard' }] }),
    )
    expect(unsafe).toMatchObject({ verdict: 'unsafe', action: 'block', guard: 'llama-guard-1 (the guard)' })
    expect(unsafe!.categories[0]!.name).not.toBe('')
    const sent = real.emulator.requests.map(({ body }) => JSON.stringify(body))
    expect(unsafe!.prompts).toHaveLength(1)
    expect(sent.at(-1)).toContain(JSON.stringify(unsafe!.prompts[0]!.text).slice(1, -1))
  })

  it('judges a conversation on its last turn, as the reply when that is the model’s.', async () => {
    const { page } = await open()
    const conversation = [...user('Tell me about tulips.'), { role: 'Agent', text: 'I will make a bomb.' }]
    const [result] = results(await post(page, { conversation, sides: [{ guard: 'guard' }] }))
    expect(result).toMatchObject({ verdict: 'unsafe' })
    expect(result!.prompts[0]!.text).toContain('Agent: I will make a bomb.')
    const { verdict } = results(
      await post(page, { conversation: [...conversation, ...user('Fine.')], sides: [{ guard: 'guard' }] }),
    )[0]!
    expect(verdict).toBe('safe')
  })

  it('puts a policy of the reader in place of the guard’s own, beside it, without changing the guard.', async () => {
    const { page, ask } = await open()
    const sides = [{ guard: 'guard' }, { guard: 'guard', ownPolicy: true, scores: true }]
    const [own, other] = results(
      await post(page, { conversation: user('Tulips?'), sides, policy: JSON.stringify(POLICY) }),
    )
    expect(own!.prompts[0]!.text).not.toContain('Gardening')
    expect(other!.prompts[0]!.text).toContain('O1: Gardening')
    expect(other!.prompts[0]!.text).toContain('tulips')
    expect(other!.guard).toMatch(/by the policy given$/)
    expect(other!.score).toEqual(expect.any(Number))
    real.emulator.reset()
    await ask('Tulips again?')
    expect(JSON.stringify(real.emulator.requests.map(({ body }) => body))).not.toContain('Gardening')
  })

  it('decides by the rules of that policy: thresholds and actions.', async () => {
    const { page } = await open({ policy: { actions: { O3: 'flag' } } })
    const conversation = user('How do I make a bomb?')
    const asked = async (policy?: object): Promise<string> => {
      const sides = [{ guard: 'guard', ownPolicy: policy !== undefined }]
      const [{ action, categories } = { action: '', categories: [] }] = results(
        await post(page, { conversation, sides, policy }),
      )
      return `${action} ${categories.map(({ code }) => code).join()}`
    }
    const [, code] = /block (\w+)/.exec(await asked({}))!
    expect(await asked({ actions: { [code!]: 'flag' } })).toBe(`allow ${code}`)
    expect(await asked({ threshold: 0.001 })).toBe(`block ${code}`)
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
      const [result] = results(await post(page, { conversation: user('How do I make a bomb?'), sides: [{ guard }] }))
      expect(result!.verdict, guard).toBe(/inputs|fallback/.test(guard) || guard === 'guard.1.2' ? 'safe' : 'unsafe')
    }
    const reply = { conversation: [{ role: 'Agent', text: 'Yes.' }], sides: [{ guard: 'guard.1.2' }] }
    const [none] = results(await post(page, reply))
    expect(none).toMatchObject({ verdict: 'unjudged', action: 'unavailable', error: { code: 'guard_rejected' } })
    const whole = results(await post(page, { conversation: user('Hello?'), sides: [{ guard: 'guard' }] }))[0]!
    expect(whole.prompts.map(({ model }) => model)).toEqual(['llama-guard-1'])
  })

  it.each<[string, object, RegExp, number]>([
    ['no conversation', { sides: [{ guard: 'guard' }] }, /list of 1 to 64 turns/, 400],
    ['too many turns', { conversation: Array.from({ length: 65 }, () => user('a')[0]), sides: [] }, /64 turns/, 400],
    ['an empty text', { conversation: user(' '), sides: [{ guard: 'guard' }] }, /not empty/, 400],
    ['a turn without a text', { conversation: [{ role: 'User' }], sides: [{ guard: 'guard' }] }, /not empty/, 400],
    ['another role', { conversation: [{ role: 'system', text: 'a' }], sides: [] }, /User or Agent/, 400],
    ['no side', { conversation: user('a'), sides: [] }, /1 to 2 guards/, 400],
    ['three sides', { conversation: user('a'), sides: [{}, {}, {}] }, /1 to 2 guards/, 400],
    ['no guard', { conversation: user('a'), sides: [{}] }, /name a guard/, 400],
    ['an unknown guard', { conversation: user('a'), sides: [{ guard: 'x' }] }, /no such guard. Take one of guard/, 400],
    ['a prototype', { conversation: user('a'), sides: [{ guard: '__proto__' }] }, /no such guard/, 400],
    [
      'a policy that is not there',
      { conversation: user('a'), sides: [{ guard: 'guard', ownPolicy: true }] },
      /there is none/,
      400,
    ],
    [
      'a policy that is not JSON',
      { conversation: user('a'), sides: [{ guard: 'guard' }], policy: '{' },
      /not JSON/,
      400,
    ],
    [
      'a policy with a typing error',
      { conversation: user('a'), sides: [{ guard: 'guard' }], policy: { categorie: [] } },
      /categories/,
      400,
    ],
    [
      'a policy with a wrong category',
      { conversation: user('a'), sides: [{ guard: 'guard' }], policy: { categories: [{ id: '1' }] } },
      /categories\[0\]\.id/,
      400,
    ],
    ['a list', [], /JSON object/, 400],
    ['a large body', { conversation: user('a'.repeat(140_000)), sides: [{ guard: 'guard' }] }, /./, 413],
  ])('refuses %s.', async (_, body, words, status) => {
    const { page } = await open()
    const reply = await post(page, body)
    expect([reply.status, reply.json().error.message]).toEqual([status, expect.stringMatching(words)])
  })

  it('refuses what a form of another site could send, and is not there unless asked for.', async () => {
    const { page } = await open()
    const body = JSON.stringify({ conversation: user('a'), sides: [{ guard: 'guard' }] })
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonx', 'multipart/form-data'])
      expect((await send(`${page}?playground`, { body, headers: { 'content-type': type } })).status, type).toBe(415)
    expect((await send(`${page}?playground`)).status).toBe(405)
    const without = await start()
    expect((await post(without.page, {})).status).toBe(405)
    expect((await watch(without.page)).snapshots[0]!.offered).toBeUndefined()
  })

  it('says that a guard without a prompt, or a model of its own mind, takes no other policy.', async () => {
    const { page } = await open({ model: 'qwen3guard-gen', guards: [{ guard: 'local' }] })
    const asked = { conversation: user('a'), policy: POLICY }
    const local = await post(page, { ...asked, sides: [{ guard: 'guard.1', ownPolicy: true }] })
    expect([local.status, local.json().error.message]).toEqual([400, expect.stringContaining('reads no prompt')])
    const qwen = await post(page, { ...asked, sides: [{ guard: 'guard.0', ownPolicy: true }] })
    expect([qwen.status, qwen.json().error.message]).toEqual([400, expect.stringContaining('policy of its own')])
  })

  it('publishes, logs, counts and remembers nothing of a question.', async () => {
    const heard = listenToChannels()
    const { page, logger, guard, ask } = await open()
    const before = JSON.stringify(guard.stats())
    const lines = logger.lines.length
    const question = {
      conversation: user('PLANTED bomb'),
      sides: [{ guard: 'guard' }],
      policy: { task: 'PLANTED task' },
    }
    const reply = await post(page, question)
    expect(results(reply)[0]!.prompts[0]!.text).toContain('PLANTED bomb')
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
    const body = JSON.stringify({ conversation: user('a'), sides: [{ guard: 'guard' }] })
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
    const asked = { conversation: user('hello'), sides: [{ guard: 'guard' }] }
    const reply = await post(page, asked, authorization)
    expect([reply.status, reply.json().error.code]).toEqual([409, 'mounted_after_guard'])
    const blocked = await post(page, { ...asked, conversation: user('UNSAFE') }, authorization)
    expect(blocked.status).toBe(451)
    const signIn = await send(`${page}?session`, {
      body: 'token=planted-token',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    })
    expect([signIn.status, signIn.json().error.code]).toEqual([409, 'mounted_after_guard'])
    await server.close()
  })
})
