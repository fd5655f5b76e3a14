// What people say to a model is nobody's log line. Words are planted wherever chat text can stand, and every
// sink is searched for them.
// Also: one line per judgement, with every fact an operator needs.
import express from 'express'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import pino from 'pino'
import { pinoHttp } from 'pino-http'
import { withProtection } from '../src/options/protection.js'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { anyUnsafe, LlamaGuardError, type LlamaGuardOptions } from '../src/index.js'
import type { Guard, GuardedRequest, Middleware, VerdictEvent } from '../src/types.js'
import { FAULTS, startEmulator } from './emulator/index.js'
import { modelFails } from './emulator/faults.js'
import { emulated, type Emulated } from './helpers/emulated.js'
import { ask, guarded, onExpress, serving } from './helpers/apps.js'
import { markerGuard, memoryLogger } from './helpers/guards.js'
import { chat, chunk, completion, send, serve, sleep, type Reply } from './helpers/http.js'

const PLANTED = /planted/i
/** The word as a request spells it, so that a cut or decoded echo is found too. */
const said = (more = ''): string => `my PLANTED words ${more}`

/** A request with the word in every place that takes words. */
const talkative = (more = ''): object => ({
  model: 'PLANTED-model',
  messages: [
    { role: 'system', content: said() },
    { role: 'user', name: 'PLANTED_name', content: [{ type: 'text', text: said() }] },
    {
      role: 'assistant',
      content: null,
      tool_calls: [
        {
          id: 'PLANTED_id',
          type: 'function',
          function: { name: 'PLANTED_tool', arguments: JSON.stringify({ q: said() }) },
        },
      ],
    },
    { role: 'tool', tool_call_id: 'PLANTED_id', content: said() },
    { role: 'user', content: said(more) },
  ],
  user: 'PLANTED-user',
  metadata: { PLANTED: said() },
  tools: [{ type: 'function', function: { name: 'PLANTED_tool', description: said() } }],
})
const HEADERS = {
  'x-request-id': `an id of ${said()}`,
  'user-agent': said(),
  cookie: 'a=PLANTED',
  authorization: 'Bearer PLANTED',
}

let wire: Emulated
beforeAll(async () => {
  wire = await emulated()
})
afterAll(() => wire.close())
beforeEach(() => wire.emulator.reset())

interface Seen {
  readonly reply: Reply
  readonly logger: ReturnType<typeof memoryLogger>
  readonly events: VerdictEvent[]
  readonly request: GuardedRequest | undefined
}

/** One talkative exchange; what its sinks got. */
async function exchange(
  options: LlamaGuardOptions,
  body: object = talkative(),
  answer: object | string = completion(said()),
): Promise<Seen> {
  const logger = memoryLogger()
  const events: VerdictEvent[] = []
  let request: GuardedRequest | undefined
  const app = express()
  app.use((req, _res, next) => ((request = req as unknown as GuardedRequest), next()))
  app.use(wire.guard({ logger, onVerdict: (event) => events.push(event), ...options }))
  app.use(
    (_req, res) => void (typeof answer === 'string' ? res.type('text/event-stream').send(answer) : res.json(answer)),
  )
  const server = await serve(app)
  const reply = await send(`${server.url}/v1/chat/completions`, { body, headers: HEADERS })
  await sleep(20)
  await server.close()
  return { reply, logger, events, request }
}

/** Everything an application could print of an exchange, errors with stack, cause and hidden fields included. */
function printed({ reply, logger, events, request }: Seen): string {
  const { input, output } = request?.llamaGuard ?? {}
  const shown = (value: unknown): string =>
    inspect(value, { depth: Infinity, showHidden: true, maxStringLength: Infinity, maxArrayLength: Infinity })
  return [shown(logger.lines), JSON.stringify(events), shown([input, output]), JSON.stringify(reply.headers)].join('\n')
}

