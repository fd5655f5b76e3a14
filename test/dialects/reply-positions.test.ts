// Every place of every dialect's reply and stream where a string can stand carries planted words once, on the wire: as
// a value and as a key. They are judged before they leave, or the reply is refused, but for the fields of servers.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ask, guarded, onNode } from '../helpers/apps.js'
import { markerGuard } from '../helpers/guards.js'
import { chat, serve, type Running } from '../helpers/http.js'
import { crossed, few } from '../helpers/sampled.js'

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
const PLANTED = 'planted words of harm'

/** The words as prose, and as an id is written. */
const CLOTHES: Readonly<Record<string, string>> = { 'with blanks': PLANTED, dashed: PLANTED.replaceAll(' ', '-') }

/** The fields that servers fill, by name: dashed words in them are taken for an id. `SERVERS_PLACE` holds no words. */
const SERVERS = new Set(
  `event_type event_id interaction_id updated is_error type id role index token status logprob file_id model object messageId mimeType code created_at signature
  toolCallId service_tier finish_reason toolUseId stop_reason run_id created tokenId threadId theme taskSupport
  system_fingerprint stopReason start_index start severity runId probability priority op mode logProbability
  lastModified jsonrpc format end_index end encrypted_content contentBlockIndex category call_id assistant_id
  activityType tokenCount timestamp thoughtSignature subtype stop_sequence stepName startIndex size sequence_number
  responseId progressToken progress modality partial_image_index output_index outcome obfuscation nextCursor
  modelVersion method level language item_id finishReason eval_count entityId endIndex provider encryptedValue
  done_reason document_index content_index attempt total total_tokens text_offset token_ids logprobs audience sizes
  b64_json embedding embeddings`.split(/\s+/),
)
/** Objects of counts and settings, names included. */
const SERVERS_PLACE =
  /\.(?:usage|usageMetadata|metrics|capabilities|performanceConfig|serviceTier|safetyRatings|execution|toolChoice|incomplete_details|top_logprobs)\.|^\d\.1\./
/** Columns of log probabilities. A token may have a blank. */
const TOKENS = /logprobs(?:Result)?\..*(?:token|token_?s\.\d+|text|bytes\.\d+|Ho(?: \(key\))?)$/

const isServers = (where: string, words: string): boolean =>
  TOKENS.test(where) ||
  (words !== PLANTED && (SERVERS_PLACE.test(where) || SERVERS.has(/(\w+)(?:\.\d+)*$/.exec(where)?.[1] ?? '')))

/** The value once for each of its strings, keys and numbers, with the planted words in that place. */
function* plantings(value: Json, words = PLANTED, path = ''): Generator<readonly [string, Json]> {
  if (typeof value === 'string' || typeof value === 'number') yield [path, words]
  else if (Array.isArray(value))
    for (const [at, item] of value.entries())
      for (const [where, planted] of plantings(item, words, `${path}.${at}`))
        yield [where, value.map((each, other) => (other === at ? planted : each))]
  else if (typeof value === 'object' && value !== null)
    for (const [key, child] of Object.entries(value)) {
      const { [key]: _, ...rest } = value
      yield [`${path}.${key} (key)`, { ...rest, [words]: child }]
      for (const [where, planted] of plantings(child, words, `${path}.${key}`))
        yield [where, { ...value, [key]: planted }]
    }
}

