// Replies as servers give them, with all that they put beside the words.
import { aiSdk } from '../../src/dialects/ai-sdk.js'
import { anthropicMessages } from '../../src/dialects/anthropic-messages.js'
import { bedrockConverse } from '../../src/dialects/bedrock-converse.js'
import { cohereChat } from '../../src/dialects/cohere-chat.js'
import type { Dialect } from '../../src/dialects/dialect.js'
import { geminiInteractions } from '../../src/dialects/gemini-interactions.js'
import { gemini } from '../../src/dialects/gemini.js'
import { generic } from '../../src/dialects/generic.js'
import { mcp } from '../../src/dialects/mcp.js'
import { ollamaChat } from '../../src/dialects/ollama-chat.js'
import { openaiChat } from '../../src/dialects/openai-chat.js'
import { openaiResponses } from '../../src/dialects/openai-responses.js'

export const WORDS = 'Boats float.'
export const SEALED = 'gAAAAABo'.repeat(90)
const usage = {
  prompt_tokens: 9,
  completion_tokens: 3,
  total_tokens: 12,
  prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 0, accepted_prediction_tokens: 0 },
}
const chatReply = (more: object = {}, choice: object = {}, message: object = {}): object => ({
  id: 'chatcmpl-CBqVOoXyKq3R9Zk2',
  object: 'chat.completion',
  created: 1756315657,
  model: 'gpt-4.1-2025-04-14',
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: WORDS, ...message },
      logprobs: null,
      finish_reason: 'stop',
      ...choice,
    },
  ],
  usage,
  ...more,
})
const filtered = { hate: { filtered: false, severity: 'safe' }, jailbreak: { filtered: false, detected: false } }
const token = { token: ' float', logprob: -0.02, bytes: [32, 102] }

export const CHATS: Readonly<Record<string, object>> = {
  OpenAI: chatReply(
    { service_tier: 'default', system_fingerprint: 'fp_c79ab13e31' },
    {},
    { refusal: null, annotations: [] },
  ),
  'OpenAI with log probabilities': chatReply(
    {},
    { logprobs: { content: [{ ...token, top_logprobs: [token] }], refusal: null } },
  ),
  Azure: chatReply(
    { prompt_filter_results: [{ prompt_index: 0, content_filter_results: filtered }] },
    { content_filter_results: filtered },
  ),
  OpenRouter: chatReply(
    { id: 'gen-1756315657-AbCdEf0123', provider: 'Google' },
    { native_finish_reason: 'STOP' },
    {
      refusal: null,
      reasoning: null,
      reasoning_details: [
        { type: 'reasoning.encrypted', data: SEALED, id: 'rs_1', format: 'openai-responses-v1', index: 0 },
      ],
    },
  ),
  Groq: chatReply({ usage_breakdown: null, x_groq: { id: 'req_01k3' }, service_tier: 'on_demand' }),
  vLLM: chatReply(
    {
      prompt_logprobs: [null, { '5207': { logprob: -1.2, rank: 1, decoded_token: ' boats' } }],
      prompt_token_ids: null,
      prompt_text: null,
      kv_transfer_params: null,
      ec_transfer_params: null,
      metrics: null,
      service_tier: null,
      system_fingerprint: null,
    },
    { stop_reason: null, token_ids: null, routed_experts: null },
    { refusal: null, annotations: null, audio: null, function_call: null, tool_calls: [], reasoning_content: null },
  ),
  SGLang: chatReply(
    { metadata: { weight_version: 'default' } },
    { matched_stop: 151645 },
    { reasoning_content: null, tool_calls: null },
  ),
  'llama.cpp': chatReply({
    timings: { prompt_n: 9, predicted_per_second: 31.5 },
    system_fingerprint: 'b6301-d35a1e8c4',
  }),
  'LM Studio': chatReply({
    stats: { tokens_per_second: 51.4, stop_reason: 'eosFound' },
    model_info: { arch: 'llama' },
    runtime: { name: 'x' },
  }),
  DeepSeek: chatReply({ usage: { ...usage, prompt_cache_hit_tokens: 0 } }),
  Mistral: chatReply(
    { id: 'cmpl-e5cc70bb28c444948073e77776eb30ef', p: 'abcdefghijklm' },
    {},
    { tool_calls: null, prefix: false },
  ),
  LiteLLM: chatReply(
    {},
    { provider_specific_fields: { native_finish_reason: 'end_turn', stop_sequence: 'END' } },
    {
      thinking_blocks: [{ type: 'redacted_thinking', data: SEALED }],
      provider_specific_fields: { citations: null, thinking_blocks: [{ type: 'redacted_thinking', data: SEALED }] },
    },
  ),
  Together: chatReply({ id: 'o8cVzdB-2j9zxn-944a5d8b2f7d9f1a' }, { seed: 1234 }, { tool_calls: [] }),
}

