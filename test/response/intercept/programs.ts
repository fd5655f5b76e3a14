// Random handlers and random stacks of middleware around the guard, as data: fast-check makes and shrinks them,
// and the same program runs with the guard and without.
import { once } from 'node:events'
import { createRequire } from 'node:module'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import compression from 'compression'
import session from 'express-session'
import * as fc from 'fast-check'
import type { Middleware } from '../../../src/types.js'
import { sleep } from '../../helpers/http.js'

type Write = ServerResponse['write']
type End = ServerResponse['end']
type Make = (...options: unknown[]) => Middleware
const load = createRequire(import.meta.url)
const onHeaders = createRequire(load.resolve('compression'))('on-headers') as (
  res: ServerResponse,
  listener: () => void,
) => void
const morgan = load('morgan') as Make
const responseTime = load('response-time') as Make

export type HookName = keyof typeof HOOKS

/** What others do to a response before or after us. Fresh ones for every request. */
export const HOOKS = {
  compression: () => compression({ threshold: 0 }) as unknown as Middleware,
  session: () => session({ secret: 'test', resave: false, saveUninitialized: true }) as unknown as Middleware,
  'session that saves late': () => {
    const store = new session.MemoryStore()
    const set = store.set.bind(store)
    store.set = (id, data, done) => void setTimeout(() => set(id, data, done), 3)
    return session({ store, secret: 'test', resave: true, saveUninitialized: true }) as unknown as Middleware
  },
  'on-headers': () => (_req: IncomingMessage, res: ServerResponse, next: () => void) => {
    onHeaders(res, () => void res.setHeader('X-Hook', String(res.statusCode)))
    next()
  },
  'response-time': () => responseTime(),
  morgan: () => morgan('tiny', { stream: { write: () => true } }),
  'wrapper of writeHead': () => (_req: IncomingMessage, res: ServerResponse, next: () => void) => {
    const { writeHead } = res
    res.writeHead = function (this: ServerResponse, ...args: unknown[]) {
      this.setHeader('X-Wrapped', 'yes')
      return Reflect.apply(writeHead, this, args) as ServerResponse
    } as ServerResponse['writeHead']
    next()
  },
  'wrapper of setHeader': () => (_req: IncomingMessage, res: ServerResponse, next: () => void) => {
    const { setHeader } = res
    res.setHeader = function (this: ServerResponse, ...args: unknown[]) {
      return Reflect.apply(setHeader, this, args) as ServerResponse
    } as ServerResponse['setHeader']
    next()
  },
  'end that waits': () =>
    wrapping((write, end) => [
      write,
      function (this: ServerResponse, ...args: unknown[]) {
        setTimeout(() => Reflect.apply(end, this, args) as unknown, 3)
        return this
      },
    ]),
  'whole body': () => (_req: IncomingMessage, res: ServerResponse, next: () => void) => {
    const { write, end } = res
    const chunks: Buffer[] = []
    let ended = false
    const keeps = ([chunk, encoding]: unknown[]): boolean => {
      if (ended) return false
      if (typeof chunk === 'string') chunks.push(Buffer.from(chunk, encoding as BufferEncoding))
      else if (Buffer.isBuffer(chunk)) chunks.push(chunk)
      else return false
      return true
    }
    res.write = ((...args: unknown[]) => keeps(args) || Reflect.apply(write, res, args)) as Write
    res.end = ((...args: unknown[]) => {
      keeps(args)
      ended = true
      const body = Buffer.concat(chunks)
      if (!res.headersSent) res.setHeader('X-Length', String(body.length))
      return Reflect.apply(end, res, [body]) as ServerResponse
    }) as End
    next()
  },
  'defined write': () => (_req: IncomingMessage, res: ServerResponse, next: () => void) => {
    const { write } = res
    Object.defineProperty(res, 'write', {
      configurable: true,
      writable: true,
      value: (...args: unknown[]) => Reflect.apply(write, res, args) as boolean,
    })
    next()
  },
  'write that puts itself back': () =>
    wrapping((write, end) => [
      function (this: ServerResponse, ...args: unknown[]) {
        this.write = write
        return Reflect.apply(this.write, this, args) as boolean
      },
      end,
    ]),
  logger: () =>
    wrapping((write, end) => [
      function (this: ServerResponse, ...args: unknown[]) {
        return Reflect.apply(write, this, args) as boolean
      },
      function (this: ServerResponse, ...args: unknown[]) {
        return Reflect.apply(end, this, args) as ServerResponse
      },
    ]),
  'logger that puts end back': () =>
    wrapping((write, end) => [
      write,
      function (this: ServerResponse, ...args: unknown[]) {
        this.end = end
        return Reflect.apply(this.end, this, args) as ServerResponse
      },
    ]),
  'write from end': () =>
    wrapping((write, end) => [
      write,
      function (this: ServerResponse, ...args: unknown[]) {
        const [chunk, encoding] = args
        if (typeof chunk === 'string' || Buffer.isBuffer(chunk)) {
          this.write(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8')
          // Session takes a lone callback for a chunk.
          args = [null, ...args.slice(typeof encoding === 'string' ? 2 : 1)]
        }
        return Reflect.apply(end, this, args) as ServerResponse
      },
    ]),
  'nothing from write': () =>
    wrapping((write, end) => [
      function (this: ServerResponse, ...args: unknown[]) {
        Reflect.apply(write, this, args)
      } as Write,
      end,
    ]),
  'restored at once': () => restoring((restore) => restore()),
  'restored soon': () => restoring((restore) => process.nextTick(restore)),
  'restored later': () => restoring((restore) => setTimeout(restore, 4)),
  'replaced later': () => (_req: IncomingMessage, res: ServerResponse, next: () => void) => {
    const { write } = res
    setImmediate(() => {
      res.write = function (this: ServerResponse, ...args: unknown[]) {
        return Reflect.apply(write, this, args) as boolean
      } as Write
    })
    next()
  },
} satisfies Readonly<Record<string, () => Middleware>>

function wrapping(wrap: (write: (...args: any[]) => any, end: (...args: any[]) => any) => [any, any]): Middleware {
  return (_req, res, next) => {
    const [write, end] = wrap(res.write, res.end)
    if (write !== res.write) res.write = write as Write
    if (end !== res.end) res.end = end as End
    next()
  }
}

function restoring(when: (restore: () => void) => void): Middleware {
  return (_req, res, next) => {
    const { write, end } = res
    const restore = (): void => {
      res.write = write
      res.end = end
    }
    // Those that put it back at once do so after the chain has run on, which mounts everybody else first.
    next()
    when(restore)
  }
}

export interface Step {
  readonly do: string
  readonly args: readonly unknown[]
  readonly callback?: boolean
  readonly pieces?: readonly string[]
}

const name = fc.constantFrom('X-One', 'x-one', 'X-Two', 'X-Three')
const value = fc.constantFrom<unknown>('a', 'b', 7, ['c', 'd'])
const badHeader = fc.constantFrom<readonly [unknown, unknown]>(['X-Bad', 'a\nb'], ['X Bad', 'a'], ['X-None', undefined])
const status = fc.constantFrom<unknown>(200, 200, 201, '202', 203.5)
export const ODD_STATUSES = [204, 304, 404, 500]
/** HTTP/2 has no way back from these. */
export const WRONG_STATUSES = [99, 1000, 'abc', undefined, null]
const type = fc.constantFrom('text/plain', 'text/html; charset=utf-8', 'text/event-stream', 'application/x-ndjson')
const words = ['Hello there. ', 'Grüße, wie geht es? ', '{"a": 1} ', '', 'x'.repeat(300), 'data: Hello there.\n\n']
const headerObject = fc.oneof(
  fc.record({ 'Content-Type': type, 'X-One': value }, { requiredKeys: [] }),
  fc.constantFrom<object>({ 'Content-Encoding': 'identity' }, {}),
  fc.constant({ 'Set-Cookie': ['a=1', 'b=2'] }),
)
const headerList = fc.constantFrom<readonly unknown[]>(
  ['X-One', '1', 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2'],
  ['X-One', '1', 'X-One', '2'],
)
const badHeaders = fc.constantFrom<unknown>(
  { 'X-Bad': 'a\nb' },
  ['X-One'],
  [
    ['X-One', '1'],
    ['X-One', '2'],
  ],
  5,
)
const chunk = (word: string) => {
  const text = fc.constantFrom(...words.map((each) => each.replace('Hello', word)))
  return fc.oneof(
    { weight: 4, arbitrary: text.map((each) => [each]) },
    { weight: 1, arbitrary: text.map((each) => [Buffer.from(each)]) },
    { weight: 1, arbitrary: text.map((each) => [Buffer.from(each).toString('base64'), 'base64']) },
    { weight: 1, arbitrary: text.map((each) => [Buffer.from(each).toString('hex'), 'hex']) },
    { weight: 1, arbitrary: text.map((each) => [each, 'utf8']) },
  )
}
const noChunk = fc.constantFrom<readonly unknown[]>([null], [undefined], [5], [{}], [])
const step = (what: string, args: fc.Arbitrary<readonly unknown[]> = fc.constant([])): fc.Arbitrary<Step> =>
  fc.record({ do: fc.constant(what), args })

export interface Program {
  readonly method: 'POST' | 'HEAD'
  /** The client asks to keep the connection. */
  readonly keepAlive: boolean
  /** Milliseconds that the guard takes for a verdict. */
  readonly delay: number
  readonly before: readonly HookName[]
  readonly after: readonly HookName[]
  readonly steps: readonly Step[]
}

const HOOK_NAMES = Object.keys(HOOKS) as HookName[]
/** These ask for functions that HTTP/2 has not. */
const ANYWHERE = HOOK_NAMES.filter((each) => !/session|compression|morgan|whole body/.test(each))
/** These end a response later than they are told to. */
export const endsLate = (hooks: readonly string[]): boolean =>
  hooks.some((each) => /session|compression|end that waits|whole body/.test(each))

/**
 * `word` stands in bodies only. `odd`: statuses of which some are errors; without them nothing in a program is
 * wrong by itself.
 */
export function programs(
  word: string,
  on: 'Express' | 'node' | 'HTTP/2',
  odd: readonly unknown[],
): fc.Arbitrary<Program> {
  const wrong = odd.length > 0
  const http2 = on === 'HTTP/2'
  const hooks = fc.uniqueArray(fc.constantFrom(...(http2 ? ANYWHERE : HOOK_NAMES)), { maxLength: 2 })
  const header = fc.tuple(name, value)
  const withCallback = (what: string, args: fc.Arbitrary<readonly unknown[]>): fc.Arbitrary<Step> =>
    fc.record({ do: fc.constant(what), args, callback: fc.boolean() })
  const anyOf =
    odd.length > 0
      ? fc.oneof({ weight: 6, arbitrary: status }, { weight: 1, arbitrary: fc.constantFrom(...odd) })
      : status
  // Node 20 sends other bytes than those written when an empty string is among several writes on HTTP/2.
  const body = chunk(word).filter(([text]) => !http2 || text !== '')
  const pieces = fc.array(fc.constantFrom(`${word} there. `, 'More words. ', 'y'.repeat(500)), { maxLength: 4 })
  const steps: { weight: number; arbitrary: fc.Arbitrary<Step> }[] = [
    { weight: 3, arbitrary: step('setHeader', wrong ? fc.oneof(header, badHeader) : header) },
    { weight: 1, arbitrary: step('appendHeader', fc.tuple(name, value)) },
    { weight: 1, arbitrary: step('removeHeader', fc.tuple(name)) },
    { weight: 1, arbitrary: step('setHeader', fc.tuple(fc.constant('Content-Type'), type)) },
    {
      weight: 1,
      arbitrary: step('setHeader', fc.tuple(fc.constant('Content-Length'), fc.constantFrom(13, '26', 313))),
    },
    { weight: 1, arbitrary: step('status', fc.tuple(anyOf)) },
    { weight: 1, arbitrary: step('statusMessage', fc.tuple(fc.constantFrom('Fine', ''))) },
    {
      weight: 3,
      arbitrary: step(
        'writeHead',
        fc.oneof(
          fc.tuple(anyOf),
          fc.tuple(anyOf, headerObject),
          fc.tuple(anyOf, fc.constant('Said'), headerObject),
          fc.tuple(anyOf, fc.constant(undefined), headerObject),
          fc.tuple(anyOf, headerObject, headerObject),
          fc.tuple(anyOf, headerList),
          fc.tuple(anyOf, fc.constant('Said'), headerList),
          fc.tuple(anyOf, wrong ? fc.oneof(headerList, badHeaders) : headerList),
        ),
      ),
    },
    { weight: 1, arbitrary: step('flushHeaders') },
    { weight: 6, arbitrary: withCallback('write', body) },
    // HTTP/2 sends its head before it looks at a chunk that is none.
    { weight: wrong && !http2 ? 1 : 0, arbitrary: withCallback('write', noChunk) },
    { weight: 3, arbitrary: withCallback('end', fc.oneof(body, fc.constant([]))) },
    {
      weight: 1,
      arbitrary: withCallback(
        'end',
        fc.constantFrom<readonly unknown[]>([null], [undefined], ...(http2 ? [] : [['']])),
      ),
    },
    { weight: 1, arbitrary: step('cork') },
    { weight: 1, arbitrary: step('uncork') },
    { weight: 2, arbitrary: step('wait') },
    {
      weight: 1,
      arbitrary: step(
        'addTrailers',
        fc.constantFrom<readonly unknown[]>([{ 'X-Sum': '1' }], [{ [wrong ? 'X Y' : 'X-Y']: '1' }]),
      ),
    },
    { weight: 1, arbitrary: step('throw') },
    { weight: 1, arbitrary: step('destroy') },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('pipe'), args: fc.constant([]), pieces }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('pipeline'), args: fc.constant([]), pieces }) },
  ]
  if (on === 'Express')
    steps.push(
      { weight: 2, arbitrary: step('json', fc.constant([{ said: `${word} there` }])) },
      { weight: 2, arbitrary: step('send', fc.constantFrom<readonly unknown[]>([`${word} there`], [{ a: word }])) },
      { weight: 1, arbitrary: step('sendFile') },
      { weight: 1, arbitrary: step('redirect', fc.constant(['/elsewhere'])) },
    )
  const all = fc.record({
    method: fc.oneof({ weight: 7, arbitrary: fc.constant('POST' as const) }, fc.constant('HEAD' as const)),
    keepAlive: fc.boolean(),
    delay: fc.constantFrom(0, 4),
    // What keeps the body before us leaves the head open, but the guard has read it.
    before: hooks.map((names) => names.filter((each) => each !== 'whole body')),
    after: hooks,
    steps: fc.array(fc.oneof(...steps), { minLength: 1, maxLength: 9 }),
  })
  // A reply shorter than it says hangs until its connection is closed.
  return all.map((program) => ({
    ...program,
    keepAlive: program.keepAlive && !program.steps.some(({ args }) => args[0] === 'Content-Length'),
  }))
}

