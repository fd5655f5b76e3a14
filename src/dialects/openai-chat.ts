// OpenAI Chat Completions: `/chat/completions`, and any body with a `messages` list. What it answers, whole and as a
// stream, Completions answers too but for the form of an empty last chunk.
// https://platform.openai.com/docs/api-reference/chat
import type { Decision } from '../types.js'
import { isObject } from '../utils/json.js'
import type { Declined, Dialect, Media, ReplyChoice, StreamReader } from './dialect.js'
import { type EventData, eventReader, isDone, shortText } from './kit/event-reader.js'
import { claiming, readRequest } from './kit/read-request.js'
import { blockNote, openaiRefusal, sse, streamFailure } from './kit/refusals.js'
import { itemIndex, type ReplyFields, server, TextWalker, words, ChoiceTexts } from './kit/reply-fields.js'
import { type Choices, choicesAfter, choicesToEnd } from './kit/stream-memory.js'

export const openaiChat: Dialect = {
  name: 'openai-chat',
  paths: ['/chat/completions'],
  // Completions that are stored, in a list or one.
  bodiless: /\/v1\/chat\/completions(?:\/chatcmpl-[^/]+(?:\/messages)?)?$/,
  claims: claiming({ messages: 'value' }),
  answers: (data) => hasChoices(data, (choice) => 'delta' in choice || !('text' in choice)),
  request: (body) => readRequest({ fields: { messages: 'messages' } }, body),
  reply: readChoices,
  stream: (_calls, media) => openaiStream(CHAT_CHUNK, media),
  refusal: (refusal) => openaiRefusal(refusal, { input: 'messages', output: 'choices' }),
  // OpenAI's own refusals end with `stop` and have their words in `refusal`. Most chat pages read `content`, so the
  // words stand in both.
  decline: (declined) =>
    declinedChoice(declined, 'chat.completion', 'chatcmpl-llama-guard', {
      message: { role: 'assistant', content: declined.words, refusal: declined.words },
      finish_reason: 'stop',
    }),
}

const CALL: ReplyFields = {
  ...server('id type index'),
  ...words('name arguments input'),
  function: words('name arguments description parameters output'),
  custom: words('name input'),
  extra_content: { google: { thought_signature: 'sealed' } },
  provider_specific_fields: { thought_signature: 'sealed' },
}
const PART: ReplyFields = {
  ...server('type id index format reference_ids'),
  ...words('text content refusal'),
  thinking: { ...server('type'), ...words('text') },
  signature: 'sealed',
  data: 'sealed',
}
const MESSAGE: ReplyFields = {
  ...server('role tool_call_id token_ids prefix'),
  ...words('refusal reasoning reasoning_content name'),
  content: PART,
  reasoning_details: { ...PART, ...words('summary') },
  // LiteLLM's.
  thinking_blocks: PART,
  provider_specific_fields: { thinking_blocks: PART, ...words('citations reasoning_content refusal') },
  annotations: {
    ...server('type'),
    url_citation: { ...words('url title content'), ...server('start_index end_index') },
    file_citation: server('file_id'),
  },
  audio: { ...server('id expires_at'), ...words('transcript data') },
  function_call: words('name arguments'),
  tool_calls: CALL,
}
const TOKEN: ReplyFields = { token: 'tokens', ...server('logprob bytes') }
const LOGPROBS: ReplyFields = {
  content: { ...TOKEN, top_logprobs: TOKEN },
  refusal: { ...TOKEN, top_logprobs: TOKEN },
  tokens: 'tokens',
  top_logprobs: 'tokens',
  ...server('token_logprobs text_offset'),
}
const CHOICE: ReplyFields = {
  ...server('index finish_reason native_finish_reason stop_reason matched_stop seed token_ids'),
  ...server('content_filter_results content_filter_result content_filter_offsets'),
  provider_specific_fields: server('native_finish_reason stop_sequence stop_reason matched_stop token_ids'),
  ...words('text'),
  routed_experts: 'sealed',
  message: MESSAGE,
  delta: MESSAGE,
  logprobs: LOGPROBS,
}
const CHOICES_REPLY: ReplyFields = {
  ...server(
    'id object created model system_fingerprint service_tier provider obfuscation request_id status usage timings',
  ),
  ...server('time_info x_groq prompt_filter_results prompt_token_ids kv_transfer_params ec_transfer_params metrics'),
  // `p` is padding, which hides the length of a token from who watches the line.
  ...server('metadata stats model_info runtime usage_breakdown nvext moderation p'),
  ...words('citations search_results prompt_text'),
  prompt_logprobs: 'tokens',
  choices: CHOICE,
  error: { ...server('type code param'), ...words('message') },
}

