// Keys of replies that several APIs share: metadata, counts, and data that only the vendor can read.

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
