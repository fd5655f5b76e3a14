// Anthropic Messages: blocks in, blocks out, and streams that close what they opened.
import Anthropic from '@anthropic-ai/sdk'
import { describe, expect, it } from 'vitest'
import { anthropicMessages } from '../../src/dialects/anthropic-messages.js'
import { LlamaGuardError } from '../../src/types/errors.js'
import { BLOCKED, drain, event, frames, gather, readerOf, serving } from './streams.js'

const ask = (messages: unknown, more: object = {}): ReturnType<typeof anthropicMessages.request> =>
  anthropicMessages.request({ model: 'claude', max_tokens: 9, messages, ...more })

describe('a request', () => {
  it('reads system blocks, tool use, tool results and thinking', () => {
    const { system, turns, userTurns } = ask(
      [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Hi', cache_control: { type: 'ephemeral' } },
            { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } },
          ],
        },
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 'hmm', signature: 'A'.repeat(400) },
            { type: 'tool_use', id: 'toolu_1', name: 'f', input: { q: 'x y' } },
          ],
        },
        {
          role: 'user',
          content: [
            {
              type: 'tool_result',
              tool_use_id: 'toolu_1',
              content: [
                { type: 'text', text: 'found' },
                { type: 'image', source: { type: 'url', url: 'https://x.test/b.png' } },
              ],
            },
          ],
        },
        {
          role: 'user',
          content: [
            {
              type: 'document',
              source: { type: 'text', media_type: 'text/plain', data: 'document words' },
              title: 'A title',
            },
          ],
        },
      ],
      {
        system: [{ type: 'text', text: 'Be kind.' }],
        tools: [{ name: 'f', description: 'Finds it.', input_schema: { type: 'object' } }],
        metadata: { user_id: 'u1' },
        thinking: { type: 'enabled', budget_tokens: 5 },
      },
    )
    expect(system).toBe('Be kind.\nf\nFinds it.\n{"type":"object"}')
    expect(turns).toEqual([
      { role: 'User', text: 'Hi', images: [{ url: 'data:image/png;base64,AAAA' }] },
      { role: 'Agent', text: 'hmm\nf\n{"q":"x y"}' },
      { role: 'User', text: 'found\ndocument words\nA title', images: [{ url: 'https://x.test/b.png' }] },
    ])
    expect(userTurns).toEqual([0, 2])
  })

  it('does not take a tool result for words of a human', () => {
    const result = { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'found' }] }
    expect(ask([{ role: 'user', content: 'Hi' }, { role: 'assistant', content: 'ok' }, result]).userTurns).toEqual([0])
  })
})

const MESSAGE = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude',
  content: [] as object[],
  stop_reason: null,
  stop_sequence: null,
  usage: { input_tokens: 1, output_tokens: 1, service_tier: 'standard' },
}

it('A reply is one choice with the words of all its blocks.', () => {
  expect(
    anthropicMessages.reply({
      ...MESSAGE,
      content: [{ type: 'text', text: 'Hi.\n', citations: null }],
      stop_reason: 'end_turn',
    }),
  ).toEqual([{ index: 0, text: 'Hi.\n' }])
  const content = [
    { type: 'thinking', thinking: 'hm m', signature: 'A'.repeat(400) },
    { type: 'tool_use', id: 'toolu_1', name: 'f', input: { a: 'b', c: [] } },
    { type: 'redacted_thinking', data: 'B'.repeat(400) },
  ]
  expect(anthropicMessages.reply({ ...MESSAGE, content })).toEqual([{ index: 0, text: 'hm m\nf\n{"a":"b","c":[]}' }])
  expect(anthropicMessages.reply({ type: 'error', error: {} })).toBeUndefined()
})

const EVENTS = [
  { type: 'message_start', message: MESSAGE },
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
  { type: 'ping' },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hel' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'lo' } },
  { type: 'content_block_stop', index: 0 },
  { type: 'content_block_start', index: 1, content_block: { type: 'tool_use', id: 'toolu_1', name: 'f', input: {} } },
  { type: 'content_block_delta', index: 1, delta: { type: 'input_json_delta', partial_json: '{"a":' } },
  { type: 'content_block_delta', index: 1, delta: { type: 'input_json_delta', partial_json: '1}' } },
  { type: 'content_block_delta', index: 1, delta: { type: 'signature_delta', signature: 'A'.repeat(300) } },
  { type: 'content_block_stop', index: 1 },
  { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 5 } },
  { type: 'message_stop' },
].map((data) => event(data, data.type))

describe('a stream', () => {
  it('keeps blocks apart', () => {
    expect(gather(anthropicMessages.stream(), EVENTS)).toEqual({
      '0:content.0.text': 'Hello',
      '0:content.1.name': 'f',
      '0:content.1.partial_json': '{"a":1}',
    })
  })

  it.each([0, 1, 4, 6, 8])('that is blocked after %i events ends as a refusal for the SDK', async (sent) => {
    const end = readerOf(anthropicMessages, EVENTS, sent).block(BLOCKED)
    await serving(frames(EVENTS.slice(0, sent)) + end, async (baseURL) => {
      const message = await new Anthropic({ baseURL, apiKey: 'k' }).messages
        .stream({ model: 'm', max_tokens: 1, messages: [{ role: 'user', content: 'a' }] })
        .finalMessage()
      expect(message).toMatchObject({
        id: sent === 0 ? 'msg_llama_guard' : MESSAGE.id,
        stop_reason: 'refusal',
        stop_details: { explanation: 'Blocked by the content policy: Criminal Planning (O3).' },
      })
    })
    const stops =
      frames(EVENTS.slice(0, sent))
        .concat(end)
        .match(/"content_block_stop"/g)?.length ?? 0
    expect(stops).toBe(sent < 2 ? 0 : sent < 7 ? 1 : 2)
  })

  it('that failed is raised by the SDK', async () => {
    const end = readerOf(anthropicMessages, EVENTS, 4).fail(new LlamaGuardError('guard_timeout'))
    await serving(frames(EVENTS.slice(0, 4)) + end, async (baseURL) => {
      const stream = await new Anthropic({ baseURL, apiKey: 'k' }).messages.create({
        model: 'm',
        max_tokens: 1,
        messages: [{ role: 'user', content: 'a' }],
        stream: true,
      })
      await expect(drain(stream)).rejects.toMatchObject({ type: 'guard_unavailable' })
    })
  })
})
