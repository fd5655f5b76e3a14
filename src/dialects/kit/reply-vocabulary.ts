// The words that APIs themselves put into replies: names of fields, and values that are one of a few. They are the
// closed list of what goes unjudged in a reply beside ids, dates and names of models.
import { FIXED_VALUES } from './fixed-values.js'
import { isId } from './identifiers.js'
import { isModelName } from './model-names.js'
import { KNOWN_KEYS } from './request-keys.js'
import { wordSet } from './word-set.js'

/** Names of fields in the references of the APIs, those of requests too, which replies repeat. */
const REPLY_KEYS = wordSet(
  // Chat Completions, its many servers, and Ollama.
  'choices delta finish_reason native_finish_reason stop_reason stop_sequence stop_details matched_stop logprobs',
  'logprob token bytes top_logprobs text_offset token_logprobs tokens',
  'refusal annotations url_citation system_fingerprint usage',
  'prompt_tokens completion_tokens total_tokens prompt_tokens_details completion_tokens_details cached_tokens',
  'audio_tokens reasoning_tokens accepted_prediction_tokens rejected_prediction_tokens text_tokens image_tokens',
  'input_tokens output_tokens input_tokens_details output_tokens_details cache_creation_input_tokens',
  'cache_read_input_tokens cache_creation ephemeral_5m_input_tokens ephemeral_1h_input_tokens server_tool_use',
  'web_search_requests web_fetch_requests prompt_cache_hit_tokens prompt_cache_miss_tokens num_cached_tokens cost',
  'cost_details upstream_inference_cost upstream_inference_prompt_cost upstream_inference_completions_cost is_byok',
  'queue_time prompt_time completion_time total_time x_groq usage_breakdown timings cache_n prompt_n prompt_ms',
  'prompt_per_token_ms prompt_per_second predicted_n predicted_ms predicted_per_token_ms predicted_per_second',
  'draft_n draft_n_accepted time_info created_time search_context_size citations search_results num_search_queries',
  'content_filter_results prompt_filter_results content_filter_result prompt_index hate self_harm sexual violence',
  'jailbreak protected_material_code protected_material_text profanity custom_blocklists filtered severity detected',
  'content_filter_offsets check_offset start_offset end_offset reasoning provider obfuscation kv_transfer_params',
  'service_tier weight done done_reason total_duration load_duration prompt_eval_count prompt_eval_duration',
  'eval_count eval_duration remote_model remote_host response llama_guard finish_details generated_tokens prefill',
  'best_of_sequences generated_text num_tokens_total response_ms prompt_token_ids token_ids stop_str param error',
  'input_audio_transcription inputs request_tool_call_id num_sources_used total_tokens_details pages total_pages',
  // Responses.
  'response output output_text item part output_index content_index summary_index annotation_index sequence_number',
  'incomplete_details reason max_tool_calls created_by billing payer prompt_cache_key item_id annotation partial',
  'total_usage presence_penalty frequency_penalty generation_id revised_prompt image_index container_id last_error',
  // Messages.
  'content_block partial_json citation stop_details category explanation applied_edits cleared_tool_uses expires_at',
  'cleared_thinking_turns cleared_input_tokens error_code error_message search_results retrieved_at encrypted_stdout',
  'iterations inference_geo context_window estimated_tokens thinking_tokens',
  // The AI SDK.
  'messageMetadata finishReason inputTextDelta toolMetadata dynamic transient errorText isContinued promptTokens',
  'completionTokens abort approvalId isAutomatic promptCacheKey',
  // Embeddings and images.
  'embedding embeddings b64_json partial_image_index quality size background output_format',
  // Assistants.
  'assistant_id run_id first_id last_id has_more step_details message_creation step_id required_action last_error',
  'submit_tool_outputs started_at expires_at cancelled_at failed_at incomplete_at code_interpreter file_search',
  'image_file file_citation file_path thread_id quote',
  // AG-UI.
  'rawEvent subtype entityId stepName toolCallName parentMessageId parentToolCallId snapshot patch op from replace',
  'activityType subagentRunId parentSubagentRunId runId outcome interrupts interruptIds pendingToolCallIds',
  // LangGraph.
  'attempt langgraph_node langgraph_step langgraph_triggers langgraph_path langgraph_checkpoint_ns checkpoint_ns tags',
  'graph_id run_id tool_call_chunks ls_provider ls_model_name ls_model_type ls_temperature ls_max_tokens example',
  // Gemini.
  'candidates finishMessage safetyRatings probability severity blockReason promptFeedback usageMetadata args',
  'promptTokenCount candidatesTokenCount totalTokenCount thoughtsTokenCount cachedContentTokenCount modality',
  'tokenCount promptTokensDetails candidatesTokensDetails toolUsePromptTokenCount trafficType modelVersion',
  'responseId createTime avgLogprobs logprobsResult chosenCandidates topCandidates tokenId logProbability',
  'citationMetadata citationSources startIndex endIndex groundingMetadata partialArgs jsonPath stringValue',
  // Cohere.
  'billed_units tool_output',
  // Bedrock Converse.
  'stopReason inputTokens outputTokens totalTokens cacheReadInputTokens cacheWriteInputTokens metrics latencyMs',
  'toolUse reasoningContent reasoningText citationsContent messageStart contentBlockStart contentBlockDelta',
  'contentBlockIndex contentBlockStop messageStop redactedContent',
  // Plain names that apps give to what they answer with.
  'answer reply note notes sources score scores snippet chunk conversation_id conversationId message_id session_id',
  'sessionId thread_id threadId user_id userId timestamp time latency latency_ms duration duration_ms version success',
  'ok items payload references suggestions confidence language total finished final requestId requestID',
)

