// Google's Gemini API and Vertex AI: `:generateContent` and `:streamGenerateContent`.
// https://ai.google.dev/api/generate-content
import { isObject } from '../utils/json.js'
import type { ChatRequest, Dialect, Refusal } from './dialect.js'
import { googleError, isGeminiReply, readGeminiReply } from './gemini-reply.js'
import { readContents, readInstruction } from './gemini-request.js'
import { geminiStream, lastCandidate } from './gemini-stream.js'
import { readParameters } from './kit/parameters.js'
import { blockNote, refusalDetails } from './kit/refusals.js'
import { RequestBuilder } from './kit/request-builder.js'
import { RequestWalker } from './kit/request-walker.js'

const READ = new Set(['contents', 'systemInstruction', 'system_instruction'])

export const gemini: Dialect = {
  name: 'gemini',
  paths: [':generateContent'],
  framing: 'sse',
  claims: ({ contents }) => Array.isArray(contents) || isObject(contents),
  answers: isGeminiReply,
  request: (body) => readRequest(body, false),
  reply: readGeminiReply,
  stream: geminiStream,
  refusal: (refusal) => ({ error: { ...errorOf(refusal), ...refusalDetails(refusal) } }),
  decline: ({ words, model, decision }) => ({
    candidates: [lastCandidate(words)],
    ...(model !== undefined && { modelVersion: model }),
    llama_guard: blockNote(decision),
  }),
}

/** The path alone says that the reply streams: as an array, or as server-sent events with `alt=sse`. */
export const geminiStreaming: Dialect = {
  ...gemini,
  name: 'gemini-stream',
  paths: [':streamGenerateContent'],
  framing: 'json-array',
  request: (body) => readRequest(body, true),
}

function readRequest(body: Readonly<Record<string, unknown>>, stream: boolean): ChatRequest {
  const walker = new RequestWalker(body)
  const builder = new RequestBuilder()
  readInstruction(body.systemInstruction, walker, builder)
  readInstruction(body.system_instruction, walker, builder)
  readContents(body.contents, walker, builder)
  readParameters(body, READ, walker, builder)
  return builder.build(stream, body.model)
}

function errorOf({ status, message, type, code }: Refusal): Record<string, unknown> {
  return { ...googleError(status, message, code, { type, code }), type }
}
