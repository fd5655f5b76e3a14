// A body that is no chat we know: judged, announced, let through or refused, by where the guard is mounted and by the
// option `unknown`; and the shorthand `text` and `reply`.
import express, { type Request, type Response } from 'express'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { OPTION_NAMES } from '../src/options/config.js'
import { llamaGuard, type LlamaGuardOptions, type VerdictEvent } from '../src/index.js'
import { listen } from './helpers/channels.js'
import { markerGuard, type MarkerGuard, memoryLogger } from './helpers/guards.js'
import { type Running, send, serve, sleep } from './helpers/http.js'

let guard: MarkerGuard
let logger: ReturnType<typeof memoryLogger>
let events: VerdictEvent[]
let server: Running | undefined
let answer: (req: Request, res: Response) => unknown

beforeEach(() => {
  guard = markerGuard()
  logger = memoryLogger()
  events = []
  answer = (_req, res) => res.json({ answer: 'fine' })
})
afterEach(async () => {
  await server?.close()
  server = undefined
})

type Mount = 'app' | 'router' | 'route' | 'paths'
async function mounted(mount: Mount, options: LlamaGuardOptions = {}): Promise<Running> {
  const app = express()
  const middleware = llamaGuard({
    guard,
    logger,
    cacheMax: 0,
    onVerdict: (event) => void events.push(event),
    ...(mount === 'paths' && { paths: ['/say'] }),
    ...options,
  })
  const handler = (req: Request, res: Response): unknown => answer(req, res)
  if (mount === 'route') app.all('/say', middleware, handler)
  else if (mount === 'router') app.use('/', express.Router().use(middleware), handler)
  else app.use(middleware, handler)
  return (server = await serve(app))
}

const BODIES: Readonly<Record<string, { body: string; type: string; format: string }>> = {
  'an object': { body: '{"message":"UNSAFE"}', type: 'application/json', format: 'json' },
  'a nested object': { body: '{"a":{"b":[{"say":"UNSAFE"}]}}', type: 'application/json', format: 'json' },
  'a list of texts': { body: '["hello","UNSAFE"]', type: 'application/json', format: 'json' },
  'a JSON text': { body: '"so UNSAFE"', type: 'application/json', format: 'json' },
  'a key': { body: '{"say UNSAFE":1}', type: 'application/json', format: 'json' },
  'JSON lines': { body: '{"a":"x y"}\n{"say":"UNSAFE"}', type: 'application/x-ndjson', format: 'lines' },
  'a form': { body: 'q=UNSAFE&x=1', type: 'application/x-www-form-urlencoded', format: 'form' },
  'plain text': { body: 'say UNSAFE', type: 'text/plain', format: 'other' },
}

