// The words that the API references put into requests: names of fields, and values from fixed lists. This is the
// closed list of what goes unjudged in a request. Every other key and value is judged.

const set = (...lists: readonly string[]): ReadonlySet<string> => new Set(lists.join(' ').split(/\s+/))

/** Settings that no model reads. Their values are numbers, flags, identifiers or one of {@link FIXED_VALUES}. */
export const SETTINGS = set(
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
  'chat_template_kwargs enable_thinking safe_prompt prompt_mode cache_prompt id_slot n_predict messageId trigger',
  'dimensions encoding_format input_type truncate style assistant_id stream_mode stream_subgraphs stream_resumable',
  'config feedback_keys checkpoint checkpoint_id multitask_strategy on_completion on_disconnect after_seconds',
  'if_not_exists checkpoint_during durability interrupt_before interrupt_after strict_resume',
)

/** Settings with names that the client chooses. No model reads them, so a value without blanks is not judged. */
export const FREE_SETTINGS = set(
  'user metadata safety_identifier prompt_cache_key request_id user_profile_id workspace_id provider route transforms',
  'assistant_id',
)

/** Fields that an app sends the same with every request. They are judged with the system text. */
export const SYSTEM_FIELDS = set(
  'tools functions tool_choice function_call response_format instructions system template chat_template tool_prompt',
  'guided_json guided_regex guided_choice guided_grammar structured_outputs grammar output_config output_format',
  'mcp_servers format text generationConfig generation_config toolConfig tool_config',
  'inferenceConfig guardrailConfig outputConfig additional_instructions',
)

/** Fields of prose. Every value in them is judged, even one that looks like an identifier. */
export const PROSE_KEYS = set(
  'prompt input query question message context text content instruction instructions system description title',
  'additional_instructions',
  'template documents document prediction suffix prefix reasoning_content thinking refusal arguments output result',
  'transcript quote name filename filenames tool_name tool_prompt chat_template variables',
)