/** True for an event with choices that are all so, if there are any. */
export function hasChoices(data: unknown, so: (choice: object) => boolean): boolean {
  return (
    isObject(data) && Array.isArray(data.choices) && data.choices.every((choice) => !isObject(choice) || so(choice))
  )
}

/** Undefined when there is no `choices` array. */
export function readChoices(body: unknown, media?: Media): readonly ReplyChoice[] | undefined {
  if (!isObject(body) || !Array.isArray(body.choices)) return undefined
  const walker = new TextWalker(CHOICES_REPLY, { media })
  const texts = new ChoiceTexts()
  texts.readEach(body.choices, walker, CHOICE)
  walker.walk(body, (_path, text) => texts.addOutside(text), { without: 'choices' })
  return texts.list()
}

/** A whole reply with one choice that declines. */
export function declinedChoice(
  { model, decision }: Declined,
  object: string,
  id: string,
  choice: object,
): Record<string, unknown> {
  return {
    id,
    object,
    created: Math.floor(Date.now() / 1000),
    model: model ?? 'unknown',
    choices: [{ index: 0, ...choice, logprobs: null }],
    usage: { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 },
    llama_guard: blockNote(decision),
  }
}

interface ChunkShape {
  readonly object: string
  /** The channel of a choice's words. */
  readonly words: RegExp
  /** The empty content of a last chunk: `{delta: {}}` or `{text: ''}`. */
  readonly empty: Readonly<Record<string, unknown>>
  readonly idPrefix: string
  /** A choice with these words in the model's place. */
  readonly says: (words: string) => Readonly<Record<string, unknown>>
}

export const CHAT_CHUNK: ChunkShape = {
  object: 'chat.completion.chunk',
  words: /^delta\.content$/,
  empty: { delta: {} },
  idPrefix: 'chatcmpl',
  // Clients of the API read `refusal`, and most chat pages read `content`.
  says: (words) => ({ delta: { role: 'assistant', content: words, refusal: words } }),
}

interface Head {
  readonly id: string | undefined
  readonly created: number | undefined
  readonly model: string | undefined
}

const START: StreamState = { head: undefined, open: [], finished: [], over: false }

interface StreamState extends Choices {
  /** What the first chunk has said of all. */
  readonly head: Head | undefined
  readonly over: boolean
}

export function openaiStream(shape: ChunkShape, media?: Media): StreamReader {
  return eventReader({
    fields: CHOICES_REPLY,
    options: { media },
    repeats: shape.words,
    read(texts, data) {
      const { choices } = data
      const listed = Array.isArray(choices)
      for (const [position, choice] of listed ? choices.entries() : []) {
        const index = itemIndex(choice, position)
        texts.walk(choice, { fields: CHOICE, choice: index, grows: true })
      }
      // Always with the same choice, because the first of an event may be another one in the next, and under a name
      // that no field of a choice has.
      texts.walk(data, { under: '(event).', without: listed ? 'choices' : undefined })
    },
    start: START,
    after: ({ head, open, finished, over }, data, event) => ({
      head: head ?? (Object.keys(data).length === 0 ? undefined : headOf(data)),
      ...choicesAfter({ open, finished }, data.choices, 'finish_reason'),
      over: over || isDone(event),
    }),
    block({ head, ...choices }, decision, words, read) {
      const chunks = choicesToEnd(choices, read).flatMap((index) => [
        ...(words === undefined ? [] : [chunkOf(shape, head, { index, ...shape.says(words), finish_reason: null })]),
        lastChunk(shape, head, index, decision),
      ])
      return `${chunks.map((chunk) => sse(chunk)).join('')}data: [DONE]\n\n`
    },
    // No [DONE] follows, because a client that ignores the error would take the reply for a complete one.
    fail: (_state, error) => sse({ error: streamFailure(error) }),
  })
}

function headOf({ id, created, model }: EventData): Head {
  return { id: shortText(id), created: typeof created === 'number' ? created : undefined, model: shortText(model) }
}

function lastChunk(shape: ChunkShape, head: Head | undefined, index: number, decision: Decision): object {
  const choice = { index, ...shape.empty, finish_reason: 'content_filter' }
  return { ...chunkOf(shape, head, choice), llama_guard: blockNote(decision) }
}

function chunkOf(shape: ChunkShape, head: Head | undefined, choice: object): object {
  return {
    id: head?.id ?? `${shape.idPrefix}-llama-guard`,
    object: shape.object,
    created: head?.created ?? Math.floor(Date.now() / 1000),
    model: head?.model ?? 'unknown',
    choices: [choice],
  }
}
