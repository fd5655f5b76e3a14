// What a reply of Gemini says, whole: candidates of parts, and what stands beside them. Also the shape of its errors.
import type { LlamaGuardError } from '../errors.js'
import { isObject } from '../utils/json.js'
import type { ReplyChoice } from './dialect.js'
import { type ReplyFields, server, words } from './kit/reply-fields.js'
import { ChoiceTexts, itemIndex } from './kit/reply-texts.js'
import { TextWalker } from './kit/text-walker.js'

const RATINGS: ReplyFields = { safetyRatings: 'server' }
const TOKEN: ReplyFields = { token: 'tokens', ...server('tokenId logProbability') }
const PART: ReplyFields = {
  ...words('text'),
  ...server('thought'),
  thoughtSignature: 'sealed',
  thought_signature: 'sealed',
  functionCall: {
    ...server('id willContinue'),
    ...words('name'),
    args: 'json',
    partialArgs: { ...server('willContinue numberValue boolValue nullValue'), ...words('jsonPath stringValue') },
  },
  executableCode: { ...server('language id'), ...words('code') },
  codeExecutionResult: { ...server('outcome id'), ...words('output') },
  inlineData: { ...server('mimeType'), ...words('data') },
  fileData: { ...server('mimeType'), ...words('fileUri') },
}
const WEB = words('uri title domain text')
export const CANDIDATE: ReplyFields = {
  ...RATINGS,
  ...server('index finishReason tokenCount avgLogprobs'),
  ...words('finishMessage'),
  content: { ...server('role'), parts: PART },
  citationMetadata: { citations: { ...server('startIndex endIndex publicationDate'), ...words('uri title license') } },
  groundingMetadata: {
    ...words('webSearchQueries retrievalQueries'),
    groundingChunks: { web: WEB, retrievedContext: WEB, maps: WEB },
    groundingSupports: {
      ...server('groundingChunkIndices confidenceScores'),
      segment: { ...server('startIndex endIndex partIndex'), ...words('text') },
    },
    searchEntryPoint: words('renderedContent'),
    retrievalMetadata: 'server',
  },
  urlContextMetadata: { urlMetadata: { ...server('urlRetrievalStatus'), ...words('retrievedUrl') } },
  logprobsResult: { chosenCandidates: TOKEN, topCandidates: { candidates: TOKEN }, logProbabilitySum: 'server' },
}
export const GEMINI_REPLY: ReplyFields = {
  ...server('usageMetadata modelVersion responseId createTime modelStatus'),
  candidates: CANDIDATE,
  promptFeedback: { ...RATINGS, ...server('blockReason'), ...words('blockReasonMessage') },
  error: { ...server('code status'), ...words('message details') },
}

/** True for a reply or an event of this API. */
export function isGeminiReply(data: unknown): boolean {
  if (!isObject(data)) return false
  const { candidates, promptFeedback } = data
  return Array.isArray(candidates)
    ? candidates.some((each) => isObject(each) && (isObject(each.content) || 'finishReason' in each))
    : isObject(promptFeedback)
}

export function readGeminiReply(body: unknown): readonly ReplyChoice[] | undefined {
  if (!isObject(body) || (!Array.isArray(body.candidates) && !isObject(body.promptFeedback))) return undefined
  const walker = new TextWalker(GEMINI_REPLY)
  const texts = new ChoiceTexts()
  const listed = Array.isArray(body.candidates)
  for (const [position, candidate] of (listed ? (body.candidates as unknown[]) : []).entries()) {
    const index = itemIndex(candidate, position)
    texts.open(index)
    walker.walk(candidate, (path, text) => texts.add(index, text, path), { fields: CANDIDATE })
    const spoken = textParts(candidate).filter(({ thought }) => !thought)
    // Clients leave the thoughts out and join the rest.
    if (spoken.length > 1) texts.add(index, spoken.map(({ text }) => text).join(''))
  }
  if (texts.list().length === 0) texts.open(0)
  walker.walk(body, (_path, text) => texts.addOutside(text), { without: listed ? 'candidates' : undefined })
  return texts.list()
}

export interface TextPart {
  readonly text: string
  readonly thought: boolean
}

/** The parts of a candidate that are text. */
export function textParts(candidate: unknown): readonly TextPart[] {
  const parts = isObject(candidate) && isObject(candidate.content) ? candidate.content.parts : undefined
  if (!Array.isArray(parts)) return []
  return (parts as unknown[]).flatMap((part) =>
    isObject(part) && typeof part.text === 'string' ? { text: part.text, thought: part.thought === true } : [],
  )
}

/** Names of google.rpc.Code, by the status of HTTP that Google's APIs send with them. */
const NAMES: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  503: 'UNAVAILABLE',
}

/** Google's error object. `metadata` may hold nothing but strings. */
export function googleError(
  code: number,
  message: string,
  reason: string,
  metadata: Readonly<Record<string, string>>,
): Record<string, unknown> {
  const status = NAMES[code] ?? (code >= 500 ? 'INTERNAL' : code === 451 ? 'PERMISSION_DENIED' : 'INVALID_ARGUMENT')
  const info = { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason, domain: 'llama-guard', metadata }
  return { code, message, status, details: [info] }
}

/** The status a stream's error names. Google's clients raise nothing for one below 400. */
export function statusOf(error: LlamaGuardError): number {
  return error.status >= 400 && error.status < 600 ? error.status : 503
}