describe('no sink holds chat text', () => {
  it('when a request and its reply are safe', async () => {
    const seen = await exchange({})
    expect(seen.reply.status).toBe(200)
    expect(seen.logger.lines.length).toBe(2)
    expect(printed(seen)).not.toMatch(PLANTED)
  })

  it.each([
    ['the request', talkative('UNSAFE_O3'), completion('fine')],
    ['the reply', talkative(), completion(said('UNSAFE_O3'))],
    ['the reply names a key that speaks', talkative(), { [said('UNSAFE_O3')]: said() }],
    ['the stream', talkative(), chunk({ content: said('UNSAFE_O3') })],
  ])('when %s is blocked', async (_what, body, answer) => {
    const seen = await exchange({}, body, answer)
    expect(seen.reply.status).toBe(451)
    expect(printed(seen) + seen.reply.text).not.toMatch(PLANTED)
  })

  it.each(FAULTS.filter(({ slow }) => slow !== true).map(({ name, behaviour }) => [name, behaviour] as const))(
    'when the endpoint fails with %s, also where it echoes the prompt',
    async (_name, behaviour) => {
      wire.emulator.behave(behaviour)
      const seen = await exchange({})
      expect(seen.reply.status).toBe(503)
      expect(wire.seen()).toMatch(PLANTED)
      expect(printed(seen) + seen.reply.text).not.toMatch(PLANTED)
    },
  )

  it.each([
    ['an error of its own', () => new Error(said())],
    ['an error with a cause', () => new Error('failed', { cause: new TypeError(said()) })],
    ['an error with fields', () => Object.assign(new Error('failed'), { prompt: said(), code: said() })],
    ['an error of this package', () => new LlamaGuardError('guard_error', said())],
    ['a text', () => said()],
    ['an object', () => ({ message: said() })],
  ])('when a guard of the application throws %s', async (_what, thrown) => {
    const guard: Guard = { judge: () => Promise.reject(thrown() as Error) }
    const seen = await exchange({ guard })
    expect(seen.reply.status).toBe(503)
    // The operator reads what it was and where it was thrown, and not its message, which may quote the chat.
    const { logger, events, reply } = seen
    expect(
      inspect(logger.lines, { depth: Infinity }) + JSON.stringify([events, reply.headers]) + reply.text,
    ).not.toMatch(PLANTED)
    const error = thrown()
    if (!(error instanceof LlamaGuardError))
      expect(logger.lines[0]?.fields).toMatchObject({
        cause: { name: error instanceof Error ? error.name : typeof error },
      })
    if (error instanceof Error)
      expect(logger.lines[0]?.fields['at']).toEqual(expect.arrayContaining([expect.any(String)]))
  })

  const tooLong = (): LlamaGuardError => new LlamaGuardError('guard_input_too_long', said())
  const unfit: Guard = {
    judge: () => Promise.resolve({ safe: true, categories: [] }),
    fit: () => {
      throw tooLong()
    },
  }
  it.each<[string, Guard]>([
    ['judge', { judge: () => Promise.reject(tooLong()) }],
    ['fit', unfit],
    ['fit of a panel', anyUnsafe([markerGuard(), unfit])],
  ])('when a guard of the application says in %s that a long text does not fit', async (_where, guard) => {
    const { logger, events, reply } = await exchange({ guard }, talkative('a '.repeat(200)))
    expect(JSON.parse(reply.text)).toMatchObject({ error: { code: 'guard_input_too_long' } })
    expect(inspect(logger.lines, { depth: Infinity }) + JSON.stringify(events) + reply.text).not.toMatch(PLANTED)
  })

  it('when a guard of the application throws an error about a text that looks like a stack trace', async () => {
    const trace = 'Error: PLANTED\n    at PLANTED (file.js:1:2)\n    at my PLANTED words'
    const { logger } = await exchange({ guard: { judge: () => Promise.reject(new Error(trace)) } })
    expect(inspect(logger.lines, { depth: Infinity })).not.toMatch(PLANTED)
    expect(logger.lines[0]?.fields['at']).toEqual(expect.arrayContaining([expect.stringContaining('log.test.ts')]))
  })

  it.each([
    ['a fault of its own', () => new LlamaGuardError('guard_error', said(), { clientFault: true }), 413],
    ['an unreadable request', () => new LlamaGuardError('unreadable_request', said()), 400],
    ['a failure', () => new LlamaGuardError('guard_error', said()), 503],
  ])('when a guard of the application blames the client for a reply: %s', async (_what, error, status) => {
    const guard: Guard = {
      judge: (_, { stage }) =>
        stage === 'output' ? Promise.reject(error()) : Promise.resolve({ safe: true, categories: [] }),
    }
    const { reply, logger } = await exchange({ guard })
    expect(reply.status).toBe(status)
    expect(reply.text + inspect(logger.lines, { depth: Infinity })).not.toMatch(PLANTED)
  })

  it('when a guard of the application throws an error that is named after it', async () => {
    const guard: Guard = { judge: () => Promise.reject(Object.assign(new Error(), { name: said() })) }
    const seen = await exchange({ guard })
    expect(seen.logger.lines[0]?.fields).toMatchObject({ cause: { name: 'Error' } })
    expect(inspect(seen.logger.lines, { depth: Infinity })).not.toMatch(PLANTED)
  })

  it.each([
    ['broken JSON', `{"messages":[{"role":"user","content":"${said()}"}`],
    ['tokens in place of text', { messages: [{ role: 'user', content: said() }], prompt_token_ids: [1, 2, 3] }],
    [
      'an image that is a path',
      { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: `/${said()}` } }] }] },
    ],
    ['a key named twice', `{"${said()}":1,"${said()}":2,"messages":[{"role":"user","content":"${said()}"}]}`],
  ])('when a request cannot be read because of %s', async (_what, body) => {
    const seen = await exchange({}, body as object)
    expect(seen.reply.status).toBe(400)
    expect(seen.logger.lines.length).toBe(1)
    expect(printed(seen) + seen.reply.text).not.toMatch(PLANTED)
  })

  it.each([
    ['a broken reply', `{"choices":[{"message":{"content":"${said()}"`, 'application/json'],
    ['binary data', said(), 'application/pdf'],
    ['an event that names a key twice', `data: {"${said()}":1,"${said()}":2}\n\n`, 'text/event-stream'],
    ['an unknown charset', said(), 'text/plain; charset=PLANTED'],
  ])('when a reply cannot be read because of %s', async (_what, body, type) => {
    const logger = memoryLogger()
    const server = await serve(
      express().use(
        wire.guard({ logger }),
        (_req, res) => void res.writeHead(200, { 'content-type': type, 'x-model-note': said() }).end(body),
      ),
    )
    const reply = await send(`${server.url}/v1/chat/completions`, { body: chat(said()) })
    await server.close()
    expect(reply.status).toBe(503)
    expect(inspect(logger.lines, { depth: Infinity }) + JSON.stringify(reply.headers) + reply.text).not.toMatch(PLANTED)
  })

  it('in the shared cache: neither in its keys nor in its entries', async () => {
    const entries: string[] = []
    const cacheStore = {
      get: async (key: string) => void entries.push(key),
      set: async (key: string, value: string) => void entries.push(key, value),
    } as unknown as NonNullable<LlamaGuardOptions['cacheStore']>
    await exchange(
      { cacheMax: 100, cacheStore, context: () => ({ tenant: 'tenant-1' }) },
      talkative(),
      completion(said('UNSAFE_O3')),
    )
    expect(entries.length).toBeGreaterThan(4)
    expect(entries.join('\n')).not.toMatch(/planted|tenant-1/i)
  })

  it('when a hook throws chat text', async () => {
    const logger = memoryLogger()
    const fails = (): never => {
      throw new Error(said())
    }
    for (const options of [{ skip: fails }, { override: fails }, { onVerdict: fails }] as LlamaGuardOptions[]) {
      const server = await serve(
        express().use(wire.guard({ logger, ...options }), (_req, res) => void res.json(completion('fine'))),
      )
      const reply = await send(`${server.url}/v1/chat/completions`, { body: chat(said()) })
      await server.close()
      expect(reply.status).toBe(options.onVerdict ? 200 : 503)
      expect(JSON.stringify(reply.headers) + reply.text).not.toMatch(PLANTED)
      const [name] = Object.keys(options)
      expect(logger.lines.find(({ fields }) => fields['option'] === name)).toMatchObject({
        level: 'error',
        message: `the option ${name} threw`,
        fields: { error: { name: 'Error', message: said(), stack: expect.any(String) } },
      })
    }
  })

  it.each([{}, { logger: false }] as const)('in the lines of pino-http, with %o', async (options) => {
    const lines: string[] = []
    const sink = new Writable({ write: (line: Buffer, _encoding, done) => (lines.push(line.toString()), done()) })
    const app = express().use(
      pinoHttp({ logger: pino({ level: 'debug' }, sink) }),
      wire.guard(options),
      (_req, res) => void res.json(completion(said('UNSAFE_O3'))),
    )
    const server = await serve(app)
    const reply = await send(`${server.url}/v1/chat/completions`, { body: talkative() })
    await sleep(20)
    await server.close()
    expect(reply.status).toBe(451)
    const ours = lines.filter((line) => line.includes('"stage"')).map((line) => JSON.parse(line) as object)
    expect(ours).toHaveLength('logger' in options ? 0 : 2)
    // pino-http's own line has the request; ours have its id.
    const [{ req, res }] = lines.filter((line) => line.includes('"res"')).map((line) => JSON.parse(line)) as [
      { req: { id: number }; res: { statusCode: number } },
    ]
    expect(res.statusCode).toBe(451)
    expect(reply.json().error.request_id).toBe(String(req.id))
    for (const line of ours) expect(line).toMatchObject({ requestId: String(req.id) })
    for (const line of ours) expect(line).not.toHaveProperty('req')
    expect(lines.join('')).not.toMatch(PLANTED)
  })
})