const logprob = {
  token: 'Hi',
  logprob: -0.1,
  bytes: [72, 105],
  top_logprobs: [{ token: 'Ho', logprob: -2, bytes: null }],
}
const call = { index: 0, id: 'call_1', type: 'function', function: { name: 'f', arguments: '{"a":"b"}' } }
const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3, cost_details: { provider: 'x' } }
const message = {
  role: 'assistant',
  content: 'Hi',
  refusal: null,
  reasoning_content: 'thinking',
  reasoning_details: [{ type: 'reasoning.text', id: 'r', format: 'x', text: 'so', signature: 'c2ln' }],
  annotations: [
    { type: 'url_citation', url_citation: { url: 'https://a.test', title: 'A', start_index: 0, end_index: 1 } },
  ],
  tool_calls: [call],
  function_call: { name: 'f', arguments: '{}' },
}
const head = {
  id: 'chatcmpl-1',
  created: 1,
  model: 'demo',
  system_fingerprint: 'fp_1',
  service_tier: 'default',
  provider: 'p',
}
const textPart = {
  type: 'output_text',
  text: 'Hi',
  annotations: [{ type: 'file_citation', file_id: 'file_1', filename: 'a.txt', index: 0 }],
  logprobs: [logprob],
}
const item = { id: 'msg_1', type: 'message', role: 'assistant', status: 'completed', content: [textPart] }
const response = {
  id: 'resp_1',
  object: 'response',
  created_at: 1,
  status: 'completed',
  model: 'demo',
  instructions: 'be kind',
  metadata: { a: 'b' },
  output: [
    item,
    { id: 'fc_1', type: 'function_call', call_id: 'call_1', name: 'f', arguments: '{"a":"b"}', status: 'completed' },
    { id: 'rs_1', type: 'reasoning', summary: [{ type: 'summary_text', text: 'so' }], encrypted_content: 'c2ln' },
  ],
  usage: { input_tokens: 1, output_tokens: 2, total_tokens: 3 },
}
const anthropic = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'demo',
  content: [
    { type: 'thinking', thinking: 'so', signature: 'c2ln' },
    {
      type: 'text',
      text: 'Hi',
      citations: [{ type: 'char_location', cited_text: 'a', document_title: 'A', document_index: 0 }],
    },
    { type: 'tool_use', id: 'toolu_1', name: 'f', input: { a: 'b', c: ['d'] } },
  ],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 1, output_tokens: 2, service_tier: 'standard' },
}
const ollama = {
  model: 'demo',
  created_at: '2026-01-01T00:00:00Z',
  message: {
    role: 'assistant',
    content: 'Hi',
    thinking: 'so',
    tool_calls: [{ function: { name: 'f', arguments: { a: 'b' } } }],
  },
  done_reason: 'stop',
  done: true,
  eval_count: 2,
}

const safetyRatings = [{ category: 'HARM_CATEGORY_HARASSMENT', probability: 'LOW', severity: 'LOW' }]
const gemini = {
  candidates: [
    {
      index: 0,
      content: {
        role: 'model',
        parts: [
          { text: 'so', thought: true, thoughtSignature: 'c2ln' },
          { text: 'Hi' },
          { functionCall: { id: 'c1', name: 'f', args: { a: 'b', c: ['d'] } } },
          { functionCall: { name: 'g', partialArgs: [{ jsonPath: '$.a', stringValue: 'b', willContinue: true }] } },
          { executableCode: { language: 'PYTHON', code: 'print(1)' } },
          { codeExecutionResult: { outcome: 'OUTCOME_OK', output: '1' } },
        ],
      },
      finishReason: 'STOP',
      finishMessage: 'ok',
      safetyRatings,
      citationMetadata: { citations: [{ startIndex: 0, endIndex: 1, uri: 'https://a.test', license: 'mit' }] },
      groundingMetadata: { webSearchQueries: ['q'], groundingChunks: [{ web: { uri: 'https://a.test', title: 'A' } }] },
      logprobsResult: {
        chosenCandidates: [{ token: 'Hi', tokenId: 1, logProbability: -0.1 }],
        topCandidates: [{ candidates: [{ token: 'Ho', tokenId: 2, logProbability: -2 }] }],
      },
    },
  ],
  promptFeedback: { safetyRatings },
  usageMetadata: { promptTokenCount: 1, promptTokensDetails: [{ modality: 'TEXT', tokenCount: 1 }] },
  modelVersion: 'gemini-2.5-flash',
  responseId: 'r1',
}

