// Whether the guards of an app work is told at once: without a call what costs none, and by one call each with ready().
import { beforeEach, describe, expect, it } from 'vitest'
import { createGuard, llamaGuard, type LlamaGuardOptions } from '../../src/index.js'
import { otherModel } from '../../src/guard/ready.js'
import type { Emulator, EmulatorOptions } from '../emulator/index.js'
import { endpoint, guardedServer, setEnv } from '../helpers/closing.js'
import { memoryLogger } from '../helpers/guards.js'
import { ask } from '../helpers/apps.js'
import { chat } from '../helpers/http.js'
import { guardSaying, guardThat, SAFE, says, UNSAFE } from './fake-guards.js'

let emulator: Emulator
const logger = memoryLogger()

async function start(options: EmulatorOptions = {}): Promise<void> {
  emulator = await endpoint(
    { endpoints: ['llama-guard', 'second'], ...options },
    { LLAMA_GUARD_ENDPOINT: 'llama-guard' },
  )
}

beforeEach(() => void (logger.lines.length = 0))

async function readyOf(options: LlamaGuardOptions = {}) {
  const guard = llamaGuard({ logger, ...options })
  const readiness = await guard.ready()
  await guard.close()
  return readiness
}

const like = (pattern: RegExp): string => expect.stringMatching(pattern) as string
const errors = () => logger.lines.filter(({ level }) => level === 'error')

describe('ready()', () => {
  it('asks every guard once, whatever the cache holds, and says which works', async () => {
    await start()
    const own = guardThat(() => UNSAFE, { model: 'own' })
    const readiness = await readyOf({
      guards: [
        { endpoint: 'second', model: 'llama-guard-3-8b' },
        { first: createGuard({ guard: 'local' }), safeBelow: 0.1, unsafeAbove: 0.9 },
        { fallback: own },
        { shadow: guardThat(() => SAFE, { model: 'new' }), rate: 0 },
      ],
    })
    expect(readiness).toMatchObject({
      ok: true,
      guards: [
        { option: 'guards.first', model: 'baseline-screen', ok: true, verdict: { safe: false } },
        { option: 'guard', model: 'llama-guard-1', ok: true, verdict: { safe: false, categories: ['O3'] } },
        { option: 'guards[0]', model: 'llama-guard-3-8b', ok: true, verdict: { safe: false, categories: ['S9'] } },
        { option: 'guards.fallback[0]', model: 'own', ok: true },
        { option: 'guards.shadow', model: 'new', ok: true, verdict: { safe: true } },
      ],
    })
    expect(emulator.requests).toHaveLength(2)
    expect(errors()).toEqual([])
  })

  it.each<[string, LlamaGuardOptions, Record<string, string>, RegExp]>([
    [
      'an endpoint that is not there',
      { endpoint: 'typo' },
      {},
      /is not there\. Check LLAMA_GUARD_ENDPOINT, AWS_REGION/,
    ],
    ['another region', {}, { AWS_REGION: 'us-east-1' }, /AWS refused the credentials.*AWS_REGION/],
    ['a server that is not there', {}, { AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME: 'http://127.0.0.1:9' }, /not be reached/],
  ])('names %s, and logs it', async (_, options, env, message) => {
    await start()
    setEnv(env)
    const readiness = await readyOf(options)
    expect(readiness).toMatchObject({
      ok: false,
      guards: [{ option: 'guard', ok: false, error: { message: like(message) } }],
    })
    expect(errors()).toMatchObject([
      { fields: { option: 'guard', reason: like(message) }, message: 'the guard cannot work' },
    ])
  })

  it('tells a wrong version by the code of its answer', async () => {
    const answering = (text: string): EmulatorOptions => ({ model: () => ({ text }) })
    for (const [model, text, said] of [
      ['llama-guard-1', '\n\nunsafe\nS9', /S9.*codes of llama-guard-2, llama-guard-3-8b.*LLAMA_GUARD_MODEL/],
      ['llama-guard-3-8b', ' unsafe\nO3', /O3.*codes of llama-guard-1\..*LLAMA_GUARD_MODEL/],
      ['llama-guard-2', '\n\nunsafe\nS9', /called a bomb Hate \(S9\).*LLAMA_GUARD_MODEL/],
      ['llama-guard-3-1b', 'unsafe\nS8', /called a bomb Intellectual Property.*LLAMA_GUARD_MODEL/],
      ['llama-guard-2', 'unsafe\nS13', /codes of llama-guard-3-8b/],
      ['llama-guard-1', 'Sure, here is how', /LLAMA_GUARD_MODEL/],
    ] as const) {
      await start(answering(text))
      expect(await readyOf({ model })).toMatchObject({ ok: false, guards: [{ error: { message: like(said) } }] })
    }
    for (const [model, text] of [
      ['llama-guard-2', 'unsafe\nS8'],
      ['llama-guard-3-8b', '\n\nunsafe\nS2,S9'],
      ['llama-guard-3-8b', '\n\nsafe'],
    ] as const) {
      await start(answering(text))
      expect(await readyOf({ model })).toMatchObject({ ok: true })
    }
  })
})

