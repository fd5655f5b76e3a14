// The names of fields that the API references put into requests. Every other name is judged.

/** The words of all texts, which blanks separate. */
const wordSet = (...texts: readonly string[]): ReadonlySet<string> => new Set(texts.join(' ').split(/\s+/))

/** Settings that no model reads. A value in a short form is not judged. */
export const SETTINGS = wordSet(
  'model models n best_of stream stream_options stop stop_sequences stop_token_ids max_tokens max_completion_tokens',
  'max_output_tokens max_new_tokens min_tokens temperature top_p top_k min_p typical_p top_a top_logprobs logprobs',
  'logit_bias presence_penalty frequency_penalty repetition_penalty repeat_penalty length_penalty seed random_seed',
  'user metadata store service_tier safety_identifier prompt_cache_key prompt_cache_retention prompt_cache_options',
  'parallel_tool_calls modalities audio reasoning reasoning_effort verbosity web_search_options moderation echo',
  'ignore_eos skip_special_tokens spaces_between_special_tokens add_generation_prompt continue_final_message',
  'add_special_tokens include_stop_str_in_output use_beam_search truncate_prompt_tokens prompt_logprobs priority',
  'request_id mm_processor_kwargs logits_processors return_tokens_as_token_ids kv_transfer_params',
  'guided_decoding_backend provider route transforms plugins usage include_reasoning reasoning_format background',
  'context_management conversation include max_tool_calls previous_response_id truncation thinking container',
  'inference_geo speed cache_control anthropic_version anthropic_beta betas user_profile_id workspace_id options',
  'keep_alive think id do_sample details return_full_text adapter_id lora bad_words_ids allowed_token_ids',
  'enable_thinking safe_prompt prompt_mode cache_prompt id_slot n_predict messageId trigger',
  'dimensions encoding_format input_type truncate assistant_id stream_mode stream_subgraphs stream_resumable',
  'feedback_keys checkpoint checkpoint_id multitask_strategy on_completion on_disconnect after_seconds',
  'if_not_exists checkpoint_during durability interrupt_before interrupt_after strict_resume safetySettings',
  'safety_settings cachedContent cached_content modelId threadId runId parentRunId method tool_choice function_call',
  'guardrailConfig performanceConfig serviceTier requestMetadata additionalModelResponseFieldPaths citation_options',
  'safety_mode strict_tools size quality output_format output_compression partial_images input_fidelity background',
  // Anthropic, Gemini, Mistral, OpenRouter, xAI, Groq and Perplexity.
  'fallbacks fallback_credit_token diagnostics labels completion_args handoff_execution agent_id guardrails session_id',
  'trace preset image_config search_parameters search_settings compound_custom search_mode search_domain_filter',
  'search_recency_filter previous_interaction_id agent agent_config response_modalities webhook_config',
  // vLLM, SGLang, Together, Fireworks and LiteLLM.
  'cache_salt media_io_kwargs vllm_xargs rid lora_path session_params safety_model context_length_exceeded_behavior',
  'litellm_trace_id',
  // LangGraph and assistant-ui.
  'webhook if_exists unstable_assistantMessageId callSettings',
)

/** Fields that an app sends the same with every request. They are judged with the system text. */
export const SYSTEM_FIELDS = wordSet(
  'tools functions tool_choice function_call response_format instructions system template chat_template tool_prompt',
  'guided_json guided_regex guided_choice guided_grammar structured_outputs grammar output_config output_format',
  'mcp_servers format text generationConfig generation_config toolConfig tool_config inferenceConfig outputConfig',
)

/** Fields of messages, parts and tools for ids, types and states of an API. Their short values are not judged. */
export const STRUCTURE = wordSet(
  'type role status object id index detail format media_type mime_type mediaType mimeType contentType ttl phase state',
  'tool_call_id tool_use_id call_id item_id response_id file_id container_id approval_request_id skill_id parent_id',
  'toolCallId toolUseId messageId sourceId itemId threadId runId parentRunId subagentRunId interruptId thread_id',
  'checkpoint_id checkpoint_ns vector_store_ids progressToken requestId taskId elicitationId jsonrpc method model',
  'protocolVersion created_at createdAt completed_at timestamp finish_reason server_name caller effort mode category',
  'threshold syntax environment search_context_size require_approval responseMimeType response_mime_type cachePoint',
  'functionCallingConfig mediaResolution task_support taskSupport scheduling ranker version agentId caller_id',
  'toolset_name error_code retrieved_at oversized_image allowed_callers connector_id memory_limit response_format',
  'stopReason io.modelcontextprotocol/protocolVersion io.modelcontextprotocol/logLevel',
)

/** Objects that are judged as the JSON text that a model reads: arguments and results of tools, and schemas. */
export const ARGUMENTS = wordSet(
  'input arguments args output result parameters input_schema schema guided_json json filters response',
  'parametersJsonSchema parameters_json_schema responseSchema response_schema responseJsonSchema response_json_schema',
)

/** Fields of data that its vendor has signed or encrypted, and the types of parts whose `data` are such. */
export const SEALED = wordSet(
  'signature encrypted_content encrypted_index encryptedValue thought_signature thoughtSignature redactedData',
  'continuation_token',
  'redactedContent reasoningEncryptedContent',
)
export const SEALED_DATA = wordSet('redacted_thinking reasoning.encrypted')

