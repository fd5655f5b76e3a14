// OpenAI Chat Completions: `/chat/completions`, and any body with a `messages` list.
// https://platform.openai.com/docs/api-reference/chat
import { isObject } from '../utils/json.js'
import type { Dialect } from './dialect.js'
import { readRequest } from './kit/read-request.js'
import { openaiRefusal } from './kit/refusals.js'
import { CHAT_CHUNK, declinedChoice, openaiStream, readChoices } from './openai-choices.js'

export const openaiChat: Dialect = {
  name: 'openai-chat',
  paths: ['/chat/completions'],
  // Completions that are stored, in a list or one.
  bodiless: /\/v1\/chat\/completions(?:\/chatcmpl-[^/]+(?:\/messages)?)?$/,
  framing: 'sse',
  claims: ({ messages }) => messages !== undefined && messages !== null,
  answers: (data) => isObject(data) && Array.isArray(data.choices),
  request: (body) => readRequest({ fields: { messages: 'messages' } }, body),
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
