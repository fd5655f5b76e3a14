// OpenAI Chat Completions: `/chat/completions`, and any body with a `messages` list.
// https://platform.openai.com/docs/api-reference/chat
import { isObject } from '../utils/json.js'
import type { Dialect } from './dialect.js'
import { readMessages } from './kit/messages.js'
import { readParameters } from './kit/parameters.js'
import { openaiRefusal } from './kit/refusals.js'
import { RequestBuilder, wantsStream } from './kit/request-builder.js'
import { RequestWalker } from './kit/request-walker.js'
import { CHAT_CHUNK, openaiStream } from './openai-choices-stream.js'
import { declinedChoice, readChoices } from './openai-choices.js'

const READ = new Set(['messages'])

export const openaiChat: Dialect = {
  name: 'openai-chat',
  paths: ['/chat/completions'],
  // Completions that are stored, in a list or one.
  bodiless: ['/v1/chat/completions', '/v1/chat/completions/*'],
  framing: 'sse',
  claims: (body) => Array.isArray(body.messages),
  answers: (data) => isObject(data) && Array.isArray(data.choices),
  request(body) {
    const walker = new RequestWalker(body)
    const builder = new RequestBuilder()
    readMessages(body.messages, walker, builder)
    readParameters(body, READ, walker, builder)
    return builder.build(wantsStream(body.stream), body.model)
  },
  reply: readChoices,
  stream: () => openaiStream(CHAT_CHUNK),
  refusal: (refusal) => openaiRefusal(refusal, { input: 'messages', output: 'choices' }),
  // OpenAI's own refusals end with `stop` and have their words in `refusal`. Most chat pages read `content`, so the
  // words stand in both.
  decline: (declined) =>
    declinedChoice(declined, 'chat.completion', 'chatcmpl-llama-guard', {
      message: { role: 'assistant', content: declined.words, refusal: declined.words },
      finish_reason: 'stop',
    }),
}
