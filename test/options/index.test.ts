// Every option and variable of llamaGuard(): default, variable, precedence, and what a wrong one is told.
// Pure where nothing is asked of a guard; over HTTP for what differs from request to request.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it, vi } from 'vitest'
import type { LlamaGuardOptions } from '../../src/index.js'
import { OPTION_NAMES, overrideOptions, parseOptions } from '../../src/options/config.js'
import type { GuardedRequest, RequestFields } from '../../src/types.js'
import { thrownBy } from '../guard/fake-guards.js'
import { guardedServer } from '../helpers/closing.js'
import { markerGuard, memoryLogger, type MarkerGuard } from '../helpers/guards.js'
import { chat, send, type Reply } from '../helpers/http.js'

const guard = markerGuard()
const folder = mkdtempSync(join(tmpdir(), 'llama-guard-'))
const file = (name: string, content: unknown): string => {
  const path = join(folder, name)
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}
afterAll(() => rmSync(folder, { recursive: true }))

const wrong = (options: unknown, env: Record<string, string> = {}): { code: string; message: string } =>
  thrownBy(() => parseOptions({ guard, ...(options as LlamaGuardOptions) }, env))
const read = (env: Record<string, string>, options: LlamaGuardOptions = {}): Record<string, unknown> =>
  parseOptions({ guard, ...options }, env) as unknown as Record<string, unknown>
/** The fields of a configuration that are wanted, undefined ones too. */
const picked = (config: object, wanted: object): object =>
  Object.fromEntries(Object.keys(wanted).map((field) => [field, (config as Record<string, unknown>)[field]]))

describe('without options and variables', () => {
  it('the defaults of the reference hold', () => {
    const defaults = {
      model: 'llama-guard-1',
      check: ['input', 'output'],
      mode: 'enforce',
      shadowSample: 1,
      onError: 'closed',
      threshold: undefined,
      categoryThresholds: undefined,
      actions: undefined,
      parallel: false,
      streaming: 'window',
      windowChars: 400,
      windowMs: 1000,
      timeoutMs: 10_000,
      maxAttempts: 2,
      hedgeAfterMs: undefined,
      concurrency: 256,
      queue: 1024,
      breaker: true,
      cacheMax: 10_000,
      cacheTtlMs: 300_000,
      cacheStore: undefined,
      maxBodyBytes: 1024 ** 2,
      maxReplyBytes: 4 * 1024 ** 2,
      upstream: undefined,
      paths: undefined,
      dialects: undefined,
      turns: 'last',
      system: 'judge',
      images: 'refuse',
      logger: undefined,
      logLevel: 'info',
      expose: 'verdict',
      policyUrl: undefined,
      fallback: undefined,
    }
    expect(picked(read({}), defaults)).toEqual(defaults)
    expect(parseOptions({ endpoint: 'e' }, {}).guard).toBe('sagemaker')
  })

  it('the result is frozen, so that nobody changes the policy later', () => {
    expect(Object.isFrozen(parseOptions({ guard }, {}))).toBe(true)
  })
})