describe('a line per judgement', () => {
  it('says who judged what, when, how long and at which price', async () => {
    const { logger, events, reply } = await exchange(
      { context: () => ({ tenant: 'a' }), expose: 'full' },
      chat('Hello'),
      completion('UNSAFE_O3'),
    )
    const [input, output] = logger.lines
    const requestId = reply.json().error.request_id
    const facts = {
      requestId,
      context: { tenant: 'a' },
      dialect: 'openai-chat',
      model: 'llama-guard-1',
      ms: expect.any(Number),
      cached: false,
      attempts: 1,
      checks: 1,
      score: expect.any(Number),
      tokens: { output: expect.any(Number) },
    }
    expect(logger.lines.length).toBe(2)
    expect(input).toEqual({
      level: 'debug',
      message: 'judged safe',
      fields: { ...facts, stage: 'input', verdict: 'safe', action: 'allow', categories: [] },
    })
    expect(output).toEqual({
      level: 'info',
      message: 'blocked',
      fields: { ...facts, stage: 'output', verdict: 'unsafe', action: 'block', categories: ['O3'] },
    })
    expect(events).toEqual(logger.lines.map(({ fields }) => fields))
  })

  it('counts attempts, remembers what was cached, and names the error of what could not be judged', async () => {
    wire.emulator.behave(modelFails(500), { times: 1 })
    const guard = { cacheMax: 100, ...withProtection({ maxAttempts: 3 }) }
    const { logger } = await exchange(guard, chat('Hello'), completion('Hi'))
    expect(logger.lines[0]?.fields).toMatchObject({ stage: 'input', attempts: 2 })

    const app = express().use(wire.guard({ ...guard, logger }), (_req, res) => void res.json(completion('Hi')))
    const server = await serve(app)
    for (let round = 0; round < 2; round += 1) await send(`${server.url}/x`, { body: chat('Hello') })
    await server.close()
    expect(logger.lines.at(-2)?.fields).toMatchObject({ stage: 'input', cached: true, verdict: 'safe' })

    wire.emulator.behave(modelFails(400))
    const failed = await exchange({}, chat('Hello'))
    expect(failed.logger.lines).toEqual([
      {
        level: 'error',
        message: 'could not judge',
        fields: expect.objectContaining({
          stage: 'input',
          verdict: 'unjudged',
          action: 'unavailable',
          code: 'guard_rejected',
        }),
      },
    ])
    wire.emulator.reset()
    wire.emulator.behave(modelFails(400))
    const open = await exchange({ onError: 'open' }, chat('Hello'))
    expect(open.logger.lines.map(({ level, message }) => [level, message])).toEqual([
      ['error', 'could not judge, let through'],
      ['error', 'could not judge, let through'],
    ])
  })

  it('takes a plain request id from the client or from a middleware before us, and nothing else', async () => {
    const ids: string[] = []
    const app = express().use(
      wire.guard({ onVerdict: ({ requestId }) => ids.push(requestId) }),
      (_req, res) => void res.json(completion('Hi')),
    )
    const server = await serve(app)
    for (const id of ['req-1', 'no plain id', 'x'.repeat(200)])
      await send(`${server.url}/x`, { body: chat('Hello'), headers: { 'x-request-id': id } })
    await server.close()
    expect(ids[0]).toBe('req-1')
    for (const id of ids.slice(2)) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f-]{27}$/)
  })
})

