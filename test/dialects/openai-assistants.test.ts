// OpenAI's own client against a guarded server of its Assistants: threads, messages, runs that are streamed and polled.
import express, { type Request, type Response } from 'express'
import OpenAI from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { llamaGuard, type LlamaGuardOptions } from '../../src/index.js'
import { markerGuard, type MarkerGuard } from '../helpers/guards.js'
import { type Running, send, serve, sleep } from '../helpers/http.js'
import { withProtection } from '../../src/options/protection.js'

const REFUSED = 'I cannot help with that.'
const CATEGORIES = [{ code: 'O3', name: 'Criminal Planning' }]
type Event = readonly [name: string, data: object]

let guard: MarkerGuard
let server: Running
let refusing: Running
let words: readonly string[]
let kept: object
const run = (status: string, more: object = {}): object => ({
  id: 'run_1',
  object: 'thread.run',
  thread_id: 'thread_1',
  assistant_id: 'asst_1',
  status,
  instructions: 'Be kind to everybody who asks.',
  tools: [],
  ...more,
})
const message = (status: string, content: readonly object[] = []): object => ({
  id: 'msg_1',
  object: 'thread.message',
  role: 'assistant',
  status,
  content,
})
const part = (value: string, index = 0): object => ({ index, type: 'text', text: { value, annotations: [] } })
const delta = (value: string, index = 0): Event => [
  'thread.message.delta',
  { id: 'msg_1', object: 'thread.message.delta', delta: { content: [part(value, index)] } },
]
const frames = (events: readonly Event[]): string[] =>
  events.map(([name, data]) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`)

beforeAll(async () => {
  const answer = async (req: Request, res: Response): Promise<void> => {
    if ((req.body as { stream?: boolean } | undefined)?.stream !== true) return void res.json(kept)
    res.setHeader('content-type', 'text/event-stream')
    const events: Event[] = [
      ['thread.run.created', run('queued')],
      ['thread.run.in_progress', run('in_progress')],
      ['thread.message.created', message('in_progress')],
      ...words.map((word) => delta(word)),
      ['thread.message.completed', message('completed', [part(words.join(''))])],
      ['thread.run.completed', run('completed')],
    ]
    for (const frame of [...frames(events), 'event: done\ndata: [DONE]\n\n']) {
      res.write(frame)
      await sleep(30)
    }
    res.end()
  }
  const app = (options: LlamaGuardOptions): Promise<Running> =>
    serve(
      express().use((req, res, next) => {
        llamaGuard({
          guard,
          windowMs: 20,
          cacheMax: 0,
          logger: false,
          ...withProtection({ maxAttempts: 1 }),
          ...options,
        })(req, res, next)
      }, answer),
    )
  server = await app({})
  refusing = await app({ onBlock: 'refusal', refusalText: REFUSED })
})
afterAll(async () => {
  await server.close()
  await refusing.close()
})
beforeEach(() => {
  guard = markerGuard()
  words = ['A fine ', 'start. ', 'And an end.']
  kept = {}
})

const client = (on: Running): OpenAI => new OpenAI({ apiKey: 'x', baseURL: `${on.url}/v1`, maxRetries: 0 })
/** The API is deprecated, and so are its types. */
const threads = (on: Running): any => client(on).beta.threads
const failure = (promise: Promise<unknown>): Promise<any> =>
  promise.then(
    () => Promise.reject(new Error('It passed.')),
    (error: unknown) => error,
  )

async function stream(on: Running, content: string): Promise<{ text: string; run: any; messages: any[] }> {
  let text = ''
  const streamed = client(on)
    .beta.threads.runs.stream('thread_1', { assistant_id: 'asst_1', additional_messages: [{ role: 'user', content }] })
    .on('textDelta', ({ value }) => void (text += value ?? ''))
  return { run: await streamed.finalRun(), messages: await streamed.finalMessages(), text }
}

describe('A run that is streamed', () => {
  it('comes as it was sent when it is allowed, and each word is judged once', async () => {
    const got = await stream(server, 'hello')
    expect(got).toMatchObject({ text: words.join(''), run: { status: 'completed' } })
    expect(guard.texts()[0]).toBe('hello')
    expect(guard.texts().at(-1)!.split('A fine start. And an end.')).toHaveLength(2)
  })

  it('of an unsafe message, or on unsafe instructions, is refused', async () => {
    expect(await failure(stream(server, 'UNSAFE'))).toMatchObject({ status: 451, error: { categories: CATEGORIES } })
    const body = { assistant_id: 'asst_1', additional_instructions: 'UNSAFE' }
    expect(await failure(threads(server).runs.create('thread_1', body))).toMatchObject({ status: 451 })
  })

  it('ends as incomplete where it turns bad', async () => {
    words = ['A fine start. ', 'More. ', 'UNSAFE', ' and on']
    const got = await stream(server, 'hello')
    expect(got.run).toMatchObject({
      id: 'run_1',
      object: 'thread.run',
      status: 'incomplete',
      incomplete_details: { reason: 'content_filter' },
      llama_guard: { stage: 'output', categories: CATEGORIES },
    })
    expect(got.text.startsWith('A fine start. ')).toBe(true)
    expect(JSON.stringify(got)).not.toContain('UNSAFE')
  })

  it('declines in a message of its own, with `onBlock: refusal`', async () => {
    expect(await stream(refusing, 'UNSAFE')).toMatchObject({ text: REFUSED, run: { status: 'incomplete' } })
    words = ['A fine start. ', 'More. ', 'UNSAFE']
    const got = await stream(refusing, 'hello')
    expect(got.text.startsWith('A fine start. ') && got.text.endsWith(REFUSED)).toBe(true)
    expect(got.messages.at(-1)).toMatchObject({ content: [{ type: 'text', text: { value: REFUSED } }] })
    const body = { assistant_id: 'asst_1', stream: true, additional_messages: [{ role: 'user', content: 'UNSAFE' }] }
    const { text } = await send(`${refusing.url}/v1/threads/thread_1/runs`, { body })
    const id = 'msg_llama_guard'
    const said = { type: 'text', text: { value: REFUSED, annotations: [] } }
    const declined = { id, object: 'thread.message', role: 'assistant' }
    const piece = { id, object: 'thread.message.delta', delta: { content: [{ index: 0, ...said }] } }
    expect(text).toContain(
      frames([
        ['thread.message.created', { ...declined, content: [], status: 'in_progress' }],
        ['thread.message.delta', piece],
        ['thread.message.completed', { ...declined, content: [said], status: 'completed' }],
      ]).join(''),
    )
  })

  it('raises an error when nobody can judge', async () => {
    expect(await failure(stream(server, 'BROKEN'))).toMatchObject({ status: 503 })
    words = ['A fine start. ', 'More. ', 'BROKEN']
    expect((await failure(stream(server, 'hello'))).message).toMatch(/guard/)
  })

  it.each<[string, Event[]]>([
    ['parts read as one', [delta('UN', 0), delta('SAFE', 1)]],
    ['messages read as one', [delta('UN'), ['thread.message.delta', { ...delta('SAFE')[1], id: 'msg_2' }]]],
    ['parts of a whole message', [['thread.message.completed', message('completed', [part('UN'), part('SAFE', 1)])]]],
    [
      'the arguments of a call',
      ['UN', 'SAFE'].map((text) => [
        'thread.run.step.delta',
        {
          id: 'step_1',
          delta: { step_details: { type: 'tool_calls', tool_calls: [{ index: 0, function: { arguments: text } }] } },
        },
      ]),
    ],
  ])('shows no unsafe word in %s', async (_, events) => {
    const body = frames(events).join('')
    const app = express().use(
      llamaGuard({ guard, windowMs: 20, logger: false }),
      (_req: Request, res: Response) => void res.type('text/event-stream').send(body),
    )
    const on = await serve(app)
    const got = await send(`${on.url}/v1/threads/t/runs`, { body: { assistant_id: 'asst_1', stream: true } })
    await on.close()
    expect([got.text.includes('SAFE'), guard.texts().some((text) => text.includes('UNSAFE'))]).toEqual([false, true])
  })
})

describe('What is kept', () => {
  const list = (value: string): object => ({ object: 'list', data: [message('completed', [part(value)])] })

  it('is judged when it is asked for', async () => {
    kept = list('fine')
    expect((await threads(server).messages.list('thread_1')).data).toHaveLength(1)
    kept = list('UNSAFE')
    expect(await failure(threads(server).messages.list('thread_1'))).toMatchObject({ status: 451 })
    kept = { object: 'list', data: [message('completed', [part('UN'), part('SAFE', 1)])] }
    expect(await failure(threads(server).messages.list('thread_1'))).toMatchObject({ status: 451 })
    kept = { ...message('completed', [part('UNSAFE')]) }
    const one = threads(server).messages.retrieve('msg_1', { thread_id: 'thread_1' })
    expect(await failure(one)).toMatchObject({ status: 451 })
  })

  it('may be started, cancelled and deleted without a word', async () => {
    kept = { id: 'thread_1', object: 'thread' }
    expect(await threads(server).create()).toMatchObject(kept)
    expect(await threads(server).delete('thread_1')).toMatchObject(kept)
    kept = run('cancelling')
    expect(await threads(server).runs.cancel('run_1', { thread_id: 'thread_1' })).toMatchObject({
      status: 'cancelling',
    })
  })
})

describe('What clients send', () => {
  const user = (content: unknown): object => ({ role: 'user', content })
  it.each<[string, string, object]>([
    ['a message', 'threads/t/messages', user('UNSAFE')],
    [
      'a message in parts',
      'threads/t/messages',
      user([
        { type: 'text', text: 'UN' },
        { type: 'text', text: 'SAFE' },
      ]),
    ],
    ['the messages of a thread', 'threads', { messages: [user('UNSAFE')] }],
    ['a thread and its run', 'threads/runs', { assistant_id: 'asst_1', thread: { messages: [user('UNSAFE')] } }],
    ['instructions', 'threads/runs', { assistant_id: 'asst_1', instructions: 'UNSAFE', thread: {} }],
    ['more messages', 'threads/t/runs', { assistant_id: 'asst_1', additional_messages: [user('UNSAFE')] }],
    ['tools', 'threads/t/runs', { assistant_id: 'a', tools: [{ type: 'function', function: { name: 'UNSAFE x' } }] }],
    [
      'the output of a tool',
      'threads/t/runs/r/submit_tool_outputs',
      { tool_outputs: [{ tool_call_id: 'call_12', output: 'UNSAFE' }] },
    ],
    ['words about a thread', 'threads/t', { metadata: { note: 'some UNSAFE words' } }],
  ])('is judged: %s', async (_, path, body) => {
    expect((await send(`${server.url}/v1/${path}`, { body })).status).toBe(451)
    expect((await send(`${server.url}/openai/${path}?api-version=1`, { body })).status).toBe(451)
  })

  it('is a run of LangGraph when it has an input', async () => {
    const body = { assistant_id: 'agent', input: { messages: [{ type: 'human', content: 'UNSAFE' }] } }
    expect((await send(`${server.url}/v1/threads/t/runs/wait`, { body })).status).toBe(451)
    expect((await send(`${server.url}/v1/threads/t/runs`, { body })).status).toBe(451)
  })
})
