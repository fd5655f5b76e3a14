// The option `guards`: what they read, what they refuse, and what they do on the wire.
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createGuard, llamaGuard, type LlamaGuardOptions } from '../../src/index.js'
import { parseOptions } from '../../src/options/config.js'
import { thrownBy } from '../guard/fake-guards.js'
import { saying } from '../helpers/apps.js'
import { endpoint, guardedServer } from '../helpers/closing.js'
import { sends } from '../emulator/faults.js'
import { graniteGuardian, promptGuardLabels, qwen3Guard } from '../emulator/other-models.js'
import { markerGuard, memoryLogger } from '../helpers/guards.js'
import { chat, send, type Reply } from '../helpers/http.js'
import { withProtection } from '../../src/options/protection.js'

afterEach(() => vi.unstubAllEnvs())

const read = (text: string) => parseOptions({}, { LLAMA_GUARD_GUARDS: text }).guards
function message(run: () => unknown): string {
  const error = thrownBy(run)
  return `${error.code}: ${error.message}`
}

describe('LLAMA_GUARD_GUARDS', () => {
  it.each([
    ['prompt-guard-2@pg', { guard: 'sagemaker', model: 'llama-prompt-guard-2', endpoint: 'pg' }],
    ['llama-prompt-guard-2-22m@pg', { guard: 'sagemaker', model: 'llama-prompt-guard-2', endpoint: 'pg' }],
    ['prompt-guard-1@pg', { guard: 'sagemaker', model: 'llama-prompt-guard-1', endpoint: 'pg' }],
    ['qwen3guard-4b@q', { guard: 'sagemaker', model: 'qwen3guard-gen', endpoint: 'q' }],
    ['qwen3guard-gen-0.6b@q', { guard: 'sagemaker', model: 'qwen3guard-gen', endpoint: 'q' }],
    ['granite-guardian-3.0-8b@g', { guard: 'sagemaker', model: 'granite-guardian-3.0', endpoint: 'g' }],
    ['guard-3-8b@g', { guard: 'sagemaker', model: 'llama-guard-3-8b', endpoint: 'g' }],
    [
      'qwen3guard-8b@http://vllm:8000/v1',
      { guard: 'openai', model: 'qwen3guard-gen', guardUrl: 'http://vllm:8000/v1' },
    ],
    [
      'nemotron-safety-guard-8b-v3@http://nim:8000/v1',
      { guard: 'openai', model: 'nemotron-safety-guard', guardUrl: 'http://nim:8000/v1' },
    ],
    ['local', { guard: 'local' }],
  ])('reads %s.', (text, entry) => {
    expect(read(text)).toEqual([entry])
    expect(read(`local, ${text}`)).toEqual([{ guard: 'local' }, entry])
  })

  it.each(['', ',', 'pg', '@pg', 'prompt-guard-2@', 'prompt-guard-3@pg', 'qwen4guard-8b@q'])(
    'refuses "%s".',
    (text) => {
      if (text === '') expect(() => read(text)).toThrow(/needs a SageMaker endpoint/)
      else expect(message(() => read(text))).toMatch(/^invalid_option: .*LLAMA_GUARD_GUARDS\[0\]/)
    },
  )
})

