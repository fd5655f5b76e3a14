// AG-UI's own client against a guarded agent: what it sends is judged, words flow, and a block is read by the client.
import { HttpAgent, type BaseEvent, type Message } from '@ag-ui/client'
import { beforeEach, describe, expect, it } from 'vitest'
import { agUi } from '../../src/dialects/ag-ui.js'
import { LlamaGuardError } from '../../src/types/errors.js'
import { heard } from '../helpers/guards.js'
import { send, sleep } from '../helpers/http.js'
import { BLOCKED, event, gather, readerOf } from './streams.js'
import { guardedSite } from './site.js'

type Event = { type: string } & Record<string, unknown>
/** What the agent answers, in pieces of bytes with a pause after each, or until the guard is asked about them. */
let pieces: readonly string[] = []
let pause: number | 'judged' = 0

const site = guardedSite((app) => {
  app.post('/agent', async (_req, res) => {
    res.setHeader('content-type', 'text/event-stream')
    for (const piece of pieces) {
      res.write(piece)
      await (pause === 'judged' ? heard(site.guard, /"delta":"([^"]*)"/.exec(piece)?.[1]) : sleep(pause))
    }
    res.end()
  })
})

const RUN = { threadId: 't1', runId: 'r1' }
const frames = (events: readonly Event[]): string[] => events.map((event) => `data: ${JSON.stringify(event)}\n\n`)
const delta = (text: string, messageId = 'msg_1'): Event => ({ type: 'TEXT_MESSAGE_CONTENT', messageId, delta: text })
const start = (messageId = 'msg_1'): Event => ({ type: 'TEXT_MESSAGE_START', messageId, role: 'assistant' })
const end = (messageId = 'msg_1'): Event => ({ type: 'TEXT_MESSAGE_END', messageId })
const run = (...events: Event[]): Event[] => [
  { type: 'RUN_STARTED', ...RUN },
  ...events,
  { type: 'RUN_FINISHED', ...RUN },
]
const saying = (...texts: string[]): Event[] =>
  run({ type: 'STEP_STARTED', stepName: 'step_1' }, start(), ...texts.map((text) => delta(text)), end(), {
    type: 'STEP_FINISHED',
    stepName: 'step_1',
  })

beforeEach(() => {
  pieces = frames(saying('Hello ', 'there.'))
  pause = 'judged'
})

interface Told {
  readonly events: BaseEvent[]
  readonly texts: unknown[]
  readonly error: unknown
  readonly failed: (BaseEvent & { code?: string; message?: string; metadata?: any }) | undefined
}

/** What a page sees of one run. */
async function ask(...messages: Message[]): Promise<Told> {
  const agent = new HttpAgent({ url: `${site.url}/agent`, threadId: 't1', initialMessages: messages })
  const events: BaseEvent[] = []
  let error: unknown
  await agent
    .runAgent({ runId: 'r1' }, { onEvent: ({ event }) => void events.push(event) })
    .catch((told: unknown) => (error = told))
  const texts = agent.messages.slice(messages.length).map(({ content }) => content)
  return { events, texts, error, failed: events.find(({ type }) => (type as string) === 'RUN_ERROR') }
}
const user = (content: string): Message => ({ id: '1', role: 'user', content })

