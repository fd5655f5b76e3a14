// Google's Gemini API and Vertex AI: `:generateContent` and `:streamGenerateContent`.
// https://ai.google.dev/api/generate-content
import { isObject } from '../utils/json.js'
import type { Dialect, Refusal } from './dialect.js'
import { googleError, isGeminiReply, readGeminiReply } from './gemini-reply.js'
import { geminiStream, lastCandidate } from './gemini-stream.js'
import { readRequest } from './kit/read-request.js'
import { blockNote, refusalDetails } from './kit/refusals.js'

/** Google's APIs take names in camelCase and in snake_case. */
const FIELDS = { systemInstruction: 'system', system_instruction: 'system', contents: 'messages' } as const

export const gemini: Dialect = {
  name: 'gemini',
  paths: [':generateContent'],
  framing: 'sse',
  distinct: true,
  claims: ({ contents }) => (Array.isArray(contents) ? contents : [contents]).some(hasParts),
  answers: isGeminiReply,
  request: (body) => readRequest({ fields: FIELDS, streams: () => false }, body),
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
  request: (body) => readRequest({ fields: FIELDS, streams: () => true }, body),
}

function hasParts(content: unknown): boolean {
  return isObject(content) && (Array.isArray(content.parts) || isObject(content.parts))
}

function errorOf({ status, message, type, code }: Refusal): Record<string, unknown> {
  return { ...googleError(status, message, code, { type, code }), type }
}
