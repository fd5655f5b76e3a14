// The same random handler behind the same random stack of middleware, with the guard and without: what is safe
// arrives as it would, and the handler sees what it would see. What is not safe never arrives, and nothing hangs.
//
// FC_RUNS=5000 FC_SEED=... npm test -- test/response/intercept/differential
import { Agent, createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { connect, createServer as createHttp2Server, type ClientHttp2Session, type Http2Server } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { constants, gunzipSync } from 'node:zlib'
import type express from 'express'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Middleware } from '../../../src/types.js'
import { EXPRESSES, guarded, within } from '../../helpers/apps.js'
import { markerGuard } from '../../helpers/guards.js'
import { chat, sleep } from '../../helpers/http.js'
import { LONG } from '../../helpers/sampled.js'
import {
  ENDS,
  endsLate,
  HOOKS,
  ODD_STATUSES,
  WRONG_STATUSES,
  play,
  programs,
  type Program,
  type Seen,
} from './programs.js'

const RUNS = Number(process.env['FC_RUNS'] ?? (LONG ? 40 : 20))
// The gate runs the same programs every time: FC_SEED=$RANDOM looks for new ones.
const SEED = { seed: Number(process.env['FC_SEED'] ?? 11) }
const PATH = '/v1/chat/completions'
const FILE = join(tmpdir(), 'express-llama-guard-differential.txt')
writeFileSync(FILE, 'Hello from a file. '.repeat(20))

interface Wire {
  readonly head: readonly string[]
  readonly body: string
  readonly trailers: readonly string[]
  readonly complete: boolean
  /** The connection is still open after the reply. */
  readonly kept: boolean
}
interface Outcome extends Seen {
  readonly wire: Wire
  readonly failed: boolean
}

const stray: unknown[] = []
const note = (error: unknown): void => void stray.push(error)
let theirs: NodeJS.UncaughtExceptionListener[] = []
beforeAll(() => {
  vi.spyOn(console, 'error').mockReturnValue(undefined)
  theirs = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException').on('uncaughtException', note).on('unhandledRejection', note)
})
afterAll(() => {
  vi.restoreAllMocks()
  process.off('uncaughtException', note).off('unhandledRejection', note)
  for (const each of theirs) process.on('uncaughtException', each)
})

const guard = guarded({ guard: markerGuard({ delay: () => now.program.delay }) })
/** What runs now: one program at a time. */
let now: { program: Program; withGuard: boolean; seen: Seen; done: (failed: boolean) => void }

/** The stack and the handler of the program that runs now. */
function serveProgram(req: IncomingMessage, res: ServerResponse, failed: (error: unknown) => void): void {
  const { program, withGuard, seen, done } = now
  const chain: Middleware[] = [
    ...program.before.map((name) => HOOKS[name]()),
    ...(withGuard ? [guard] : []),
    ...program.after.map((name) => HOOKS[name]()),
  ]
  const step = (index: number): void => {
    if (index < chain.length) return chain[index]!(req, res, () => step(index + 1))
    play(program, req, res, seen, FILE).then(
      () => done(false),
      (error: unknown) => {
        failed(error)
        done(true)
      },
    )
  }
  step(0)
}

const plain = (req: IncomingMessage, res: ServerResponse): void =>
  serveProgram(req, res, () => {
    if (res.headersSent) return void res.destroy()
    res.statusCode = 500
    if (req.httpVersionMajor < 2) res.statusMessage = ''
    res.end('failed')
  })

function onApp(module: typeof express): (req: IncomingMessage, res: ServerResponse) => void {
  const app = module()
  // Not 'test': an error page with a stack is another page with another stack.
  app.set('env', 'production')
  app.use((req, res, next) => serveProgram(req, res, next))
  app.use((error: unknown, _req: unknown, _res: unknown, next: (error: unknown) => void) =>
    next(Object.assign(new Error('failed'), { cause: error })),
  )
  // finalhandler prints what it answers.
  app.use(quiet)
  return app as never
}
const quiet = (_error: unknown, req: IncomingMessage, res: ServerResponse, _next: unknown): void => {
  if (res.headersSent) return void req.socket.destroy()
  res.statusCode = 500
  res.statusMessage = ''
  for (const name of res.getHeaderNames()) if (name.startsWith('content-')) res.removeHeader(name)
  res.end('failed')
}

/** Lines of a head, in their order and case, without what differs by right. */
function headLines(raw: readonly string[]): string[] {
  const lines = []
  // A block may end a stream early, so a stream cannot keep a promised length.
  const streams = raw.some((value) => /event-stream|ndjson/.test(value))
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index]!
    const value = raw[index + 1]!
    if (/^(date|llama-guard|server-timing|etag)$/i.test(name)) continue
    if (streams && /^(content-length|transfer-encoding)$/i.test(name)) continue
    lines.push(`${name}: ${value.replace(/connect\.sid=.*|^[\d.]+ms$/, 'some')}`)
  }
  return lines
}

