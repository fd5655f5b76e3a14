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
const onHeaders = createRequire(createRequire(import.meta.url).resolve('compression'))('on-headers') as (
  res: ServerResponse,
  listener: () => void,
) => void

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
          args = args.slice(typeof encoding === 'string' ? 2 : 1)
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
const type = fc.constantFrom('text/plain', 'text/html; charset=utf-8')
const words = ['Hello there. ', 'Grüße, wie geht es? ', '{"a": 1} ', '', 'x'.repeat(300)]
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
  readonly before: readonly HookName[]
  readonly after: readonly HookName[]
  readonly steps: readonly Step[]
}

const HOOK_NAMES = Object.keys(HOOKS) as HookName[]
/** Session and compression ask for functions that HTTP/2 has not. */
const ANYWHERE = HOOK_NAMES.filter((each) => !/session|compression/.test(each))

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
  const hooks = fc.uniqueArray(fc.constantFrom(...(on === 'HTTP/2' ? ANYWHERE : HOOK_NAMES)), { maxLength: 2 })
  const header = fc.tuple(name, value)
  const withCallback = (what: string, args: fc.Arbitrary<readonly unknown[]>): fc.Arbitrary<Step> =>
    fc.record({ do: fc.constant(what), args, callback: fc.boolean() })
  const anyOf =
    odd.length > 0
      ? fc.oneof({ weight: 6, arbitrary: status }, { weight: 1, arbitrary: fc.constantFrom(...odd) })
      : status
  const body = chunk(word)
  const pieces = fc.array(fc.constantFrom(`${word} there. `, 'More words. ', 'y'.repeat(500)), { maxLength: 4 })
  const steps: { weight: number; arbitrary: fc.Arbitrary<Step> }[] = [
    { weight: 3, arbitrary: step('setHeader', wrong ? fc.oneof(header, badHeader) : header) },
    { weight: 1, arbitrary: step('appendHeader', fc.tuple(name, value)) },
    { weight: 1, arbitrary: step('removeHeader', fc.tuple(name)) },
    { weight: 1, arbitrary: step('setHeader', fc.tuple(fc.constant('Content-Type'), type)) },
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
    { weight: wrong ? 1 : 0, arbitrary: withCallback('write', noChunk) },
    { weight: 3, arbitrary: withCallback('end', fc.oneof(body, fc.constant([]))) },
    { weight: 1, arbitrary: withCallback('end', fc.constantFrom<readonly unknown[]>([null], [undefined], [''])) },
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
  return fc.record({ before: hooks, after: hooks, steps: fc.array(fc.oneof(...steps), { minLength: 1, maxLength: 9 }) })
}

/** What a handler saw: the outcome of each of its calls, and the order of callbacks and events. */
export interface Seen {
  readonly calls: unknown[]
  readonly events: string[]
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
  // Some end a response later than they are told to, and then it depends on them what comes of a late write.
  let overSoon = 'stream' in res || [...before, ...after].some((each) => /session|compression/.test(each))
  for (const [index, each] of steps.entries()) {
    const args = [...each.args]
    // Compression takes a lone callback for a chunk.
    if (each.callback === true && args.length === 0) args.push(undefined)
    if (each.callback === true) args.push((error?: Error) => seen.events.push(`${each.do} ${index} ${codeOf(error)}`))
    let outcome: unknown
    try {
      // What a handler that has ended does later depends on whether its reply has left.
      if (ended && (overSoon || LATER.has(each.do))) return
      const ran = run(each, args, req, res, file)
      overSoon ||= ran instanceof Promise || each.do === 'sendFile' || each.do === 'destroy'
      outcome = ran instanceof Promise ? await ran.then(() => undefined) : ran
      ended ||= ENDS.has(each.do)
    } catch (error) {
      outcome = codeOf(error)
      if (each.do === 'throw') throw error
    }
    seen.calls.push([index, each.do, outcome, res.headersSent, res.getHeader('x-one')])
  }
  if (!ended) res.end()
}

const ENDS = new Set(['end', 'json', 'send', 'sendFile', 'redirect', 'pipe', 'pipeline', 'destroy'])
const LATER = new Set(['wait', 'pipe', 'pipeline', 'throw', 'destroy', 'addTrailers'])
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
      return void (res as any).sendFile(file)
    case 'destroy':
      return void res.destroy()
    default: {
      const value: unknown = Reflect.apply((res as any)[what], res, args)
      // A wrapper that returns nothing is as good as true, which the guard returns in its place.
      return what === 'write' && value === false ? false : undefined
    }
  }
}