/** Option or part of one, variable, text of the variable, its value, another value in code. */
const VARIABLES: readonly [string, string, string, unknown, unknown][] = [
  ['guard', 'BACKEND', 'local', 'local', guard],
  ['endpoint', 'ENDPOINT', 'my-guard', 'my-guard', 'other'],
  ['endpoint.inferenceComponent', 'INFERENCE_COMPONENT', 'ic', 'ic', 'other'],
  ['endpoint.variant', 'TARGET_VARIANT', 'blue', 'blue', 'green'],
  ['guardUrl', 'URL', 'http://localhost:8000/v1', 'http://localhost:8000/v1', 'http://other/v1'],
  ['guardApiKey', 'API_KEY', 'sk-1', 'sk-1', 'sk-2'],
  ['guardModel', 'MODEL_ID', 'meta-llama/Llama-Guard-3-8B', 'meta-llama/Llama-Guard-3-8B', 'other'],
  ['model', 'MODEL', 'llama-guard-3-8b', 'llama-guard-3-8b', 'llama-guard-2'],
  ['check', 'CHECK', 'output', ['output'], ['input']],
  ['check', 'CHECK', ' input , output ', ['input', 'output'], ['input']],
  ['mode', 'MODE', 'shadow', 'shadow', 'enforce'],
  ['onError', 'ON_ERROR', 'open', 'open', 'closed'],
  ['threshold', 'THRESHOLD', '0.25', 0.25, 0.75],
  ['threshold', 'THRESHOLD', '0', 0, 1],
  ['parallel', 'PARALLEL', 'true', true, false],
  ['parallel', 'PARALLEL', '1', true, false],
  ['streaming', 'STREAMING', 'full', 'full', 'async'],
  ['windowChars', 'WINDOW_CHARS', '100', 100, 200],
  ['windowMs', 'WINDOW_MS', '50', 50, 60],
  ['timeoutMs', 'TIMEOUT_MS', '2000', 2000, 3000],
  ['guards', 'GUARDS', 'local', [{ guard: 'local' }], [{ model: 'qwen3guard-gen', endpoint: 'q' }]],
  ['hedgeAfterMs', 'HEDGE_AFTER_MS', '150', 150, 200],
  ['concurrency', 'CONCURRENCY', '16', 16, 8],
  ['cacheMax', 'CACHE_MAX', '0', 0, 5],
  ['cacheTtlMs', 'CACHE_TTL_MS', '1000', 1000, 5],
  ['cacheStore', 'REDIS_URL', 'redis://localhost:6379', 'redis://localhost:6379', 'redis://other:6379'],
  ['maxBodyBytes', 'MAX_BODY_BYTES', '1000', 1000, 5],
  ['maxReplyBytes', 'MAX_REPLY_BYTES', '1000', 1000, 5],
  ['paths', 'PATHS', '/v1/*,/chat', ['/v1/*', '/chat'], ['/ask']],
  ['dialects', 'DIALECTS', 'openai-chat, ollama-chat', ['openai-chat', 'ollama-chat'], ['openai-chat']],
  ['turns', 'TURNS', 'all', 'all', 'last'],
  ['system', 'SYSTEM', 'trust', 'trust', 'judge'],
  ['images', 'IMAGES', 'ignore', 'ignore', 'refuse'],
  ['policy.url', 'POLICY_URL', 'https://example.com/policy', 'https://example.com/policy', 'https://example.com/other'],
  ['upstream', 'UPSTREAM_URL', 'http://llm:8000', { url: 'http://llm:8000' }, 'http://other'],
  ['upstream', 'UPSTREAM_ENDPOINT', 'chat-model', { endpoint: 'chat-model' }, 'http://other'],
]

/** The field of the configuration for a part of an option. */
const FIELDS: Readonly<Record<string, string>> = {
  'policy.url': 'policyUrl',
  'endpoint.inferenceComponent': 'inferenceComponent',
  'endpoint.variant': 'targetVariant',
}
const fieldOf = (option: string): string => FIELDS[option] ?? option

describe('a variable', () => {
  it.each(VARIABLES)('sets %s: LLAMA_GUARD_%s=%s', (option, name, text, value, inCode) => {
    const env = { [`LLAMA_GUARD_${name}`]: text }
    const given = option === 'guard' ? {} : { guard }
    const of = (options: LlamaGuardOptions, variables: Record<string, string>): unknown =>
      (parseOptions(options, variables) as unknown as Record<string, unknown>)[fieldOf(option)]
    const [whole = '', part] = option.split('.')
    const set = (its: unknown): object => ({ [whole]: part === undefined ? its : { [part]: its } })
    expect(of(given, env)).toEqual(value)
    // Code wins over the environment; undefined in code is as if it were not there.
    expect(of({ ...given, ...set(inCode) }, env)).toEqual(inCode)
    if (option !== 'guard') expect(of({ ...given, ...set(undefined) }, env)).toEqual(value)
  })

  it.each([...new Set(VARIABLES.map(([option, name]) => `${option} ${name}`))].map((pair) => pair.split(' ')))(
    'leaves %s as it is when LLAMA_GUARD_%s is empty',
    (option, name) => {
      const field = fieldOf(option!)
      expect(read({ [`LLAMA_GUARD_${name!}`]: '' })[field]).toEqual(read({})[field])
    },
  )

  it('gives the upstream its key', () => {
    expect(read({ LLAMA_GUARD_UPSTREAM_URL: 'http://llm', LLAMA_GUARD_UPSTREAM_API_KEY: 'sk-3' })['upstream']).toEqual({
      url: 'http://llm',
      apiKey: 'sk-3',
    })
  })
})