function decoded(bytes: Buffer, coding: string | undefined): Buffer {
  try {
    return coding === 'gzip' && bytes.length > 0 ? gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH }) : bytes
  } catch {
    // Compression that somebody has put out of work says gzip, and sends something else.
    return bytes
  }
}

async function askHttp(port: number): Promise<Wire> {
  const { method, keepAlive } = now.program
  const payload = JSON.stringify(chat('hi'))
  const agent = new Agent({ keepAlive })
  const wire = await new Promise<Omit<Wire, 'kept'>>((resolve) => {
    const broken = (): void => resolve({ head: [], body: '', trailers: [], complete: false })
    const headers = {
      'content-type': 'application/json',
      'content-length': payload.length,
      'accept-encoding': 'gzip',
    }
    const req = request({ port, host: '127.0.0.1', path: PATH, method, agent, headers }, (res) => {
      const chunks: Buffer[] = []
      res.on('data', (data: Buffer) => chunks.push(data))
      res.on('error', () => undefined)
      res.on('close', () => {
        const bytes = Buffer.concat(chunks)
        resolve({
          head: [`${res.statusCode} ${res.statusMessage}`, ...headLines(res.rawHeaders)],
          body: decoded(bytes, res.headers['content-encoding']).toString('latin1'),
          trailers: res.rawTrailers,
          complete: res.complete,
        })
      })
    })
    req.on('error', broken)
    req.end(payload)
  })
  await sleep(8)
  const kept = Object.keys(agent.freeSockets).length > 0
  agent.destroy()
  return { ...wire, kept }
}

function askHttp2(session: ClientHttp2Session): Promise<Wire> {
  const { method } = now.program
  return new Promise((resolve) => {
    const stream = session.request(
      { ':path': PATH, ':method': method, 'content-type': 'application/json' },
      { endStream: false },
    )
    let head: string[] = []
    let trailers: string[] = []
    let body = ''
    const list = (headers: object): string[] =>
      headLines(Object.entries(headers).flatMap(([name, value]) => [name, String(value)]))
    stream.setEncoding('latin1')
    stream.on('response', (got) => (head = list(got)))
    stream.on('trailers', (got) => (trailers = list(got)))
    stream.on('data', (data: string) => (body += data))
    stream.on('error', () => undefined)
    stream.on('close', () => resolve({ head, body, trailers, complete: stream.rstCode === 0, kept: true }))
    stream.end(JSON.stringify(chat('hi')))
  })
}

async function outcome(program: Program, withGuard: boolean, ask: () => Promise<Wire>): Promise<Outcome> {
  const seen: Seen = { calls: [], events: [], late: false }
  const played = new Promise<boolean>((resolve) => (now = { program, withGuard, seen, done: resolve }))
  const wire = await within(ask(), `the reply ${withGuard ? 'with' : 'without'} the guard`, withGuard ? 3000 : 1000)
  const failed = await within(played, 'the end of the handler', 3000)
  await sleep(8)
  return { ...seen, wire, failed }
}

const NOTHING = { method: 'POST', keepAlive: true, delay: 4, before: [], after: [] } as const
/** What was found by other seeds. */
const FOUND: readonly Program['steps'][] = [
  [
    { do: 'writeHead', args: [201, ['X-One']] },
    { do: 'wait', args: [] },
  ],
  [
    { do: 'end', args: ['Hello'] },
    { do: 'throw', args: [] },
  ],
  [
    { do: 'end', args: ['48656c6c6f', 'hex'] },
    { do: 'destroy', args: [] },
  ],
]

const SERVERS: readonly (readonly [string, (() => Server) | undefined, boolean])[] = [
  ...EXPRESSES.map(([name, module]) => [name, () => createServer(onApp(module)), true] as const),
  ['node:http', () => createServer(plain), false],
  ['HTTP/2', undefined, false],
]

describe.each(SERVERS)('on %s, a random handler behind random middleware', (name, make, isExpress) => {
  let server: Server | Http2Server
  let session: ClientHttp2Session | undefined
  let ask: () => Promise<Wire>
  const on = make === undefined ? 'HTTP/2' : isExpress ? 'Express' : 'node'
  const statuses = make === undefined ? ODD_STATUSES : [...ODD_STATUSES, ...WRONG_STATUSES]
  beforeAll(async () => {
    server = make?.() ?? createHttp2Server((req, res) => plain(req as never, res as never))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    if (make === undefined) session = connect(`http://127.0.0.1:${port}`)
    ask = session === undefined ? () => askHttp(port) : () => askHttp2(session!)
  })
  afterAll(async () => {
    session?.destroy()
    await new Promise<void>((resolve) => {
      server.close(() => resolve())
      if ('closeAllConnections' in server) server.closeAllConnections()
    })
  })

  it(
    'that is safe sends what it would send without the guard, and sees what it would see',
    async () => {
      await fc.assert(
        fc.asyncProperty(programs('Hello', on, statuses), async (program) => {
          fc.pre(!wrapperDiffers(program) && !restoresOthers(program) && !promisesLength(program))
          stray.length = 0
          const bare = await outcome(program, false, ask).catch(() => undefined)
          // A program that hangs without the guard says nothing about it, nor does one whose corks break the reply: Node.js
          // 22 loses the end of some.
          const corks = program.steps.some(({ do: what }) => what === 'cork' || what === 'uncork')
          if (bare === undefined || (corks && !bare.wire.complete)) return fc.pre(false)
          const strayWithout = stray.splice(0).map(String)
          const ours = await outcome(program, true, ask)
          expect(stray.map(String)).toEqual(strayWithout)
          expect(comparable(ours, program, on)).toEqual(comparable(bare, program, on))
        }),
        { numRuns: RUNS, ...SEED, examples: FOUND.map((steps): [Program] => [{ ...NOTHING, steps }]) },
      )
    },
    RUNS * 1000 + 20_000,
  )

  it(
    'that is not safe has none of it sent, breaks nothing and does not hang',
    async () => {
      await fc.assert(
        fc.asyncProperty(programs('UNSAFE', on, []), async (program) => {
          stray.length = 0
          const { wire } = await outcome(program, true, ask)
          expect(stray).toEqual([])
          expect(JSON.stringify(wire)).not.toContain('UNSAFE')
        }),
        { numRuns: RUNS, ...SEED },
      )
    },
    RUNS * 1000 + 20_000,
  )
})

