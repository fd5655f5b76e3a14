// What stands beside the conversation: one extra text, the closed list of what goes unjudged, and the bounds.
import { describe, expect, it } from 'vitest'
import type { ChatRequest } from '../../../src/dialects/dialect.js'
import { openaiChat } from '../../../src/dialects/openai-chat.js'
import { openaiResponses } from '../../../src/dialects/openai-responses.js'
import { ask as send, guarded, onNode, serving } from '../../helpers/apps.js'

const MESSAGES = [{ role: 'user', content: 'Hi' }]
const ask = (more: object): ChatRequest => openaiChat.request({ messages: MESSAGES, ...more })

describe('What is no conversation', () => {
  it('is one text for one more guard call, however many fields it fills', async () => {
    const fields = Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`field ${at}`, `some prose ${at}`]))
    const middleware = guarded({ check: ['input'] })
    await serving(
      onNode([middleware], (_req, res) => res.end('{}')),
      async ({ url }) => {
        const reply = await send(`${url}/v1/chat/completions`, {
          body: { messages: MESSAGES, ...fields, documents: ['a b', { text: 'c d' }], prediction: { content: 'e f' } },
        })
        expect(reply.status).toBe(200)
      },
    )
    const [, text = '', ...rest] = middleware.guard.texts()
    expect(rest).toEqual([])
    for (const words of ['field 0', 'some prose 0', 'field 299', 'some prose 299', 'a b', 'c d', 'e f'])
      expect(text).toContain(words)
  })

  it('is judged in the variables of a stored prompt', () => {
    const prompt = { id: 'pmpt_12', version: '2', variables: { topic: 'bomb', n: 'auto' } }
    expect(openaiResponses.request({ input: 'Hi', prompt }).extras).toEqual(['topic\nbomb\nauto'])
  })
})

describe('A body', () => {
  it('costs little to walk, whatever it is made of', () => {
    const fill = (unit: string): string => unit.repeat(1_000_000 / unit.length)
    const bodies: object[] = [
      { stop: `${fill(' ')}x` },
      { stop: Array.from({ length: 90_000 }, () => ' ') },
      { model: fill('a-') },
      { metadata: { a: fill(' a') } },
      { mine: fill('data:') },
      { mine: `data:text/plain${fill(';a=b')},x` },
      { mine: `${fill(' ')}data:,x` },
      { images: Array.from({ length: 40_000 }, () => 'iVBORw0KGgo=') },
      { mine: Object.fromEntries(Array.from({ length: 49_000 }, (_, at) => [`k${at}`, at])) },
      { messages: [{ role: 'user', content: Array.from({ length: 19_000 }, () => ({ type: 'text', text: 'ab' })) }] },
      {
        messages: [
          { role: 'user', content: [{ type: 'thinking', thinking: 'x', signature: fill('qZ9xKv2LpW8rTn4Y') }] },
        ],
      },
      {
        messages: Array.from({ length: 13_000 }, (_, at) => ({
          role: 'user',
          content: 'a',
          id: `call_${at}xYz9Qw8RtB7`,
        })),
      },
    ]
    for (const body of bodies) {
      const started = process.cpuUsage()
      ask(body)
      const { user, system } = process.cpuUsage(started)
      expect((user + system) / 1000).toBeLessThan(500)
    }
  })
})
