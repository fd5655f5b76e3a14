// Reads the top-level fields of a request that are not the conversation: settings, prose for the model, and
// the unknown.
// A known setting is skipped only while it looks like one; prose in it is judged like a system prompt.
import { isIdentifier, type TextWalker } from './text-walker.js'
import type { RequestBuilder } from './request-builder.js'

/** Settings of OpenAI, vLLM, TGI, OpenRouter, Anthropic and Ollama requests. */
const SETTINGS = new Set([
  'model',
  'models',
  'n',
  'best_of',
  'stream',
  'stream_options',
  'stop',
  'stop_sequences',
  'stop_token_ids',
  'max_tokens',
  'max_completion_tokens',
  'max_output_tokens',
  'max_new_tokens',
  'min_tokens',
  'temperature',
  'top_p',
  'top_k',
  'min_p',
  'typical_p',
  'top_a',
  'top_logprobs',
  'logprobs',
  'logit_bias',
  'presence_penalty',
  'frequency_penalty',
  'repetition_penalty',
  'length_penalty',
  'seed',
  'user',
  'metadata',
  'store',
  'service_tier',
  'safety_identifier',
  'prompt_cache_key',
  'prompt_cache_retention',
  'prompt_cache_options',
  'parallel_tool_calls',
  'tool_choice',
  'function_call',
  'modalities',
  'audio',
  'reasoning',
  'reasoning_effort',
  'verbosity',
  'web_search_options',
  'moderation',
  'echo',
  'ignore_eos',
  'skip_special_tokens',
  'spaces_between_special_tokens',
  'add_generation_prompt',
  'continue_final_message',
  'add_special_tokens',
  'include_stop_str_in_output',
  'use_beam_search',
  'truncate_prompt_tokens',
  'prompt_logprobs',
  'priority',
  'request_id',
  'mm_processor_kwargs',
  'logits_processors',
  'return_tokens_as_token_ids',
  'kv_transfer_params',
  'guided_decoding_backend',
  'provider',
  'route',
  'transforms',
  'plugins',
  'usage',
  'include_reasoning',
  'background',
  'context_management',
  'conversation',
  'include',
  'max_tool_calls',
  'previous_response_id',
  'truncation',
  'thinking',
  'container',
  'inference_geo',
  'speed',
  'cache_control',
  'anthropic_version',
  'anthropic_beta',
  'betas',
  'user_profile_id',
  'workspace_id',
  'options',
  'keep_alive',
  'think',
  'id',
  'do_sample',
  'details',
  'return_full_text',
  'adapter_id',
  'lora',
])

/** Fields whose words reach the model. */
const PROSE = new Set([
  'tools',
  'functions',
  'response_format',
  'prediction',
  'instructions',
  'system',
  'template',
  'chat_template',
  'chat_template_kwargs',
  'documents',
  'guided_json',
  'guided_regex',
  'guided_choice',
  'guided_grammar',
  'structured_outputs',
  'grammar',
  'tool_prompt',
  'output_config',
  'output_format',
  'mcp_servers',
  'format',
  'text',
])

const MAX_NAME = 64
const MAX_NAMES = 8

/** `read` names the fields the dialect has already taken as the conversation. */
export function readParameters(
  body: Readonly<Record<string, unknown>>,
  read: ReadonlySet<string>,
  walker: TextWalker,
  builder: RequestBuilder,
): void {
  const names: string[] = []
  for (const key of Object.keys(body)) {
    if (read.has(key)) continue
    const value = body[key]
    if (SETTINGS.has(key)) readSetting(key, value, walker, builder)
    else if (PROSE.has(key)) readProse(key, value, walker, builder)
    else readUnknown(key, value, walker, builder, names)
  }
  // A word in each of many fields makes a sentence.
  if (names.length > MAX_NAMES) builder.extra(names.join('\n'))
}

function readSetting(key: string, value: unknown, walker: TextWalker, builder: RequestBuilder): void {
  // Most settings are one number, flag or word.
  if (typeof value !== 'object' && (typeof value !== 'string' || value === '' || walker.free(value))) return
  walkAll(walker, key, value, (text, path) => {
    if (!walker.free(text) && !isStop(path, text)) builder.system(text)
  })
}

function readProse(key: string, value: unknown, walker: TextWalker, builder: RequestBuilder): void {
  // `format: "json"` and the like: a setting in a field that could hold a schema.
  if (typeof value === 'string' && key !== 'system' && key !== 'instructions' && walker.free(value)) return
  walkAll(walker, key, value, (text) => builder.system(text))
}

function readUnknown(key: string, value: unknown, walker: TextWalker, builder: RequestBuilder, names: string[]): void {
  const texts: string[] = []
  walkAll(walker, key, value, (text) => texts.push(text))
  const [only] = texts
  if (texts.length === 1 && only !== undefined && isIdentifier(only, MAX_NAME) && !isSentence(only)) names.push(only)
  else builder.extra(texts.join('\n'))
}

/** Words joined by other signs than blanks, or by capitals: a model reads `tell_me_how_to` as it reads prose. */
function isSentence(name: string): boolean {
  const words = name.split(/[\W_]+/).filter((part) => /^[A-Za-z]{2,}$/.test(part))
  return words.length > 2 || /^[A-Za-z]?[a-z]+(?:[A-Z][a-z]*){2,}$/.test(name)
}

function walkAll(walker: TextWalker, key: string, value: unknown, emit: (text: string, path: string) => void): void {
  // Wrapped, so that a key that is prose is judged with its value.
  walker.walk({ [key]: value }, (path, text) => emit(text, path))
}

/**
 * Stop strings are often punctuation or markers, which the identifier rule does not know. The model never
 * sees them.
 */
function isStop(path: string, text: string): boolean {
  return /(?:^|\.)stop(?:_sequences)?(?:\.\d+)?$/.test(path) && /^[!-~]{0,32}$/.test(text.trim())
}
