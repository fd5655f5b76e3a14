// Ollama's native chat: `/api/chat`, one JSON object or NDJSON lines of them, errors as a plain string.
// https://github.com/ollama/ollama/blob/main/docs/api.md
import type { Dialect, Image, Refusal, ReplyChoice } from '../types.js'
import { ChoiceTexts } from './kit/reply-texts.js'
import { type Content, unreadable } from './kit/content.js'
import { readMessages } from './kit/messages.js'
import { OLLAMA_REPLY, ollamaStream } from './ollama-stream.js'
import { readChoices } from './openai-reply.js'
import { readParameters } from './kit/parameters.js'
import { refusalDetails } from './kit/refusals.js'
import { requestWalker } from './kit/vocabulary.js'
import { isObject } from '../utils/json.js'
import { TextWalker } from './kit/text-walker.js'
import { RequestBuilder } from './kit/request-builder.js'

const READ = new Set(['messages'])
export const ollamaChat: Dialect = {
  name: 'ollama-chat',
  paths: ['/api/chat'],
  framing: 'ndjson',
  claims: (body) => Array.isArray(body.messages),
  request(body) {
    const walker = requestWalker(body)
    const builder = new RequestBuilder()
    readMessages(body.messages, walker, builder, readImages)
    readParameters(body, READ, walker, builder)
    // Ollama streams unless told not to.
    return builder.build(body.stream !== false, body.model)
  },
  // Apps that answer /api/chat in OpenAI's form are read in it.
  reply: (body) => readReply(body) ?? readChoices(body),
  stream: ollamaStream,
  // Its clients show `error` as it is, so it must be a string; what else we know stands beside it.
  refusal: (refusal) => ({
    error: refusal.message,
    type: refusal.type,
    code: refusal.code,
    ...param(refusal),
    ...refusalDetails(refusal),
  }),
}

function param({ status, stage }: Refusal): { param?: string } {
  return status === 451 ? { param: stage === 'input' ? 'messages' : 'message' } : {}
}

function readImages(key: string, value: unknown, content: Content): boolean {
  if (key !== 'images' || value === null) return false
  if (!Array.isArray(value)) throw unreadable('`images` of a message is not a list')
  content.images.push(...value.map(toImage))
  content.human ||= value.length > 0
  return true
}

const SIGNATURES: readonly (readonly [string, string])[] = [
  ['/9j/', 'jpeg'],
  ['R0lG', 'gif'],
  ['UklGR', 'webp'],
  ['', 'png'],
]

function toImage(image: unknown): Image {
  if (typeof image !== 'string' || !/^[A-Za-z0-9+/=_\s-]+$/.test(image)) throw unreadable('An image is not base64 data')
  const type = SIGNATURES.find(([start]) => image.startsWith(start))?.[1] ?? 'png'
  return { url: `data:image/${type};base64,${image}` }
}

function readReply(body: unknown): readonly ReplyChoice[] | undefined {
  if (!isObject(body) || !isObject(body.message)) return undefined
  const texts = new ChoiceTexts()
  texts.open(0)
  new TextWalker(OLLAMA_REPLY).walk(body, (_path, text) => texts.add(0, text))
  return texts.list()
}
