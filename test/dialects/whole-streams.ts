// A stream of each API with every kind of event that its reader tells apart, and its end.
import type { StreamEvent } from '../../src/dialects/dialect.js'
import { event } from './streams.js'

const chunk = (delta: object, more: object = {}, index = 0): object => ({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  created: 1756315657,
  model: 'gpt-4.1',
  choices: [{ index, delta, finish_reason: null, ...more }],
})
const completion = (text: string, finish_reason: string | null = null, index = 0): object => ({
  id: 'cmpl-1',
  object: 'text_completion',
  model: 'davinci',
  choices: [{ index, text, finish_reason, logprobs: null }],
})
const response = (type: string, more: object): object => ({ type, sequence_number: 1, ...more })
const item = { item_id: 'msg_1', output_index: 0, content_index: 0 }
const converse = (name: string, more: object, contentBlockIndex = 0): object => ({
  [name]: { contentBlockIndex, ...more },
})
const candidate = (parts: object[], more: object = {}): object => ({
  candidates: [{ content: { role: 'model', parts }, index: 0, ...more }],
  modelVersion: 'gemini-2.5-flash',
  responseId: 'r1',
})
const cohere = (type: string, more: object): object => ({ type, index: 0, delta: { message: more } })
const ofMessage = (content: string): readonly [object, object] => [
  { type: 'AIMessageChunk', id: 'm1', content },
  { langgraph_node: 'agent', thread_id: 't1' },
]

