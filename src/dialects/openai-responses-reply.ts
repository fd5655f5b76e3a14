// What the reply and the stream of the Responses API share: which of its fields are no text, and a reply in which the
// model declines.
import type { Declined } from './dialect.js'
import { blockNote } from './kit/refusals.js'
import { type ReplyFields, server, words } from './kit/reply-fields.js'

const TOKEN: ReplyFields = { token: 'tokens', ...server('logprob bytes') }
const PART: ReplyFields = {
  ...server('type'),
  ...words('text refusal'),
  annotations: {
    ...server('type file_id container_id index start_index end_index'),
    ...words('filename url title'),
  },
  logprobs: { ...TOKEN, top_logprobs: TOKEN },
}
const TOOL: ReplyFields = {
  ...server('type strict server_label'),
  ...words('name description'),
  parameters: 'json',
  input_schema: 'json',
}
/** The fields of every kind of item: an id, a type and a state, and what the kind says. */
export const ITEM: ReplyFields = {
  ...server(
    'id type role status phase call_id approval_request_id server_label container_id execution encrypted_content',
  ),
  ...server('created_by parent_id caller'),
  ...words('name arguments input output error code result queries'),
  content: PART,
  summary: PART,
  encrypted_content: 'sealed',
  action: {
    ...server('type x y button scroll_x scroll_y timeout_ms'),
    ...words('query queries url pattern text command commands env working_directory keys path'),
    sources: { ...server('type'), ...words('url') },
  },
  results: { ...server('file_id score'), ...words('filename text attributes') },
  outputs: { ...server('type'), ...words('logs url') },
  tools: TOOL,
  pending_safety_checks: { ...server('id code'), ...words('message') },
}
const RESPONSE: ReplyFields = {
  ...server('id object created_at completed_at model status service_tier background parallel_tool_calls temperature'),
  ...server('top_p top_logprobs max_output_tokens max_tool_calls previous_response_id truncation user verbosity store'),
  ...server(
    'safety_identifier prompt_cache_key prompt_cache_retention usage reasoning conversation billing tool_choice',
  ),
  ...server('incomplete_details frequency_penalty presence_penalty prompt_cache_options'),
  ...words('instructions output_text metadata'),
  text: { ...server('verbosity'), format: { ...server('type strict'), ...words('name description'), schema: 'json' } },
  error: { ...server('code type param'), ...words('message') },
  tools: TOOL,
  output: ITEM,
}
export const RESPONSES_REPLY: ReplyFields = {
  ...RESPONSE,
  // Events.
  ...server('type sequence_number output_index content_index summary_index annotation_index item_id obfuscation'),
  ...server('code param partial_image_index'),
  ...words('delta refusal arguments input code message'),
  response: RESPONSE,
  item: ITEM,
  part: PART,
  annotation: PART.annotations!,
  logprobs: PART.logprobs!,
}

/** A whole response in which the model declines. */
export function declinedResponse({ words, model, decision }: Declined): Record<string, unknown> {
  const head = { ...emptyResponse({}), ...(model !== undefined && { model }) }
  return { ...head, status: 'completed', output: [refusalItem(words)], llama_guard: blockNote(decision) }
}

interface RefusalItem {
  readonly type: 'message'
  readonly id: string
  readonly status: 'completed'
  readonly role: 'assistant'
  readonly content: readonly [{ readonly type: 'refusal'; readonly refusal: string }]
}

/** A message of the model that declines, in the form of the API. */
export function refusalItem(refusal: string): RefusalItem {
  const content = [{ type: 'refusal', refusal }] as const
  return { type: 'message', id: 'msg_llama_guard', status: 'completed', role: 'assistant', content }
}

/** The events that carry such a message. */
export function refusalEvents(item: RefusalItem, index: number): ({ type: string } & Record<string, unknown>)[] {
  const [part] = item.content
  const at = { output_index: index, item_id: item.id, content_index: 0 }
  return [
    { type: 'response.output_item.added', output_index: index, item: { ...item, status: 'in_progress', content: [] } },
    { type: 'response.content_part.added', ...at, part: { type: 'refusal', refusal: '' } },
    { type: 'response.refusal.delta', ...at, delta: part.refusal },
    { type: 'response.refusal.done', ...at, refusal: part.refusal },
    { type: 'response.content_part.done', ...at, part },
    { type: 'response.output_item.done', output_index: index, item },
  ]
}

export function emptyResponse(head: Record<string, unknown>): Record<string, unknown> {
  const settings = {
    instructions: null,
    metadata: {},
    parallel_tool_calls: true,
    temperature: null,
    tool_choice: 'auto',
    tools: [],
    top_p: null,
  }
  const base = {
    id: 'resp_llama_guard',
    object: 'response',
    created_at: Math.floor(Date.now() / 1000),
    model: 'unknown',
    ...head,
  }
  return { ...base, error: null, incomplete_details: null, output: [], usage: null, ...settings }
}
