// What a reply of Gemini says, whole: candidates of parts, and what stands beside them. Also the shape of its errors.
import type { LlamaGuardError } from '../errors.js'
import { isObject } from '../utils/json.js'
import type { ReplyChoice } from './dialect.js'
import { ChoiceTexts, itemIndex } from './kit/reply-texts.js'
import { TextWalker } from './kit/text-walker.js'
import type { Vocabulary } from './kit/vocabulary.js'

export const GEMINI_REPLY: Vocabulary = {
  metadata: new Set([
    'role',
    'id',
    'finishReason',
    'blockReason',
    'category',
    'probability',
    'severity',
    'modelVersion',
    'responseId',
    'createTime',
    'modality',
    'trafficType',
    'language',
    'outcome',
    'urlRetrievalStatus',
    'modelStage',
  ]),
  containers: new Set(['usageMetadata']),
  opaque: new Set(['thoughtSignature', 'thought_signature']),
  json: new Set(['args']),
  tokenLists: true,
  refuseMedia: true,
  code: 'unreadable_response',
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
    walker.walk(withTokens(candidate), (path, text) => texts.add(index, text, path), { place: String(index) })
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

/** The log probabilities of a candidate under the names by which their tokens are read joined. */
export function withTokens(candidate: unknown): unknown {
  if (!isObject(candidate) || !isObject(candidate.logprobsResult) || 'logprobs' in candidate) return candidate
  const { logprobsResult, ...rest } = candidate
  const { topCandidates, ...others } = logprobsResult
  if (!Array.isArray(topCandidates)) return { ...rest, logprobs: logprobsResult }
  return { ...rest, logprobs: { ...others, topCandidates: (topCandidates as unknown[]).map(likeliest) } }
}

function likeliest(entry: unknown): unknown {
  if (!isObject(entry) || !Array.isArray(entry.candidates) || 'top_logprobs' in entry) return entry
  const { candidates, ...rest } = entry
  return { token: '', ...rest, top_logprobs: candidates }
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
