// What a dialect says of the keys of its replies, and the keys that several APIs share: metadata, counts, and data that
// only the vendor can read.

/** The keys of a dialect that have a special meaning. */
export interface Vocabulary {
  /** Keys of ids, types and models: such values are no text under them. */
  readonly metadata: ReadonlySet<string>
  /** Keys under which every key is one of metadata: token counts and timings. */
  readonly containers?: ReadonlySet<string>
  /** Keys of encrypted or signed data that only the vendor can read, of any length. Words in it are text. */
  readonly opaque?: ReadonlySet<string>
  /** Keys whose objects are judged as the JSON text that the client sees: tool inputs. */
  readonly json?: ReadonlySet<string>
  /**
   * True when `logprobs` repeat the text token by token. They are judged joined, and only where they differ from the
   * text.
   */
  readonly tokenLists?: boolean
  /** True when media in a reply are refused, because the guard cannot read them. */
  readonly refuseMedia?: boolean
  readonly code: 'unreadable_response'
}

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
