// The walker's settings for requests, and the bounds every request body is held to before it is read.
// Shared by all dialects.
import { TextWalker, type Vocabulary } from './text-walker.js'

export const OPENAI_METADATA: ReadonlySet<string> = new Set([
  'id',
  'object',
  'created',
  'created_at',
  'model',
  'system_fingerprint',
  'service_tier',
  'role',
  'type',
  'finish_reason',
  'native_finish_reason',
  'stop_reason',
  'stop_sequence',
  'matched_stop',
  'status',
  'index',
  'tool_call_id',
  'call_id',
  'item_id',
  'response_id',
  'provider',
  'obfuscation',
  'severity',
  'request_id',
])

export const OPENAI_CONTAINERS: ReadonlySet<string> = new Set([
  'usage',
  'timings',
  'time_info',
  'x_groq',
  'content_filter_results',
  'prompt_filter_results',
])

export const OPAQUE: ReadonlySet<string> = new Set(['encrypted_content', 'signature', 'thought_signature'])

export const REQUEST: Vocabulary = {
  metadata: new Set([
    'type',
    'id',
    'index',
    'role',
    'status',
    'object',
    'tool_call_id',
    'tool_use_id',
    'call_id',
    'item_id',
    'server_name',
    'cache_control',
    'ttl',
    'scope',
    'detail',
    'format',
    'media_type',
    'model',
    'mode',
    'search_context_size',
    'strict',
    'caller',
  ]),
  containers: new Set(['cache_control']),
  opaque: new Set([...OPAQUE, 'encrypted_index']),
  json: new Set(['input', 'arguments', 'parameters', 'input_schema', 'schema']),
  refusePrototypeKeys: true,
  code: 'unreadable_request',
}

/** A walker for one request. Throws `unreadable_request` for a body too deep, too big, or with prototype keys. */
export function requestWalker(body: Readonly<Record<string, unknown>>): TextWalker {
  const walker = new TextWalker(REQUEST)
  walker.check(body)
  return walker
}
