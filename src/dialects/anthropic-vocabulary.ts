// Keys of Anthropic replies and stream events that carry no words.
// Signatures and redacted thinking are encrypted by the vendor: nobody but the vendor can read them.
import { OPAQUE, OPENAI_METADATA } from './kit/openai-vocabulary.js'
import type { Vocabulary } from './kit/text-walker.js'

export const ANTHROPIC_REPLY: Vocabulary = {
  metadata: new Set([
    ...OPENAI_METADATA,
    'tool_use_id',
    'file_id',
    'media_type',
    'expires_at',
    'server_name',
    'category',
    'retrieved_at',
    'error_code',
  ]),
  containers: new Set(['usage', 'container', 'caller', 'context_management']),
  // `data` is redacted thinking here; base64 documents and images are told apart by their source and refused.
  opaque: new Set([...OPAQUE, 'encrypted_index', 'data']),
  json: new Set(['input']),
  refuseMedia: true,
  code: 'unreadable_response',
}
