// Amazon Bedrock's Converse API as JSON: `/model/:id/converse`. The binary stream of `/converse-stream` cannot be
// read, so its replies are refused; its requests are judged.
// https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
import { isObject } from '../utils/json.js'
import type { Dialect, Media, StreamReader } from './dialect.js'
import { eventReader } from './kit/event-reader.js'
import { readRequest, fits, type Shape } from './kit/read-request.js'
import { blockNote, failureType, refusalDetails, sse } from './kit/refusals.js'
import { type ReplyFields, server, WORDS, words, reading } from './kit/reply-fields.js'
import { type BlockStep, blocksAfter, NO_BLOCKS } from './kit/stream-memory.js'

const REASONING: ReplyFields = {
  ...words('text'),
  reasoningText: { ...words('text'), signature: 'sealed' },
  signature: 'sealed',
  redactedContent: 'sealed',
}
const CITATION: ReplyFields = { ...words('title source'), sourceContent: words('text'), location: WORDS }
const BLOCK: ReplyFields = {
  ...words('text'),
  toolUse: { ...server('toolUseId type'), ...words('name'), input: 'json' },
  toolResult: { ...server('toolUseId status type'), content: { ...words('text'), json: 'json' } },
  reasoningContent: REASONING,
  citationsContent: { content: words('text'), citations: CITATION },
  citation: CITATION,
}
const CONVERSE_REPLY: ReplyFields = {
  ...server('stopReason usage metrics performanceConfig serviceTier'),
  ...words('trace additionalModelResponseFields'),
  output: { message: { ...server('role'), content: BLOCK } },
  // Events. `p` is padding.
  messageStart: server('role p'),
  contentBlockStart: { ...server('contentBlockIndex p'), start: BLOCK },
  contentBlockDelta: { ...server('contentBlockIndex p'), delta: BLOCK },
  contentBlockStop: server('contentBlockIndex p'),
  messageStop: { ...server('stopReason p'), ...words('additionalModelResponseFields') },
  metadata: { ...server('usage metrics performanceConfig serviceTier p'), ...words('trace') },
}

const REPLY: Shape = { output: { message: 'object' } }

/** The body alone does not say that a stream is wanted. */
const streaming: Dialect = {
  name: 'bedrock-converse-stream',
  paths: ['/model/*/converse-stream'],
  claims: ({ messages, promptVariables }) =>
    (Array.isArray(messages) && messages.every(hasBlocks)) || (messages === undefined && isObject(promptVariables)),
  answers: (data) => isObject(data) && (fits(data, REPLY) || STREAM_EVENTS.some((name) => isObject(data[name]))),
  request: (body) =>
    readRequest({ fields: { system: 'system', messages: 'messages' }, streams: () => false, model: 'modelId' }, body),
  reply: reading(CONVERSE_REPLY, REPLY),
  stream: converseStream,
  // The SDK takes `code` for the name of its exception.
  refusal: (refusal) => ({
    message: refusal.message,
    code: refusal.code,
    type: refusal.type,
    ...refusalDetails(refusal),
  }),
}

/** Its blocks are told by JSON, and with `onBlock: 'refusal'` declined. */
export const bedrockConverse: Dialect = {
  ...streaming,
  name: 'bedrock-converse',
  paths: ['/model/*/converse'],
  decline: ({ words, decision }) => ({
    output: { message: { role: 'assistant', content: [{ text: words }] } },
    stopReason: 'guardrail_intervened',
    usage: { inputTokens: 0, outputTokens: 0, totalTokens: 0 },
    metrics: { latencyMs: 0 },
    llama_guard: blockNote(decision),
  }),
}

export { streaming as bedrockConverseStream }

function hasBlocks(message: unknown): boolean {
  return (
    isObject(message) &&
    Array.isArray(message.content) &&
    message.content.every((block) => isObject(block) && typeof block.type !== 'string')
  )
}

const STEPS: Readonly<Record<string, BlockStep>> = {
  messageStart: 'start',
  contentBlockStart: 'open',
  contentBlockDelta: 'open',
  contentBlockStop: 'close',
  messageStop: 'end',
}
const STREAM_EVENTS = Object.keys(STEPS)

/** The events of the stream as JSON, in which servers pass them on: `{"contentBlockDelta":{...}}`. */
function converseStream(_calls?: unknown, media?: Media): StreamReader {
  return eventReader({
    fields: CONVERSE_REPLY,
    options: { media },
    repeats: /\.contentBlockDelta\.delta\.text$/,
    read(texts, data) {
      const index = blockIndex(data, 'contentBlockDelta') ?? blockIndex(data, 'contentBlockStart')
      const under = index === undefined ? '' : `${index}.`
      texts.walk(data, { under, grows: true })
    },
    start: NO_BLOCKS,
    after(state, data) {
      const name = STREAM_EVENTS.find((each) => each in data)
      return blocksAfter(state, STEPS[name ?? ''], blockIndex(data, name ?? ''))
    },
    block({ started, open, next }, decision, words) {
      const frames: unknown[] = started ? [] : [{ messageStart: { role: 'assistant' } }]
      for (const contentBlockIndex of open) frames.push({ contentBlockStop: { contentBlockIndex } })
      if (words !== undefined) frames.push(...textBlock(next, words))
      frames.push({ messageStop: { stopReason: 'guardrail_intervened' }, llama_guard: blockNote(decision) })
      return frames.map((frame) => sse(frame)).join('')
    },
    fail(_state, error) {
      const { message, code } = error
      return sse({ internalServerException: { message, code, type: failureType(error) } })
    },
  })
}

function blockIndex(data: Readonly<Record<string, unknown>>, name: string): number | undefined {
  const event = data[name]
  const index = isObject(event) ? event.contentBlockIndex : undefined
  return Number.isSafeInteger(index) ? (index as number) : undefined
}

function textBlock(contentBlockIndex: number, text: string): unknown[] {
  return [{ contentBlockDelta: { delta: { text }, contentBlockIndex } }, { contentBlockStop: { contentBlockIndex } }]
}
