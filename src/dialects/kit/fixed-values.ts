// The values from fixed lists that the API references put into requests: types, roles, levels, states.
import { wordSet } from './word-set.js'

export const FIXED_VALUES = wordSet(
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
  'image/png image/jpeg image/jpg image/gif image/webp image/bmp image/tiff image/avif image/heic image/heif',
  'text/plain text/markdown text/html text/csv text/xml text/css text/javascript application/json application/xml',
  'application/javascript application/yaml application/x-yaml application/toml application/x-ndjson application/pdf',
)
