// Keys of Responses replies and events that carry no words: ids, and the settings a reply echoes.
// `reasoning` is a setting here; the model's reasoning comes as items.
import { OPAQUE, OPENAI_METADATA } from './kit/openai-vocabulary.js'
import type { Vocabulary } from './kit/text-walker.js'

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
