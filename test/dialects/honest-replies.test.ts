// Replies as servers give them, with all that they put beside the words: what is judged is the words and nothing else,
// so that a prompt of the guard has the published format, and equal words are remembered.
import { describe, expect, it } from 'vitest'
import { aiSdk } from '../../src/dialects/ai-sdk.js'
import { anthropicMessages } from '../../src/dialects/anthropic-messages.js'
import { bedrockConverse } from '../../src/dialects/bedrock-converse.js'
import { openaiChat } from '../../src/dialects/openai-chat.js'
import { CHATS, SEALED, WHOLE, WORDS } from './documented-replies.js'
import { event, gather } from './streams.js'

describe('Of a reply of', () => {
  it.each(WHOLE)('%s, the words alone are judged', (_name, dialect, reply) => {
    const texts = dialect.reply(reply)!.map(({ text }) => text)
    expect(texts.filter((text) => text !== '')).toEqual([WORDS])
  })
})

describe('Of a stream of', () => {
  it.each([
    ...Object.entries(CHATS).map(([name, reply]) => {
      const { choices, ...head } = reply as { choices: readonly (Record<string, unknown> & { message: object })[] }
      const [{ message, ...choice }] = choices as [(typeof choices)[number]]
      return [name, openaiChat, [{ ...head, choices: [{ ...choice, delta: message }] }]] as const
    }),
    [
      'the AI SDK',
      aiSdk,
      [
        { type: 'start', messageId: 'Wm2z' },
        {
          type: 'reasoning-start',
          id: 'rs_1:0',
          providerMetadata: { openai: { itemId: 'rs_1', reasoningEncryptedContent: SEALED } },
        },
        { type: 'text-start', id: 'msg_1', providerMetadata: { openai: { itemId: 'msg_1' } } },
        { type: 'text-delta', id: 'msg_1', delta: WORDS },
        { type: 'finish', finishReason: 'stop' },
      ],
    ] as const,
    [
      'Converse, with padding',
      bedrockConverse,
      [
        { messageStart: { role: 'assistant', p: 'abcdefgh' } },
        { contentBlockDelta: { contentBlockIndex: 0, delta: { text: WORDS }, p: 'abcdefghijklmnopq' } },
        { contentBlockStop: { contentBlockIndex: 0, p: 'abc' } },
        { messageStop: { stopReason: 'end_turn', p: 'abcdef' } },
        { metadata: { usage: { inputTokens: 9 }, metrics: { latencyMs: 5 }, p: 'abcd' } },
      ],
    ] as const,
    [
      'Messages by way of Bedrock',
      anthropicMessages,
      [
        { type: 'message_start', message: { id: 'msg_1', type: 'message', content: [], usage: {}, diagnostics: null } },
        { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
        { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: WORDS } },
        { type: 'message_stop', 'amazon-bedrock-invocationMetrics': { inputTokenCount: 9, firstByteLatency: 5 } },
      ],
    ] as const,
  ])('%s, the words alone are judged', (_name, dialect, events) => {
    const texts = gather(dialect.stream(), [...events.map((data) => event(data, undefined)), event('[DONE]')])
    expect(Object.values(texts).filter((text) => text !== '')).toEqual([WORDS])
  })
})

it('The metadata of a UI message are judged, and are no words to begin a stream with', () => {
  const messageMetadata = { createdAt: 1, model: 'gpt-4o' }
  const said = aiSdk.stream().read(event({ type: 'start', messageId: 'Wm2z', messageMetadata }))
  expect(said.map(({ text, aside }) => [text, aside])).toEqual([
    ['createdAt', true],
    ['model', true],
    ['gpt-4o', true],
  ])
})
