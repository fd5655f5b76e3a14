// OpenAI Images: `/images/generations` and `/images/edits`, a prompt in, pictures out.
// https://platform.openai.com/docs/api-reference/images
import { isObject, textOf } from '../utils/json.js'
import type { Dialect, StreamReader } from './dialect.js'
import { eventReader, NOT_OVER } from './kit/event-reader.js'
import { claiming, readRequest } from './kit/read-request.js'
import { blockMessage, blockNote, openaiRefusal, sse, streamFailure } from './kit/refusals.js'
import { oneChoice, type ReplyFields, server, words } from './kit/reply-fields.js'

const REPLY: ReplyFields = {
  ...server('created background output_format quality size usage'),
  data: { ...words('url revised_prompt'), b64_json: 'sealed' },
  // Events.
  ...server('type created_at partial_image_index sequence_number'),
  b64_json: 'sealed',
  partial_image_b64: 'sealed',
  error: { ...server('type code param'), ...words('message') },
}
/** Pictures are what is asked for. What is none of them is judged as text. */
const OPTIONS = { media: 'judge' } as const
const LAST = /^(?:image_(?:generation|edit)\.completed|error)$/

/** These streams have no other end that tells of a block than an error. */
function imageStream(): StreamReader {
  return eventReader({
    fields: REPLY,
    options: OPTIONS,
    start: NOT_OVER,
    after: ({ over }, { type }) => ({ over: over || LAST.test(textOf(type)) }),
    block(_state, decision) {
      const message = blockMessage(decision)
      const error = { message, type: 'content_filter', code: 'content_filter', ...blockNote(decision) }
      return sse({ type: 'error', error }, 'error')
    },
    fail: (_state, error) => sse({ type: 'error', error: streamFailure(error) }, 'error'),
  })
}

export const images: Dialect = {
  name: 'images',
  paths: ['/v1/images/generations', '/v1/images/edits', '/openai/deployments/*/images/generations'],
  unjudgedReplies: 'binary',
  claims: claiming({ prompt: 'words' }),
  request: (body) => readRequest({ fields: { prompt: 'prompt' } }, body),
  reply: (body) => (isObject(body) ? oneChoice(body, REPLY, OPTIONS) : undefined),
  stream: imageStream,
  refusal: (refusal) => openaiRefusal(refusal, { input: 'prompt', output: 'data' }),
}