/** Names of fields in the references of the APIs. */
export const KNOWN_KEYS: ReadonlySet<string> = new Set([
  ...SETTINGS,
  ...SYSTEM_FIELDS,
  ...STRUCTURE,
  ...ARGUMENTS,
  ...SEALED,
  ...wordSet(
    // Prose.
    'prompt query question message context content instruction description title additional_instructions documents',
    'document prediction suffix prefix reasoning_content refusal transcript quote name filename filenames tool_name',
    'variables',
    // Messages, parts, calls and items.
    'messages parts created tool_calls function strict properties required image_url images image url alt summary',
    'source source_type data file file_url file_data input_audio redacted_thinking citations annotations is_error',
    'reasoning_details action actions queries results outputs code approve acknowledged_safety_checks',
    'pending_safety_checks start_index end_index start_char_index end_char_index document_index document_title',
    'cited_text page_age search_result_index logs stdout stderr return_code exit_code outcome commands command',
    'timeout_ms max_output_length operation path diff button keys scroll_x scroll_y x y experimental_attachments',
    'toolInvocations toolInvocation toolName preliminary providerExecuted providerMetadata callProviderMetadata',
    'extra_content google openai anthropic forwardedProps resume payload toolCalls params body update goto',
    'configurable recursion_limit additional_kwargs response_metadata usage_metadata invalid_tool_calls',
    // The Model Context Protocol.
    'error _meta clientInfo serverInfo capabilities roots sampling elicitation experimental tasks requests form',
    'prompts resources resourceTemplates completions logging listChanged subscribe cursor nextCursor uri uriTemplate',
    'argument ref level logger progress total reason systemPrompt includeContext modelPreferences hints costPriority',
    'speedPriority intelligencePriority blob audience requestedSchema structuredContent isError contents completion',
    'values hasMore lastModified icons src sizes theme websiteUrl inputSchema outputSchema execution readOnlyHint',
    'io.modelcontextprotocol/clientInfo io.modelcontextprotocol/clientCapabilities inputResponses requestState',
    'destructiveHint idempotentHint task openWorldHint pollInterval statusMessage lastUpdatedAt',
    // Settings within settings.
    'chat_template_kwargs config style include_usage include_obfuscation budget_tokens max_uses allowed_tools',
    'allowed_domains blocked_domains user_location approximate city country region timezone voice scope tool',
    'disable_parallel_tool_use generate_summary json_schema exclude enabled edits keep value clear_at_least',
    'exclude_tools clear_tool_inputs compact_threshold skills order sort only allow_fallbacks require_parameters',
    'data_collection quantizations max_price ignore max_results search_prompt engine display_width display_height',
    'display_width_px display_height_px display_number max_num_results ranking_options score_threshold server_label',
    'server_url headers authorization authorization_token tool_configuration defer_loading namespace definition',
    'prompt_cache_breakpoint transformations document_url document_name input_examples output_schema file_ids configs',
    'server_description tool_names read_only always never external_web_access default_config mcp_server_name tabs',
    'approval approved parentMessageId',
    // Settings that are flags and numbers, and what assistant-ui hands on for its app to read.
    'return_images return_related_questions disable_search disable_tool_validation raw_prompting return_token_ids raw',
    'detokenize thinking_token_budget separate_reasoning stream_reasoning no_stop_trim prompt_truncate_len caching',
    'perf_metrics_in_response raw_output num_retries runConfig',
    'eager_input_streaming max_content_tokens max_characters enable_zoom task_budget network_policy agent_version',
    // Gemini, whose API takes both spellings.
    'systemInstruction system_instruction inlineData inline_data functionCall functionResponse function_response',
    'videoMetadata video_metadata startOffset start_offset endOffset end_offset fps thought stopSequences',
    'maxOutputTokens topP topK candidateCount candidate_count presencePenalty frequencyPenalty responseLogprobs',
    'response_logprobs responseModalities thinkingConfig thinking_config includeThoughts',
    'include_thoughts thinkingBudget thinking_budget thinkingLevel thinking_level media_resolution',
    'functionDeclarations function_declarations function_calling_config allowedFunctionNames allowed_function_names',
    'googleSearch google_search codeExecution code_execution urlContext url_context executableCode executable_code',
    'codeExecutionResult code_execution_result language willContinue will_continue',
    'thinking_summaries speech_config video_config transcription_config aspect_ratio image_size search_types',
    'enable_widget latitude longitude file_search_store_names metadata_filter search_type delivery resolution',
    // Cohere.
    'tool_plan token_budget p k',
    // Bedrock Converse.
    'toolSpec toolChoice auto any maxTokens guardrailIdentifier guardrailVersion trace streamProcessingMode',
    'additionalModelRequestFields promptVariables qualifiers toolUse toolResult searchResult citationsContent',
    'guardContent reasoningContent reasoningText',
    // Options of Ollama and llama.cpp.
    'num_ctx num_keep num_predict num_batch num_gpu main_gpu num_thread num_gqa use_mmap use_mlock low_vram numa tfs_z',
    'mirostat mirostat_tau mirostat_eta penalize_newline repeat_last_n dynatemp_range dynatemp_exponent',
  ),
])