const fails = (): never => {
  throw new RangeError(said())
}

it.each<[string, string | object, object, number, LlamaGuardOptions['onVerdict']?]>([
  ['a request', 'UNSAFE', {}, 451],
  ['a reply', 'hi', {}, 451],
  ['a stream', 'hi', { stream: true }, 451],
  ['nothing', 'hi', { stream: true }, 200],
  ['nothing, and a hook throws', 'hi', {}, 200, fails],
  // A rejection that nobody takes fails the run.
  ['a reply, and an async hook throws', 'hi', {}, 451, async () => Promise.reject(new RangeError(said()))],
  ['no body of no known API', { any: 'body' }, {}, 200],
])('a logger that throws keeps no answer from leaving: refuses %s', async (_what, asks, extra, status, onVerdict) => {
  const warnings = vi.spyOn(process, 'emitWarning').mockReturnValue()
  // One that sends its lines away is often async.
  const rejects = async (): Promise<never> => fails()
  const logger = { debug: rejects, info: fails, warn: fails, error: rejects }
  const word = status === 200 ? 'fine' : 'UNSAFE'
  const options = { guard: markerGuard(), ...(onVerdict && { onVerdict }) }
  const asOption = [guarded({ ...options, logger })]
  const log: Middleware = (req, _res, next) => next(void Object.assign(req, { log: logger }))
  for (const mounts of [asOption, [log, guarded({ ...options, logger: memoryLogger() })]]) {
    warnings.mockClear()
    const reply = await serving(
      onExpress(express)(mounts, (_req, res) => {
        if (!('stream' in extra))
          return void res.setHeader('content-type', 'application/json').end(JSON.stringify(completion(word)))
        res
          .setHeader('content-type', 'text/event-stream')
          .end(`${chunk({ content: word })}${chunk({}, { finish: 'stop' })}data: [DONE]\n\n`)
      }),
      ({ url }) =>
        typeof asks === 'string'
          ? ask(`${url}/v1/chat/completions`, { body: chat(asks, extra) })
          : ask(`${url}/things`, { body: asks }),
    )
    expect([reply.status, reply.complete]).toEqual([status, true])
    expect(warnings).toHaveBeenCalledWith('The logger threw: RangeError', 'LlamaGuardWarning')
    expect(inspect(warnings.mock.calls)).not.toMatch(PLANTED)
  }
  warnings.mockRestore()
})

