// Embeddings of OpenAI, Azure, Mistral, vLLM and Ollama: texts in, vectors out.
// https://platform.openai.com/docs/api-reference/embeddings
import type { Dialect } from './dialect.js'
import { readRequest } from './kit/read-request.js'
import { openaiRefusal } from './kit/refusals.js'
import { isVector } from './kit/vectors.js'
import { type ReplyFields, server, words } from './kit/reply-fields.js'
import { readWordless, wordlessStream } from './kit/wordless.js'

const REPLY: ReplyFields = {
  ...server('id object created model usage total_duration load_duration prompt_eval_count'),
  ...words('embedding embeddings'),
  data: { ...server('object index'), ...words('embedding') },
}

const isData = (field: string, text: string): boolean => field === 'embedding' && isVector(text)

export const embeddings: Dialect = {
  name: 'embeddings',
  paths: ['/v1/embeddings', '/openai/deployments/*/embeddings', '/api/embed', '/api/embeddings'],
  framing: 'sse',
  unjudgedReplies: 'binary',
  claims: ({ input, prompt }) => isText(input) || isText(prompt),
  request: (body) => readRequest({ fields: { input: 'prompt', prompt: 'prompt' }, streams: () => false }, body),
  reply: (body) => readWordless(body, REPLY, isData),
  stream: () => wordlessStream(REPLY, isData, /^$/),
  refusal: (refusal) => openaiRefusal(refusal, { input: 'input', output: 'data' }),
}

function isText(value: unknown): boolean {
  return typeof value === 'string' || Array.isArray(value)
}
