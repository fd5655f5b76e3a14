// Google's own clients against a guarded route of the Interactions API, in its revisions with steps and with outputs.
import { GoogleGenAI as GoogleGenAI2 } from '@google/genai'
import { type Response } from 'express'
import { GoogleGenAI as GoogleGenAI3 } from 'genai3'
import { beforeEach, describe, expect, it } from 'vitest'
import { geminiInteractions } from '../../src/dialects/gemini-interactions.js'
import { heard } from '../helpers/guards.js'
import { send } from '../helpers/http.js'
import { SEALED } from './documented-replies.js'
import { REPLIES } from './replies.js'
import { guardedSite, parsedJson } from './site.js'
import { wholeStream } from './streams.js'

const PATH = '/v1beta/interactions'
const model = 'gemini-3-flash-preview'
const interaction = { id: 'v1_Chd1', object: 'interaction', model }

interface Event {
  readonly event_type: string
  readonly [name: string]: unknown
}
/** The events of a stream, or a whole reply. */
let events: Event[]
let reply: object
let cut = (text: string): string[] => [text]

const step = (index: number, step: object, ...deltas: object[]): Event[] => [
  { event_type: 'step.start', index, step },
  ...deltas.map((delta) => ({ event_type: 'step.delta', index, delta })),
  { event_type: 'step.stop', index },
]
const created = { event_type: 'interaction.created', interaction: { ...interaction, status: 'in_progress' } }
const completed = { event_type: 'interaction.completed', interaction: { ...interaction, status: 'completed' } }
const said = (...texts: string[]): object[] => texts.map((text) => ({ type: 'text', text }))
const saying = (...texts: string[]): Event[] => [
  created,
  ...step(0, { type: 'model_output' }, ...said(...texts)),
  completed,
]
/** The same in the revisions before steps. */
const old = (...texts: string[]): Event[] => [
  { ...created, event_type: 'interaction.start' },
  { event_type: 'content.start', index: 0, content: { type: 'text' } },
  ...said(...texts).map((delta) => ({ event_type: 'content.delta', index: 0, delta })),
  { event_type: 'content.stop', index: 0 },
  { ...completed, event_type: 'interaction.complete' },
]
const framed = (event: Event): string => `event: ${event.event_type}\ndata: ${JSON.stringify(event)}\n\n`
const whole = (): string => `${events.map(framed).join('')}event: done\ndata: [DONE]\n\n`

async function answer(res: Response, stream: boolean): Promise<void> {
  if (!stream) return void res.json(reply)
  res.setHeader('content-type', 'text/event-stream')
  for (const event of events) {
    for (const piece of cut(framed(event))) res.write(piece)
    await heard(site.guard, /"text":"([^"]*)"/.exec(framed(event))?.[1])
  }
  res.end('event: done\ndata: [DONE]\n\n')
}

const site = guardedSite((app) => {
  app.post(/interactions|ask/, (req, res) => answer(res, (req.body as { stream?: boolean }).stream === true))
  app.get(/interactions/, (req, res) => answer(res, req.query.stream === 'true'))
}, parsedJson)
beforeEach(() => {
  events = saying('Hello ', 'there.')
  reply = REPLIES['gemini-interactions']!('Hello there.')
  cut = (text) => [text]
})