it.each([null, undefined, false, 'a line', () => undefined, { info: fails }])(
  'the lines go to the logger of the guard where req.log is none: %o',
  async (log) => {
    const warnings = vi.spyOn(process, 'emitWarning')
    const logger = memoryLogger()
    const layer: Middleware = (req, _res, next) => next(void Object.assign(req, { log }))
    const reply = await serving(
      onExpress(express)([layer, guarded({ logger })], (_req, res) => {
        res.setHeader('content-type', 'application/json').end(JSON.stringify(completion('UNSAFE')))
      }),
      ({ url }) => ask(`${url}/v1/chat/completions`, { body: chat('hi') }),
    )
    expect([reply.status, logger.lines.map(({ message }) => message)]).toEqual([451, ['judged safe', 'blocked']])
    expect(warnings).not.toHaveBeenCalled()
    warnings.mockRestore()
  },
)

it('a process prints its judgements on stdout, and chat text nowhere', { timeout: 60_000 }, async () => {
  const emulator = await startEmulator()
  const viteNode = join(dirname(createRequire(import.meta.url).resolve('vite-node/package.json')), 'vite-node.mjs')
  const script = join(dirname(fileURLToPath(import.meta.url)), 'helpers', 'log-child.ts')
  const env = { ...process.env, ...emulator.env, LLAMA_GUARD_ENDPOINT: 'llama-guard', LLAMA_GUARD_LOG_LEVEL: 'debug' }
  const child = spawn(process.execPath, [viteNode, script], { env })
  let printed = ''
  let stderr = ''
  child.stdout.on('data', (data: Buffer) => (printed += data.toString()))
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString()))
  try {
    await vi.waitFor(() => expect(printed).toMatch(/^\d+\n/), { timeout: 50_000, interval: 50 })
    const url = `http://127.0.0.1:${printed.split('\n')[0]!}/chat`
    const ask = (reply: string) => send(url, { headers: HEADERS, body: { ...talkative(), reply } })
    expect((await ask(said())).status).toBe(200)
    expect((await ask(said('UNSAFE_O3'))).status).toBe(451)
    expect((await send(url, { body: `{"messages":"${said()}` })).status).toBe(400)
    await vi.waitFor(() => expect(printed.trim().split('\n')).toHaveLength(5))
  } finally {
    child.kill('SIGTERM')
    await once(child, 'exit')
    await emulator.close()
  }
  expect(printed + stderr).not.toMatch(PLANTED)
  const lines = printed.trim().split('\n').slice(1)
  for (const line of lines)
    expect(JSON.parse(line)).toMatchObject({ name: 'express-llama-guard', stage: expect.any(String) })
})