const interaction = {
  id: 'v1_a',
  object: 'interaction',
  status: 'completed',
  model: 'm',
  created: '2026-05-20T10:27:37Z',
  usage: { total_tokens: 1, input_tokens_by_modality: [{ modality: 'text', tokens: 1 }] },
}
const urlCitation = { type: 'url_citation', url: 'https://a.test', title: 'A', start_index: 0, end_index: 1 }
const steps = [
  { type: 'thought', signature: 'c2ln', summary: [{ type: 'text', text: 'so' }] },
  { type: 'function_call', id: 'c1', name: 'f', arguments: { a: 'b', c: ['d'] } },
  { type: 'mcp_server_tool_result', call_id: 'c2', name: 'f', server_name: 's', result: [{ type: 'text', text: 'x' }] },
  { type: 'code_execution_call', id: 'c3', arguments: { language: 'python', code: 'print(1)' } },
  { type: 'code_execution_result', call_id: 'c3', result: '1', is_error: false },
  {
    type: 'google_search_result',
    call_id: 'c4',
    result: [{ search_suggestions: 'q', title: 'A', url: 'https://a.test' }],
  },
  { type: 'url_context_result', call_id: 'c5', result: [{ url: 'https://a.test', status: 'success' }] },
  { type: 'model_output', content: [{ type: 'text', text: 'Hi', annotations: [urlCitation] }] },
]

const cohereCall = { id: 'f_1', type: 'function', function: { name: 'f', arguments: '{"a":"b"}' } }
const citation = {
  start: 0,
  end: 1,
  text: 'H',
  type: 'TEXT_CONTENT',
  sources: [{ type: 'tool', id: 'f_1:0', tool_output: { a: 'b' } }],
}
const cohere = {
  id: 'c1',
  finish_reason: 'COMPLETE',
  message: {
    role: 'assistant',
    tool_plan: 'I look.',
    content: [
      { type: 'thinking', thinking: 'so' },
      { type: 'text', text: 'Hi' },
    ],
    tool_calls: [cohereCall],
    citations: [citation],
  },
  usage: { billed_units: { input_tokens: 1 }, tokens: { input_tokens: 1, output_tokens: 2 } },
  logprobs: [{ text: 'Hi', token_ids: [1], logprobs: [-0.1] }],
}

const converse = {
  output: {
    message: {
      role: 'assistant',
      content: [
        { reasoningContent: { reasoningText: { text: 'so', signature: 'c2ln' } } },
        { text: 'Hi' },
        { toolUse: { toolUseId: 'tooluse_1', name: 'f', input: { a: 'b', c: ['d'] } } },
        { citationsContent: { content: [{ text: 'c' }], citations: [{ title: 'A', sourceContent: [{ text: 's' }] }] } },
      ],
    },
  },
  stopReason: 'end_turn',
  usage: { inputTokens: 1, outputTokens: 2, totalTokens: 3 },
  metrics: { latencyMs: 1 },
  trace: { guardrail: { modelOutput: ['o'] } },
  performanceConfig: { latency: 'optimized' },
  serviceTier: { type: 'priority' },
}

const rpcTool = {
  name: 'search',
  title: 'Search',
  description: 'Finds.',
  inputSchema: { type: 'object', properties: { q: { type: 'string', description: 'd' } }, required: ['q'] },
  outputSchema: { type: 'object' },
  annotations: { title: 'T', readOnlyHint: true },
  execution: { taskSupport: 'optional' },
  icons: [{ src: 'https://a.test/i.png', mimeType: 'image/png', sizes: ['48x48'], theme: 'dark' }],
  _meta: { a: 'b' },
}
const rpcResult = {
  _meta: { a: 'b' },
  content: [
    {
      type: 'text',
      text: 'Hi',
      annotations: { audience: ['user'], priority: 1, lastModified: '2026-01-01T00:00:00Z' },
    },
    { type: 'resource', resource: { uri: 'note://1', mimeType: 'text/plain', text: 'n', _meta: { a: 'b' } } },
    { type: 'resource', resource: { uri: 'note://2', mimeType: 'text/plain', blob: 'aGVsbG8=' } },
    { type: 'resource_link', uri: 'note://3', name: 'n', title: 't', description: 'd', mimeType: 'text/plain' },
  ],
  structuredContent: { a: ['b', { c: 'd' }] },
  isError: false,
}
const rpc = (message: object): object => ({ jsonrpc: '2.0', ...message })