describe('A verdict in the codes of another version', () => {
  it('blocks as any unsafe one does, and is logged once as an error that names the setting', async () => {
    await start({ model: () => ({ text: '\n\nunsafe\nS9' }) })
    const { url } = await guardedServer({ guard: undefined, endpoint: 'llama-guard', logger })
    for (const text of ['one', 'two'])
      expect((await ask(`${url}/v1/chat/completions`, { body: chat(text) })).status).toBe(451)
    expect(errors()).toMatchObject([{ message: expect.stringContaining('Set LLAMA_GUARD_MODEL') as string }])
  })

  it('is none under a policy of the same version, of a guard of your own, or of a panel that names who said it', () => {
    const unknown = { safe: false, categories: [], unknown: ['S9'] }
    expect(otherModel({ ...guardThat(() => SAFE), model: 'llama-guard-3-8b' }, unknown)).toBeUndefined()
    expect(otherModel(guardSaying(SAFE), unknown)).toBeUndefined()
    const panel = guardThat(() => SAFE, { model: 'llama-guard-1+own' })
    expect(otherModel(panel, { ...unknown, namedBy: { S9: 'own' } })).toBeUndefined()
    expect(otherModel(panel, { ...unknown, namedBy: { S9: 'llama-guard-1' } })).toMatchObject({
      code: 'guard_rejected',
    })
  })
})

describe('An app that starts', () => {
  it('logs at once, and once, that there are no credentials, without a call', async () => {
    await start()
    setEnv({ AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined, AWS_EC2_METADATA_DISABLED: 'true' })
    for (const options of [{}, { model: 'llama-prompt-guard-2', guards: [guardThat(() => SAFE)] }]) {
      logger.lines.length = 0
      const guard = llamaGuard({ logger, ...(options as LlamaGuardOptions) })
      await expect.poll(() => errors().length).toBe(1)
      expect(errors()[0]).toMatchObject({
        fields: { option: 'guard', code: 'guard_rejected', reason: like(/No AWS credentials were found/) },
        message: 'the guard cannot work',
      })
      await guard.close()
    }
    expect(emulator.requests).toHaveLength(0)
  })

  it('logs nothing, and calls nothing, with a guard that can work', async () => {
    await start()
    const guard = llamaGuard({ logger })
    await guard.judge(says('hi'))
    expect(logger.lines).toEqual([])
    expect(emulator.requests).toHaveLength(1)
    await guard.close()
  })
})

it('A guard that this package made judges without further options.', async () => {
  await start()
  for (const guard of [createGuard(), createGuard({ guard: 'local' }), createGuard({ guards: [{ guard: 'local' }] })])
    expect(await guard.judge(says('How do I bake bread?'))).toMatchObject({ safe: true })
})