/**
 * on-headers, which compression and session use, reads some forms of writeHead otherwise than Node, and the guard
 * asks it with the form that both read alike. Node forgets to take back what `end()` did before a wrong status made it
 * throw, and a later `write()` then breaks the reply.
 */
function wrapperDiffers({ before, after, steps }: Program): boolean {
  const hooks = [...before, ...after].join()
  const wrongStatus = steps.some(
    ({ do: what, args }) => /^(status|writeHead)$/.test(what) && !/^[1-9]\d\d$/.test(String(args[0])),
  )
  if (wrongStatus && hooks.includes('write from end')) return true
  return (
    /compression|session|on-headers|response-time|morgan|wrapper of writeHead/.test(hooks) &&
    (wrongStatus ||
      steps.some(
        ({ do: what, args }) =>
          (what === 'writeHead' && args.slice(1).some(Array.isArray)) ||
          (what === 'writeHead' && args.length === 3 && typeof args[1] !== 'string') ||
          (what === 'write' && typeof args[0] !== 'string' && !Buffer.isBuffer(args[0])),
      ))
  )
}

/** A block may end a stream early, so the guard removes the length that a stream promises, and keeps it readable. */
const promisesLength = ({ after, steps }: Program): boolean =>
  // Who sends the body as a whole makes the length wrong that `send` has set.
  (after.includes('whole body') || steps.some(({ args }) => args[0] === 'Content-Length')) &&
  /event-stream|ndjson/.test(JSON.stringify(steps))

/** The guard takes some time, so who is mounted after it is mounted later than without it, and restored or not. */
const restoresOthers = ({ before, after }: Program): boolean =>
  before.length + after.length > 1 && [...before, ...after].some((name) => /restored|replaced|puts/.test(name))

function comparable(outcome: Outcome, program: Program, on: string): unknown {
  const { before, after, steps } = program
  const { wire, calls, events, failed, late } = outcome
  const breaks = steps.some(({ do: what }) => what === 'destroy' || (on === 'HTTP/2' && what === 'throw'))
  // How much of a broken reply arrives is a matter of time. One that was broken after its end has left before.
  const broken = !wire.complete || (breaks && !late)
  // These leave the head open, or forget callbacks, and so the guard's view of them is another.
  const length = before.includes('end that waits') ? 3 : endsLate([...before, ...after]) ? 4 : on === 'Express' ? 6 : 5
  const { kept, ...reply } = wire
  // A wrapper below us adds its headers when the reply leaves, and so after those of the handler.
  const head = before.includes('wrapper of writeHead') ? [...wire.head].sort() : wire.head
  return {
    failed,
    // Node breaks the connection of a reply that is destroyed after its end only while the reply is being sent.
    sent: broken ? undefined : { ...reply, head, kept: late || kept },
    calls: before.includes('nothing from write') ? [] : (calls as unknown[][]).map((call) => call.slice(0, length)),
    events: wire.complete && !breaks && !late ? comparableEvents(events, program) : [],
  }
}

function comparableEvents(events: readonly string[], { before, steps }: Program): readonly string[] {
  const end = steps.findIndex(({ do: what }) => ENDS.has(what))
  // Compression forgets the callbacks of writes. Calls after the end do nothing, of which Node makes errors.
  const told = events.filter((event) => {
    const [what, index] = event.split(' ')
    if (what === 'error') return !event.endsWith('WRITE_AFTER_END')
    // Sessions and compression drop the callback of an end, which we call.
    if (what === 'end' && endsLate(before)) return false
    return !(end >= 0 && Number(index) > end) && !(what === 'write' && before.includes('compression'))
  })
  // Wrappers of end that run twice make two errors of one call.
  return told.some((event) => event.includes('ERR_')) ? [...new Set(told)].sort() : told
}
