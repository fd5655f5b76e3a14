// No guard here reads media in a reply, so every chat API's reply and stream with media in it is refused.
import { describe, expect, it } from 'vitest'
import { BUILT_IN } from '../../src/dialects/index.js'
import { generic } from '../../src/dialects/generic.js'
import { event } from './streams.js'

const SOUND = 'data:audio/wav;base64,UklGRgAA'
/** A reply with these words, by dialect. Embeddings and images answer with data, which passes. */
const REPLIES: Readonly<Record<string, (text: string) => object>> = {
  'openai-chat': (text) => ({ choices: [{ index: 0, message: { role: 'assistant', content: text } }] }),
  'openai-completions': (text) => ({ choices: [{ index: 0, text }] }),
  'openai-responses': (text) => ({ output: [{ type: 'message', content: [{ type: 'output_text', text }] }] }),
  'anthropic-messages': (text) => ({ type: 'message', content: [{ type: 'text', text }] }),
  'ollama-chat': (text) => ({ message: { role: 'assistant', content: text }, done: true }),
  'ai-sdk': (url) => ({ type: 'file', mediaType: 'audio/wav', url }),
  'ai-sdk-completion': (url) => ({ type: 'file', mediaType: 'audio/wav', url }),
  'ag-ui': (text) => ({ type: 'TEXT_MESSAGE_CONTENT', messageId: 'm', delta: { text } }),
  langgraph: (text) => ({ messages: [{ type: 'ai', content: text }] }),
  gemini: (fileUri) => ({ candidates: [{ content: { role: 'model', parts: [{ fileData: { fileUri } }] } }] }),
  'gemini-stream': (fileUri) => ({ candidates: [{ content: { role: 'model', parts: [{ fileData: { fileUri } }] } }] }),
  'cohere-chat': (text) => ({ message: { role: 'assistant', content: [{ type: 'text', text }] } }),
  'bedrock-converse': (text) => ({ output: { message: { role: 'assistant', content: [{ text }] } } }),
  'bedrock-converse-stream': (text) => ({ output: { message: { role: 'assistant', content: [{ text }] } } }),
  generic: (text) => ({ answer: text }),
}
const refused = expect.objectContaining({ code: 'unreadable_response' }) as unknown

describe('Media in a reply', () => {
  it('are looked for in every dialect of a chat', () => {
    const chats = BUILT_IN.filter(({ name }) => name !== 'images' && name !== 'embeddings')
    expect(Object.keys(REPLIES).sort()).toEqual([...chats.map(({ name }) => name), 'generic'].sort())
  })

  it.each(
    [...BUILT_IN, generic].filter(({ name }) => name in REPLIES).map((dialect) => [dialect.name, dialect] as const),
  )('are refused by %s, whole and as an event', (name, dialect) => {
    const reply = REPLIES[name]!
    expect(() => dialect.reply(reply('Hello'))).not.toThrow()
    expect(() => dialect.stream().read(event(reply(SOUND)))).toThrow(refused)
    if (dialect.reply(reply('Hello')) !== undefined) expect(() => dialect.reply(reply(SOUND))).toThrow(refused)
  })
})
