// Embeddings of OpenAI, Azure, Mistral, vLLM and Ollama: texts in, vectors out.
// https://platform.openai.com/docs/api-reference/embeddings
import type { Dialect } from './dialect.js'
import { unreadable } from './kit/media.js'
import { tell } from './kit/messages.js'
import { readParameters } from './kit/parameters.js'
import { readContent } from './kit/parts.js'
import { openaiRefusal } from './kit/refusals.js'
import { RequestBuilder } from './kit/request-builder.js'
import { RequestWalker } from './kit/request-walker.js'
import { isVector } from './kit/vectors.js'
import { type ReplyFields, server, words } from './kit/reply-fields.js'
import { readWordless, wordlessStream } from './kit/wordless.js'

const REPLY: ReplyFields = {
  ...server('id object created model usage total_duration load_duration prompt_eval_count'),
  ...words('embedding embeddings'),
  data: { ...server('object index'), ...words('embedding') },
}
const READ = new Set(['input', 'prompt'])

const isData = (field: string, text: string): boolean => field === 'embedding' && isVector(text)

export const embeddings: Dialect = {
  name: 'embeddings',
  paths: ['/embeddings', '/api/embed'],
  framing: 'sse',
  unjudgedReplies: 'binary',
  claims: ({ input, prompt }) => isText(input) || isText(prompt),
  request(body) {
    const walker = new RequestWalker(body)
    const builder = new RequestBuilder()
    // A batch is judged as one say: one unsafe text refuses the request, as one request gives one reply.
    for (const text of [...textsOf(body.input), ...textsOf(body.prompt)])
      tell(builder, 'user', readContent(walker, text))
    readParameters(body, READ, walker, builder)
    return builder.build(false, body.model)
  },
  reply: (body) => readWordless(body, REPLY, isData),
  stream: () => wordlessStream(REPLY, isData, /^$/),
  refusal: (refusal) => openaiRefusal(refusal, { input: 'input', output: 'data' }),
}

function isText(value: unknown): boolean {
  return typeof value === 'string' || Array.isArray(value)
}

/** A text, a list of texts, or one of typed parts. */
function textsOf(value: unknown): readonly unknown[] {
  if (value === undefined || value === null) return []
  if (typeof value === 'string') return [value]
  if (!Array.isArray(value)) throw unreadable('`input` is neither text nor a list of texts')
  return (value as unknown[]).map((item) => {
    // Token ids are text too, in a tokenizer we do not have.
    if (typeof item === 'number' || Array.isArray(item))
      throw unreadable('`input` is token ids, which cannot be judged')
    return typeof item === 'string' ? item : [item]
  })
}