const ask = (body: object, path = PATH) => send(site.url + path, { body: { model, ...body } })
const stream = (body: object = {}) => ask({ input: 'hello', stream: true, ...body })
const eventsOf = (text: string): Event[] =>
  Array.from(text.matchAll(/^data: (\{.*)$/gm), ([, data]) => JSON.parse(data!) as Event)
const textOf = (list: readonly Event[]): string =>
  list.map((each) => (each as { delta?: { text?: string } }).delta?.text ?? '').join('')

describe('A request', () => {
  it.each<[string, object]>([
    ['a text', { input: 'UNSAFE' }],
    ['one content', { input: { type: 'text', text: 'UNSAFE' } }],
    ['contents, over two of them', { input: said('UN', 'SAFE') }],
    ['turns', { input: [{ role: 'user', content: said('UNSAFE') }] }],
    ['a step of the user', { input: [{ type: 'user_input', content: said('UNSAFE') }] }],
    [
      'a step of the user that names the model, before another',
      {
        input: [
          { type: 'user_input', role: 'model', content: said('UNSAFE') },
          { type: 'user_input', content: said('go on') },
        ],
      },
    ],
    ['a step of the model at the end', { input: [{ type: 'model_output', content: said('UNSAFE') }] }],
    ['what a function gave', { input: [{ type: 'function_result', call_id: 'c', result: 'UNSAFE' }] }],
    [
      'what a function gave, in contents',
      { input: [{ type: 'function_result', call_id: 'c', result: said('UN', 'SAFE') }] },
    ],
    [
      'what a function gave, as an object',
      { input: [{ type: 'function_result', call_id: 'c', result: { a: 'UNSAFE' } }] },
    ],
    ['an instruction', { input: 'hello', system_instruction: 'UNSAFE' }],
    ['a tool', { input: 'hello', tools: [{ type: 'function', name: 'f', description: 'UNSAFE' }] }],
    ['a file of text', { input: [{ type: 'document', mime_type: 'text/plain', data: btoa('UNSAFE words') }] }],
    ['a file of an agent', { input: 'hello', agent: 'a', environment: { sources: [{ content: 'UNSAFE words' }] } }],
  ])('is judged in %s, and fine words pass.', async (_where, body) => {
    const refused = await ask(body)
    expect([refused.status, refused.json().error]).toMatchObject([451, { code: 451, status: 'PERMISSION_DENIED' }])
    const fine = await ask(
      JSON.parse(
        JSON.stringify(body)
          .replace('UNSAFE', 'fine')
          .replace('"UN"', '"fi"')
          .replace('"SAFE"', '"ne"')
          .replace(btoa('UNSAFE words'), btoa('fine words')),
      ) as object,
    )
    expect([fine.status, fine.text]).toEqual([200, JSON.stringify(reply)])
  })

  it('has the turns of its steps, and its settings are none of them', () => {
    const request = geminiInteractions.request({
      model,
      input: [
        ...said('Hel', 'lo'),
        { type: 'thought', signature: SEALED, summary: said('hm') },
        { type: 'function_call', id: 'call_1', name: 'f', arguments: { q: 'x y' } },
        { type: 'function_result', call_id: 'call_1', name: 'f', result: said('found') },
        { type: 'model_output', content: said('Hi.') },
        { type: 'user_input', content: said('And now?') },
      ],
      system_instruction: 'Be kind.',
      previous_interaction_id: 'v1_ChdPU0F4YWFtNkFwS2kxZThQ',
      agent: 'deep-research-preview-04-2026',
      agent_config: { type: 'deep-research', thinking_summaries: 'auto' },
      response_modalities: ['text'],
      service_tier: 'flex',
      store: false,
    })
    expect(request).toMatchObject({ system: 'Be kind.', userTurns: [0, 4], extras: [], stream: false, model })
    expect(request.unseen).toEqual([
      { what: 'binary', count: 1 },
      { what: 'stored-history', count: 1 },
    ])
    expect(request.turns.map(({ role, text }) => `${role}: ${text}`)).toEqual([
      'User: Hello',
      'Agent: hm\nf\n{"q":"x y"}',
      'User: found\nf',
      'Agent: Hi.',
      'User: And now?',
    ])
  })

  it('with media that no guard sees is refused, in contents and in what a function gave.', async () => {
    for (const part of [
      { type: 'audio', data: 'UklGRg==', mime_type: 'audio/wav' },
      { type: 'video', uri: 'https://x.test/v.mp4' },
      { type: 'document', data: 'JVBERi0xLjcK', mime_type: 'application/pdf' },
      { type: 'document', uri: 'https://x.test/a.pdf' },
      { type: 'image', data: 'iVBORw0KGgo=', mime_type: 'image/png' },
    ])
      for (const input of [[part], [{ type: 'function_result', call_id: 'c', result: [part] }]])
        expect([part.type, (await ask({ input })).status]).toEqual([part.type, 400])
  })

  it.each(['/v1/interactions', '/api/v1beta/interactions', '/v1beta1/projects/p/locations/us-central1/interactions'])(
    'is judged on %s',
    async (path) => {
      expect((await ask({ input: 'UNSAFE' }, path)).status).toBe(451)
      expect((await ask({ model: undefined, agent: 'a', input: 'UNSAFE' }, path)).status).toBe(451)
    },
  )

  it.each<[string, object]>([
    ['/ask', { model: 'm', input: 'UNSAFE' }],
    ['/api/interactions', { model: 'm', input: 'UNSAFE' }],
    ['/v1/interactions', { type: 'click', target: 'UNSAFE' }],
    ['/v1/interactions', { model: 'm', note: 'UNSAFE' }],
    ['/v1beta/interactions', { input: 'UNSAFE' }],
  ])('of an app of another kind passes untouched and is announced: %s %j', async (path, body) => {
    const got = await send(site.url + path, { body })
    expect([got.status, got.text, site.guard.asked]).toEqual([200, JSON.stringify(reply), []])
    expect(got.headers['llama-guard']).toContain('unknown-body')
  })
})

describe('A reply', () => {
  it.each<[string, (words: string) => object]>([
    ['a text', (words) => ({ type: 'model_output', content: said(words) })],
    ['a thought', (words) => ({ type: 'thought', summary: said(words) })],
    ['a call', (words) => ({ type: 'function_call', id: 'c', name: 'f', arguments: { a: words } })],
    ['code', (words) => ({ type: 'code_execution_call', id: 'c', arguments: { language: 'python', code: words } })],
    ['a result', (words) => ({ type: 'code_execution_result', call_id: 'c', result: words })],
    ['a search', (words) => ({ type: 'google_search_result', call_id: 'c', result: [{ search_suggestions: words }] })],
    [
      'a source',
      (words) => ({
        type: 'model_output',
        content: [{ type: 'text', text: 'a', annotations: [{ type: 'url_citation', title: words }] }],
      }),
    ],
  ])('is judged in %s, as steps, as outputs and when it is kept.', async (_where, item) => {
    for (const list of ['steps', 'outputs'])
      for (const [words, status] of [
        ['UNSAFE', 451],
        ['fine', 200],
      ] as const) {
        reply = { ...interaction, status: 'completed', [list]: [item(words)] }
        expect((await ask({ input: 'hello' })).status).toBe(status)
        expect((await send(`${site.url}${PATH}/v1_Chd1`)).status).toBe(status)
      }
  })

  it('that goes on from a token is judged, though nothing is asked.', async () => {
    for (const [words, status] of [
      ['UNSAFE', 451],
      ['fine', 200],
    ] as const) {
      reply = REPLIES['gemini-interactions']!(words)
      expect((await ask({ continuation_token: SEALED })).status).toBe(status)
    }
  })

  it('in the background is told of without asking the guard for more than the question.', async () => {
    reply = { ...interaction, status: 'in_progress', agent: 'deep-research-preview-04-2026' }
    expect((await ask({ input: 'hello', background: true })).text).toBe(JSON.stringify(reply))
    expect(site.guard.texts()).toEqual(['hello'])
  })

  it.each([{ mime_type: 'image/png', data: 'iVBORw0KGgo=' }, { data: 'iVBORw0KGgo'.repeat(9) }])(
    'with media in it is refused, or comes with `images: "ignore"`: %j',
    async (media) => {
      reply = {
        ...interaction,
        status: 'completed',
        steps: [{ type: 'model_output', content: [...said('Look.'), { type: 'image', ...media }] }],
      }
      expect((await ask({ input: 'hello' })).status).toBe(503)
      site.options = { images: 'ignore' }
      expect((await ask({ input: 'hello' })).text).toBe(JSON.stringify(reply))
      expect(site.guard.texts().at(-1)).toContain('Look.')
    },
  )

  it('is a reply in which the model declines, with `onBlock: "refusal"`.', async () => {
    site.options = { onBlock: 'refusal', refusalText: 'No.' }
    expect((await ask({ input: 'UNSAFE' })).json()).toMatchObject({
      status: 'completed',
      model,
      steps: [{ content: [{ text: 'No.' }] }],
    })
  })
})

describe('A stream', () => {
  it('leaves byte for byte, wherever it is cut.', async () => {
    events = wholeStream('gemini-interactions').map(({ data }) => JSON.parse(data!) as Event)
    for (const size of [1, 7, 64]) {
      cut = (text) =>
        Array.from({ length: Math.ceil(text.length / size) }, (_, at) => text.slice(at * size, (at + 1) * size))
      expect((await stream()).text).toBe(whole())
    }
    expect((await send(`${site.url}${PATH}/v1_Chd1?stream=true`)).text).toBe(whole())
  })

  it.each<[string, Event[]]>([
    ['over the deltas of a step', saying('UN', 'SAFE')],
    ['over the deltas of a content', old('UN', 'SAFE')],
    ['over contents without a number', old('UN', 'SAFE').map(({ index: _, ...event }) => event)],
    [
      'over the beginning of a step and a delta',
      [created, ...step(0, { type: 'model_output', content: said('UN') }, ...said('SAFE'))],
    ],
    [
      'over steps that interleave',
      [
        created,
        ...['UN', 'x', 'SAFE'].map((text, at) => ({
          event_type: 'step.delta',
          index: at % 2,
          delta: { type: 'text', text },
        })),
      ],
    ],
    [
      'over the summary of a thought',
      [
        created,
        ...step(0, { type: 'thought' }, ...said('UN', 'SAFE').map((content) => ({ type: 'thought_summary', content }))),
      ],
    ],
    [
      'over the arguments of a call',
      [
        created,
        ...step(
          0,
          { type: 'function_call', id: 'c', name: 'f', arguments: {} },
          ...['{"a":"UN', 'SAFE"}'].map((text) => ({ type: 'arguments_delta', arguments: text })),
        ),
      ],
    ],
  ])('is judged in words %s.', async (_where, list) => {
    events = list
    const got = await stream()
    expect(got.status === 451 || got.text.includes('"status":"incomplete"')).toBe(true)
    expect(got.text).not.toContain('SAFE')
  })

  it.each([
    ['steps', saying, 'step', 'completed'],
    ['contents', old, 'content', 'complete'],
  ] as const)('of %s ends in its own events when it is blocked, declined or failed.', async (_of, write, part, end) => {
    events = write('Hello ', 'there, ', 'UNSAFE')
    const blocked = eventsOf((await stream()).text)
    expect(textOf(blocked)).toBe('Hello there, ')
    expect(blocked.slice(-2)).toMatchObject([
      { event_type: `${part}.stop`, index: 0 },
      {
        event_type: `interaction.${end}`,
        interaction: { ...interaction, status: 'incomplete' },
        llama_guard: { stage: 'output' },
      },
    ])
    site.options = { onBlock: 'refusal', refusalText: 'No.' }
    const declined = eventsOf((await stream()).text)
    expect([textOf(declined), declined.at(-3)]).toMatchObject([
      'Hello there, No.',
      { event_type: `${part}.delta`, index: 1 },
    ])
    expect(textOf(eventsOf((await stream({ input: 'UNSAFE' })).text))).toBe('No.')
    events = write('Hello ', 'there, ', 'BROKEN')
    expect(eventsOf((await stream()).text).at(-1)).toMatchObject({
      event_type: 'error',
      error: { code: 'guard_error' },
    })
  })

  it('that another API was asked for ends in its events too.', async () => {
    events = saying('Hello ', 'there, ', 'UNSAFE')
    const got = await ask({ messages: [{ role: 'user', content: 'hello' }], stream: true }, '/ask')
    expect(eventsOf(got.text).at(-1)).toMatchObject({ event_type: 'interaction.completed' })
  })
})

describe.each([
  ['2', GoogleGenAI2],
  ['3', GoogleGenAI3 as unknown as typeof GoogleGenAI2],
])('The client of Google, version %s,', (_version, GoogleGenAI) => {
  const once = { retries: { strategy: 'none' } } as const
  const client = () => new GoogleGenAI({ apiKey: 'k', httpOptions: { baseUrl: site.url } }).interactions

  it('gets what it asks for, and an error with the categories for what is unsafe.', async () => {
    expect((await client().create({ model, input: 'hello' }, once)).output_text).toBe('Hello there.')
    expect((await client().get('v1_Chd1', {}, once)).output_text).toBe('Hello there.')
    const error = { status: 451, error: { error: { code: 451, categories: [{ code: 'O3' }] } } }
    await expect(client().create({ model, input: 'UNSAFE' }, once)).rejects.toMatchObject(error)
    reply = REPLIES['gemini-interactions']!('UNSAFE')
    await expect(client().create({ model, input: 'hello' }, once)).rejects.toMatchObject(error)
  })

  it('ends a blocked stream, and hands out the error of one that failed.', async () => {
    for (const [last, end] of [
      ['UNSAFE', { event_type: 'interaction.completed', interaction: { status: 'incomplete' } }],
      ['BROKEN', { event_type: 'error' }],
      ['all.', { event_type: 'interaction.completed', interaction: { status: 'completed' } }],
    ] as const) {
      events = saying('Hello ', 'there, ', last)
      const got: Event[] = []
      for await (const event of await client().create({ model, input: 'hello', stream: true }, once))
        got.push(event as unknown as Event)
      expect([textOf(got), got.at(-1)]).toMatchObject([`Hello there, ${last === 'all.' ? last : ''}`, end])
    }
  })
})
