// Fields of a request whose values are read in a way of their own: ids, names of models, JSON, tokens and sealed data.
import { wordSet } from './word-set.js'

/** Fields whose value is an identifier. */
export const ID_KEYS = wordSet(
  'progressToken requestId taskId elicitationId',
  'threadId runId parentRunId subagentRunId interruptId thread_id checkpoint_id id tool_call_id tool_use_id',
  'call_id item_id response_id previous_response_id conversation request_id file_id',
  'container container_id approval_request_id vector_store_ids skill_id toolCallId toolUseId messageId sourceId itemId',
)
/** Fields whose value is the name of a model. */
export const MODEL_KEYS = wordSet('model models adapter_id lora')

/** Objects that are judged as the JSON text that a model reads: arguments of tool calls, and schemas. */
export const JSON_KEYS = wordSet(
  'input arguments args output result parameters input_schema schema guided_json json filters',
  'parametersJsonSchema parameters_json_schema responseSchema response_schema responseJsonSchema response_json_schema',
)

/** Fields whose numbers are text in the code of a tokenizer that the guard lacks. */
export const TOKEN_KEYS = wordSet(
  'input_ids inputIds token_ids tokenIds prompt_token_ids promptTokenIds decoder_input_ids tokens prompt_ids',
  'prompt input query question message context text content inputs_embeds prompt_embeds promptEmbeds char_codes',
  'charCodes codepoints code_points bytes',
)
/** Settings whose values are token ids. They force or forbid output, which is judged. */
export const TOKEN_SETTINGS = wordSet('stop_token_ids logit_bias bad_words_ids allowed_token_ids')

/** Fields of encrypted or signed data, by the type of the part they stand in. */
export const BLOBS_OF_TYPE: ReadonlyMap<unknown, ReadonlySet<string>> = new Map([
  ['thinking', wordSet('signature')],
  ['redacted_thinking', wordSet('data')],
  ['reasoning', wordSet('encrypted_content signature')],
  ['compaction', wordSet('encrypted_content')],
  ['function', wordSet('encryptedValue')],
  ['reasoning.encrypted', wordSet('data')],
  ['reasoning.text', wordSet('signature')],
  ['web_search_result', wordSet('encrypted_content')],
  ['web_search_result_location', wordSet('encrypted_index')],
])
/** Fields of encrypted or signed data, by the vendor whose name stands above them. */
export const BLOBS_OF_VENDOR: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['google', wordSet('thought_signature thoughtSignature')],
  ['openai', wordSet('reasoningEncryptedContent')],
  ['anthropic', wordSet('signature redactedData')],
])