interface Api {
  readonly path: string
  readonly request?: object
  readonly reply: object
  readonly events: readonly object[]
  readonly lines?: boolean
  /** Names of the events. */
  readonly names?: readonly string[]
  /** The path on which it streams as an array, too. */
  readonly array?: string
}
const APIS: Readonly<Record<string, Api>> = {
  'Chat Completions': {
    path: '/v1/chat/completions',
    reply: {
      ...head,
      object: 'chat.completion',
      choices: [{ index: 0, message, logprobs: { content: [logprob], refusal: null }, finish_reason: 'stop' }],
      usage,
    },
    events: [
      {
        ...head,
        object: 'chat.completion.chunk',
        choices: [{ index: 0, delta: message, logprobs: { content: [logprob] }, finish_reason: 'stop' }],
        usage,
        obfuscation: 'x1',
      },
    ],
  },
  'legacy Completions': {
    path: '/v1/completions',
    request: { prompt: 'hi', stream: true },
    reply: {
      ...head,
      choices: [
        {
          index: 0,
          text: 'Hi',
          logprobs: { tokens: ['Hi'], top_logprobs: [{ Ho: -1 }], text_offset: [0] },
          finish_reason: 'stop',
        },
      ],
      usage,
    },
    events: [{ ...head, choices: [{ index: 0, text: 'Hi', logprobs: { tokens: ['Hi'] }, finish_reason: 'stop' }] }],
  },
  Responses: {
    path: '/v1/responses',
    request: { input: 'hi', stream: true },
    reply: response,
    events: [
      { type: 'response.created', sequence_number: 0, response: { ...response, output: [] } },
      { type: 'response.output_item.added', output_index: 0, item },
      {
        type: 'response.output_text.delta',
        item_id: 'msg_1',
        output_index: 0,
        content_index: 0,
        delta: 'Hi',
        logprobs: [logprob],
      },
      {
        type: 'response.output_text.annotation.added',
        item_id: 'msg_1',
        annotation: { type: 'url_citation', title: 'A' },
      },
      { type: 'response.completed', response },
    ],
  },
  'Responses with an object as output': {
    path: '/v1/responses',
    request: { input: 'hi', stream: true },
    reply: { ...response, output: item },
    events: [
      { type: 'response.completed', response: { ...response, output: item } },
      { type: 'response.completed', response: { ...response, output: { note: { a: 'b' } } } },
    ],
  },
  Messages: {
    path: '/v1/messages',
    reply: anthropic,
    events: [
      { type: 'message_start', message: { ...anthropic, content: [] } },
      {
        type: 'content_block_start',
        index: 0,
        content_block: { type: 'tool_use', id: 'toolu_1', name: 'f', input: { a: 'b' } },
      },
      { type: 'content_block_delta', index: 1, delta: { type: 'text_delta', text: 'Hi' } },
      {
        type: 'content_block_delta',
        index: 2,
        delta: { type: 'citations_delta', citation: { type: 'char_location', cited_text: 'a' } },
      },
      { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: 'x' }, usage: { output_tokens: 2 } },
    ],
  },
  'AG-UI': {
    path: '/agent',
    request: { threadId: 't', runId: 'r', messages: [{ id: '1', role: 'user', content: 'hi' }] },
    reply: { type: 'RUN_ERROR', message: 'Broken', code: 'c' },
    events: [
      {
        type: 'RUN_STARTED',
        threadId: 't',
        runId: 'r',
        input: { messages: [{ id: '1', role: 'user', content: 'hi' }] },
      },
      { type: 'STEP_STARTED', stepName: 'plan', timestamp: 1, rawEvent: { a: 'b' }, metadata: { a: 'b' } },
      { type: 'REASONING_MESSAGE_CONTENT', messageId: 'm0', delta: 'so' },
      { type: 'REASONING_ENCRYPTED_VALUE', subtype: 'message', entityId: 'm0', encryptedValue: 'c2ln' },
      { type: 'TEXT_MESSAGE_CONTENT', messageId: 'm1', delta: 'Hi' },
      { type: 'TEXT_MESSAGE_CHUNK', messageId: 'm2', role: 'assistant', delta: 'Ho', name: 'n' },
      { type: 'TOOL_CALL_ARGS', toolCallId: 'c', delta: '{"a":1}' },
      { type: 'TOOL_CALL_CHUNK', toolCallId: 'd', toolCallName: 'f', delta: '{}' },
      { type: 'TOOL_CALL_RESULT', messageId: 'm3', toolCallId: 'c', content: [{ type: 'text', text: 'Sunny' }] },
      { type: 'STATE_DELTA', delta: [{ op: 'move', from: '/a', path: '/b', value: { b: 'c' } }] },
      { type: 'MESSAGES_SNAPSHOT', messages: [{ id: '1', role: 'assistant', content: 'Hi', toolCalls: [call] }] },
      { type: 'ACTIVITY_DELTA', messageId: 'm4', activityType: 'plan', patch: [{ op: 'add', path: '/a', value: 'c' }] },
      { type: 'CUSTOM', name: 'n', value: { a: 'b' } },
      { type: 'RUN_FINISHED', threadId: 't', runId: 'r', result: 'r', usage: [{ provider: 'p', inputTokens: 1 }] },
    ],
  },
  LangGraph: {
    path: '/runs/stream',
    request: { assistant_id: 'agent', input: { messages: [{ type: 'human', content: 'hi' }] } },
    reply: { messages: [{ type: 'ai', id: 'm', content: 'Hi', additional_kwargs: { a: 'b' } }], note: ['n'] },
    names: 'metadata messages messages|sub:1 values messages/partial custom'.split(' '),
    events: [
      { run_id: 'r', attempt: 1 },
      [
        {
          type: 'AIMessageChunk',
          id: 'm',
          content: 'Hi',
          tool_call_chunks: [{ name: 'f', args: '{}', id: 'c', index: 0 }],
        },
        { langgraph_node: 'agent', tags: ['t'], created_by: 'x' },
      ],
      [{ type: 'ai', id: 'm', content: [{ type: 'text', text: 'Hi', index: 0 }] }, {}],
      { messages: [{ type: 'ai', id: 'm', content: 'Hi', tool_calls: [{ name: 'f', args: { a: 'b' } }] }] },
      [{ type: 'ai', id: 'm', content: 'Hi' }],
      { a: ['b'] },
    ],
  },
  Embeddings: {
    path: '/v1/embeddings',
    request: { model: 'm', input: 'hi' },
    reply: {
      object: 'list',
      data: [{ object: 'embedding', index: 1, embedding: 'zczMPc3MTD6amZk+zczMPg==' }],
    },
    events: [],
  },
  Images: {
    path: '/v1/images/generations',
    request: { model: 'm', prompt: 'hi', stream: true },
    reply: {
      created: 1,
      data: [{ b64_json: 'iVBORw0KGgo=', revised_prompt: 'A hat' }, { url: 'https://a.test/' }],
    },
    events: [
      { type: 'image_generation.partial_image', b64_json: 'iVBORw0KGgo=', partial_image_index: 0, size: '1024x1024' },
      { type: 'image_generation.completed', b64_json: 'iVBORw0KGgo=', usage: { total_tokens: 1 } },
    ],
  },
  Ollama: { path: '/api/chat', reply: ollama, events: [ollama], lines: true },
  Converse: {
    path: '/model/m/converse',
    request: { messages: [{ role: 'user', content: [{ text: 'hi' }] }] },
    reply: converse,
    events: [
      { messageStart: { role: 'assistant' } },
      { contentBlockStart: { contentBlockIndex: 1, start: { toolUse: { toolUseId: 'tooluse_1', name: 'f' } } } },
      { contentBlockDelta: { contentBlockIndex: 0, delta: { text: 'Hi' } } },
      { contentBlockDelta: { contentBlockIndex: 1, delta: { toolUse: { input: '{"a"' } } } },
      { contentBlockDelta: { contentBlockIndex: 2, delta: { reasoningContent: { text: 'so', signature: 'c2ln' } } } },
      { messageStop: { stopReason: 'end_turn' } },
      { metadata: { usage: { inputTokens: 1 }, metrics: { latencyMs: 1 } } },
    ],
  },
  Cohere: {
    path: '/v2/chat',
    reply: cohere,
    events: [
      { type: 'message-start', id: 'c1', delta: { message: { role: 'assistant', content: [], tool_plan: 'a' } } },
      { type: 'tool-call-start', index: 0, delta: { message: { tool_calls: cohereCall } } },
      { type: 'tool-call-delta', index: 0, delta: { message: { tool_calls: { function: { arguments: '{' } } } } },
      {
        type: 'content-delta',
        index: 0,
        delta: { message: { content: { text: 'Hi', thinking: 'so' } } },
        logprobs: { text: 'Hi', token_ids: [1], logprobs: [-0.1] },
      },
      { type: 'citation-start', index: 0, delta: { message: { citations: citation } } },
      {
        type: 'message-end',
        delta: { finish_reason: 'COMPLETE', error: 'no', usage: { tokens: { input_tokens: 1 } } },
      },
    ],
  },
  MCP: {
    path: '/mcp',
    request: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'search', arguments: { q: 'hi' } } },
    reply: [
      rpc({ id: 1, result: rpcResult }),
      rpc({ id: 2, result: { tools: [rpcTool], nextCursor: 'c' } }),
      rpc({ id: 4, result: { contents: [{ uri: 'note://1', mimeType: 'text/plain', text: 'n' }] } }),
      rpc({ id: 5, result: { completion: { values: ['boats'], total: 1, hasMore: false } } }),
      rpc({ id: 7, error: { code: -32602, message: 'Broken', data: { a: 'b' } } }),
    ],
    events: [
      rpc({ method: 'notifications/progress', params: { progressToken: 1, progress: 1, total: 2, message: 'half' } }),
      rpc({ method: 'notifications/message', params: { level: 'info', logger: 'l', data: { a: ['b'] } } }),
      rpc({
        id: 0,
        method: 'elicitation/create',
        params: {
          mode: 'form',
          message: 'Who?',
          requestedSchema: { type: 'object', properties: { name: { type: 'string', title: 'N', default: 'x' } } },
        },
      }),
      rpc({
        id: 1,
        method: 'sampling/createMessage',
        params: {
          systemPrompt: 'Be kind.',
          messages: [
            { role: 'user', content: { type: 'text', text: 'Hi' } },
            { role: 'assistant', content: [{ type: 'tool_use', id: 'c1', name: 'f', input: { a: 'b' } }] },
            {
              role: 'user',
              content: [{ type: 'tool_result', toolUseId: 'c1', content: [{ type: 'text', text: 'r' }] }],
            },
          ],
          tools: [rpcTool],
        },
      }),
      rpc({ id: 1, result: rpcResult }),
    ],
  },
  Interactions: {
    path: '/v1beta/interactions',
    request: { model: 'm', input: 'hi' },
    reply: { ...interaction, steps },
    events: [
      { event_type: 'interaction.created', event_id: 'e1', interaction },
      { event_type: 'step.start', index: 0, step: { type: 'thought' } },
      { event_type: 'step.delta', index: 0, delta: { type: 'thought_summary', content: { type: 'text', text: 'so' } } },
      { event_type: 'step.delta', index: 0, delta: { type: 'thought_signature', signature: 'c2ln' } },
      { event_type: 'step.start', index: 1, step: { type: 'function_call', id: 'c1', name: 'f', arguments: {} } },
      { event_type: 'step.delta', index: 1, delta: { type: 'arguments_delta', arguments: '{"a":' } },
      { event_type: 'step.delta', index: 2, delta: { type: 'text', text: 'Hi' } },
      { event_type: 'step.delta', index: 2, delta: { type: 'text_annotation_delta', annotations: [urlCitation] } },
      { event_type: 'step.stop', index: 2, usage: { total_tokens: 1 } },
      { event_type: 'interaction.status_update', interaction_id: 'v1_a', status: 'completed' },
      { event_type: 'interaction.completed', interaction: { ...interaction, steps } },
      { event_type: 'error', error: { code: 'internal', message: 'no' } },
    ],
  },
  Gemini: {
    path: '/v1beta/models/m:generateContent',
    request: { contents: [{ parts: [{ text: 'hi' }] }] },
    reply: gemini,
    events: [gemini, { error: { code: 500, message: 'no', status: 'INTERNAL' } }],
    array: '/v1beta/models/m:streamGenerateContent',
  },
}