/** Values that stand for themselves: types, states, reasons, names of events and of hosts of models. */
const REPLY_VALUES = wordSet(
  'chat.completion chat.completion.chunk text_completion response list model organization_owner event delta chunk',
  'message_start message_delta message_stop content_block_start content_block_delta content_block_stop ping error',
  'text_delta input_json_delta thinking_delta signature_delta citations_delta compaction_delta reasoning.text',
  'model_context_window_exceeded compaction eos eos_token stop_str insufficient_system_resource load unload abort',
  'recitation safety SAFETY STOP MAX_TOKENS RECITATION COMPLETE ERROR TOOL_CALL model_length length_limit repetition',
  'message_end token message start finish start-step finish-step text-start text-delta text-end reasoning-start',
  'reasoning-delta reasoning-end tool-input-start tool-input-delta tool-input-available tool-input-error',
  'tool-output-available tool-output-error tool-input-end file source-url source-document update end data result',
  'safe very_low low medium high critical default on_demand flex batch queued cancelled cancelling expired',
  'max_output_tokens content_filter developer cached not_applicable on off none',
  'overloaded_error api_error invalid_request_error authentication_error permission_error not_found_error',
  'request_too_large rate_limit_error timeout_error billing_error server_error internal_server_error',
  'rate_limit_exceeded',
  'OpenAI Anthropic Azure Google Mistral Groq Together Fireworks DeepInfra DeepSeek Cerebras SambaNova Perplexity',
  'Cohere xAI Novita Lambda Hyperbolic Parasail Nebius Chutes Targon NextBit Cloudflare AtlasCloud SiliconFlow',
  'Alibaba Crusoe Baseten Friendli Inception Minimax MoonshotAI Phala Venice Ubicloud Avian Featherless Kluster',
  'fp_ollama fastcoe x-groq',
  // Assistants.
  'thread thread.deleted thread.message thread.run thread.run.step thread.message.delta thread.run.step.delta done',
  'thread.created thread.run.created thread.run.queued thread.run.in_progress thread.run.requires_action',
  'thread.run.completed thread.run.incomplete thread.run.failed thread.run.cancelling thread.run.cancelled',
  'thread.run.expired thread.run.step.created thread.run.step.in_progress thread.run.step.completed',
  'thread.run.step.failed thread.run.step.cancelled thread.run.step.expired thread.message.created',
  'thread.message.in_progress thread.message.completed thread.message.incomplete message_creation requires_action',
  'submit_tool_outputs last_messages max_completion_tokens max_prompt_tokens image_file file_path',
  // Images, AG-UI and LangGraph.
  'embedding image_generation.partial_image image_generation.completed image_edit.partial_image image_edit.completed',
  'RUN_STARTED RUN_FINISHED RUN_ERROR STEP_STARTED STEP_FINISHED TEXT_MESSAGE_START TEXT_MESSAGE_CONTENT',
  'TEXT_MESSAGE_END TEXT_MESSAGE_CHUNK TOOL_CALL_START TOOL_CALL_ARGS TOOL_CALL_END TOOL_CALL_CHUNK TOOL_CALL_RESULT',
  'REASONING_START REASONING_MESSAGE_START REASONING_MESSAGE_CONTENT REASONING_MESSAGE_END REASONING_MESSAGE_CHUNK',
  'REASONING_END REASONING_ENCRYPTED_VALUE STATE_SNAPSHOT STATE_DELTA MESSAGES_SNAPSHOT ACTIVITY_SNAPSHOT',
  'ACTIVITY_DELTA CUSTOM RAW SUBAGENT_STARTED SUBAGENT_FINISHED SUBAGENT_ERROR add remove replace move copy test',
  'metadata messages messages/partial messages/complete messages/metadata AIMessageChunk ai human',
  // Gemini, Cohere and Bedrock Converse.
  'NEGLIGIBLE ON_DEMAND FINISH_REASON_UNSPECIFIED STOP_SEQUENCE TIMEOUT tool_use guardrail_intervened',
  'content_filtered message-start message-end content-start content-delta content-end tool-plan-delta',
  'tool-call-start tool-call-delta tool-call-end citation-start citation-end',
  // Events of Responses, by their beginnings and ends.
  'response.created response.queued response.in_progress response.completed response.failed response.incomplete',
  'response.cancelled response.output_item.added response.output_item.done response.content_part.added',
  'response.content_part.done response.output_text.delta response.output_text.done',
  'response.output_text.annotation.added',
  'response.refusal.delta response.refusal.done response.function_call_arguments.delta',
  'response.function_call_arguments.done response.reasoning_text.delta response.reasoning_text.done',
  'response.reasoning_summary_part.added response.reasoning_summary_part.done response.reasoning_summary_text.delta',
  'response.reasoning_summary_text.done response.custom_tool_call_input.delta response.custom_tool_call_input.done',
  'response.mcp_call_arguments.delta response.mcp_call_arguments.done response.mcp_call.in_progress',
  'response.mcp_call.completed response.mcp_call.failed response.mcp_list_tools.in_progress',
  'response.mcp_list_tools.completed response.mcp_list_tools.failed response.audio.delta response.audio.done',
  'response.audio.transcript.delta response.audio.transcript.done response.file_search_call.in_progress',
  'response.file_search_call.searching response.file_search_call.completed response.web_search_call.in_progress',
  'response.web_search_call.searching response.web_search_call.completed',
  'response.code_interpreter_call.in_progress response.code_interpreter_call.interpreting',
  'response.code_interpreter_call.completed response.code_interpreter_call_code.delta',
  'response.code_interpreter_call_code.done response.image_generation_call.in_progress',
  'response.image_generation_call.generating response.image_generation_call.partial_image',
  'response.image_generation_call.completed',
)

