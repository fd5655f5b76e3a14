import { afterEach, describe, expect, it, vi } from 'vitest'
import { LlamaGuardError } from '../src/types/errors.js'
import { llamaGuard } from '../src/llama-guard.js'
import type { LlamaGuardOptions } from '../src/options/index.js'
import { ask, EXPRESSES } from './helpers/apps.js'
import { markerGuard, memoryLogger } from './helpers/guards.js'
import { chat, chunk, completion, send, serve, sleep, type Running } from './helpers/http.js'

const open: Running[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()))
})

async function guarded(options: LlamaGuardOptions, body: object = completion('hello'), status = 200): Promise<string> {
  const middleware = llamaGuard({ guard: markerGuard(), logger: memoryLogger(), ...options })
  const server = await serve((req, res) =>
    middleware(req, res, () => {
      res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    }),
  )
  open.push(server)
  return `${server.url}/v1/chat/completions`
}

describe('A hook of the application', () => {
  it.each(['skip', 'override'] as const)('cannot switch the guard off with a promise from %s', async (hook) => {
    const logger = memoryLogger()
    const url = await guarded({ [hook]: async () => false, logger } as never)
    const reply = await send(url, { body: chat('UNSAFE') })
    expect([reply.status, reply.json().error.code]).toEqual([503, 'internal_error'])
    expect(logger.lines.at(-1)).toMatchObject({ level: 'error', fields: { code: 'internal_error' } })
  })

  it('cannot tell a client what was withheld by way of an error of its guard', async () => {
    const url = await guarded({
      guard: { judge: (turns) => Promise.reject(new LlamaGuardError('guard_error', `I saw ${turns.at(-1)!.text}`)) },
    })
    const reply = await send(url, { body: chat('my words') })
    expect(reply.status).toBe(503)
    expect(reply.text).not.toContain('my words')
  })
})

const THROWN: readonly (readonly [string, () => unknown])[] = [
  ['an error', () => new Error('plain')],
  ['null', () => null],
  ['an object without prototype', () => Object.create(null) as object],
  ['a proxy that was revoked', revoked],
  ['an error whose message throws', () => Object.defineProperty(new Error('x'), 'message', { get: fails })],
  ['an error whose name is a symbol', () => Object.assign(new Error('x'), { name: Symbol('x') })],
  // What `Error.prepareStackTrace = (_, sites) => sites` leaves.
  ['an error whose stack is a list', () => Object.assign(new Error('x'), { stack: [] })],
  ['an error whose code has no text', () => Object.assign(new Error('x'), { code: Object.create(null) as object })],
]

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

function fails(): never {
  throw new Error('a look at an error')
}

// A rejection that nobody takes fails the run.
it.each(THROWN)(
  'A hook, a guard or a logger that throws %s leaves no request without an answer.',
  async (_what, thrown) => {
    const warned = vi.spyOn(process, 'emitWarning').mockReturnValue()
    const throws = (): never => {
      throw thrown()
    }
    const rejects = async (): Promise<never> => throws()
    const logger = { debug: throws, info: rejects, warn: throws, error: rejects }
    const rows: readonly (readonly [LlamaGuardOptions, number])[] = [
      ...[throws, rejects].flatMap((hook): (readonly [object, number])[] => [
        [{ onVerdict: hook }, 451],
        [{ skip: hook }, 503],
        [{ override: hook }, 503],
        [{ context: hook }, 503],
        [{ refusalText: hook }, 451],
        [{ handler: hook }, 451],
        [{ guard: { judge: hook } }, 503],
      ]),
      [{ logger }, 451],
      [{ logger, skip: throws }, 503],
    ]
    for (const [options, status] of rows) {
      const url = await guarded(options)
      const reply = await ask(url, { body: chat('UNSAFE') })
      expect([Object.keys(options), reply.status]).toEqual([Object.keys(options), status])
    }
    warned.mockRestore()
  },
)

it('A dialect that cannot even begin to read a reply ends in 503, not in a hang.', async () => {
  const { openaiChat } = await import('../src/dialects/openai-chat.js')
  const broken = {
    ...openaiChat,
    stream: () => {
      throw new Error('broken')
    },
  }
  const middleware = llamaGuard({ guard: markerGuard(), logger: memoryLogger(), dialects: [broken] })
  const server = await serve((req, res) =>
    middleware(
      req,
      res,
      () => void res.writeHead(200, { 'content-type': 'text/event-stream' }).end(chunk({ content: 'hello' })),
    ),
  )
  open.push(server)
  const reply = await send(`${server.url}/v1/chat/completions`, { body: chat('hi') })
  expect([reply.status, reply.json().error.code]).toEqual([503, 'internal_error'])
})

it.each(EXPRESSES)('A handler on %s that answers after the refusal is not thrown at.', async (_name, express) => {
  const thrown: unknown[] = []
  let answered = false
  const app = express()
  app.use(llamaGuard({ guard: markerGuard(), logger: memoryLogger(), parallel: true }))
  app.post('/v1/chat/completions', async (_req, res) => {
    await sleep(40)
    for (const answer of [
      () => res.json(completion('late')),
      () => res.writeHead(200, { 'x-late': 'yes' }),
      () => res.removeHeader('x-late'),
      () => res.end('late'),
    ]) {
      try {
        answer()
      } catch (error) {
        thrown.push(error)
      }
    }
    answered = true
  })
  const server = await serve(app)
  open.push(server)
  const reply = await send(`${server.url}/v1/chat/completions`, { body: chat('UNSAFE') })
  expect([reply.status, reply.text.includes('late')]).toEqual([451, false])
  await vi.waitFor(() => expect(answered).toBe(true))
  expect(thrown).toEqual([])
})