/** What a handler saw: the outcome of each of its calls, and the order of callbacks and events. */
export interface Seen {
  readonly calls: unknown[]
  readonly events: string[]
  /** True when the handler failed, or broke its response, after it had ended it. */
  late: boolean
}

/** Runs the steps as a handler. `file` is what sendFile sends. */
export async function play(
  { before, after, steps }: Program,
  req: IncomingMessage,
  res: ServerResponse,
  seen: Seen,
  file: string,
) {
  for (const event of ['finish', 'error'] as const)
    res.on(event, (error?: Error) => seen.events.push(`${event} ${codeOf(error)}`))
  let ended = false
  let waited = false
  // Some end a response later than they are told to, and then it depends on them what comes of a late write.
  let overSoon = 'stream' in res || endsLate([...before, ...after])
  for (const [index, each] of steps.entries()) {
    // Copied, because appendHeader changes an array that setHeader was given.
    const args = each.args.map((arg) => (Array.isArray(arg) ? [...(arg as unknown[])] : arg))
    // Compression takes a lone callback for a chunk.
    if (each.callback === true && args.length === 0) args.push(undefined)
    if (each.callback === true) args.push((error?: Error) => seen.events.push(`${each.do} ${index} ${codeOf(error)}`))
    // Sessions ask for the head again, with its status alone, so a held response lets that be.
    if (each.do === 'writeHead' && args.length === 1 && res.headersSent) continue
    let outcome: unknown
    try {
      if (ended) {
        // What a handler that has ended does later depends on whether its reply has left.
        if (overSoon || NOT_LATER.has(each.do)) return
        if (waited && each.do !== 'throw') continue
        seen.late ||= each.do === 'throw' || each.do === 'destroy'
      }
      const ran = run(each, args, req, res, file)
      waited ||= ended && each.do === 'wait'
      overSoon ||= (ran instanceof Promise && each.do !== 'wait') || each.do === 'sendFile' || each.do === 'destroy'
      outcome = ran instanceof Promise ? await ran.then(() => undefined) : ran
      ended ||= ENDS.has(each.do)
    } catch (error) {
      outcome = codeOf(error)
      if (each.do === 'throw') throw error
    }
    if (waited) continue
    const { headersSent, writableEnded } = res
    seen.calls.push([index, each.do, outcome, headersSent, writableEnded, res.getHeader('x-one')])
  }
  if (!ended) res.end()
}