const MODEL_KEYS = wordSet('model remote_model modelVersion')
const NUMBER = /^[+-]?\d{0,20}(?:\.\d{1,20})?(?:ms|s|m|h)?$/
const DATE = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?$/
/** What a server says of its own version and build. */
const BUILD = /^(?:b\d{1,6}|v?\d{1,3}(?:\.\d{1,3}){1,3})(?:(?:-sha)?-[0-9a-f]{7,40})?(?:-(?:native|rocm|dev\d?))?$/
/** Parts of a stream by number, as the AI SDK and its examples call them. */
const PART = /^(?:t|r|p|txt|text|reasoning|part|block|item|step|source|tool)[-_]?\d{1,6}$/
const HOST = /^https:\/\/(?:www\.)?ollama\.com(?::443)?$/

export function isReplyKey(key: string): boolean {
  return KNOWN_KEYS.has(key) || REPLY_KEYS.has(key)
}

/** Values that never change, and numbers: there may be any number of them. */
export function isFixedInReply(text: string): boolean {
  return REPLY_VALUES.has(text) || FIXED_VALUES.has(text) || NUMBER.test(text)
}

/** Ids, dates, builds and names of models. `strict`: where there are many of them already. */
export function isIdInReply(key: string, text: string, strict: boolean): boolean {
  if (DATE.test(text) || BUILD.test(text) || HOST.test(text) || PART.test(text)) return true
  if (MODEL_KEYS.has(key)) return isModelName(text)
  const rest = text.startsWith('fp_') ? text.slice(3) : text
  // Gemini's and Together's ids have dashes among their random characters.
  return isId(rest, strict) || (rest.length >= 16 && isId(`gen-${rest.replace(/[-_]/g, '')}`, strict))
}
