// LangGraph's own client against a guarded server: what it sends is judged, words flow, and a block is an error event.
import { Client } from '@langchain/langgraph-sdk'
import { beforeEach, describe, expect, it } from 'vitest'
import { langGraph } from '../../src/dialects/langgraph.js'
import { markerGuard } from '../helpers/guards.js'
import { send, sleep } from '../helpers/http.js'
import { guardedSite } from './site.js'

type Event = readonly [name: string, data: unknown]
let pieces: readonly string[] = []
let pause = 0
let state: unknown = {}

const site = guardedSite((app) => {
  app.post(/\/runs\/stream$/, async (_req, res) => {
    res.setHeader('content-type', 'text/event-stream')
    for (const piece of pieces) {
      res.write(piece)
      await sleep(pause)
    }
    res.end()
  })
  app.post(/\/runs\/wait$/, (_req, res) => void res.json(state))
})

const frames = (events: readonly Event[]): string[] =>
  events.map(([name, data]) => `event: ${name}\r\ndata: ${JSON.stringify(data)}\r\n\r\n`)
const piece = (content: string, id = 'msg_1'): Event => [
  'messages',
  [
    { type: 'AIMessageChunk', id, content },
    { langgraph_node: 'step_1', tags: [], thread_id: 't1' },
  ],
]
const run = (...events: Event[]): Event[] => [['metadata', { run_id: 'r1', attempt: 1 }], ...events]
beforeEach(() => {
  pieces = frames(run(piece('Hello '), piece('there.')))
  pause = 40
})

const human = (content: unknown): object => ({ type: 'human', content })
const input = (...messages: unknown[]): Record<string, unknown> => ({ messages })

/** What a page is told: the events of a run, or its error. */
async function ask(payload: object, thread: string | null = null): Promise<{ events: any[]; error: any }> {
  const client = new Client({ apiUrl: site.url, callerOptions: { maxRetries: 0 } })
  const events: unknown[] = []
  let error: unknown
  try {
    const options = { streamMode: ['messages-tuple', 'values'], ...payload } as never
    for await (const event of client.runs.stream(thread as never, 'agent', options)) events.push(event)
  } catch (told) {
    error = told
  }
  return { events, error }
}

describe('A message', () => {
  const read = (message: unknown) => langGraph.request({ assistant_id: 'agent', input: input(message) })

  it.each([
    ['own words of a', ['human', 'user'], { system: '', turns: [{ role: 'User', text: 'a' }], userTurns: [0] }],
    ['an answer of an', ['ai', 'AIMessageChunk', 'assistant'], { turns: [{ role: 'Agent', text: 'a' }] }],
    ['system text of a', ['system', 'developer'], { system: 'a', turns: [] }],
    [
      'a result, which no human said, of a',
      ['tool', 'function'],
      { turns: [{ role: 'User', text: 'a' }], userTurns: [] },
    ],
  ])('is %s %j, in either form', (_what, types, request) => {
    for (const type of types)
      for (const message of [{ type, content: 'a' }, { role: type, content: 'a' }, [type, 'a']])
        expect(read(message)).toMatchObject(request)
  })
})

