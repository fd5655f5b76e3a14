// What operators write by mistake, and the message that each gets: what came in, what was wanted, what to do. The first
// table is thrown when the middleware is built; the second shows in the log and, in fixed words, to the client.
import express, { type Express } from 'express'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { guardFetch } from '../../src/fetch/index.js'
import { anyUnsafe, createGuard, llamaGuard, type LlamaGuardOptions } from '../../src/index.js'
import { thrownBy } from '../guard/fake-guards.js'
import { EXPRESSES, serving } from '../helpers/apps.js'
import { emulated, type Emulated } from '../helpers/emulated.js'
import { fails } from '../emulator/faults.js'
import { ACCESS_DENIED, validationError } from '../emulator/aws-errors.js'
import { markerGuard, memoryLogger } from '../helpers/guards.js'
import { chat, completion, send, type Reply } from '../helpers/http.js'

const guard = markerGuard()
const folder = mkdtempSync(join(tmpdir(), 'llama-guard-'))
afterAll(() => rmSync(folder, { recursive: true }))

type Variables = Record<string, string>
/** JavaScript takes anything. */
const build = llamaGuard as (options?: unknown, env?: unknown) => unknown
const given = (options: object, env: Variables = {}) => [() => build({ guard, ...options }, env)] as const
const named = (options: object, env: Variables = {}) => [() => build(options, env)] as const
const REQUEST = Object.create((await import('node:http')).IncomingMessage.prototype) as object

const RUNTIME = 'https://runtime.sagemaker.us-east-1.amazonaws.com/endpoints'
const CALL = 'http://vllm:8000/v1/chat/completions'

