// What the reply and the stream of the Responses API share: which of its fields are no text, and a reply in which the
// model declines.
import type { Declined } from './dialect.js'
import { blockNote } from './kit/refusals.js'
import { OPAQUE, OPENAI_METADATA, type Vocabulary } from './kit/vocabulary.js'

export const RESPONSES_REPLY: Vocabulary = {
  metadata: new Set([
    ...OPENAI_METADATA,
    'tool_choice',
    'truncation',
    'verbosity',
    'effort',
    'user',
    'safety_identifier',
    'prompt_cache_key',
    'prompt_cache_retention',
    'previous_response_id',
    'file_id',
    'container_id',
    'approval_request_id',
    'server_label',
    'phase',
    'execution',
    'source',
  ]),
  containers: new Set([
    'usage',
    'metadata',
    'reasoning',
    'incomplete_details',
    'conversation',
    'prompt_cache_options',
    'billing',
  ]),
  opaque: OPAQUE,
  tokenLists: true,
  refuseMedia: true,
  code: 'unreadable_response',
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