describe('a wrong value', () => {
  it.each<[Record<string, unknown>, RegExp]>([
    [{ guard: 'sagmaker' }, /guard.*sagemaker, openai, local, llama-cpp.*"sagmaker".*Did you mean "sagemaker"/],
    [{ guard: null }, /guard/],
    [{ endpoint: '' }, /endpoint.*not empty/],
    [{ endpoint: 5 }, /endpoint.*got 5/],
    [{ guardUrl: 'localhost:8000' }, /guardUrl.*http or https URL/],
    [{ guardUrl: 'file:///etc/passwd' }, /guardUrl.*http or https URL/],
    [{ check: [] }, /check.*at least one/],
    [{ check: ['inputs'] }, /check\[0\].*Did you mean "input"/],
    [{ check: 'both' }, /check\[0\].*input, output/],
    [{ mode: 'dry' }, /mode.*enforce, shadow.*"dry"/],
    [{ onError: true }, /onError.*closed, open.*true/],
    [{ threshold: 1.5 }, /threshold.*0 to 1.*1\.5/],
    [{ threshold: 'high' }, /threshold.*"high"/],
    [{ threshold: Number.NaN }, /threshold/],
    [{ threshold: { O3: 2 } }, /threshold\.O3/],
    [{ mode: { shadow: 2 } }, /mode\.shadow.*0 to 1/],
    [{ dialects: [{ out: 'reply' }] }, /dialects\[0\]\.in/],
    [{ dialects: [{ in: 'a' }, { in: 'b' }] }, /dialects.*one \{ in, out \} at most/],
    [{ endpoint: { name: 'a_b' } }, /endpoint\.name.*letters, digits and hyphens/],
    [{ policy: 5 }, /policy.*path of a JSON file, or an object with categories, task.*got 5/],
    [{ expose: 'all' }, /expose.*none, verdict, full/],
    [{ policy: { actions: { O3: 'allow' } } }, /policy\.actions\.O3.*block, flag, ignore/],
    [{ policy: { actions: ['O3'] } }, /policy\.actions.*object by category id/],
    [{ parallel: 'yes' }, /parallel.*true or false.*"yes"/],
    [{ streaming: 'chunks' }, /streaming.*window, fixed, full, async/],
    [{ windowChars: 0 }, /windowChars.*1 to/],
    [{ windowMs: 1.5 }, /windowMs.*whole number/],
    [{ timeoutMs: -1 }, /timeoutMs/],
    [{ hedgeAfterMs: 'p95' }, /hedgeAfterMs/],
    [{ concurrency: Infinity }, /concurrency/],
    [{ cacheMax: -1 }, /cacheMax/],
    [{ cacheTtlMs: 0 }, /cacheTtlMs/],
    [{ cacheStore: {} }, /cacheStore.*get.*set/],
    [{ cacheStore: 6379 }, /cacheStore/],
    [{ maxBodyBytes: '1mb' }, /maxBodyBytes.*"1mb"/],
    [{ maxReplyBytes: 0 }, /maxReplyBytes/],
    [{ upstream: 'llm:8000' }, /upstream.*URL/],
    [{ upstream: {} }, /upstream.*base URL/],
    [{ upstream: { endpoint: '' } }, /upstream\.endpoint/],
    [{ paths: [] }, /paths/],
    [{ dialects: [] }, /dialects/],
    [{ dialects: [{ name: 'mine' }] }, /dialects\[0\]/],
    [{ dialects: 5 }, /dialects/],
    [{ turns: 'every' }, /turns.*last, all/],
    [{ system: 'skip' }, /system.*judge, trust/],
    [{ images: 'allow' }, /images.*refuse, ignore/],
    [{ policy: { url: 'policy.html' } }, /policy\.url/],
    [{ logger: {} }, /logger.*debug, info, warn and error/],
    [{ guards: [{ fallback: {} }] }, /guards\[0\]\.fallback.*judge/],
    [{ guards: [{ shadow: guard }] }, /guards\[0\]\.rate.*0 to 1/],
    [
      {
        guards: [
          { shadow: guard, rate: 1 },
          { shadow: guard, rate: 1 },
        ],
      },
      /guards.*one \{ shadow \} at most/,
    ],
    [{ onVerdict: 'log' }, /onVerdict.*function/],
    [{ onToolCall: 'block' }, /onToolCall.*function/],
    [{ skip: true }, /skip.*function.*true/],
  ])('%j is told what was wanted', (options, message) => {
    const error = wrong(options)
    expect(error.code).toBe('invalid_option')
    expect(error.message).toMatch(message)
  })

  it('never shows a key or a password that stands in it', () => {
    for (const options of [
      { upstream: { uri: 'http://x', apiKey: 'sk-secret' } },
      { upstream: { url: 'x', apiKey: 'sk-secret' } },
      { upstream: 'user:sk-secret@host' },
      { guardUrl: 'http//u:sk-secret@h' },
      { cacheStore: { url: 'redis://u:sk-secret@h' } },
    ]) {
      expect(wrong(options).message).not.toContain('sk-secret')
    }
  })
})

