// OpenAI Images: `/images/generations` and `/images/edits`, a prompt in, pictures out.
// https://platform.openai.com/docs/api-reference/images
import type { Dialect } from './dialect.js'
import { isPictureData, unreadable } from './kit/media.js'
import { tell } from './kit/messages.js'
import { readParameters } from './kit/parameters.js'
import { readContent } from './kit/parts.js'
import { openaiRefusal } from './kit/refusals.js'
import { RequestBuilder, wantsStream } from './kit/request-builder.js'
import { RequestWalker } from './kit/request-walker.js'
import { type ReplyFields, server, words } from './kit/reply-fields.js'
import { readWordless, wordlessStream } from './kit/wordless.js'

const REPLY: ReplyFields = {
  ...server('created background output_format quality size usage'),
  data: words('url b64_json revised_prompt'),
  // Events.
  ...server('type created_at partial_image_index sequence_number'),
  ...words('b64_json partial_image_b64'),
  error: { ...server('type code param'), ...words('message') },
}
const READ = new Set(['prompt'])
const PICTURE_FIELDS = new Set(['b64_json', 'partial_image_b64'])
const LAST_EVENT = /"type"\s*:\s*"(?:image_(?:generation|edit)\.completed|error)"/

const isData = (field: string, text: string): boolean => PICTURE_FIELDS.has(field) && isPictureData(text)

export const images: Dialect = {
  name: 'images',
  paths: ['/images/generations', '/images/edits'],
  framing: 'sse',
  unjudgedReplies: 'binary',
  claims: ({ prompt }) => typeof prompt === 'string',
  request(body) {
    const walker = new RequestWalker(body)
    const builder = new RequestBuilder()
    if (typeof body.prompt !== 'string') throw unreadable('`prompt` is not text')
    tell(builder, 'user', readContent(walker, body.prompt))
    readParameters(body, READ, walker, builder)
    return builder.build(wantsStream(body.stream), body.model)
  },
  reply: (body) => readWordless(body, REPLY, isData),
  stream: () => wordlessStream(REPLY, isData, LAST_EVENT),
  refusal: (refusal) => openaiRefusal(refusal, { input: 'prompt', output: 'data' }),
}
