// What a block is answered with: its status, its words, its body, and with `onBlock: 'refusal'` a reply in which the
// model declines, read by the clients of each API.
import Anthropic from '@anthropic-ai/sdk'
import express, { type Request, type Response } from 'express'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { customDialect } from '../src/dialects/custom.js'
import { llamaGuard, type LlamaGuardOptions } from '../src/index.js'
import { markerGuard } from './helpers/guards.js'
import { chat, completion, type Running, send, serve } from './helpers/http.js'

const WORDS = 'Sorry, I can’t help with that.'

/** A server whose reply is what the test has set. */
async function guarded(options: LlamaGuardOptions = {}): Promise<Running> {
  const app = express()
  app.use(llamaGuard({ guard: markerGuard(), windowMs: 20, logger: false, cacheMax: 0, ...options }))
  app.use(express.json())
  app.post(/.*/, (req: Request, res: Response) => void res.json(req.app.locals['reply']))
  apps.push(app)
  return await serve(app)
}
const apps: express.Express[] = []
const answering = (reply: unknown): void => {
  for (const app of apps) app.locals['reply'] = reply
}

let refusing: Running
beforeAll(async () => {
  refusing = await guarded({ onBlock: 'refusal' })
})
afterAll(() => refusing.close())

const BAD = 'UNSAFE words'
const anthropicReply = (text: string): object => ({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'm',
  content: [{ type: 'text', text }],
  stop_reason: 'end_turn',
  usage: { input_tokens: 1, output_tokens: 1 },
})

describe('onBlock: refusal, read by the openai client', () => {
  const client = (): OpenAI => new OpenAI({ apiKey: 'x', baseURL: `${refusing.url}/v1`, maxRetries: 0 })
  const ask = (text: string) =>
    client().chat.completions.create({ model: 'asked', messages: [{ role: 'user', content: text }] })

  it.each([
    ['the request', BAD, 'fine'],
    ['the reply', 'hello', BAD],
  ])('a block of %s is a completion whose message declines', async (_, text, reply) => {
    answering(completion(reply))
    const answer = await ask(text)
    const [choice] = answer.choices
    expect(choice).toMatchObject({
      finish_reason: 'stop',
      message: { role: 'assistant', refusal: WORDS, content: WORDS },
    })
    expect(JSON.stringify(answer)).not.toContain('UNSAFE')
    expect(answer).toMatchObject({ llama_guard: { categories: [{ code: 'O3', name: 'Criminal Planning' }] } })
  })

  it('a block of a stream is a delta that declines in both places', async () => {
    const reply = await send(`${refusing.url}/v1/chat/completions`, { body: chat(BAD, { stream: true }) })
    expect(JSON.parse(/^data: (.*)/.exec(reply.text)![1]!).choices[0].delta).toMatchObject({
      content: WORDS,
      refusal: WORDS,
    })
  })

  it('a block in the Responses API is a message with a refusal part, whole and streamed', async () => {
    answering({})
    const whole = await client().responses.create({ model: 'asked', input: BAD })
    expect(whole.output[0]).toMatchObject({ type: 'message', content: [{ type: 'refusal', refusal: WORDS }] })
    const stream = client().responses.stream({ model: 'asked', input: BAD })
    let refusal = ''
    stream.on('response.refusal.delta', ({ delta }) => void (refusal += delta))
    const last = await stream.finalResponse()
    expect(refusal).toBe(WORDS)
    expect(last).toMatchObject({ status: 'incomplete', output: [{ content: [{ type: 'refusal', refusal: WORDS }] }] })
  })

  it('a block of a legacy completion says the words as its text', async () => {
    answering({ id: 'c', object: 'text_completion', choices: [{ index: 0, text: BAD }] })
    const answer = await client().completions.create({ model: 'asked', prompt: 'hello' })
    expect(answer.choices[0]).toMatchObject({ text: WORDS, finish_reason: 'content_filter' })
  })
})

describe('onBlock: refusal, read by the Anthropic client', () => {
  const client = (): Anthropic => new Anthropic({ apiKey: 'x', baseURL: refusing.url, maxRetries: 0 })
  const body = (text: string) => ({
    model: 'asked',
    max_tokens: 10,
    messages: [{ role: 'user' as const, content: text }],
  })

  it('a block of a message stops by refusal and says the words', async () => {
    answering(anthropicReply(BAD))
    const message = await client().messages.create(body('hello'))
    expect(message).toMatchObject({ stop_reason: 'refusal', content: [{ type: 'text', text: WORDS }], model: 'asked' })
  })
})

