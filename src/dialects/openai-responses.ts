// OpenAI Responses: `/responses`, a text or a list of items in, a list of output items out.
// https://platform.openai.com/docs/api-reference/responses
import type { Dialect, ReplyChoice } from '../types.js'
import { ChoiceTexts } from './kit/reply-texts.js'
import { isObject, itemIndex } from '../utils/json.js'
import { wantsStream } from './openai-chat.js'
import { readInput } from './openai-responses-items.js'
import { responsesStream } from './openai-responses-stream.js'
import { RESPONSES_REPLY } from './openai-responses-vocabulary.js'
import { readParameters } from './kit/parameters.js'
import { openaiRefusal } from './kit/refusals.js'
import { requestWalker } from './kit/vocabulary.js'
import { TextWalker } from './kit/text-walker.js'
import { RequestBuilder } from './kit/request-builder.js'

const READ = new Set(['input'])

export const openaiResponses: Dialect = {
  name: 'openai-responses',
  paths: ['/responses'],
  framing: 'sse',
  claims: ({ input }) => typeof input === 'string' || Array.isArray(input),
  request(body) {
    const walker = requestWalker(body)
    const builder = new RequestBuilder()
    readInput(body.input, walker, builder)
    readParameters(body, READ, walker, builder)
    return builder.build(wantsStream(body.stream), body.model)
  },
  reply: readReply,
  stream: responsesStream,
  refusal: (refusal) => openaiRefusal(refusal, { input: 'input', output: 'output' }),
}

/** One output item is one choice. What the reply echoes of the request is text too, judged with the first item. */
function readReply(body: unknown): readonly ReplyChoice[] | undefined {
  if (!isObject(body) || !Array.isArray(body.output)) return undefined
  const walker = new TextWalker(RESPONSES_REPLY)
  const texts = new ChoiceTexts()
  for (const [position, item] of (body.output as unknown[]).entries()) {
    const pieces = texts.open(itemIndex(item, position))
    walker.walk(item, (_path, text) => void pieces.push(text))
  }
  const { output: _, ...outside } = body
  const judged = new Set(texts.list().map(({ text }) => text))
  // The SDK's convenience field repeats the words of the items.
  walker.walk(outside, (_path, text) => {
    if (!judged.has(text)) texts.addOutside(text)
  })
  return texts.list()
}