describe('A run', () => {
  it('that is allowed comes as it was streamed, on a thread and without one', async () => {
    for (const thread of [null, '4f1b2c3d-0a1b-4c2d-8e3f-5a6b7c8d9e0f']) {
      site.guard.asked.length = 0
      const { events, error } = await ask({ input: input(human('hello')) }, thread)
      expect(error).toBeUndefined()
      expect(events.flatMap(({ event, data }) => (event === 'messages' ? [data[0].content] : [])).join('')).toBe(
        'Hello there.',
      )
      expect(site.guard.asked[0]).toEqual([{ role: 'User', text: 'hello' }])
      expect(site.guard.texts().at(-1)).toBe('Hello there.')
    }
  })

  it('that is blocked in the middle ends with an error event, and no unjudged word', async () => {
    pieces = frames(run(piece('Hello '), piece('there, '), piece('UNSAFE'), piece(' and more')))
    const { events } = await ask({ input: input(human('hello')) })
    expect(JSON.stringify(events)).not.toContain('UNSAFE')
    expect(events.at(-1)).toMatchObject({
      event: 'error',
      data: { error: 'content_filter', llama_guard: { stage: 'output', categories: [{ code: 'O3' }] } },
    })
  })

  it('fails with an error event when the guard does', async () => {
    pieces = frames(run(piece('Hello '), piece('there, '), piece('BROKEN')))
    const { events } = await ask({ input: input(human('hello')) })
    expect(events.at(-1)).toMatchObject({
      event: 'error',
      data: { message: 'The guard answered with an error' },
    })
  })

  it.each<[string, Event[]]>([
    ['messages that interleave', [piece('UN', 'a'), piece('fine ', 'b'), piece('SAFE', 'a'), piece('words', 'b')]],
    [
      'messages without their place that interleave',
      (['UN a', 'fine b', 'SAFE a', 'words b'] as const).map((said) => {
        const [content, id] = said.split(' ')
        return ['messages', { type: 'AIMessageChunk', id, content }]
      }),
    ],
    [
      'a text that grows',
      ['U', 'UN', 'UNSAF', 'UNSAFE'].map((content) => ['messages/partial', [{ type: 'ai', id: 'm', content }]]),
    ],
    ['one letter a state', Array.from('UNSAFE').map((note): Event => ['values', { note }])],
    ['the letters of a state that come twice', Array.from('UNSAFFE').map((note): Event => ['values', { note }])],
    ["the letters of an event of one's own", Array.from('UNSAFFE').map((note): Event => ['custom', { note }])],
    [
      'tool arguments',
      ['UN', 'SAFE'].map((args) => [
        'messages',
        [{ type: 'AIMessageChunk', id: 'm', content: '', tool_call_chunks: [{ args, index: 0 }] }, {}],
      ]),
    ],
  ])('shows no unsafe word in %s', async (_, events) => {
    site.guard = markerGuard({ marker: /UNSAF+E/ })
    pieces = frames(run(piece('Hello'), ...events))
    pause = 0
    const got = await send(`${site.url}/runs/stream`, { body: { assistant_id: 'agent', input: input(human('hi')) } })
    expect(site.guard.texts().some((text) => /UNSAF+E/.test(text))).toBe(true)
    expect(got.text.includes('UNSAFE') || got.text.endsWith(pieces.at(-1)!)).toBe(false)
  })

  it("has every letter judged that an event of one's own repeats", async () => {
    pieces = frames(run(...Array.from('Woo hoooo').map((note): Event => ['custom', { note }])))
    pause = 0
    await ask({ input: input(human('hello')) })
    expect(site.guard.texts().at(-1)).toContain('note\nWoo hoooo')
  })

  it('has a time beside its words, and words in place of a time judged', () => {
    const read = (time: string) =>
      langGraph.stream().read({ event: 'custom', data: JSON.stringify({ created_at: time }) })
    expect(read('2026-11-29T12:00:00.000Z').filter(({ aside }) => aside !== true)).toEqual([])
    expect(read('tell me more').map(({ text }) => text)).toContain('tell me more')
  })

  it('has a state that repeats its history judged by what is new in it', async () => {
    const history = { type: 'human', id: 'h', content: 'A question of more than a few words, asked once.' }
    const short = { type: 'ai', id: 's', content: 'Yes, do.' }
    const answer = 'An answer that is long enough to be told from a part of a word.'
    pause = 0
    pieces = frames(
      run(
        ...[10, 20, 40, answer.length].map((end): Event => [
          'values',
          { messages: [history, short, { type: 'ai', content: answer.slice(0, end) }] },
        ]),
      ),
    )
    await ask({ input: input(human('hello')) })
    const judged = site.guard.texts().at(-1)!
    for (const { content } of [history, short, { content: answer }]) expect(judged.split(content)).toHaveLength(2)
  })

  it('that is waited for is judged by its last state', async () => {
    state = { messages: [{ type: 'ai', content: 'UNSAFE' }] }
    const got = await send(`${site.url}/runs/wait`, { body: { assistant_id: 'agent', input: input(human('hi')) } })
    expect(got.status).toBe(451)
  })
})

describe('What clients send', () => {
  it.each<[string, object]>([
    ['a message', { input: input(human('UNSAFE')) }],
    ['a message by its role', { input: input({ role: 'user', content: 'UNSAFE' }) }],
    ['texts, which are no pair', { input: { messages: ['system', 'UNSAFE'] } }],
    ['one message', { input: { messages: human('UNSAFE') } }],
    ['a message of nobody we know', { input: input({ type: 'narrator', content: 'UNSAFE' }, human('hi')) }],
    ['a state that is a text', { input: 'UNSAFE' }],
    ['an answer to an interrupt', { command: { resume: 'UNSAFE' } }],
    ['a command that is a text', { input: input(human('hi')), command: 'UNSAFE' }],
  ])('is judged: %s', async (_, body) => {
    const got = await send(`${site.url}/runs/stream`, { body: { assistant_id: 'agent', ...body } })
    expect(got.status).toBe(451)
    expect((await send(`${site.url}/my/agent`, { body: { assistant_id: 'agent', ...body } })).status).toBe(451)
  })

  it('may be nothing, where a run goes on from a checkpoint', async () => {
    const { events } = await ask({ input: null, checkpointId: '5f1b2c3d-0a1b-4c2d-8e3f-5a6b7c8d9e0f' })
    expect(events).toHaveLength(3)
  })
})
