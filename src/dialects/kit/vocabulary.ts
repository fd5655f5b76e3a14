// The walker's settings for requests, and the bounds every request body is held to before it is read.
// Shared by all dialects.
import { OPAQUE } from './openai-vocabulary.js'
import { TextWalker, type Vocabulary } from './text-walker.js'

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