describe('the policy file', () => {
  const categories = [{ id: 'O1', name: 'Pirates', shouldNot: ['Talk like a pirate.'] }]

  it('gives categories, task, instruction, actions and thresholds, and code and variables win over it', () => {
    const path = file('policy.json', {
      categories,
      task: 'Task: {role}',
      instruction: 'Answer for {role}',
      actions: { O1: 'flag' },
      threshold: { default: 0.5, O1: 0.9 },
      url: 'https://example.com/p',
    })
    expect(read({ LLAMA_GUARD_POLICY: path })).toMatchObject({
      categories,
      task: 'Task: {role}',
      instruction: 'Answer for {role}',
      actions: { O1: 'flag' },
      threshold: 0.5,
      categoryThresholds: { O1: 0.9 },
    })
    expect(read({ LLAMA_GUARD_POLICY: path, LLAMA_GUARD_THRESHOLD: '0.6' })['threshold']).toBe(0.6)
    expect(read({ LLAMA_GUARD_POLICY: path, LLAMA_GUARD_THRESHOLD: '0.6' }, { threshold: 0.7 })['threshold']).toBe(0.7)
  })

  it.each<[string, unknown, RegExp]>([
    ['is no JSON', '{categories', /LLAMA_GUARD_POLICY names.*could not be read as a JSON file: .*JSON/],
    ['is a list', [], /LLAMA_GUARD_POLICY.*JSON object/],
    ['has an unknown key', { category: [] }, /Unknown LLAMA_GUARD_POLICY key "category".*categories/],
    ['has a key of version 0.2', { policyUrl: 'https://x' }, /Unknown LLAMA_GUARD_POLICY key "policyUrl".*`url`/],
    ['has a wrong action', { actions: { O1: 'pass' } }, /actions\.O1/],
  ])('that %s is refused', (name, content, message) => {
    expect(wrong({}, { LLAMA_GUARD_POLICY: file(`${name}.json`, content) }).message).toMatch(message)
  })
})