export const ENDS = new Set(['end', 'json', 'send', 'sendFile', 'redirect', 'pipe', 'pipeline', 'destroy'])
const NOT_LATER = new Set(['pipe', 'pipeline', 'addTrailers', 'sendFile'])
const codeOf = (error: unknown): string =>
  error === undefined || error === null ? '' : ((error as NodeJS.ErrnoException).code ?? (error as Error).message)

function run(
  { do: what, pieces }: Step,
  args: unknown[],
  _req: IncomingMessage,
  res: ServerResponse,
  file: string,
): unknown {
  switch (what) {
    case 'status':
      res.statusCode = args[0] as number
      return
    case 'statusMessage':
      // HTTP/2 has none, and warns.
      if ('stream' in res) return
      res.statusMessage = args[0] as string
      return
    case 'wait':
      return sleep(8)
    case 'throw':
      throw Object.assign(new Error('thrown'), { code: 'THROWN' })
    case 'pipe': {
      const source = Readable.from(pieces!)
      source.pipe(res)
      return Promise.race([once(source, 'end'), sleep(100)])
    }
    case 'pipeline':
      return Promise.race([pipeline(Readable.from(pieces!), res).catch(() => undefined), sleep(100)])
    case 'sendFile':
      return void (res as unknown as { sendFile(path: string): void }).sendFile(file)
    case 'destroy':
      return void res.destroy()
    default: {
      const value: unknown = Reflect.apply((res as unknown as Record<string, () => unknown>)[what]!, res, args)
      // A wrapper that returns nothing is as good as true, which the guard returns in its place.
      return what === 'write' && value === false ? false : undefined
    }
  }
}
