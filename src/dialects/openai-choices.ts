// What the two OpenAI APIs answer whose replies have `choices`: Chat Completions and Completions.
import { isObject } from '../utils/json.js'
import type { Declined, ReplyChoice } from './dialect.js'
import { blockNote } from './kit/refusals.js'
import { ChoiceTexts, itemIndex } from './kit/reply-texts.js'
import { TextWalker } from './kit/text-walker.js'
import { type ReplyFields, server, words } from './kit/reply-fields.js'

const CALL: ReplyFields = {
  ...server('id type index'),
  ...words('name arguments input'),
  function: words('name arguments description parameters output'),
  custom: words('name input'),
  extra_content: { google: { thought_signature: 'sealed' } },
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
export const CHOICE: ReplyFields = {
  ...server('index finish_reason native_finish_reason stop_reason matched_stop seed token_ids'),
  ...server('content_filter_results content_filter_result content_filter_offsets'),
  ...words('text'),
  message: MESSAGE,
  delta: MESSAGE,
  logprobs: LOGPROBS,
}
export const CHOICES_REPLY: ReplyFields = {
  ...server(
    'id object created model system_fingerprint service_tier provider obfuscation request_id status usage timings',
  ),
  ...server(
    'time_info x_groq prompt_filter_results prompt_logprobs prompt_token_ids kv_transfer_params metadata stats',
  ),
  ...server('model_info runtime usage_breakdown nvext'),
  ...words('citations search_results'),
  choices: CHOICE,
  error: { ...server('type code param'), ...words('message') },
}

/** Undefined when there is no `choices` array. */
export function readChoices(body: unknown): readonly ReplyChoice[] | undefined {
  if (!isObject(body) || !Array.isArray(body.choices)) return undefined
  const walker = new TextWalker(CHOICES_REPLY)
  const texts = new ChoiceTexts()
  const choices = body.choices as readonly unknown[]
  for (let position = 0; position < choices.length; position += 1) {
    const choice = choices[position]
    const index = itemIndex(choice, position)
    texts.open(index)
    walker.walk(choice, (path, text) => texts.add(index, text, path), { fields: CHOICE })
  }
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
