// Google's own client against a guarded Gemini route, and the stream as a JSON array, which it does not ask for.
import { ApiError, GoogleGenAI } from '@google/genai'
import { type Request, type Response } from 'express'
import { beforeEach, describe, expect, it } from 'vitest'
import { gemini } from '../../src/dialects/gemini.js'
import { guarded, onNode, serving } from '../helpers/apps.js'
import { heard, markerGuard } from '../helpers/guards.js'
import { send } from '../helpers/http.js'
import { guardedSite, parsedJson } from './site.js'

const MODEL = 'gemini-2.5-flash'
const ARRAY = `/v1beta/models/${MODEL}:streamGenerateContent`

/** What the route answers: chunks of a stream, or a whole reply of them. */
let chunks: object[]
let cut = (bytes: Buffer): Buffer[] => [bytes]

const part = (part: object, more: object = {}): object => ({
  candidates: [{ content: { role: 'model', parts: [part] }, index: 0, ...more }],
  modelVersion: MODEL,
  responseId: '0f6bb5f8-9f3e-4c52-8f4a-2b1d7c9e6a30',
})
const saying = (...texts: string[]): object[] => [
  ...texts.map((text) => part({ text })),
  part({ text: '' }, { finishReason: 'STOP' }),
]

async function answer(req: Request, res: Response): Promise<void> {
  if (!req.path.includes('stream')) return void res.json(chunks[0])
  const sse = req.query.alt === 'sse'
  res.setHeader('content-type', sse ? 'text/event-stream' : 'application/json; charset=UTF-8')
  for (const [at, chunk] of chunks.entries()) {
    const text = JSON.stringify(chunk, null, sse ? 0 : 2)
    for (const piece of cut(Buffer.from(sse ? `data: ${text}\r\n\r\n` : `${at === 0 ? '[' : ',\r\n'}${text}`))) {
      res.write(piece)
    }
    await heard(site.guard, /"text": ?"([^"]*)"/.exec(text)?.[1])
  }
  res.end(sse ? '' : '\n]\n')
}

const site = guardedSite((app) => {
  app.post(/generateContent$/i, answer)
}, parsedJson)
beforeEach(() => {
  chunks = saying('Hello ', 'there.')
  cut = (bytes) => [bytes]
})

const client = (): GoogleGenAI =>
  new GoogleGenAI({ apiKey: 'k', httpOptions: { baseUrl: site.url, retryOptions: { attempts: 1 } } })

/** The text that arrives, with the reasons for its end. */
async function stream(contents = 'hello') {
  const got = { text: '', reasons: [] as unknown[], first: 0, last: 0, error: undefined as unknown }
  try {
    for await (const chunk of await client().models.generateContentStream({ model: MODEL, contents })) {
      got.first ||= performance.now()
      got.last = performance.now()
      got.text += chunk.text ?? ''
      got.reasons.push(...(chunk.candidates ?? []).flatMap(({ finishReason }) => finishReason ?? []))
    }
  } catch (error) {
    got.error = error
  }
  return got
}
const body = (text: string): object => ({ contents: [{ role: 'user', parts: [{ text }] }] })

it.each([
  { finishReason: 'SAFETY', index: 0 },
  { content: null, index: 0 },
  { content: { parts: null } },
  { content: { parts: ['words', null] } },
  null,
  'words',
  5,
])('A reply whose candidate is %j is judged and comes as it is.', async (candidate) => {
  chunks = [{ candidates: [candidate], modelVersion: MODEL }]
  const got = await send(`${site.url}/v1beta/models/${MODEL}:generateContent`, { body: body('hello') })
  expect([got.status, JSON.parse(got.text)]).toEqual([200, chunks[0]])
  if (JSON.stringify(candidate)?.includes('words')) expect(site.guard.texts().at(-1)).toContain('words')
})

it('A reply without candidates is one of another API.', () => {
  for (const body of [null, { text: 'words' }]) expect(gemini.reply(body)).toBeUndefined()
})

it.each([
  [451, 'PERMISSION_DENIED'],
  [404, 'NOT_FOUND'],
  [422, 'INVALID_ARGUMENT'],
])('A refusal with the status %i has its name of Google: %s.', async (blockStatus, status) => {
  site.options = { blockStatus }
  const got = await send(`${site.url}/v1beta/models/${MODEL}:generateContent`, { body: body('UNSAFE') })
  expect([got.status, got.json().error]).toMatchObject([blockStatus, { code: blockStatus, status }])
})

describe('Inline data of a request', () => {
  const data = Buffer.from('words in a file').toString('base64')
  const png = 'iVBORw0KGgo='
  const ask = (inlineData: unknown) => gemini.request({ contents: [{ role: 'user', parts: [{ inlineData }] }] }).turns

  it.each(['mimeType', 'mime_type'])('is read by its type under the name %s.', (name) => {
    expect(ask({ [name]: 'text/plain', data })[0]?.text).toContain('words in a file')
    expect(ask({ [name]: 'image/png', data: png })[0]?.images).toEqual([{ url: `data:image/png;base64,${png}` }])
    expect(ask({ [name]: 'text/plain', data, displayName: 'beside it' })[0]?.text).toContain('beside it')
  })
})

describe('the client of Google', () => {
  it('raises an error when the guard fails in the middle', async () => {
    chunks = saying('Hello ', 'there, ', 'BROKEN')
    const { text, error } = await stream()
    expect(text).toBe('Hello there, ')
    expect(error).toBeInstanceOf(ApiError)
    expect((error as ApiError).status).toBe(503)
  })
})