export const WHOLE: readonly (readonly [name: string, dialect: Dialect, reply: object])[] = [
  ...Object.entries(CHATS).map(([name, reply]) => [name, openaiChat, reply] as const),
  [
    'Responses',
    openaiResponses,
    {
      id: 'resp_68af4030592c81938ec0a5fbab4a3e9f',
      object: 'response',
      created_at: 1756315696,
      status: 'completed',
      background: false,
      error: null,
      incomplete_details: null,
      instructions: null,
      max_output_tokens: null,
      max_tool_calls: null,
      model: 'gpt-5-2025-08-07',
      output: [
        {
          id: 'msg_68af403384ac8193',
          type: 'message',
          status: 'completed',
          content: [{ type: 'output_text', annotations: [], logprobs: [], text: WORDS }],
          role: 'assistant',
        },
        { id: 'rs_68af4030baa48193', type: 'reasoning', summary: [], encrypted_content: SEALED },
      ],
      parallel_tool_calls: true,
      previous_response_id: 'resp_abc',
      prompt_cache_key: null,
      reasoning: { effort: 'minimal', summary: null },
      moderation: null,
      prompt: null,
      safety_identifier: null,
      service_tier: 'default',
      store: true,
      temperature: 1.0,
      text: { format: { type: 'text' }, verbosity: 'medium' },
      tool_choice: 'auto',
      tools: [
        {
          type: 'web_search',
          filters: null,
          search_context_size: 'medium',
          user_location: { type: 'approximate', city: null, country: 'US', region: null, timezone: null },
        },
      ],
      top_logprobs: 0,
      top_p: 1.0,
      truncation: 'disabled',
      usage: { input_tokens: 11, input_tokens_details: { cached_tokens: 0 }, output_tokens: 18, total_tokens: 29 },
      user: null,
      metadata: {},
    },
  ],
  [
    'Messages',
    anthropicMessages,
    {
      id: 'msg_01XFDUDYJgAACzvnptvVoYEL',
      type: 'message',
      role: 'assistant',
      model: 'claude-sonnet-4-20250514',
      content: [
        { type: 'redacted_thinking', data: SEALED },
        { type: 'text', text: WORDS, citations: null },
      ],
      stop_reason: 'end_turn',
      stop_sequence: null,
      container: { id: 'container_011', expires_at: '2026-05-23T21:13:31.749448Z' },
      context_management: { applied_edits: [] },
      diagnostics: null,
      usage: {
        input_tokens: 9,
        cache_creation: { ephemeral_5m_input_tokens: 0 },
        output_tokens: 3,
        service_tier: 'standard',
      },
    },
  ],
  [
    'Gemini',
    gemini,
    {
      candidates: [
        {
          content: { parts: [{ text: WORDS, thoughtSignature: SEALED }], role: 'model' },
          finishReason: 'STOP',
          index: 0,
          avgLogprobs: -0.1,
          safetyRatings: [{ category: 'HARM_CATEGORY_HARASSMENT', probability: 'NEGLIGIBLE' }],
        },
      ],
      usageMetadata: { promptTokenCount: 9, promptTokensDetails: [{ modality: 'TEXT', tokenCount: 9 }] },
      modelVersion: 'gemini-2.5-flash',
      responseId: 'c1uvaL6lGpSXkdUPpc6z0Qs',
      createTime: '2026-08-27T17:27:37Z',
    },
  ],
  [
    'Interactions',
    geminiInteractions,
    {
      id: 'v1_ChdPU0F4YWFtNkFwS2kxZThQZ05lbXdROBIX',
      object: 'interaction',
      model: 'gemini-3-flash-preview',
      status: 'completed',
      created: '2026-05-20T10:27:37Z',
      updated: '2026-05-20T10:27:39Z',
      service_tier: 'standard',
      steps: [
        { type: 'thought', signature: SEALED },
        { type: 'model_output', content: [{ type: 'text', text: WORDS }] },
      ],
      usage: {
        total_tokens: 12,
        input_tokens_by_modality: [{ modality: 'text', tokens: 9 }],
        total_thought_tokens: 0,
      },
    },
  ],
  [
    'Interactions of an older revision',
    geminiInteractions,
    {
      id: 'int_123',
      role: 'model',
      outputs: [
        { type: 'thought', signature: SEALED },
        { type: 'text', text: WORDS },
      ],
    },
  ],
  [
    'Converse',
    bedrockConverse,
    {
      metrics: { latencyMs: 551 },
      output: { message: { role: 'assistant', content: [{ text: WORDS }] } },
      stopReason: 'end_turn',
      usage: { inputTokens: 9, outputTokens: 3, totalTokens: 12, cacheReadInputTokens: 0 },
      performanceConfig: { latency: 'standard' },
    },
  ],
  [
    'Cohere',
    cohereChat,
    {
      id: 'c1',
      finish_reason: 'COMPLETE',
      message: { role: 'assistant', content: [{ type: 'text', text: WORDS }] },
      usage: { billed_units: { input_tokens: 9 }, tokens: { input_tokens: 9 }, cached_tokens: 0 },
      logprobs: [{ token_ids: [1, 2], text: 'Boats float.', logprobs: [-0.1, -0.2] }],
    },
  ],
  [
    'Ollama',
    ollamaChat,
    {
      model: 'llama3.2:latest',
      created_at: '2026-08-27T17:27:37.123456789Z',
      message: { role: 'assistant', content: WORDS },
      done_reason: 'stop',
      done: true,
      total_duration: 4935886791,
      load_duration: 534986708,
      prompt_eval_count: 26,
      prompt_eval_duration: 107345000,
      eval_count: 3,
      eval_duration: 4289432000,
    },
  ],
  [
    'a UI message',
    aiSdk,
    { id: 'Wm2z', role: 'assistant', parts: [{ type: 'step-start' }, { type: 'text', text: WORDS, state: 'done' }] },
  ],
  [
    'MCP',
    mcp,
    {
      jsonrpc: '2.0',
      id: 'c1',
      result: { content: [{ type: 'text', text: WORDS, annotations: { audience: ['user'] } }], isError: false },
    },
  ],
  [
    'an API of one’s own',
    generic,
    { id: 'run-7', reply: WORDS, createdAt: '2026-01-01', model: 'm', status: 'ok', conversation_id: 'c1' },
  ],
]