describe('A run', () => {
  it('that is allowed comes as it was streamed', async () => {
    const { texts, error, failed } = await ask(user('hello'))
    expect([texts, error, failed]).toEqual([['Hello there.'], undefined, undefined])
    expect([site.guard.texts()[0], site.guard.texts().at(-1)]).toEqual(['hello', 'Hello there.'])
  })

  it('that is blocked leaves a tool call open, so that no client runs a part of it', async () => {
    pieces = frames(
      run(
        start(),
        delta('Hello there, '),
        end(),
        { type: 'TOOL_CALL_START', toolCallId: 'c', toolCallName: 'f', parentMessageId: 'msg_1' },
        { type: 'TOOL_CALL_ARGS', toolCallId: 'c', delta: '{"a":"b"' },
        { type: 'TOOL_CALL_ARGS', toolCallId: 'c', delta: ',"c":"UNSAFE"}' },
      ),
    )
    // Arguments are judged as text, so the guard is not asked about the delta as it stands.
    pause = 20
    for (const onBlock of ['error', 'refusal'] as const) {
      site.options = { onBlock, refusalText: 'No.' }
      const { events, failed } = await ask(user('hello'))
      expect(events.map(({ type }) => type as string)).not.toContain('TOOL_CALL_END')
      expect(failed?.code).toBe('content_filter')
    }
  })

  it('has interleaved messages judged each as it will be read', async () => {
    const deltas = [delta('UN', 'a'), delta('fine ', 'b'), delta('SAFE', 'a'), delta('words', 'b')]
    pieces = frames(run(start('a'), start('b'), ...deltas, end('a'), end('b')))
    pause = 0
    const { texts } = await ask(user('hello'))
    expect(texts.join('')).not.toContain('SAFE')
    expect(site.guard.texts().some((text) => text.includes('UNSAFE'))).toBe(true)
  })

  it.each<[string, Event[]]>([
    [
      'chunks',
      ['UN', 'SA', 'FE'].map((text, at) => ({
        type: 'TEXT_MESSAGE_CHUNK',
        delta: text,
        ...(at === 0 && { messageId: 'm', role: 'assistant' }),
      })),
    ],
    [
      'tool arguments',
      ['UN', 'SAFE'].map((text) => ({ type: 'TOOL_CALL_CHUNK', toolCallId: 'c', toolCallName: 'f', delta: text })),
    ],
    [
      'patches of a state',
      ['UN', 'SAFE'].map((value) => ({ type: 'STATE_DELTA', delta: [{ op: 'add', path: '/a/-', value }] })),
    ],
  ])('shows no unsafe word in %s', async (_, events) => {
    pieces = frames(run(start(), delta('Hello'), end(), ...events))
    pause = 0
    expect(JSON.stringify(await ask(user('hello')))).not.toContain('SAFE')
  })
})

describe('What clients send', () => {
  const envelope = { method: 'agent/run', params: { agentId: 'default' } }
  it.each<[string, object]>([
    ['a run', { ...RUN, messages: [user('UNSAFE')] }],
    ['the envelope of CopilotKit', { ...envelope, body: { ...RUN, messages: [user('UNSAFE')] } }],
    ['an envelope that is a text', { ...envelope, body: JSON.stringify({ ...RUN, messages: [user('UNSAFE')] }) }],
    ['an envelope with a word beside it', { ...envelope, other: 'UNSAFE', body: { ...RUN, messages: [user('hi')] } }],
    [
      'a last message of reasoning',
      { ...RUN, messages: [user('hi'), { id: '2', role: 'reasoning', content: 'UNSAFE' }] },
    ],
  ])('is judged: %s', async (_, body) => {
    expect((await send(`${site.url}/agent`, { body })).status).toBe(451)
  })

  it('is judged without its ids', async () => {
    const id = (digit: number): string => `${digit}f1b2c3d-0a1b-4c2d-8e3f-5a6b7c8d9e0f`
    const body = {
      threadId: id(1),
      runId: id(2),
      protocolVersion: '1.0',
      tools: [],
      context: [],
      state: {},
      forwardedProps: {},
    }
    const messages = [{ id: id(3), role: 'user', content: [{ type: 'text', text: 'hi' }] }]
    pieces = []
    await send(`${site.url}/agent`, { body: { ...envelope, body: { ...body, messages } } })
    expect(site.guard.asked).toEqual([[{ role: 'User', text: 'hi' }]])
  })

  it.each([
    ['audio', { type: 'audio', source: { type: 'data', value: 'UklGRg==', mimeType: 'audio/wav' } }],
    ['a file elsewhere', { type: 'document', source: { type: 'file', value: 'file-1' } }],
    [
      'a file of the web',
      { type: 'document', source: { type: 'url', value: 'https://x.test/a.txt', mimeType: 'text/plain' } },
    ],
    ['a picture, to a guard that sees none', { type: 'image', source: { type: 'url', value: 'https://x.test/a.png' } }],
  ])('is refused when it is %s', async (_, part) => {
    const messages = [{ id: '1', role: 'user', content: [{ type: 'text', text: 'hi' }, part] }]
    expect((await send(`${site.url}/agent`, { body: { ...RUN, messages } })).status).toBe(400)
  })

  it.each(['data', 'url', 'file', 'source2'])(
    'is judged or refused when a document has the field %s beside its source',
    async (field) => {
      const source = { type: 'data', value: Buffer.from('some words').toString('base64'), mimeType: 'text/plain' }
      for (const said of ['UNSAFE', `data:text/plain,UNSAFE`]) {
        const content = [{ type: 'document', source, [field]: said }]
        const got = await send(`${site.url}/agent`, {
          body: { ...RUN, messages: [{ id: '1', role: 'user', content }] },
        })
        expect([400, 451]).toContain(got.status)
      }
    },
  )
})