describe('options of several parts', () => {
  const env = {
    LLAMA_GUARD_POLICY: file('parts.json', {
      task: 'T',
      actions: { O1: 'flag' },
      threshold: 0.5,
      url: 'https://x/file',
    }),
    LLAMA_GUARD_POLICY_URL: 'https://x/variable',
    LLAMA_GUARD_ENDPOINT: 'e',
    LLAMA_GUARD_TARGET_VARIANT: 'blue',
    LLAMA_GUARD_TEXT: '{ "in": "a", "out": "b" }',
  }
  const code = file('code.json', { instruction: 'I', url: 'https://x/code' })

  it.each<[LlamaGuardOptions, object]>([
    [{}, { endpoint: 'e', targetVariant: 'blue', text: 'a', reply: 'b', dialects: undefined }],
    [
      { policy: { task: 'C' } },
      { task: 'C', actions: { O1: 'flag' }, threshold: 0.5, policyUrl: 'https://x/variable' },
    ],
    [
      { policy: { url: 'https://x/c' }, threshold: 0.7 },
      { task: 'T', threshold: 0.7, policyUrl: 'https://x/c' },
    ],
    // One file counts: the one that code names.
    [{ policy: code }, { task: undefined, threshold: undefined, instruction: 'I', policyUrl: 'https://x/code' }],
    [
      { policy: env.LLAMA_GUARD_POLICY, threshold: 0.7 },
      { task: 'T', threshold: 0.7, policyUrl: 'https://x/file' },
    ],
    [
      { endpoint: { name: 'c', inferenceComponent: 'i' } },
      { endpoint: 'c', inferenceComponent: 'i', targetVariant: 'blue' },
    ],
    [{ dialects: ['openai-chat'] }, { dialects: ['openai-chat'], text: 'a', reply: 'b' }],
    [{ dialects: [{ in: 'c' }] }, { dialects: undefined, text: 'c', reply: undefined }],
    [{ dialects: ['openai-chat', { in: 'c', out: 'd' }] }, { dialects: ['openai-chat'], text: 'c', reply: 'd' }],
  ])('%j win part by part over variables, and these over a file', (options, wanted) => {
    expect(picked(parseOptions(options, env), wanted)).toEqual(wanted)
  })

  it.each([
    [{ actions: {}, task: 'T' }, /Unknown override\(\)\.policy key "task"\. A guard has one prompt/],
    [{ action: {} }, /Did you mean "actions"/],
    ['policy.json', /override\(\)\.policy should be an object with actions and url/],
  ])('override() may not return the policy %j', (policy, message) => {
    expect(thrownBy(() => overrideOptions(parseOptions({ guard }, {}), { policy } as never)).message).toMatch(message)
  })

  it('override() leaves the parts of a policy that it does not return', () => {
    const config = parseOptions({ guard, policy: { task: 'T', url: 'https://x/p' } }, {})
    const wanted = { task: 'T', actions: { O1: 'flag' }, policyUrl: 'https://x/p' }
    expect(overrideOptions(config, { policy: { actions: { O1: 'flag' } } })).toMatchObject(wanted)
  })

  it.each([
    ['categories', [{ id: 'O1', name: 'Violence' }], 'policy.categories', { policy: { categories: 'O1: Violence.' } }],
    ['task', 'T', 'policy.task', { policy: { task: 'T' } }],
    ['instruction', 'I', 'policy.instruction', { policy: { instruction: 'I' } }],
    ['inferenceComponent', 'i', 'endpoint.inferenceComponent', { endpoint: { name: 'e', inferenceComponent: 'j' } }],
    ['targetVariant', 'v', 'endpoint.variant', { endpoint: { name: 'e', variant: 'w' } }],
  ])(
    '%s, the name of version 0.2, is still taken, is told once, and is an error beside its new one',
    async (...row) => {
      const [old, value, now, beside] = row
      const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
      for (let round = 0; round < 2; round += 1)
        expect(parseOptions({ endpoint: 'e', [old]: value }, {})).toMatchObject({ [old]: value })
      expect(parseOptions({ guards: [{ endpoint: 'e', [old]: value } as never] }, {})).toMatchObject({
        endpoint: undefined,
      })
      const told = thrownBy(() => parseOptions({ endpoint: 'e', ...beside, [old]: value }, {}))
      expect(told.message).toContain(`The options ${old} and ${now} are set, and are the same. Remove ${old}`)
      expect(warned.mock.calls.map(([message]) => message)).toEqual([
        `The option ${old} of llamaGuard() is now ${now}.`,
      ])
      warned.mockRestore()
    },
  )

  it('there are at most 45 options, and the types know no other', () => {
    const [options, request] = ['index', 'request-options'].map((name) => {
      const source = readFileSync(new URL(`../../src/options/${name}.ts`, import.meta.url), 'utf8')
      const [, body] = /export interface (?:LlamaGuardOptions<|RequestOptions)[^{]*\{([\s\S]*?)\n\}/.exec(source)!
      return [...body!.matchAll(/^ {2}(\w+)\??[:(]/gm)].map(([, option]) => option!)
    })
    expect([...new Set([...options!, ...request!])].sort()).toEqual([...OPTION_NAMES].sort())
    expect(OPTION_NAMES.length).toBeLessThanOrEqual(45)
  })
})

describe('from request to request', () => {
  async function asking(
    options: LlamaGuardOptions,
    requests: readonly { text: string; tenant?: string }[],
  ): Promise<{ replies: Reply[]; asked: MarkerGuard; logger: ReturnType<typeof memoryLogger> }> {
    const asked = markerGuard()
    const logger = memoryLogger()
    const { url } = await guardedServer({ guard: asked, logger, check: ['input'], ...options })
    const replies: Reply[] = []
    for (const { text, tenant } of requests)
      replies.push(
        await send(`${url}/chat`, {
          body: chat(text),
          ...(tenant !== undefined && { headers: { 'x-tenant': tenant } }),
        }),
      )
    return { replies, asked, logger }
  }

  it('skip() lets a request pass untouched when it says true, and refuses it when it throws', async () => {
    const skip = (req: GuardedRequest): boolean => {
      if (req.headers['x-tenant'] === 'broken') throw new Error('no')
      return req.headers['x-tenant'] === 'trusted'
    }
    const { replies, asked } = await asking({ skip }, [
      { text: 'UNSAFE', tenant: 'trusted' },
      { text: 'UNSAFE', tenant: 'broken' },
      { text: 'UNSAFE' },
    ])
    expect(replies.map(({ status }) => status)).toEqual([200, 503, 451])
    expect(replies[0]?.headers['llama-guard']).toBeUndefined()
    expect(asked.asked.length).toBe(1)
  })

  it('tenants share no remembered verdict, and one tenant remembers its own', async () => {
    const context = ({ headers }: GuardedRequest): RequestFields => ({ tenant: String(headers['x-tenant']) })
    const { asked, replies } = await asking(
      { context, expose: 'full' },
      ['a', 'b', 'a', 'b'].map((tenant) => ({ text: 'hello', tenant })),
    )
    expect(asked.asked.length).toBe(2)
    expect(replies.map(({ headers }) => /cached/.test(String(headers['llama-guard'])))).toEqual([
      false,
      false,
      true,
      true,
    ])
  })
})

describe('an option of version 0.2 that is gone', () => {
  it.each([
    ['queue', /concurrency/],
    ['breaker', /left alone/],
    ['maxAttempts', /tried twice/],
    ['keepAlive', /first judged word/],
    ['logLevel', /LLAMA_GUARD_LOG_LEVEL.*logger: false/],
    ['cacheSecret', /redisStore\(url, \{ secret \}\)/],
    ['shadowSample', /mode: \{ shadow: 0\.1 \}/],
    ['controversial', /policy: \{ actions: \{ controversial/],
    ['actions', /policy: \{ actions/],
    ['policyUrl', /policy: \{ url \}/],
    ['text', /dialects: \[\{ in/],
    ['categoryThresholds', /threshold: \{ default/],
    ['refusal', /handler\(req, res, decision\)/],
    ['reply', /dialects: \[\{ in/],
    ['modelPath', /guardModel/],
    ['cascade', /guards: \[\{ first/],
    ['fallback', /guards: \[\{ fallback/],
    ['shadowGuard', /guards: \[\{ shadow/],
    ['firstToken', /read as a whole/],
    ['pace', /streaming: 'fixed'/],
    ['tenant', /context\(req\)/],
  ])('%s is told what took its place, in code and as a variable', (name, cure) => {
    expect(wrong({ [name]: 1 }).message).toMatch(cure)
    const variable = `LLAMA_GUARD_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`
    if (!['logLevel', 'cacheSecret', 'policyUrl', 'text'].includes(name))
      expect(wrong({}, { [variable]: '1' }).message).toMatch(cure)
  })

  it('says what has no effect together', () => {
    expect(wrong({ streaming: 'full', windowMs: 5 }).message).toMatch(
      /windowMs is set, and `streaming: 'full'`.*Remove one/,
    )
    expect(wrong({ mode: { share: 0.1 } as never }).message).toMatch(/Unknown mode key "share".*"shadow"/)
    expect(wrong({}, { LLAMA_GUARD_LOG_LEVEL: 'verbose' }).message).toMatch(/LOG_LEVEL.*silent, error, warn/)
    expect(parseOptions({ guard, mode: { shadow: 0.25 } }, {})).toMatchObject({ mode: 'shadow', shadowSample: 0.25 })
    expect(read({ LLAMA_GUARD_MODE: 'shadow:0.25' })).toMatchObject({ mode: 'shadow', shadowSample: 0.25 })
  })
})

describe('an option that the chosen backend ignores', () => {
  const base = {
    sagemaker: { guard: 'sagemaker', endpoint: 'e' },
    openai: { guard: 'openai', guardUrl: 'http://localhost' },
    'llama-cpp': { guard: 'llama-cpp', guardModel: '/m.gguf' },
    local: { guard: 'local' },
  } as const
  const values = {
    endpoint: 'e',
    'endpoint.inferenceComponent': 'c',
    'endpoint.variant': 'v',
    guardUrl: 'http://localhost',
    guardApiKey: 'k',
    guardModel: 'm',
    model: 'llama-guard-2',
    'policy.categories': [{ id: 'O1', name: 'Violence' }],
    'policy.task': 'Task',
    'policy.instruction': 'Instruction',
  } as const
  const prompt = ['model', 'policy.categories', 'policy.task', 'policy.instruction']
  const used: Record<keyof typeof base, readonly string[]> = {
    sagemaker: ['endpoint', 'endpoint.inferenceComponent', 'endpoint.variant', ...prompt],
    openai: ['guardUrl', 'guardApiKey', 'guardModel', ...prompt],
    'llama-cpp': ['guardModel', ...prompt],
    local: [],
  }
  const table = Object.keys(base).flatMap((guard) =>
    Object.keys(values).map((option) => [option, guard as keyof typeof base] as const),
  )

  it.each(table)('%s with the guard %s is read, or is an error that says so', (option, guard) => {
    const [whole = '', part] = option.split('.')
    const value = values[option as keyof typeof values]
    const given = whole === 'endpoint' && part !== undefined ? { name: 'e', [part]: value } : { [part ?? '']: value }
    const options = { ...base[guard], [whole]: part === undefined ? value : given } as LlamaGuardOptions
    if (used[guard].includes(option)) {
      expect(parseOptions(options, {})).toMatchObject({ guard })
      return
    }
    const error = thrownBy(() => parseOptions(options, {}))
    expect(error.code).toBe('invalid_option')
    const told = whole === 'endpoint' ? 'endpoint' : option
    expect(error.message).toContain(`The option ${told} is set, and the guard "${guard}" ignores it`)
  })

  it('is an error as a variable too, when the backend was chosen by variable', () => {
    const env = { LLAMA_GUARD_BACKEND: 'local', LLAMA_GUARD_ENDPOINT: 'e' }
    expect(thrownBy(() => parseOptions({}, env)).message).toContain('The option endpoint is set')
  })

  it('is no error as a variable when the backend was chosen in code: the variable serves another guard', () => {
    expect(parseOptions({ guard: 'local' }, { LLAMA_GUARD_ENDPOINT: 'e' })).toMatchObject({ guard: 'local' })
  })

  it('a cache secret without a Redis URL is an error', () => {
    const secret = { LLAMA_GUARD_CACHE_SECRET: 's' }
    const refused = (options: LlamaGuardOptions): string =>
      thrownBy(() => parseOptions({ guard: 'local', ...options }, secret)).message
    expect(refused({})).toContain('nothing is sealed with it')
    const cacheStore = { get: async () => undefined, set: async () => undefined }
    expect(refused({ cacheStore })).toContain('seals its values itself')
    expect(parseOptions({ guard: 'local', cacheStore: 'redis://localhost' }, secret)).toMatchObject({
      cacheSecret: 's',
    })
  })

  it.each([[42], [{}], [[]], [['hate']], ['']])('categories %j are refused for every backend', (categories) => {
    for (const guard of Object.keys(base) as (keyof typeof base)[]) {
      const error = thrownBy(() => parseOptions({ ...base[guard], policy: { categories: categories as never } }, {}))
      expect(error).toMatchObject({ code: 'invalid_option', message: expect.stringContaining('categories') })
    }
  })
})

describe('refusalText', () => {
  it.each<[unknown, unknown]>([
    ['No.', 'No.'],
    [
      { en: 'No.', 'pt-BR': 'Não.' },
      { en: 'No.', 'pt-BR': 'Não.' },
    ],
    [
      { input: { en: 'No.' }, output: 'Stop.' },
      { input: { en: 'No.' }, output: 'Stop.' },
    ],
    ['{ "en": "No." }', { en: 'No.' }],
  ])('%j is read', (given, wanted) => {
    expect(read({}, { refusalText: given as LlamaGuardOptions['refusalText'] })).toMatchObject({ refusalText: wanted })
    const text = typeof given === 'string' ? given : JSON.stringify(given)
    expect(read({ LLAMA_GUARD_REFUSAL_TEXT: text })).toMatchObject({ refusalText: wanted })
  })

  it.each([5, [], {}, { en: 5 }, { 'not a tag': 'x' }, { input: 5 }, { input: 'x', de: 'y' }, '{ "en": '])(
    '%j is refused',
    (given) => {
      expect(['invalid_option', 'unknown_option']).toContain(wrong({ refusalText: given }).code)
    },
  )
})
