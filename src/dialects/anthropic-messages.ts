// Anthropic Messages: `/messages`, content blocks in and out, its own error envelope.
// https://docs.claude.com/en/api/messages
import type { Dialect, ReplyChoice } from '../types.js'
import { anthropicStream } from './anthropic-stream.js'
import { ANTHROPIC_REPLY } from './anthropic-vocabulary.js'
import { ChoiceTexts } from './kit/reply-texts.js'
import { readContent } from './kit/content.js'
import { readMessages, tell } from './kit/messages.js'
import { wantsStream } from './openai-chat.js'
import { readParameters } from './kit/parameters.js'
import { refusalDetails } from './kit/refusals.js'
import { requestWalker } from './kit/vocabulary.js'
import { isObject } from '../utils/json.js'
import { TextWalker } from './kit/text-walker.js'
import { RequestBuilder } from './kit/request-builder.js'

const READ = new Set(['messages', 'system'])

export const anthropicMessages: Dialect = {
  name: 'anthropic-messages',
  paths: ['/messages'],
  framing: 'sse',
  claims: (body) => Array.isArray(body.messages),
  request(body) {
    const walker = requestWalker(body)
    const builder = new RequestBuilder()
    tell(builder, 'system', readContent(walker, body.system))
    readMessages(body.messages, walker, builder)
    readParameters(body, READ, walker, builder)
    return builder.build(wantsStream(body.stream), body.model)
  },
  reply: readReply,
  stream: anthropicStream,
  refusal(refusal) {
    const { message, type, code, requestId } = refusal
    const param = refusal.status === 451 ? { param: refusal.stage === 'input' ? 'messages' : 'content' } : {}
    return {
      type: 'error',
      error: { type, message, code, ...param, ...refusalDetails(refusal) },
      request_id: requestId,
    }
  },
}

/** One reply is one choice, however many blocks it has. */
function readReply(body: unknown): readonly ReplyChoice[] | undefined {
  if (!isObject(body) || body.type !== 'message' || !Array.isArray(body.content)) return undefined
  const texts = new ChoiceTexts()
  texts.open(0)
  new TextWalker(ANTHROPIC_REPLY).walk(body, (_path, text) => texts.add(0, text))
  return texts.list()
}