describe('a stream as an array', () => {
  const ask = (text: string) => send(`${site.url}${ARRAY}`, { body: body(text) })
  const texts = (text: string): string =>
    (JSON.parse(text) as { candidates: { content: { parts: { text: string }[] } }[] }[])
      .flatMap(({ candidates }) => candidates.flatMap(({ content }) => content.parts.map((each) => each.text)))
      .join('')

  it('is released byte for byte, wherever it is cut', async () => {
    const whole = `${chunks.map((chunk, at) => (at === 0 ? '[' : ',\r\n') + JSON.stringify(chunk, null, 2)).join('')}\n]\n`
    for (const size of [1, 7, 64]) {
      cut = (bytes) =>
        Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) => bytes.subarray(at * size, (at + 1) * size))
      expect((await ask('hello')).text).toBe(whole)
    }
  })

  it('is an array still when it is blocked in the middle, refused, or failed', async () => {
    chunks = saying('Hello ', 'there, ', 'UNSAFE')
    const blocked = await ask('hello')
    expect(texts(blocked.text)).toBe('Hello there, ')
    expect((JSON.parse(blocked.text) as object[]).at(-1)).toMatchObject({ candidates: [{ finishReason: 'SAFETY' }] })
    site.options = { onBlock: 'refusal', refusalText: 'No.' }
    expect(texts((await ask('hello')).text)).toBe('Hello there, No.')
    expect(texts((await ask('UNSAFE')).text)).toBe('No.')
    chunks = saying('Hello ', 'there, ', 'BROKEN')
    expect((JSON.parse((await ask('hello')).text) as object[]).at(-1)).toMatchObject({
      error: { code: 503, status: 'UNAVAILABLE' },
    })
  })

  it('is refused whole when the whole of it is one unsafe reply and no array', async () => {
    for (const [words, status] of [
      ['UNSAFE', 451],
      ['fine', 200],
    ] as const) {
      const reply = JSON.stringify(part({ text: words }), null, 2)
      const whole = onNode([guarded()], (_req, res) => res.setHeader('content-type', 'application/json').end(reply))
      const got = await serving(whole, ({ url }) => send(url + ARRAY, { body: body('hello') }))
      expect([got.status, got.text === reply]).toEqual([status, status === 200])
    }
  })
})

describe('words that are split', () => {
  it.each<[string, object[]]>([
    ['over the parts of two events', saying('UN', 'SAFE')],
    ['around a thought', [part({ text: 'UN' }), part({ text: 'hm ', thought: true }), part({ text: 'SAFE' })]],
    [
      'over the arguments of a call, beside others',
      ['a', 'b', 'a', 'a'].map((name, at) =>
        part({
          functionCall: {
            partialArgs: [{ jsonPath: `$.${name}`, stringValue: ['UN', 'x', 'SA', 'FE'][at], willContinue: true }],
          },
        }),
      ),
    ],
    [
      'over candidates that interleave',
      [0, 1, 0].map((index, at) => part({ text: ['UN', 'x', 'SAFE'][at] }, { index })),
    ],
    ['in a name with dots', [part({ text: 'fine' }, { 'content.parts.0.text': 'UNSAFE' })]],
  ])('are judged whole: %s', async (_, said) => {
    chunks = said
    for (const alt of ['', '?alt=sse']) {
      site.guard = markerGuard()
      const reply = await send(`${site.url}${ARRAY}${alt}`, { body: body('hello') })
      expect(site.guard.texts().some((text) => text.includes('UNSAFE'))).toBe(true)
      expect(reply.status === 451 || reply.text.includes('SAFETY')).toBe(true)
    }
  })
})

describe('a request', () => {
  it('is read in both spellings, with tools, thoughts and what a tool answered', () => {
    const request = gemini.request({
      system_instruction: { parts: { text: 'Be kind.' } },
      contents: [
        { parts: [{ text: 'Hel' }, { text: 'lo' }] },
        { role: 'model', parts: [{ functionCall: { id: 'call_1', name: 'f', args: { q: 'x y' } } }] },
        { role: 'user', parts: [{ function_response: { id: 'call_1', name: 'f', response: { found: 'z' } } }] },
      ],
      generation_config: { temperature: 0, response_mime_type: 'application/json' },
      safetySettings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_NONE' }],
    })
    expect(request).toMatchObject({ system: 'Be kind.', userTurns: [0], extras: [] })
    expect(request.turns).toEqual([
      { role: 'User', text: 'Hello' },
      { role: 'Agent', text: 'f\n{"q":"x y"}' },
      { role: 'User', text: 'f\n{"found":"z"}' },
    ])
  })

  it('is read where one object stands in place of a list of them', () => {
    const { turns } = gemini.request({ contents: { parts: { text: 'hello' } } })
    expect(turns).toEqual([{ role: 'User', text: 'hello' }])
    expect(gemini.request({ contents: { parts: [] }, systemInstruction: { text: 'be brief' } }).system).toBe('be brief')
  })

  it('is known by its body alone on a path of an app, also with one object in place of a list', async () => {
    for (const contents of [{ parts: [{ text: 'UNSAFE' }] }, [{ parts: [{ text: 'UNSAFE' }] }]])
      expect((await send(`${site.url}/ask`, { body: { contents } })).status).toBe(451)
  })

  it.each([
    '/v1/projects/p/locations/l/publishers/google/models/gemini-2.5-pro:generateContent',
    `/v1beta/models/${MODEL}%3AgenerateContent`,
    `/v1beta/tunedModels/x:STREAMGENERATECONTENT?alt=sse`,
  ])('is judged on %s', async (path) => {
    expect((await send(site.url + path, { body: body('UNSAFE') })).status).toBe(451)
  })
})
