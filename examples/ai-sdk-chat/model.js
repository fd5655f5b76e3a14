// A language model of the AI SDK that needs no account: the canned answers of the chatbot example, word by word.
// In your app: `model: openai('gpt-5')` or any other.
import { simulateReadableStream } from 'ai'
import { answerOf, WORD_MS } from '../chatbot/bot.js'

const usage = {
  inputTokens: { total: undefined, noCache: undefined, cacheRead: undefined, cacheWrite: undefined },
  outputTokens: { total: undefined, text: undefined, reasoning: undefined },
}

export const standIn = {
  specificationVersion: 'v3',
  provider: 'demo',
  modelId: 'demo-bot',
  supportedUrls: {},
  async doGenerate() {
    throw new Error('The stand-in only streams.')
  },
  async doStream({ prompt }) {
    const asked = prompt.findLast(({ role }) => role === 'user')?.content ?? []
    const text = asked.map((part) => (part.type === 'text' ? part.text : '')).join('')
    const chunks = [
      { type: 'stream-start', warnings: [] },
      { type: 'text-start', id: 'answer' },
      ...answerOf(text)
        .match(/\S+\s*/g)
        .map((delta) => ({ type: 'text-delta', id: 'answer', delta })),
      { type: 'text-end', id: 'answer' },
      { type: 'finish', usage, finishReason: { unified: 'stop', raw: undefined } },
    ]
    return { stream: simulateReadableStream({ chunks, chunkDelayInMs: WORD_MS }) }
  },
}