describe('onBlock: refusal on the wire', () => {
  it('answers Ollama in its own lines, and says unsafe in the header', async () => {
    answering({})
    const url = `${refusing.url}/api/chat`
    const whole = await send(url, { body: chat(BAD, { stream: false }) })
    expect(whole.status).toBe(200)
    expect(whole.json()).toMatchObject({ message: { content: WORDS }, done: true, model: 'demo' })
    const streamed = await send(url, { body: chat(BAD) })
    expect(streamed.headers['content-type']).toBe('application/x-ndjson')
    expect(JSON.parse(streamed.text.trim())).toMatchObject({ message: { content: WORDS }, done: true })
    expect(streamed.headers['llama-guard']).toBe('input=unsafe;cat="O3"')
    expect(streamed.headers['cache-control']).toBe('no-store')
  })

  it('a custom dialect declines by its own function, and answers an error where it has none or the function throws', async () => {
    const shape = {
      request: (body: any) => ({ turns: [{ role: 'user' as const, text: String(body.q) }] }),
      framing: 'sse' as const,
    }
    const dialects = [
      customDialect({ name: 'with', paths: ['/with'], ...shape, decline: ({ words, stream }) => ({ words, stream }) }),
      customDialect({ name: 'without', paths: ['/without'], ...shape }),
      customDialect({
        name: 'broken',
        paths: ['/broken'],
        ...shape,
        decline: () => {
          throw new Error('UNSAFE')
        },
      }),
    ]
    const server = await guarded({ onBlock: 'refusal', dialects })
    try {
      for (const stream of [false, true]) {
        const reply = await send(`${server.url}/with`, { body: { q: BAD, stream } })
        expect([reply.status, /{.*/.exec(reply.text)?.[0]]).toEqual([200, JSON.stringify({ words: WORDS, stream })])
      }
      for (const path of ['without', 'broken']) {
        const refused = await send(`${server.url}/${path}`, { body: { q: BAD } })
        expect(refused.status).toBe(451)
        expect(refused.text).not.toContain('UNSAFE')
      }
    } finally {
      await server.close()
    }
  })
})

describe('the words of a refusal', () => {
  const byStage = { input: { en: 'Not asked.', de: 'Nicht gefragt.', 'pt-BR': 'Não.' }, output: 'Not said.' }
  it.each<[string, LlamaGuardOptions['refusalText'], string | undefined, string, string]>([
    ['one text', 'No.', undefined, BAD, 'No.'],
    ['the first language without Accept-Language', byStage, undefined, BAD, 'Not asked.'],
    ['the language asked for', byStage, 'fr, de;q=0.9, en;q=0.5', BAD, 'Nicht gefragt.'],
    ['the language of a region', byStage, 'pt-BR', BAD, 'Não.'],
    ['the first language when none fits', byStage, 'ja', BAD, 'Not asked.'],
    ['the text of the stage', byStage, 'de', 'hello', 'Not said.'],
    ['a function', ({ stage }, req) => `${stage} ${String(req.headers['x-name'])}`, undefined, BAD, 'input Ada'],
    ['the default for a stage without text', { output: 'Not said.' }, undefined, BAD, WORDS],
  ])('are %s', async (_, refusalText, language, text, words) => {
    const server = await guarded({ onBlock: 'refusal', refusalText })
    answering(completion(BAD))
    try {
      const headers = { 'x-name': 'Ada', ...(language !== undefined && { 'accept-language': language }) }
      const reply = await send(`${server.url}/v1/chat/completions`, { body: chat(text), headers })
      expect(reply.json().choices[0].message.refusal).toBe(words)
    } finally {
      await server.close()
    }
  })
})

describe('status and body of an error', () => {
  it('blockStatus changes the status of a block, and neither its body nor what could not be judged', async () => {
    const server = await guarded({ blockStatus: 400 })
    try {
      const url = `${server.url}/v1/chat/completions`
      const blocked = await send(url, { body: chat(BAD) })
      expect(blocked.status).toBe(400)
      expect(blocked.json().error).toMatchObject({ code: 'content_filter', param: 'messages', stage: 'input' })
      expect((await send(url, { body: chat('BROKEN') })).status).toBe(503)
    } finally {
      await server.close()
    }
  })
})