describe.each(Object.entries(BODIES))('%s', (_, { body, type, format }) => {
  const ask = (on: Running): ReturnType<typeof send> =>
    send(`${on.url}/say`, {
      method: 'POST',
      body,
      headers: { 'content-type': type, 'content-length': `${body.length}` },
    })

  it.each<Mount>(['route', 'paths'])('is judged by default on a guard with a %s', async (mount) => {
    expect((await ask(await mounted(mount))).status).toBe(451)
  })

  it.each<Mount>(['app', 'router'])(
    'passes by default on a guard on an %s, which is told three times',
    async (mount) => {
      const reply = await ask(await mounted(mount))
      expect([reply.status, reply.json()]).toEqual([200, { answer: 'fine' }])
      expect(reply.headers['llama-guard']).toBe('input=skipped;why="unknown-body"')
      expect(events).toMatchObject([{ verdict: 'skipped', why: 'unknown-body', stage: 'input' }])
      const warned = logger.lines.filter(({ level }) => level === 'warn')
      expect(warned.map(({ fields }) => fields['format'])).toEqual([format])
      expect(JSON.stringify(logger.lines)).not.toContain('UNSAFE')
      for (const { message } of warned)
        expect(OPTION_NAMES).toContain(/llamaGuard\(\{ (\w+):/.exec(String(message))?.[1] ?? 'none')
      await send(`${server!.url}/say`, { body })
      expect(logger.lines.filter(({ level }) => level === 'warn')).toHaveLength(1)
    },
  )

  it.each<Mount>(['app', 'route', 'paths'])(
    'is judged, refused or passes as `unknown` says, on a guard with %s',
    async (mount) => {
      expect((await ask(await mounted(mount, { unknown: 'judge' }))).status).toBe(451)
      await server!.close()
      expect((await ask(await mounted(mount, { unknown: 'refuse' }))).status).toBe(400)
      await server!.close()
      events = []
      const passed = await ask(await mounted(mount, { unknown: 'pass' }))
      expect([passed.status, passed.headers['llama-guard']]).toEqual([200, undefined])
      expect(events).toMatchObject([{ why: 'unknown-body' }])
    },
  )
})

describe('the reply to a body that is judged', () => {
  const ask = async (): ReturnType<typeof send> =>
    send(`${(await mounted('route')).url}/say`, { body: { message: 'hello there' } })

  it.each<[string, (res: Response) => unknown]>([
    ['JSON', (res) => res.json({ deep: [{ words: 'UNSAFE' }] })],
    ['text', (res) => res.send('so UNSAFE')],
    ['HTML', (res) => res.type('html').send('<p>UNSAFE</p>')],
    ['events', (res) => res.type('text/event-stream').send('data: {"t":"UNSAFE"}\n\n')],
    ['lines', (res) => res.type('application/x-ndjson').send('{"t":"UNSAFE"}\n')],
  ])('is judged: %s', async (_, write) => {
    answer = (_req, res) => write(res)
    const reply = await ask()
    expect([reply.status, reply.text.includes('UNSAFE')]).toEqual([451, false])
  })

  it('flows as it is judged, and ends where it is unsafe', async () => {
    answer = async (_req, res) => {
      res.type('text/event-stream')
      for (const t of ['fine ', 'words, ', 'UNSAFE', ' rest']) {
        res.write(`data: ${JSON.stringify({ t })}\n\n`)
        await sleep(60)
      }
      res.end()
    }
    const reply = await ask()
    expect(reply.text).toContain('"fine "')
    expect(reply.text).not.toContain('UNSAFE')
    expect(reply.text).toContain('content_filter')
  })

  it('is judged alone when the body has no word', async () => {
    answer = (_req, res) => res.json({ answer: 'UNSAFE' })
    const on = await mounted('route')
    const heard = listen()
    expect((await send(`${on.url}/say`, { body: {} })).status).toBe(451)
    expect((await send(`${on.url}/say`, { method: 'POST' })).status).toBe(451)
    heard.stop()
    expect(heard.checks.map(({ stage }) => stage)).toEqual(['output', 'output'])
    expect(events[0]).toMatchObject({ stage: 'input', verdict: 'skipped', why: 'empty' })
  })
})

describe('words in a query', () => {
  it('are judged on a route of their own, and so is what an EventSource reads', async () => {
    const on = await mounted('route')
    expect((await send(`${on.url}/say?message=UNSAFE`)).status).toBe(451)
    answer = (_req, res) => res.type('text/event-stream').send('data: UNSAFE\n\n')
    expect((await send(`${on.url}/say?message=hello`)).status).toBe(451)
  })

  it('are judged on a path in `paths`, whatever their parameter', async () => {
    const on = await mounted('app', { paths: ['/say?message'] })
    expect((await send(`${on.url}/say?message=UNSAFE`)).status).toBe(451)
    expect((await send(`${on.url}/say?message=hello&other=UNSAFE`)).status).toBe(451)
    expect((await send(`${on.url}/say?message=hello`)).status).toBe(200)
    expect((await send(`${on.url}/say?other=UNSAFE`)).status).toBe(451)
    expect((await send(`${on.url}/say?message=`)).status).toBe(200)
  })
})

describe('The places of words', () => {
  const options: LlamaGuardOptions = { dialects: [{ in: 'input.say', out: 'answer.0.text' }] }

  it('make a body of the app a chat on any mount, with the rest of it judged too', async () => {
    const on = await mounted('app', options)
    expect((await send(`${on.url}/x`, { body: { input: { say: 'hello' } } })).status).toBe(200)
    expect(guard.texts()[0]).toBe('hello')
    expect((await send(`${on.url}/x`, { body: { input: { say: 'UNSAFE' } } })).status).toBe(451)
    expect((await send(`${on.url}/x`, { body: { input: { say: 'hello' }, note: 'so UNSAFE' } })).status).toBe(451)
    expect((await send(`${on.url}/x`, { body: { other: 'UNSAFE' } })).headers['llama-guard']).toContain('unknown-body')
  })

  it('read the reply where it is, and decline there', async () => {
    answer = (_req, res) => res.json({ answer: [{ text: 'UNSAFE' }] })
    const on = await mounted('app', { ...options, onBlock: 'refusal', refusalText: 'No.' })
    const reply = await send(`${on.url}/x`, { body: { input: { say: 'hello' } } })
    expect([reply.status, reply.json()]).toEqual([200, { answer: { 0: { text: 'No.' } } }])
  })

  it.each(['', 'a..b', 'a b', '.a', 5])('%j is no path of keys', (path) => {
    expect(() => llamaGuard({ guard, dialects: [{ in: path as string }] })).toThrow(/path of keys/)
  })
})