/** Names of fields in the references of the APIs. */
export const KNOWN_KEYS: ReadonlySet<string> = new Set([
  ...SETTINGS,
  ...SYSTEM_FIELDS,
  ...PROSE_KEYS,
  ...set(
    // Messages, parts, calls and items.
    'messages role parts type index status object created created_at createdAt completed_at tool_calls tool_call_id',
    'tool_use_id call_id item_id response_id function strict parameters input_schema schema properties required',
    'image_url images image url detail alt summary source source_type media_type mime_type mediaType mimeType',
    'data file file_id',
    'file_url file_data input_audio signature encrypted_content encrypted_index redacted_thinking citations',
    'annotations is_error server_name caller phase reasoning_details action actions queries results outputs code',
    'container_id approve approval_request_id acknowledged_safety_checks pending_safety_checks start_index end_index',
    'start_char_index end_char_index document_index document_title cited_text page_age search_result_index',
    'logs stdout stderr return_code exit_code outcome commands command timeout_ms max_output_length operation',
    'path diff',
    'button keys scroll_x scroll_y x y experimental_attachments toolInvocations toolInvocation toolCallId toolName',
    'state args preliminary providerExecuted providerMetadata callProviderMetadata contentType sourceId messageId',
    'extra_content google openai anthropic thought_signature thoughtSignature itemId reasoningEncryptedContent',
    'redactedData tool_name threadId runId parentRunId subagentRunId interruptId protocolVersion forwardedProps resume',
    'payload toolCalls encryptedValue method params agentId body command update goto configurable recursion_limit',
    'thread_id checkpoint_ns additional_kwargs response_metadata usage_metadata invalid_tool_calls',
    // Assistants.
    'thread additional_messages additional_instructions tool_outputs tool_resources attachments image_file file_ids',
    'max_prompt_tokens truncation_strategy last_messages vector_stores chunking_strategy static',
    // The Model Context Protocol.
    'jsonrpc error message progressToken requestId taskId elicitationId _meta clientInfo serverInfo capabilities',
    'roots sampling elicitation experimental tasks requests form prompts resources resourceTemplates completions',
    'logging listChanged subscribe cursor nextCursor uri uriTemplate argument ref level logger progress total reason',
    'systemPrompt includeContext modelPreferences hints costPriority speedPriority intelligencePriority blob audience',
    'requestedSchema structuredContent isError contents completion values hasMore lastModified icons src sizes theme',
    'websiteUrl inputSchema outputSchema execution taskSupport readOnlyHint destructiveHint idempotentHint task',
    'openWorldHint ttl pollInterval statusMessage lastUpdatedAt',
    // Settings within settings.
    'include_usage include_obfuscation effort budget_tokens max_uses allowed_tools allowed_domains blocked_domains',
    'search_context_size user_location approximate city country region timezone voice ttl scope mode tool tools',
    'disable_parallel_tool_use generate_summary json_schema json verbosity exclude enabled edits trigger keep value',
    'clear_at_least exclude_tools clear_tool_inputs compact_threshold skills skill_id version order sort only',
    'allow_fallbacks require_parameters data_collection quantizations max_price ignore max_results search_prompt',
    'engine display_width display_height display_width_px display_height_px display_number environment',
    'vector_store_ids max_num_results ranking_options ranker score_threshold filters server_label server_url',
    'require_approval headers authorization authorization_token tool_configuration defer_loading namespace syntax',
    'definition partial_images quality size background moderation output_compression input_fidelity',
    // Gemini, whose API takes both spellings.
    'contents systemInstruction system_instruction safetySettings safety_settings category threshold method',
    'inlineData inline_data functionCall function_call functionResponse function_response videoMetadata',
    'video_metadata startOffset start_offset endOffset end_offset fps thought stopSequences stop_sequences',
    'maxOutputTokens topP topK candidateCount candidate_count presencePenalty frequencyPenalty responseLogprobs',
    'response_logprobs responseMimeType response_mime_type responseSchema response_schema responseJsonSchema',
    'response_json_schema responseModalities response_modalities thinkingConfig thinking_config includeThoughts',
    'include_thoughts thinkingBudget thinking_budget thinkingLevel thinking_level mediaResolution media_resolution',
    'functionDeclarations function_declarations parametersJsonSchema parameters_json_schema functionCallingConfig',
    'function_calling_config allowedFunctionNames allowed_function_names googleSearch google_search codeExecution',
    'code_execution urlContext url_context executableCode executable_code codeExecutionResult code_execution_result',
    'language response willContinue will_continue scheduling cachedContent cached_content',
    // Cohere.
    'tool_plan citation_options safety_mode strict_tools token_budget p k',
    // Bedrock Converse.
    'toolUseId toolSpec inputSchema toolConfig toolChoice auto any inferenceConfig maxTokens guardrailConfig',
    'guardrailIdentifier guardrailVersion trace streamProcessingMode additionalModelRequestFields promptVariables',
    'additionalModelResponseFieldPaths requestMetadata performanceConfig serviceTier outputConfig cachePoint',
    'qualifiers',
    // Options of Ollama and llama.cpp.
    'num_ctx num_keep num_predict num_batch num_gpu main_gpu num_thread num_gqa use_mmap use_mlock low_vram numa',
    'tfs_z mirostat mirostat_tau mirostat_eta penalize_newline repeat_last_n dynatemp_range dynatemp_exponent',
  ),
])

