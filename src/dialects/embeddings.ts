// Embeddings of OpenAI, Azure, Mistral, vLLM and Ollama: texts in, vectors out.
// https://platform.openai.com/docs/api-reference/embeddings
import { Buffer } from 'node:buffer'
import type { Dialect } from './dialect.js'
import { claiming, readRequest } from './kit/read-request.js'
import { openaiRefusal } from './kit/refusals.js'
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
  claims: claiming({ input: 'words' }, { prompt: 'words' }),
  request: (body) => readRequest({ fields: { input: 'prompt', prompt: 'prompt' }, streams: () => false }, body),
  reply: (body) => readWordless(body, REPLY, isData),
  stream: () => wordlessStream(REPLY, isData, /^$/),
  refusal: (refusal) => openaiRefusal(refusal, { input: 'input', output: 'data' }),
}

const BASE64 = /^[A-Za-z0-9+/]{16,}={0,2}$/
/** Between them lie the coordinates of every embedding, and hardly any four letters read as one number. */
const SMALLEST = 1e-13
const LARGEST = 64

/** Of random bytes a quarter are letters, digits, blanks or dots. */
const MOST_LETTERS = 0.5

/**
 * True for base64 of little-endian 32-bit numbers of an embedding's size, each of them. APIs
 * send vectors so to save space. A text is no such thing.
 */
function isVector(text: string): boolean {
  if (!BASE64.test(text)) return false
  const bytes = Buffer.from(text, 'base64')
  if (bytes.length % 4 !== 0 || bytes.toString('base64') !== text) return false
  const letters = bytes.toString('latin1').replace(/[^A-Za-z0-9 .]+/g, '')
  if (letters.length > bytes.length * MOST_LETTERS) return false
  for (let at = 0; at < bytes.length; at += 4) {
    const size = Math.abs(bytes.readFloatLE(at))
    if (size !== 0 && !(size >= SMALLEST && size <= LARGEST)) return false
  }
  return true
}