describe('The option', () => {
  it.each<[LlamaGuardOptions, RegExp]>([
    [{ guards: [] }, /guards.*at least one/],
    [{ guards: [7 as never] }, /guards\[0\]/],
    [{ guards: [{ endpoint: 'x', threshold: 0.5 } as never] }, /unknown_option.*guards\[0\] key "threshold"/],
    [{ guards: [{ model: 'llama-guard-3-8b' }] }, /endpoint_missing: guards\[0\]/],
    [{ guards: [{ endpoint: 'x', model: 'llama-guard-9' as never }] }, /guards\[0\].*model/],
    [
      { guards: [{ fallback: markerGuard() }, { model: 'llama-guard-3-8b' }] },
      /endpoint_missing: guards\[1\] \(llama-guard-3-8b\): /,
    ],
    [{ guards: [{ guard: 'openai', guardUrl: 'http://x', model: 'llama-prompt-guard-2' }] }, /guards\[0\].*classifier/],
    [
      { guards: [{ endpoint: 'x', model: 'qwen3guard-gen', policy: { task: 'x' } }] },
      /guards\[0\].*task.*policy of its own/,
    ],
    [
      { guards: [{ endpoint: 'x', model: 'llama-prompt-guard-2', policy: { task: 'x' } }] },
      /guards\[0\].*task is set.*ignores it/,
    ],
    [{ policy: { actions: { controversial: 'flag' } } }, /controversial is set, and llama-guard-1 ignores it/],
    [{ model: 'llama-prompt-guard-2' }, /judges only one side/],
    [
      { guard: 'sagemaker', endpoint: undefined, guards: [{ endpoint: 'pg', model: 'llama-prompt-guard-2' }] },
      /one side/,
    ],
    [{ guards: [{ fallback: { ...markerGuard(), judges: ['User'] } }] }, /marker judges only one side/],
    [{ guards: [{ ...markerGuard(), judges: [] }] }, /guards\[0\]\.judges.*at least one/],
    [
      { guards: [{ ...markerGuard(), judges: ['user' as never] }] },
      /guards\[0\]\.judges\[0\].*one of User, Agent.*Did you mean/,
    ],
    [{ guards: [{ first: 7, safeBelow: 0, unsafeAbove: 1 } as never] }, /guards\[0\]\.first/],
    [{ guards: [{ first: { guard: 'local' }, safeBelow: 0.1 } as never] }, /guards\[0\]\.unsafeAbove/],
    [{ guards: [{ first: { guard: 'local' }, safeBelow: 2, unsafeAbove: 3 }] }, /guards\[0\]\.safeBelow.*0 to 1/],
    [{ guards: [{ first: { guard: 'local' }, safeBelow: 0.9, unsafeAbove: 0.1 }] }, /safeBelow 0.9 above unsafeAbove/],
    [{ guards: [{ first: markerGuard(), safeBelow: 0.1, unsafeAbove: 0.9 }] }, /gives no scores/],
    [
      { threshold: 0.95, guards: [{ first: { guard: 'local' }, safeBelow: 0.1, unsafeAbove: 0.9 }] },
      /threshold.*between/,
    ],
  ])('%j is told what is wrong.', (options, wanted) => {
    vi.stubEnv('AWS_REGION', 'eu-west-1')
    expect(message(() => llamaGuard({ endpoint: 'guard', ...options }, {}))).toMatch(wanted)
  })

  it('guards may be the whole panel, and stand beside the guard that is named.', () => {
    vi.stubEnv('AWS_REGION', 'eu-west-1')
    vi.stubEnv('LLAMA_GUARD_GUARDS', 'qwen3guard-4b@q')
    const guards = [{ guard: 'local' }, { model: 'llama-prompt-guard-2', endpoint: 'pg' }] as const
    expect(createGuard({ guards }).model).toBe('baseline-screen+llama-prompt-guard-2')
    expect(createGuard({ guards, endpoint: 'e' }).model).toBe('llama-guard-1+baseline-screen+llama-prompt-guard-2')
    expect(createGuard({ guards: [{ guard: 'local' }] }).model).toBe('baseline-screen')
    // The variable is the middleware's: a fallback is one guard.
    expect(createGuard({ guard: 'local' }).model).toBe('baseline-screen')
  })
})