/** Values from fixed lists: types, roles, levels, states. */
export const FIXED_VALUES = set(
  // Roles, parts, calls, items.
  'content user assistant system developer tool function text input_text output_text summary_text reasoning_text',
  'refusal',
  'thinking redacted_thinking tool_use server_tool_use mcp_tool_use tool_call tool_result mcp_tool_result',
  'search_result tool_reference image_url input_image image document message reasoning compaction program',
  'function_call function_call_output custom_tool_call custom_tool_call_output file_search_call web_search_call',
  'computer_call computer_call_output code_interpreter_call local_shell_call local_shell_call_output shell_call',
  'shell_call_output apply_patch_call apply_patch_call_output tool_search_call tool_search_output mcp_call',
  'mcp_list_tools mcp_approval_request mcp_approval_response program_output item_reference compaction_trigger',
  'additional_tools web_search_tool_result web_fetch_tool_result code_execution_tool_result web_search_result',
  'bash_code_execution_tool_result text_editor_code_execution_tool_result tool_search_tool_result url_citation',
  'file_citation char_location page_location content_block_location search_result_location computer_screenshot',
  'web_search_result_location base64 url file file_id reasoning.text reasoning.summary reasoning.encrypted',
  'dynamic-tool tool-invocation tool-call tool-result source-url source-document step-start file source',
  'exit logs search click double_click drag keypress move screenshot scroll type wait open_page find_in_page',
  // States.
  'in_progress completed incomplete failed searching calling partial call result input-streaming input-available',
  'output-available output-error streaming done stop length tool_calls content_filter end_turn max_tokens',
  'stop_sequence pause_turn commentary final_answer submit-message regenerate-message resume-stream',
  // Settings.
  'auto none any required allowed_tools default flex scale priority standard_only standard minimal low medium high',
  'xhigh max json json_object json_schema grammar regex lark enabled disabled adaptive ephemeral 5m 1h 24h',
  'in_memory approximate concise detailed original audio wav mp3 flac opus pcm16 aac alloy ash ballad coral echo',
  'fable nova onyx sage shimmer verse marin cedar direct truncation drop middle-out web true false null all',
  'clear_tool_uses_20250919 clear_thinking_20251015 compact_20260112 tool_uses input_tokens always never on off',
  'bedrock-2023-05-31 2023-06-01 throughput price latency hidden parsed raw outlines xgrammar lm-format-enforcer',
  'reasoning.encrypted_content file_search_call.results web_search_call.results web_search_call.action.sources',
  'message.input_image.image_url computer_call_output.output.image_url code_interpreter_call.outputs',
  'message.output_text.logprobs',
  // LangGraph.
  'values updates messages messages-tuple events debug tasks checkpoints interrupt rollback enqueue reject create',
  'continue cancel delete keep sync async exit',
  // The Model Context Protocol.
  'initialize ping tools/list tools/call prompts/list prompts/get resources/list resources/read resources/subscribe',
  'resources/unsubscribe resources/templates/list completion/complete logging/setLevel roots/list elicitation/create',
  'sampling/createMessage tasks/get tasks/list tasks/result tasks/cancel notifications/initialized',
  'notifications/cancelled notifications/progress notifications/message notifications/roots/list_changed',
  'notifications/tools/list_changed notifications/prompts/list_changed notifications/resources/list_changed',
  'notifications/resources/updated notifications/tasks/status notifications/elicitation/complete ref/prompt',
  'ref/resource resource resource_link debug info notice warning critical alert emergency thisServer allServers',
  'accept decline endTurn stopSequence maxTokens toolUse working input_required forbidden optional light dark',
  '2024-10-07 2024-11-05 2025-03-26 2025-06-18 2025-11-25',
  // AG-UI and CopilotKit.
  'agent/run agent/connect agent/suggest resolved cancelled',
  // Embeddings and images.
  'float int8 uint8 binary ubinary search_document search_query b64_json png jpeg webp transparent opaque hd vivid',
  'natural 256x256 512x512 1024x1024 1536x1024 1024x1536 1792x1024 1024x1792',
  // Built-in tools.
  'file_search web_search web_search_preview web_search_preview_2025_03_11 web_search_2025_08_26 computer',
  'computer_use_preview code_interpreter image_generation local_shell shell apply_patch custom mcp',
  'web_search_20250305 web_fetch_20250910 code_execution_20250522 code_execution_20250825 bash_20250124',
  'text_editor_20250124 text_editor_20250429 text_editor_20250728 computer_20250124 computer_20251124',
  'memory_20250818',
  // Gemini.
  'HARM_CATEGORY_HARASSMENT HARM_CATEGORY_HATE_SPEECH HARM_CATEGORY_SEXUALLY_EXPLICIT BLOCK_NONE OFF',
  'HARM_CATEGORY_DANGEROUS_CONTENT HARM_CATEGORY_CIVIC_INTEGRITY BLOCK_LOW_AND_ABOVE BLOCK_MEDIUM_AND_ABOVE',
  'BLOCK_ONLY_HIGH AUTO ANY NONE VALIDATED TEXT IMAGE AUDIO PYTHON OUTCOME_OK OUTCOME_FAILED',
  'OUTCOME_DEADLINE_EXCEEDED MINIMAL LOW MEDIUM HIGH MEDIA_RESOLUTION_LOW MEDIA_RESOLUTION_MEDIUM',
  'MEDIA_RESOLUTION_HIGH text/x.enum',
  // Bedrock Converse.
  'success error optimized grounding_source query guard_content sync async txt md csv html',
  // Cohere.
  'CONTEXTUAL STRICT FAST ACCURATE REQUIRED',
  // Media types.
  'image/png image/jpeg image/jpg image/gif image/webp text/plain text/markdown text/html text/csv application/json',
  'application/pdf',
)

