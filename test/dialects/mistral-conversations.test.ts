// Mistral's conversations, whose events are not those of Responses: its client knows its own alone, and takes a stream
// that ends by others for a whole one.
import { expect, it } from 'vitest'
import { heard } from '../helpers/guards.js'
import { send } from '../helpers/http.js'
import { guardedSite, parsedJson } from './site.js'
import { event, frames } from './streams.js'

const delta = (content: string): object => ({
  type: 'message.output.delta',
  output_index: 1,
  content_index: 0,
  id: 'msg_1',
  role: 'assistant',
  content,
})
const STARTED = { type: 'conversation.response.started', conversation_id: 'conv_1' }
const NOTE = { stage: 'output', categories: [{ code: 'O3' }] }

let said: object[] = []
const site = guardedSite((app) => {
  app.post(/./, async (_req, res) => {
    res.setHeader('content-type', 'text/event-stream')
    for (const each of said) {
      res.write(frames([event(each)]))
      await heard(site.guard, /"content":"([^"]*)"/.exec(JSON.stringify(each))?.[1])
    }
    res.end(frames([event({ type: 'conversation.response.done', usage: {} })]))
  })
}, parsedJson)

const read = async (...texts: string[]): Promise<object[]> => {
  said = [STARTED, ...texts.map(delta)]
  const { text } = await send(`${site.url}/v1/conversations`, { body: { model: 'm', inputs: 'Hi', stream: true } })
  return text
    .split('\n\n')
    .flatMap((frame) => /data: (.*)/.exec(frame)?.[1] ?? [])
    .map((data) => JSON.parse(data) as object)
}

it('A conversation ends by its own events.', async () => {
  expect(await read('Hello ', 'UNSAFE')).toMatchObject([
    STARTED,
    delta('Hello '),
    {
      type: 'conversation.response.error',
      message: expect.stringContaining('Criminal Planning') as string,
      code: 451,
      llama_guard: NOTE,
    },
  ])
  expect((await read('Hello ', 'BROKEN')).slice(2)).toMatchObject([
    { type: 'conversation.response.error', message: 'The guard answered with an error', code: 503 },
  ])
})

it('A refusal is a message of its own, and the conversation is done.', async () => {
  site.options = { onBlock: 'refusal', refusalText: 'No.' }
  expect((await read('Hello ', 'UNSAFE')).slice(2)).toMatchObject([
    { type: 'message.output.delta', output_index: 2, content_index: 0, role: 'assistant', content: 'No.' },
    { type: 'conversation.response.done', usage: { total_tokens: 0 }, llama_guard: NOTE },
  ])
})

it('A conversation that nobody refuses is as its server wrote it.', async () => {
  expect(await read('Hello ', 'there.')).toEqual([...said, { type: 'conversation.response.done', usage: {} }])
})
