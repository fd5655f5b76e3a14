// OpenAI Responses: `/responses`, a text or a list of items in, a list of output items out.
// https://platform.openai.com/docs/api-reference/responses
import { isObject } from '../utils/json.js'
import type { Dialect, ReplyChoice } from './dialect.js'
import { readRequest } from './kit/read-request.js'
import { openaiRefusal } from './kit/refusals.js'
import { ChoiceTexts, itemIndex } from './kit/reply-texts.js'
import { TextWalker } from './kit/text-walker.js'
import { declinedResponse, ITEM, RESPONSES_REPLY } from './openai-responses-reply.js'
import { responsesStream } from './openai-responses-stream.js'

export const openaiResponses: Dialect = {
  name: 'openai-responses',
  paths: ['/v1/responses', '/openai/responses', '/v1/conversations', '/v1/conversations/*/items'],
  // A response in the background is polled, and the items of a conversation are listed.
  bodiless: /\/(?:v1|openai)\/(?:responses\/resp_[^/]+(?:\/\w+)?|conversations\/conv_[^/]+\/items(?:\/[^/]+)?)$/,
  answers: (data) => isObject(data) && data.type === 'response.created',
  framing: 'sse',
  claims: ({ input, items, prompt }) =>
    typeof input === 'string' || Array.isArray(input) || Array.isArray(items) || isObject(prompt),
  // A conversation is made of items.
  request: (body) => readRequest({ fields: { input: 'messages', items: 'messages' } }, body),
  reply: readReply,
  stream: responsesStream,
  refusal: (refusal) => openaiRefusal(refusal, { input: 'input', output: 'output' }),
  decline: declinedResponse,
}

/** One output item is one choice. Text that the reply repeats from the request is judged with the first item. */
function readReply(body: unknown): readonly ReplyChoice[] | undefined {
  if (!isObject(body) || !Array.isArray(body.output)) return undefined
  const walker = new TextWalker(RESPONSES_REPLY)
  const texts = new ChoiceTexts()
  for (const [position, item] of (body.output as unknown[]).entries()) {
    const index = itemIndex(item, position)
    texts.open(index)
    walker.walk(item, (path, text) => texts.add(index, text, path), { fields: ITEM })
  }
  const { output: _, ...outside } = body
  const judged = new Set(texts.list().map(({ text }) => text))
  // The SDK's field `output_text` repeats the words of the items.
  walker.walk(outside, (_path, text) => {
    if (!judged.has(text)) texts.addOutside(text)
  })
  return texts.list()
}