/** Fields whose value is an identifier. */
export const ID_KEYS = set(
  'progressToken requestId taskId elicitationId',
  'threadId runId parentRunId subagentRunId interruptId thread_id checkpoint_id id tool_call_id tool_use_id',
  'call_id item_id response_id previous_response_id conversation request_id file_id',
  'container container_id approval_request_id vector_store_ids skill_id toolCallId toolUseId messageId sourceId itemId',
)
/** Fields whose value is the name of a model. */
export const MODEL_KEYS = set('model models adapter_id lora')

/** Objects that are judged as the JSON text that a model reads: arguments of tool calls, and schemas. */
export const JSON_KEYS = set(
  'input arguments args output result parameters input_schema schema guided_json json filters',
  'parametersJsonSchema parameters_json_schema responseSchema response_schema responseJsonSchema response_json_schema',
)

/** Fields whose numbers are text in the code of a tokenizer that the guard lacks. */
export const TOKEN_KEYS = set(
  'input_ids inputIds token_ids tokenIds prompt_token_ids promptTokenIds decoder_input_ids tokens prompt_ids',
  'prompt input query question message context text content inputs_embeds prompt_embeds promptEmbeds char_codes',
  'charCodes codepoints code_points bytes',
)
/** Settings whose values are token ids. They force or forbid output, which is judged. */
export const TOKEN_SETTINGS = set('stop_token_ids logit_bias bad_words_ids allowed_token_ids')

/** Fields of encrypted or signed data, by the type of the part they stand in. */
export const BLOBS_OF_TYPE: ReadonlyMap<unknown, ReadonlySet<string>> = new Map([
  ['thinking', set('signature')],
  ['redacted_thinking', set('data')],
  ['reasoning', set('encrypted_content signature')],
  ['compaction', set('encrypted_content')],
  ['function', set('encryptedValue')],
  ['reasoning.encrypted', set('data')],
  ['reasoning.text', set('signature')],
  ['web_search_result', set('encrypted_content')],
  ['web_search_result_location', set('encrypted_index')],
])
/** Fields of encrypted or signed data, by the vendor whose name stands above them. */
export const BLOBS_OF_VENDOR: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['google', set('thought_signature thoughtSignature')],
  ['openai', set('reasoningEncryptedContent')],
  ['anthropic', set('signature redactedData')],
])
