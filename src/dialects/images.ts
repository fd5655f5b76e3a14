// OpenAI Images: `/images/generations` and `/images/edits`, a prompt in, pictures out.
// https://platform.openai.com/docs/api-reference/images
import type { Dialect } from './dialect.js'
import { isPictureData } from './kit/media.js'
import { claiming, readRequest } from './kit/read-request.js'
import { openaiRefusal } from './kit/refusals.js'
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
const PICTURE_FIELDS = new Set(['b64_json', 'partial_image_b64'])
const LAST_EVENT = /"type"\s*:\s*"(?:image_(?:generation|edit)\.completed|error)"/

const isData = (field: string, text: string): boolean => PICTURE_FIELDS.has(field) && isPictureData(text)

export const images: Dialect = {
  name: 'images',
  paths: ['/v1/images/generations', '/v1/images/edits', '/openai/deployments/*/images/generations'],
  framing: 'sse',
  unjudgedReplies: 'binary',
  claims: claiming({ prompt: 'words' }),
  request: (body) => readRequest({ fields: { prompt: 'prompt' } }, body),
  reply: (body) => readWordless(body, REPLY, isData),
  stream: () => wordlessStream(REPLY, isData, LAST_EVENT),
  refusal: (refusal) => openaiRefusal(refusal, { input: 'prompt', output: 'data' }),
}
