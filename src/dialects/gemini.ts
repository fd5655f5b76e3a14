// Google's Gemini API and Vertex AI: `:generateContent` and `:streamGenerateContent`. Its stream has one reply object
// after the other, as server-sent events or as elements of a JSON array.
// https://ai.google.dev/api/generate-content
import type { LlamaGuardError } from '../types/errors.js'
import { isObject } from '../utils/json.js'
import type { Dialect, Media, Refusal, ReplyChoice, StreamReader } from './dialect.js'
import { eventReader } from './kit/event-reader.js'
import { claiming, readRequest } from './kit/read-request.js'
import { blockNote, failureType, refusalDetails, sse } from './kit/refusals.js'
import { type Holder, itemIndex, type ReplyFields, server, TextWalker, words, ChoiceTexts } from './kit/reply-fields.js'
import { type Choices, choicesAfter, choicesToEnd } from './kit/stream-memory.js'

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
const WEB: ReplyFields = { ...server('placeId'), ...words('uri title domain text') }
const CANDIDATE: ReplyFields = {
  ...RATINGS,
  ...server('index finishReason tokenCount avgLogprobs'),
  ...words('finishMessage'),
  content: { ...server('role'), parts: PART },
  citationMetadata: { citations: { ...server('startIndex endIndex publicationDate'), ...words('uri title license') } },
  groundingMetadata: {
    ...words('webSearchQueries retrievalQueries imageSearchQueries'),
    googleMapsWidgetContextToken: 'sealed',
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
const GEMINI_REPLY: ReplyFields = {
  ...server('usageMetadata modelVersion responseId createTime modelStatus'),
  candidates: CANDIDATE,
  promptFeedback: { ...RATINGS, ...server('blockReason'), ...words('blockReasonMessage') },
  error: { ...server('code status'), ...words('message details') },
}

/** Google's APIs take names in camelCase and in snake_case. */
const FIELDS = { systemInstruction: 'system', system_instruction: 'system', contents: 'messages' } as const

export const gemini: Dialect = {
  name: 'gemini',
  paths: [':generateContent'],
  distinct: true,
  claims: claiming({ contents: [{ parts: 'json' }] }, { contents: { parts: 'json' } }),
  answers: isReply,
  request: (body) => readRequest({ fields: FIELDS, streams: () => false }, body),
  reply: readReply,
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

function errorOf({ status, message, type, code }: Refusal): Record<string, unknown> {
  return { ...googleError(status, message, code, type), type }
}

/** True for a reply or an event of this API. */
function isReply(data: unknown): boolean {
  if (!isObject(data)) return false
  const { candidates, promptFeedback } = data
  return Array.isArray(candidates)
    ? candidates.some((each) => isObject(each) && (isObject(each.content) || 'finishReason' in each))
    : isObject(promptFeedback)
}

function readReply(body: unknown, media?: Media): readonly ReplyChoice[] | undefined {
  if (!isObject(body) || (!Array.isArray(body.candidates) && !isObject(body.promptFeedback))) return undefined
  const walker = new TextWalker(GEMINI_REPLY, { media })
  const texts = new ChoiceTexts()
  const listed = Array.isArray(body.candidates)
  if (listed) texts.readEach(body.candidates as unknown[], walker, CANDIDATE)
  if (texts.list().length === 0) texts.open(0)
  walker.walk(body, (_path, text) => texts.addOutside(text), { without: listed ? 'candidates' : undefined })
  return texts.list()
}

/** Texts and thoughts of a candidate grow from event to event, and so do the arguments of a call. */
const TEXT = /^content\.parts\.\d+\.text$/
const ARGUMENT = /^content\.parts\.\d+\.functionCall\.partialArgs\.\d+\.stringValue$/
const GROWING = new RegExp(`${TEXT.source}|${ARGUMENT.source}`)

interface StreamState extends Choices {
  /** True when the stream is an array, whose bracket ends it. The bracket itself leaves with the end. */
  readonly array: boolean
  readonly over: boolean
}

const START: StreamState = { array: false, over: false, open: [], finished: [] }

const frame = (array: boolean, value: unknown): string => (array ? `,${JSON.stringify(value)}]` : sse(value))

function geminiStream(_calls?: unknown, media?: Media): StreamReader {
  /** Arguments of calls, by where they stand in the call. A channel has their number: its name may be logged. */
  const args = new Map<unknown, number>()

  const channel = (path: string, { thought, jsonPath }: Holder): string => {
    if (TEXT.test(path)) return thought === true ? 'thought' : 'text'
    if (!ARGUMENT.test(path)) return path
    const number = args.get(jsonPath) ?? args.size
    args.set(jsonPath, number)
    return `args.${number}`
  }
  return eventReader({
    fields: GEMINI_REPLY,
    options: { media },
    read(texts, data) {
      const { candidates } = data
      if (!Array.isArray(candidates)) return texts.walk(data)
      for (const [position, candidate] of (candidates as unknown[]).entries()) {
        const choice = itemIndex(candidate, position)
        texts.walk(candidate, { fields: CANDIDATE, choice, channel, grows: GROWING })
      }
      texts.walk(data, { under: '(event).', without: 'candidates' })
    },
    start: START,
    after: ({ array, over, ...choices }, { candidates }, { element }) => ({
      ...choicesAfter(choices, candidates, 'finishReason'),
      array: array || element === true,
      over,
    }),
    block({ array, ...choices }, decision, words = '', read) {
      const candidates = choicesToEnd(choices, read).map((index) => lastCandidate(words, index))
      return frame(array, { candidates, llama_guard: blockNote(decision) })
    },
    fail: ({ array }, error) =>
      frame(array, { error: googleError(statusOf(error), error.message, error.code, failureType(error)) }),
  })
}

function lastCandidate(words: string, index = 0): Record<string, unknown> {
  return { content: { role: 'model', parts: [{ text: words }] }, finishReason: 'SAFETY', index }
}

/** Names of google.rpc.Code, by the status of HTTP that Google's APIs send with them. */
const NAMES: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  451: 'PERMISSION_DENIED',
  500: 'INTERNAL',
  503: 'UNAVAILABLE',
}

/** Google's error object. Its `metadata` may hold nothing but strings. */
function googleError(code: number, message: string, reason: string, type: string): Record<string, unknown> {
  const info = {
    '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
    reason,
    domain: 'llama-guard',
    metadata: { type, code: reason },
  }
  return { code, message, status: NAMES[code] ?? 'INVALID_ARGUMENT', details: [info] }
}

/** The status a stream's error names. Google's clients raise nothing for one below 400. */
function statusOf(error: LlamaGuardError): number {
  return error.status >= 400 && error.status < 600 ? error.status : 503
}