/** The fast run writes the words of each API in one way at least, and in each way for one API at least. */
const ROWS = crossed({ api: APIS, words: CLOTHES })

describe.each(Object.entries(APIS))(
  'Words planted in %s',
  (name, { path, request = chat('hi', { stream: true }), reply, events, lines, names, array }) => {
    const rows = ROWS.filter(({ api }) => api === APIS[name])
    let server: Running
    let type = ''
    let body = ''
    const marker = new RegExp(Object.values(CLOTHES).join('|'))
    const middleware = guarded({ check: ['output'], guard: markerGuard({ marker }) })
    beforeAll(async () => {
      server = await serve(onNode([middleware], (_req, res) => res.writeHead(200, { 'content-type': type }).end(body)))
    })
    afterAll(() => server.close())
    let missed: string[] = []
    beforeEach(() => void (missed = []))
    afterEach(() => expect(missed).toEqual([]))

    const neverLeave = async (of: string, text: string, where: string, words = PLANTED, to = path): Promise<void> => {
      if (isServers(where, words)) return
      type = of
      body = text
      middleware.guard.asked.length = 0
      const got = await ask(server.url + to, { body: request })
      const judged = middleware.guard.texts().some((each) => each.includes(words)) || got.status === 503
      if (!judged || got.text.includes(words)) missed.push(where)
    }

    it.each(rows)('of a reply never leave: $title', async ({ words }) => {
      for (const [where, planted] of few([...plantings(reply as Json, words)], 30))
        await neverLeave('application/json', JSON.stringify(planted), where, words)
    })

    it.each(rows)('of a stream never leave: $title', async ({ words }) => {
      for (const [at, event] of events.entries()) {
        for (const [where, planted] of few([...plantings(event as Json, words)], 6)) {
          const all = events.map((each, other) => JSON.stringify(other === at ? planted : each))
          const nameOf = (place: number): string => (names === undefined ? '' : `event: ${names[place]}\n`)
          const text = all
            .map((each, place) => (lines === true ? `${each}\n` : `${nameOf(place)}data: ${each}\n\n`))
            .join('')
          await neverLeave(lines === true ? 'application/x-ndjson' : 'text/event-stream', text, `${at}${where}`, words)
          if (array !== undefined)
            await neverLeave('application/json', `[${all.join(',\n')}]`, `${at}${where}`, words, array)
        }
      }
    })

    it('of a stream, one letter of them an event, never leave', async () => {
      for (const fields of [{}, { type: 'note.added' }, { type: 'note.done' }, { response: {} }, { choices: [] }]) {
        const letters = Array.from(PLANTED, (letter) => JSON.stringify({ ...fields, note: letter }))
        const text = letters.map((each) => `data: ${each}\n\n`).join('')
        await neverLeave('text/event-stream', text, JSON.stringify(fields))
      }
    })
  },
)