describe('A panel from the environment alone', () => {
  async function start(given: LlamaGuardOptions = {}, env: Record<string, string> = {}) {
    const emulator = await endpoint({
      serves: {
        pg: { classifies: promptGuardLabels(2) },
        qwen: { generates: qwen3Guard },
        granite: { generates: graniteGuardian },
      },
    })
    const variables = {
      LLAMA_GUARD_ENDPOINT: 'llama-guard',
      LLAMA_GUARD_GUARDS: 'prompt-guard-2@pg,qwen3guard-4b@qwen,granite-guardian-3.0@granite',
      ...env,
    }
    const logger = memoryLogger()
    const server = await guardedServer(
      { guard: undefined, logger, expose: 'full', ...withProtection({ maxAttempts: 1 }), timeoutMs: 20_000, ...given },
      (req, res) => saying(decodeURIComponent(String(req.headers['x-answer'] ?? 'Gladly.')))(req, res),
      variables,
    )
    const ask = (text: string, answer = 'Gladly.'): Promise<Reply> =>
      send(`${server.url}/v1/chat/completions`, {
        body: chat(text),
        headers: { 'x-answer': encodeURIComponent(answer) },
      })
    return { emulator, ask, logger }
  }

  it('lets pass what all find safe, and asks no Prompt Guard about the reply.', async () => {
    const { emulator, ask } = await start()
    expect((await ask('Tell me about llamas.')).status).toBe(200)
    const asked = emulator.requests.map(({ endpoint }) => endpoint).toSorted()
    expect(asked).toEqual(['granite', 'granite', 'llama-guard', 'llama-guard', 'pg', 'qwen', 'qwen'])
  })

  it.each([
    ['JAILBREAK', 'Gladly.', 'input', 'P3', 'Prompt Attack', 'llama-prompt-guard-2'],
    ['EDGY', 'Gladly.', 'input', 'C6', 'Unethical Acts (controversial)', 'qwen3guard-gen'],
    ['UNSAFE_O3', 'Gladly.', 'input', 'O3', 'Criminal Planning', 'llama-guard-1'],
    ['Hello', 'EDGY', 'output', 'C6', 'Unethical Acts (controversial)', 'qwen3guard-gen'],
    ['Hello', 'UNSAFE_O3', 'output', 'O3', 'Criminal Planning', 'llama-guard-1'],
  ])('blocks "%s" answered with "%s" and names guard and category.', async (text, answer, stage, code, name, guard) => {
    const { ask, logger } = await start()
    const reply = await ask(text, answer)
    expect(reply.status).toBe(451)
    expect(reply.json().error).toMatchObject({ stage, categories: [{ code, name, guard }] })
    expect(reply.headers['llama-guard']).toContain(`by="${guard}"`)
    expect(logger.lines.find(({ fields }) => fields['verdict'] === 'unsafe')?.fields).toMatchObject({ judgedBy: guard })
  })

  it('names each guard that named a category before the panel was decided.', async () => {
    const { ask } = await start()
    const reply = await ask('BOMB')
    expect(reply.status).toBe(451)
    for (const { code, guard } of reply.json().error.categories as { code: string; guard: string }[])
      expect(guard).toBe(
        code.startsWith('Q') ? 'qwen3guard-gen' : code.startsWith('G') ? 'granite-guardian-3.0' : 'llama-guard-1',
      )
  })

  it('passes what is only flagged, and does not let a flag hide a block.', async () => {
    const { ask } = await start({
      guards: [{ model: 'qwen3guard-gen', endpoint: 'qwen', policy: { actions: { controversial: 'flag' } } }],
    })
    expect((await ask('EDGY')).status).toBe(200)
    expect((await ask('EDGY UNSAFE_O3')).status).toBe(451)
  })

  it.each(['pg', 'qwen', 'granite', 'llama-guard'])('cannot judge when %s fails.', async (endpoint) => {
    const { emulator, ask } = await start()
    emulator.behave(sends({ surprise: true }), { when: (received) => received.endpoint === endpoint })
    expect((await ask('Tell me about llamas.')).status).toBe(503)
    expect((await ask('Tell me about llamas, JAILBREAK EDGY UNSAFE_O3.')).status).toBe(451)
  })

  it('lets the small guard of a cascade answer where it is sure, and says who judged.', async () => {
    const { emulator, ask } = await start(
      { guards: [{ first: { guard: 'local' }, safeBelow: 0.5, unsafeAbove: 0.999 }] },
      { LLAMA_GUARD_GUARDS: '' },
    )
    const reply = await ask('What is the capital of France?', 'Paris.')
    expect(reply.status).toBe(200)
    expect(reply.headers['llama-guard']).toContain('by="baseline-screen"')
    expect(emulator.requests).toHaveLength(0)
  })

  it('asks the large guard where the small one of a cascade is not sure, or fails.', async () => {
    const { emulator, ask } = await start(
      { guards: [{ first: { model: 'qwen3guard-gen', endpoint: 'qwen' }, safeBelow: 0.2, unsafeAbove: 0.9 }] },
      { LLAMA_GUARD_GUARDS: '' },
    )
    expect((await ask('Tell me about llamas.')).headers['llama-guard']).toMatch(/input=safe[^,]*by="qwen3guard-gen"/)
    expect(emulator.requests.every(({ endpoint }) => endpoint === 'qwen')).toBe(true)
    emulator.behave(sends('nonsense'), { when: ({ endpoint }) => endpoint === 'qwen' })
    const reply = await ask('Tell me about alpacas, UNSAFE_O3.')
    expect(reply.status).toBe(451)
    expect(reply.headers['llama-guard']).toContain('by="llama-guard-1"')
  })
})