const DATA: Readonly<Record<string, readonly unknown[]>> = {
  'openai-chat': [
    chunk({ role: 'assistant', content: '' }),
    chunk({ content: 'Hello ' }),
    chunk({ content: 'Hi ' }, {}, 1),
    chunk({ reasoning_content: 'Think.' }),
    chunk({ tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: { name: 'get', arguments: '' } }] }),
    chunk({ tool_calls: [{ index: 0, function: { arguments: '{"city":' } }] }),
    chunk({ refusal: 'No' }, { logprobs: { content: [], refusal: null } }, 1),
    chunk({}, { finish_reason: 'stop' }),
    chunk({}, { finish_reason: 'stop' }, 1),
    { id: 'chatcmpl-1', object: 'chat.completion.chunk', model: 'gpt-4.1', choices: [], usage: { total_tokens: 5 } },
    '[DONE]',
  ],
  'openai-completions': [completion('Once'), completion(' upon', null, 1), completion('', 'stop'), '[DONE]'],
  'openai-responses': [
    response('response.created', { response: { id: 'resp_1', object: 'response', model: 'gpt-4.1', output: [] } }),
    response('response.output_item.added', {
      output_index: 0,
      item: { type: 'message', id: 'msg_1', role: 'assistant', status: 'in_progress', content: [] },
    }),
    response('response.content_part.added', { ...item, part: { type: 'output_text', text: '', annotations: [] } }),
    response('response.output_text.delta', { ...item, delta: 'Hello ', obfuscation: 'abc' }),
    response('response.output_text.done', { ...item, text: 'Hello ' }),
    response('response.content_part.done', { ...item, part: { type: 'output_text', text: 'Hello ', annotations: [] } }),
    response('response.output_item.added', {
      output_index: 1,
      item: { type: 'function_call', id: 'fc_1', call_id: 'call_1', name: 'get', arguments: '' },
    }),
    response('response.function_call_arguments.delta', { item_id: 'fc_1', output_index: 1, delta: '{"a":' }),
    response('response.reasoning_summary_text.delta', {
      item_id: 'rs_1',
      output_index: 2,
      summary_index: 0,
      delta: 'Hm',
    }),
    response('response.completed', { response: { id: 'resp_1', object: 'response', status: 'completed', output: [] } }),
  ],
  'anthropic-messages': [
    {
      type: 'message_start',
      message: { id: 'msg_1', type: 'message', role: 'assistant', content: [], model: 'claude' },
    },
    { type: 'content_block_start', index: 0, content_block: { type: 'thinking', thinking: '', signature: '' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: 'Think.' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'signature_delta', signature: 'EqMBCkYIBRgC' } },
    { type: 'content_block_stop', index: 0 },
    { type: 'ping' },
    { type: 'content_block_start', index: 1, content_block: { type: 'text', text: '' } },
    { type: 'content_block_delta', index: 1, delta: { type: 'text_delta', text: 'Hello ' } },
    { type: 'content_block_stop', index: 1 },
    {
      type: 'content_block_start',
      index: 2,
      content_block: { type: 'tool_use', id: 'toolu_1', name: 'get', input: {} },
    },
    { type: 'content_block_delta', index: 2, delta: { type: 'input_json_delta', partial_json: '{"city":' } },
    { type: 'content_block_stop', index: 2 },
    { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 5 } },
    { type: 'message_stop' },
  ],
  'ollama-chat': [
    {
      model: 'llama3.2',
      created_at: '2026-01-01T00:00:00Z',
      message: { role: 'assistant', content: 'Hello ' },
      done: false,
    },
    { model: 'llama3.2', message: { role: 'assistant', content: '', thinking: 'Hm.' }, done: false },
    { model: 'llama3.2', message: { role: 'assistant', content: '' }, done: true, done_reason: 'stop', eval_count: 3 },
  ],
  'ai-sdk': [
    { type: 'start', messageId: 'm1', messageMetadata: { model: 'gpt' } },
    { type: 'start-step' },
    { type: 'reasoning-start', id: 'r' },
    { type: 'reasoning-delta', id: 'r', delta: 'Think.' },
    { type: 'text-start', id: 't' },
    { type: 'text-delta', id: 't', delta: 'Hello ' },
    { type: 'reasoning-end', id: 'r' },
    { type: 'tool-input-start', toolCallId: 'c', toolName: 'get' },
    { type: 'tool-input-delta', toolCallId: 'c', inputTextDelta: '{"city":' },
    { type: 'data-note', id: 'd', data: { text: 'A note.' } },
    { type: 'text-end', id: 't' },
    { type: 'finish-step' },
    { type: 'finish', finishReason: 'stop' },
    '[DONE]',
  ],
  'ag-ui': [
    { type: 'RUN_STARTED', threadId: 't1', runId: 'r1' },
    { type: 'STEP_STARTED', stepName: 'plan', subagentRunId: 's1' },
    { type: 'SUBAGENT_STARTED', subagentRunId: 's1', name: 'helper' },
    { type: 'REASONING_START', messageId: 'm0' },
    { type: 'REASONING_MESSAGE_START', messageId: 'm0', role: 'reasoning' },
    { type: 'REASONING_MESSAGE_CONTENT', messageId: 'm0', delta: 'Think.' },
    { type: 'REASONING_MESSAGE_END', messageId: 'm0' },
    { type: 'REASONING_END', messageId: 'm0' },
    { type: 'SUBAGENT_FINISHED', subagentRunId: 's1' },
    { type: 'TEXT_MESSAGE_START', messageId: 'm1', role: 'assistant', subagentRunId: 's1' },
    { type: 'TEXT_MESSAGE_CONTENT', messageId: 'm1', delta: 'Hello ' },
    { type: 'TEXT_MESSAGE_CHUNK', delta: 'there.' },
    { type: 'TEXT_MESSAGE_END', messageId: 'm1' },
    { type: 'STATE_SNAPSHOT', snapshot: { title: 'A state.' } },
    { type: 'TOOL_CALL_START', toolCallId: 'c1', toolCallName: 'get', parentMessageId: 'm1' },
    { type: 'TOOL_CALL_ARGS', toolCallId: 'c1', delta: '{"city":' },
    { type: 'TOOL_CALL_END', toolCallId: 'c1' },
    { type: 'STEP_FINISHED', stepName: 'plan', subagentRunId: 's1' },
    { type: 'RUN_FINISHED', threadId: 't1', runId: 'r1' },
  ],
  langgraph: [
    { run_id: 'r1', attempt: 1 },
    ofMessage('Hello '),
    ofMessage('there.'),
    { messages: [{ type: 'ai', id: 'm1', content: 'Hello there.' }] },
    { agent: { messages: [{ type: 'ai', content: [{ type: 'text', text: 'A part.' }], tool_calls: [] }] } },
  ],
  mcp: [
    { jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 'A log line.' } },
    { jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 1, progress: 1, message: 'Half.' } },
    { jsonrpc: '2.0', id: 9, method: 'elicitation/create', params: { message: 'Your name?' } },
    { jsonrpc: '2.0', id: 1, result: { content: [{ type: 'text', text: 'Hello.' }] } },
    { jsonrpc: '2.0', id: 'two', result: { messages: [{ role: 'user', content: { type: 'text', text: 'Hi.' } }] } },
    { jsonrpc: '2.0', id: 3, error: { code: -32602, message: 'Not found.' } },
  ],
  gemini: [candidate([{ text: 'Hello.' }], { finishReason: 'STOP' })],
  'gemini-stream': [
    candidate([{ text: 'Hello ' }]),
    candidate([{ text: 'Think.', thought: true, thoughtSignature: 'EqMBCkYIBRgC' }]),
    candidate([{ functionCall: { name: 'get', args: { city: 'Rome' } } }]),
    candidate([{ text: '' }], { finishReason: 'STOP' }),
  ],
  'cohere-chat': [
    { type: 'message-start', id: 'm1', delta: { message: { role: 'assistant', content: [] } } },
    cohere('tool-plan-delta', { tool_plan: 'I will look.' }),
    cohere('content-start', { content: { type: 'text', text: '' } }),
    cohere('content-delta', { content: { text: 'Hello ' } }),
    cohere('content-end', {}),
    cohere('tool-call-start', { tool_calls: { id: 'c1', type: 'function', function: { name: 'get', arguments: '' } } }),
    cohere('tool-call-delta', { tool_calls: { function: { arguments: '{"city":' } } }),
    cohere('tool-call-end', {}),
    { type: 'message-end', id: 'm1', delta: { finish_reason: 'COMPLETE', usage: { tokens: { output_tokens: 3 } } } },
  ],
  'bedrock-converse-stream': [
    { messageStart: { role: 'assistant' } },
    converse('contentBlockDelta', { delta: { text: 'Hello ' } }),
    converse('contentBlockStop', {}),
    converse('contentBlockStart', { start: { toolUse: { toolUseId: 'c1', name: 'get' } } }, 1),
    converse('contentBlockDelta', { delta: { toolUse: { input: '{"city":' } } }, 1),
    converse('contentBlockStop', {}, 1),
    { messageStop: { stopReason: 'end_turn' } },
    { metadata: { usage: { inputTokens: 1, outputTokens: 2, totalTokens: 3 }, metrics: { latencyMs: 5 } } },
  ],
  generic: [{ text: 'Hello ' }, { answer: { words: 'there.' }, id: 'a1' }, '[DONE]'],
}

const line = (part: string, value: unknown): StreamEvent => ({ part, data: JSON.stringify(value) })
/** The data stream of version 4 of the AI SDK. */
const LINES: readonly StreamEvent[] = [
  line('f', { messageId: 'm1' }),
  line('g', 'Think.'),
  line('0', 'Hello '),
  line('2', [{ note: 'A note.' }]),
  line('9', { toolCallId: 'c', toolName: 'get', args: { city: 'Rome' } }),
  line('e', { finishReason: 'stop', isContinued: false }),
  line('d', { finishReason: 'stop' }),
]

/** By dialect. */
export const STREAMS: Readonly<Record<string, readonly StreamEvent[]>> = {
  ...Object.fromEntries(Object.entries(DATA).map(([name, list]) => [name, list.map((data) => event(data))])),
  'ai-sdk-completion': LINES,
}
