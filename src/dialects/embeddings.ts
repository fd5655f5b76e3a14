// Embeddings of OpenAI, Azure, Mistral, vLLM and Ollama: texts in, vectors out, as numbers or in base64.
// https://platform.openai.com/docs/api-reference/embeddings
import type { Dialect } from './dialect.js'
import { generic } from './generic.js'
import { claiming, readRequest } from './kit/read-request.js'
import { openaiRefusal } from './kit/refusals.js'
import { reading, type ReplyFields, server } from './kit/reply-fields.js'

const REPLY: ReplyFields = {
  ...server('id object created model usage total_duration load_duration prompt_eval_count'),
  embedding: 'sealed',
  embeddings: 'sealed',
  data: { ...server('object index'), embedding: 'sealed' },
}

export const embeddings: Dialect = {
  name: 'embeddings',
  paths: ['/v1/embeddings', '/openai/deployments/*/embeddings', '/api/embed', '/api/embeddings'],
  unjudgedReplies: 'binary',
  claims: claiming({ '~input': 'words' }, { '~prompt': 'words' }),
  request: (body) => readRequest({ fields: { input: 'prompt', prompt: 'prompt' }, streams: () => false }, body),
  reply: reading(REPLY, 'object'),
  // Vectors never stream.
  stream: generic.stream,
  refusal: (refusal) => openaiRefusal(refusal, { input: 'input', output: 'data' }),
}