it('A letter that comes many times in a row is read as often as it comes, and a long text twice.', () => {
  const custom = (value: string) => Array.from({ length: 5 }, () => event({ type: 'CUSTOM', name: 'n', value }))
  expect(Object.values(gather(agUi.stream(), custom('e')))).toContain('eeeee')
  const long = 'A status that every event of this stream repeats. '
  expect(Object.values(gather(agUi.stream(), custom(long)))).toContain(long.repeat(2))
})

describe('The last events of a run', () => {
  const all = (events: readonly Event[]) =>
    readerOf(
      agUi,
      events.map((each) => event(each)),
      events.length,
    )
  const types = (text: string): string[] => [...text.matchAll(/"type":"([A-Z_]+)"/g)].map(([, type]) => type!)
  const open: Event[] = [
    { type: 'RUN_STARTED', ...RUN },
    { type: 'STEP_STARTED', stepName: 's' },
    { type: 'REASONING_START', messageId: 'm0' },
    { type: 'REASONING_MESSAGE_START', messageId: 'm1', role: 'reasoning' },
    start('m2'),
    { type: 'TOOL_CALL_START', toolCallId: 'c', toolCallName: 'f' },
  ]
  const failure = new LlamaGuardError('guard_timeout')

  it('end what was open of messages and reasoning, the last first, and no tool call', () => {
    const ends = ['TEXT_MESSAGE_END', 'REASONING_MESSAGE_END', 'REASONING_END', 'RUN_ERROR']
    expect(types(all(open).block(BLOCKED))).toEqual(ends)
    expect(types(all(open).fail(failure))).toEqual(ends)
    expect(types(all([...open, end('m2')]).fail(failure))).toEqual(ends.slice(1))
  })

  it.each(['RUN_FINISHED', 'RUN_ERROR'])('are none when the run has ended with %s', (type) => {
    const reader = all([...open, { type, ...RUN }])
    expect([reader.block(BLOCKED), reader.block(BLOCKED, 'No.'), reader.fail(failure)]).toEqual(['', '', ''])
  })

  it('begin a run that has not begun, and finish its steps, where they are words', () => {
    expect(types(all([]).block(BLOCKED, 'No.'))).toEqual(
      'RUN_STARTED TEXT_MESSAGE_START TEXT_MESSAGE_CONTENT TEXT_MESSAGE_END RUN_FINISHED'.split(' '),
    )
    expect(types(all(open.slice(0, 2)).block(BLOCKED, 'No.')).slice(-2)).toEqual(['STEP_FINISHED', 'RUN_FINISHED'])
    expect(types(all(open).block(BLOCKED, 'No.')).at(-1)).toBe('RUN_ERROR')
  })
})
