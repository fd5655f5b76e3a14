// Which names the option `dialects` takes.
import { expect, it } from 'vitest'
import { BUILT_IN } from '../../src/dialects/index.js'
import { createConversationReader } from '../../src/request/index.js'

const NAMES = [
  ...['openai-chat', 'openai-completions', 'openai-responses', 'anthropic-messages'],
  ...['ollama-chat', 'ai-sdk', 'ai-sdk-completion', 'ag-ui', 'langgraph', 'mcp', 'embeddings', 'images'],
  ...['gemini', 'gemini-stream', 'gemini-interactions', 'cohere-chat', 'bedrock-converse', 'bedrock-converse-stream'],
]

it.each(NAMES)('The dialect %s is built in, once.', (name) => {
  expect(() => createConversationReader({ maxBodyBytes: 1, dialects: [name] })).not.toThrow()
  expect(BUILT_IN.filter((dialect) => dialect.name === name)).toHaveLength(1)
})

it.each(['generic', '', 'OpenAI-Chat'])('The name %j is none of a built-in dialect.', (name) => {
  expect(() => createConversationReader({ maxBodyBytes: 1, dialects: [name] })).toThrow(
    expect.objectContaining({ code: 'invalid_option' }),
  )
})