/** What was written; the message of the error; its code, where it is not `invalid_option`. */
const START: readonly (readonly [string, readonly [() => unknown], RegExp, string?])[] = [
  ['app.use(llamaGuard)', [() => build(REQUEST, {})], /without \(\)\. Write app\.use\(llamaGuard\(\)\)/],
  ["llamaGuard('local')", [() => build('local', {})], /Did you mean llamaGuard\(\{ guard: "local" \}\)/],
  ["llamaGuard(['local'])", [() => build(['local'], {})], /should be an object; got a list of 1/],
  ['llamaGuard(null)', [() => build(null, {})], /should be an object; got null/],
  [
    'llamaGuard(options, handler)',
    [() => build({ guard }, () => 1)],
    /got a function\. A handler stands behind the guard/,
  ],
  ['guardFetch(options)', [() => guardFetch({ guard } as never)], /got object\. Write guardFetch\(handler, options\)/],
  ['no endpoint', named({}), /`endpoint`.*LLAMA_GUARD_ENDPOINT.*guard: 'local'/, 'endpoint_missing'],
  [
    'JSON with a comma too many',
    given({}, { LLAMA_GUARD_TEXT: '{"in":"message",}' }),
    /LLAMA_GUARD_TEXT should be JSON.*comma/,
  ],
  [
    'JSON with a secret and a comma too many',
    given({}, { LLAMA_GUARD_AUDIT: '{"path":"/tmp/a","secret":"hush",}' }),
    /LLAMA_GUARD_AUDIT should be JSON(?!.*hush)/,
  ],
  [
    'an audit without a path',
    given({}, { LLAMA_GUARD_AUDIT: '{"chain":true}' }),
    /LLAMA_GUARD_AUDIT should be the path/,
  ],
  ['an audit in a folder as a file', given({ audit: folder }), /audit names .* which cannot be written/],
  [
    'an upstream key with its line break',
    given({}, { LLAMA_GUARD_UPSTREAM_URL: 'http://m', LLAMA_GUARD_UPSTREAM_API_KEY: 'sk-hush\n' }),
    /upstream\.apiKey should be a key without(?!.*hush).*line break at its end/,
  ],
  ['no URL', named({ guard: 'openai' }), /`guardUrl`.*LLAMA_GUARD_URL/, 'endpoint_missing'],
  ['no file', named({ guard: 'llama-cpp' }), /GGUF.*`guardModel`.*LLAMA_GUARD_MODEL_ID/, 'endpoint_missing'],
  [
    'the URL of an endpoint',
    named({ endpoint: `${RUNTIME}/my-guard/invocations` }),
    /is a URL or an ARN.*Did you mean "my-guard"/,
  ],
  ['an unknown part behind it', named({ endpoint: `${RUNTIME}/my-guard/invoke?x=1` }), /Did you mean "my-guard"/],
  [
    'an ARN',
    named({ endpoint: 'arn:aws:sagemaker:us-east-1:123456789012:endpoint/my-guard' }),
    /Did you mean "my-guard"/,
  ],
  [
    'the URL of a server as endpoint',
    named({ endpoint: 'http://vllm:8000/v1' }),
    /guard: 'openai' and `guardUrl`.*AWS_ENDPOINT_URL/,
  ],
  ['a name that no endpoint has', named({ endpoint: 'my_guard' }), /letters, digits and hyphens; got "my_guard"/],
  ['the URL of one call', named({ guard: 'openai', guardUrl: CALL }), /the base URL: http:\/\/vllm:8000\/v1\.$/],
  [
    'a URL for another guard',
    named({ endpoint: 'e', guardUrl: 'http://x/v1' }),
    /guardUrl is set, and the guard "sagemaker" ignores it.*openai/,
  ],
  ['a server as guard', named({ guard: 'vllm' }), /"vllm".*OpenAI-compatible server: set `guard: 'openai'`/],
  ['the same as a variable', named({}, { LLAMA_GUARD_BACKEND: 'ollama' }), /LLAMA_GUARD_BACKEND.*"ollama".*guardUrl/],
  ['another spelling of a guard', named({ guard: 'llama.cpp' }), /Set `guard: 'llama-cpp'`, and `guardModel`/],
  ['a model as guard', named({ guard: 'llama-guard-3-8b' }), /is a model\. Set `model`/],
  [
    'a guard that judges nothing',
    given({ guard: { check: () => true } }),
    /judge\(conversation, \{ signal \}\).*keys \["check"\]/,
  ],
  ['a middleware as guard', given({ guard: () => 1 }), /judge\(.*got a function/],
  ['a model without its size', named({ endpoint: 'e', model: 'llama-guard-3' }), /Did you mean "llama-guard-3-8b"/],
  [
    'a model as Hugging Face spells it',
    named({ endpoint: 'e', model: 'meta-llama/LlamaGuard-7b' }),
    /Did you mean "llama-guard-1"/,
  ],
  ...Object.entries({
    'Llama-Guard-3-8B': 'llama-guard-3-8b',
    'Llama-Guard-3-11B-Vision': 'llama-guard-3-11b-vision',
    'Meta-Llama-Guard-2-8B': 'llama-guard-2',
    'Llama-Guard-4-12B': 'llama-guard-4-12b',
  }).map(([name, meant]) => [name, named({ model: `meta-llama/${name}` }), RegExp(`Did you mean "${meant}"`)] as const),
  [
    'an unknown guard of a panel',
    named({ guards: ['prompt-guard-9@x'] }),
    /guards\[0\] should be "model@endpoint"; got "prompt-guard-9@x"\. Did you mean ".*@x"/,
  ],
  ['a panel that judges one side', named({ guards: ['prompt-guard-2@x'] }), /only one side.*`guards`/],
  ['a panel of none', [() => anyUnsafe([])], /got no guards/],
  [
    'createGuard({ streaming })',
    [() => createGuard({ guard: 'local', streaming: 'full' } as never)],
    /streaming is set, and createGuard\(\) ignores it.*Move it/,
  ],
  [
    'a fallback in createGuard()',
    [() => createGuard({ guard: 'local', guards: [{ fallback: guard }] })],
    /fallback.*createGuard\(\) ignores it/,
  ],
  [
    'a misspelt option',
    given({ endPoint: 'x' }),
    /^Unknown option "endPoint". Did you mean "endpoint"\?$/,
    'unknown_option',
  ],
  [
    'a misspelt variable',
    given({}, { LLAMA_GUARD_ENDPOIN: 'x' }),
    /variable "LLAMA_GUARD_ENDPOIN".*"LLAMA_GUARD_ENDPOINT"/,
    'unknown_option',
  ],
  ['an option that belongs to AWS', given({ region: 'us-east-1' }), /"region".*set AWS_REGION/, 'unknown_option'],
  ['a variable that belongs to AWS', given({}, { LLAMA_GUARD_REGION: 'x' }), /AWS_REGION/, 'unknown_option'],
  ['baseURL', given({ baseURL: 'http://x' }), /`guardUrl` \(LLAMA_GUARD_URL\)/, 'unknown_option'],
  ['apiKey', given({ apiKey: 'x' }), /`guardApiKey`.*upstream: \{ url, apiKey \}/, 'unknown_option'],
  ['seconds', given({ timeout: 5 }), /`timeoutMs`.*in milliseconds/, 'unknown_option'],
  ['yes', given({}, { LLAMA_GUARD_PARALLEL: 'yes' }), /PARALLEL should be true or false; got "yes"/],
  ['words', given({}, { LLAMA_GUARD_TIMEOUT_MS: 'soon' }), /_TIMEOUT_MS should be .* from 1 to 600000; got "soon"/],
  ['failOpen', given({ failOpen: true }), /`onError: 'open'`/, 'unknown_option'],
  [
    'a category of another model',
    given({ policy: { actions: { S9: 'flag' } } }),
    /policy\.actions names the category "S9"; this guard knows O1, O3/,
  ],
  [
    'a part of a policy as an option',
    given({ category: [] }),
    /`policy: \{ categories.*LLAMA_GUARD_POLICY/,
    'unknown_option',
  ],
  ['the same as a variable', given({}, { LLAMA_GUARD_TASK: 'x' }), /file with these parts/, 'unknown_option'],
  ['a threshold in a policy', given({ policy: { threshold: 0.5 } }), /It is an option of llamaGuard/, 'unknown_option'],
  [
    'the URL of one guard',
    given({ guards: [{ endpoint: 'e', policy: { url: 'https://x' } }] }),
    /guards\[0\]\.policy\.url is set, and one guard ignores it.*Move it there/,
  ],
  [
    'an action of one guard',
    [() => createGuard({ guard: 'local', policy: { actions: { O3: 'flag' } as never } })],
    /policy\.actions\.O3 is set, and one guard ignores it/,
  ],
  ['a policy that is not there', given({}, { LLAMA_GUARD_POLICY: '/nowhere.json' }), /"\/nowhere\.json"/],
  ['a path without a slash', given({ paths: ['v1/*'] }), /"v1\/\*".*does not start with a slash/],
  ['a path with a parameter', given({ paths: ['/chat/:id'] }), /match nothing.*write "\/chat\/\*"/],
  ['a star within a path', given({ paths: ['/v1/*/chat'] }), /match nothing.*write "\/v1\/\*"/],
  ['a pattern for a path', given({ paths: [/v1/] }), /paths\[0\].*an instance of RegExp/],
  ['a dialect by half its name', given({ dialects: ['openai'] }), /no dialect "openai"; built in are openai-chat/],
  ['a JSONPath', given({ dialects: [{ in: '$.messages[0].content' }] }), /a path of keys with dots.*"answer\.0\.text"/],
  ['options in place of a function', given({ override: { mode: 'shadow' } }), /override should be a function/],
  ['a logger that is none', given({ logger: 'pino' }), /pino-like logger with debug, info, warn and error, or false/],
  ['a Redis URL without its scheme', given({ cacheStore: 'localhost:6379' }), /redis:\/\/host:6379/],
  [
    'two upstreams',
    given({}, { LLAMA_GUARD_UPSTREAM_URL: 'http://x', LLAMA_GUARD_UPSTREAM_ENDPOINT: 'e' }),
    /Unset the other/,
  ],
  [
    'an audit in no folder',
    given({ audit: '/nowhere/audit.jsonl' }),
    /cannot be written \(ENOENT\)\. .*make its folder/,
  ],
]

describe('At the start', () => {
  afterEach(() => vi.unstubAllEnvs())
  const rows = START.map(([what, run, message, code = 'invalid_option']) => [what, run, message, code] as const)
  it.each(rows)('%s is told what to write.', (_what, [run], message, code) => {
    vi.stubEnv('AWS_REGION', 'eu-west-1')
    expect(thrownBy(run)).toMatchObject({ code, message: expect.stringMatching(message) as string })
  })

  it.each([
    ['', 'region_missing', /No AWS region is set.*AWS_REGION.*us-east-1/],
    ['Frankfurt', 'invalid_option', /AWS_REGION is "Frankfurt".*for example us-east-1/],
  ])('AWS_REGION=%s is told what to write.', (region, code, message) => {
    const none = join(folder, 'none')
    for (const name of ['AWS_CONFIG_FILE', 'AWS_SHARED_CREDENTIALS_FILE']) vi.stubEnv(name, none)
    vi.stubEnv('AWS_REGION', region)
    expect(thrownBy(() => build({ endpoint: 'e' }, {}))).toMatchObject({
      code,
      message: expect.stringMatching(message),
    })
  })
})

describe('While it runs', () => {
  const MEGABYTE = 2 ** 20
  let wire: Emulated
  beforeEach(async () => void (wire = await emulated()))
  afterEach(() => wire.close())

  interface Asked {
    readonly reply: Reply
    readonly told: string
  }
  const app = (): Express => express().set('env', 'test')
  const answer = (_req: unknown, res: express.Response): void => void res.json(completion('fine'))

  /** Asks an app that `mount` has made; what the client got, and what the log says. */
  async function asked(
    mount: (made: Express, logger: ReturnType<typeof memoryLogger>) => unknown,
    text = 'hi',
  ): Promise<Asked> {
    const logger = memoryLogger()
    const made = app()
    mount(made, logger)
    const reply = await serving(made, ({ url }) => send(`${url}/v1/chat/completions`, { body: chat(text) }))
    return { reply, told: JSON.stringify(logger.lines) }
  }
  const behind = (options: LlamaGuardOptions) =>
    asked((made, logger) => made.use(wire.guard({ logger, ...options }), answer))

  /** What the client gets; what the log says; how it came about. */
  it.each<[string, string, RegExp, () => Promise<Asked>]>([
    [
      'no permission',
      'guard_rejected',
      /denied access\. The credentials need the permission sagemaker:InvokeEndpoint/,
      () => (wire.emulator.behave(fails(ACCESS_DENIED)), behind({})),
    ],
    [
      'a wrong inference component',
      'guard_rejected',
      /Check LLAMA_GUARD_ENDPOINT, the inference component and the variant/,
      () => (wire.emulator.behave(fails(validationError('Inference Component Name header is required'))), behind({})),
    ],
    [
      'no permission of a guard that createGuard() made',
      'guard_rejected',
      /"reason":"[^"]*denied access\. The credentials need/,
      () => (
        wire.emulator.behave(fails(ACCESS_DENIED)),
        behind({ guard: createGuard({ endpoint: wire.emulator.endpoint }), endpoint: undefined })
      ),
    ],
    [
      'no permission beside a guard of yours',
      'guard_rejected',
      /"reason":"[^"]*denied access\. The credentials need/,
      () => (wire.emulator.behave(fails(ACCESS_DENIED)), behind({ guards: [markerGuard()] })),
    ],
    [
      'a threshold without scores',
      'score_unavailable',
      /threshold.*log prob/i,
      () => (wire.emulator.behave((call) => call.send([{ generated_text: 'safe' }])), behind({ threshold: 0.5 })),
    ],
    [
      'a guard of yours that throws',
      'guard_error',
      /"ownGuard\(\)|TypeError/,
      () =>
        behind({
          guard: { judge: () => Promise.reject(new TypeError('turns.text is undefined')) },
          endpoint: undefined,
        }),
    ],
    [
      'a misspelt option of override()',
      'internal_error',
      /"option":"override".*Unknown override option .*onEror.*Did you mean .*onError/,
      () => behind({ override: () => ({ onEror: 'open' }) as object }),
    ],
    [
      'a wrong value of override()',
      'internal_error',
      /override\(\)\.mode should be one of enforce, shadow.*off/,
      () => behind({ override: () => ({ mode: 'off' }) as never }),
    ],
    [
      'an option that override() cannot change',
      'internal_error',
      /guard.*is the same for all requests: give it to llamaGuard\(\)/,
      () => behind({ override: () => ({ guard: 'local' }) as object }),
    ],
    [
      'a promise of skip()',
      'internal_error',
      /"option":"skip".*at once/,
      () => behind({ skip: (async () => true) as never }),
    ],
  ])('%s is %s, and the log says what to do.', async (_what, code, message, run) => {
    const { reply, told } = await run()
    expect([reply.status, reply.json().error.code]).toEqual([503, code])
    expect(told).toMatch(message)
    expect(reply.text).not.toMatch(/LLAMA_GUARD|AWS|override|option|TypeError|session/)
  })

  it('Redis that is down costs a hit, and the log has its code.', async () => {
    const logger = memoryLogger()
    const made = app().use(wire.guard({ logger, cacheMax: 10, cacheStore: 'redis://127.0.0.1:9' }), answer)
    await serving(made, async ({ url }) => {
      let round = 0
      await vi.waitFor(async () => {
        expect((await send(`${url}/x`, { body: chat(`hi ${round++}`) })).status).toBe(200)
        expect(JSON.stringify(logger.lines)).toMatch(/ECONNREFUSED.*shared verdict cache fails; going on without it/)
      })
    })
  })

  it.each(EXPRESSES)(
    'A guard behind its routes names them on %s, once, and one before them says nothing.',
    async (_name, module) => {
      for (const behindRoutes of [true, false]) {
        const logger = memoryLogger()
        const made = module()
        const mw = wire.guard({ logger })
        const routes = (): unknown =>
          made.use('/v1', module.Router().post('/chat/completions', answer).get('/models', answer))
        if (behindRoutes) {
          made.post('/chat', answer)
          routes()
        }
        made.use(mw)
        if (!behindRoutes) routes()
        made.post('/other', answer)
        await serving(made, async ({ url }) => {
          for (let round = 0; round < 2; round += 1) await send(`${url}/other`, { body: { text: 'hi' } })
        })
        const lines = logger.lines.filter(({ message }) => message?.includes('mount the guard above'))
        expect(lines.map(({ level, fields }) => [level, fields['routes']])).toEqual(
          behindRoutes ? [['info', ['POST /chat', 'POST /chat/completions']]] : [],
        )
      }
    },
  )

  it('A guard behind the handler that has answered says so.', async () => {
    const { told } = await asked((made, logger) =>
      made.post(
        '/v1/chat/completions',
        (_req, res, next) => {
          res.json(completion('fine'))
          next()
        },
        wire.guard({ logger }),
      ),
    )
    expect(told).toContain('Mount it before the handler')
  })

  it.each([
    ['a chat is 413', chat('x'.repeat(2 * MEGABYTE)), 413],
    ['what is no chat passes', { rows: ['x'.repeat(2 * MEGABYTE)] }, 200],
    ['a chat in its bounds is judged', chat('hi'), 200],
  ])('Of a body over maxBodyBytes that was parsed before the guard %s.', async (_what, body, status) => {
    const made = app().use(express.json({ limit: '5mb' }), wire.guard({ logger: false, unknown: 'pass' }), answer)
    const reply = await serving(made, ({ url }) => send(`${url}/x`, { body }))
    expect(reply.status).toBe(status)
    if (status === 413)
      expect(reply.json().error).toMatchObject({
        code: 'body_too_large',
        message: expect.stringContaining('raise maxBodyBytes') as string,
      })
  })
})
