// The hook onToolCall, on the wire: in each API, whole and streamed, a call that it allows leaves byte for byte, and of
// one that it blocks nothing does.
import type { ServerResponse } from 'node:http'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { guardFetch } from '../src/fetch/index.js'
import { llamaGuard, type LlamaGuardOptions, type ToolCall } from '../src/index.js'
import { markerGuard, memoryLogger } from './helpers/guards.js'
import { chat, chunk, completion, type Reply, type Running, send, serve, sleep } from './helpers/http.js'

const ARGS = { path: '/srv/SECRET', n: 1 }
const TEXT = JSON.stringify(ARGS)
const HALVES = [TEXT.slice(0, 9), TEXT.slice(9)] as const
const CALL = { name: 'erase_disk', arguments: ARGS }
const FUNCTION = { id: 'call_1', type: 'function', function: { name: 'erase_disk', arguments: TEXT } }

const sse = (...events: (Readonly<Record<string, unknown>> & { event?: string; type?: string })[]): string[] =>
  events.map(({ event, ...data }) => `event: ${event ?? data.type ?? 'message'}\ndata: ${JSON.stringify(data)}\n\n`)
const data = (...events: unknown[]): string[] => events.map((event) => `data: ${JSON.stringify(event)}\n\n`)
const lines = (...events: unknown[]): string[] => events.map((event) => `${JSON.stringify(event)}\n`)
const delta = (...calls: object[]): string => chunk({ tool_calls: calls })
const part = (index: number, fields: object): Record<string, unknown> => ({
  type: 'content_block_delta',
  index,
  delta: fields,
})
const item = { type: 'function_call', id: 'fc_1', call_id: 'call_1', name: 'erase_disk' }
const piece = (...chunks: object[]): unknown => [
  { type: 'AIMessageChunk', id: 'm1', content: '', tool_calls: [], tool_call_chunks: chunks },
  { langgraph_node: 'agent' },
]
const AI_CALL = { toolCallId: 't', toolName: 'erase_disk', input: ARGS }
const TYPES = { sse: 'text/event-stream', ndjson: 'application/x-ndjson', json: 'application/json' }
const rpc = (id: number, method: string, params: object): Record<string, unknown> => ({
  jsonrpc: '2.0',
  id,
  method,
  params,
})
const geminiPart = (...parts: object[]): object => ({ candidates: [{ index: 0, content: { role: 'model', parts } }] })

interface Case {
  readonly reply?: unknown
  readonly frames?: readonly string[]
  readonly type?: keyof typeof TYPES
  readonly path?: string
  readonly body?: object
  /** Default: the one call. */
  readonly calls?: readonly object[]
}
const MCP: Pick<Case, 'path' | 'body'> = { path: '/mcp', body: rpc(1, 'prompts/get', { name: 'p' }) }
const HELLO = { role: 'assistant', content: 'Hello.' }

const CASES: Readonly<Record<string, Case>> = {
  'openai-chat': { reply: completion('Hello.', { tool_calls: [FUNCTION] }) },
  'openai-chat, a function of old': { reply: completion('Hello.', { function_call: FUNCTION.function }) },
  'openai-chat, a tool of free text': {
    reply: completion('Hello.', {
      tool_calls: [{ id: 'c', type: 'custom', custom: { name: 'erase_disk', input: 'SECRET' } }],
    }),
    calls: [{ name: 'erase_disk', arguments: 'SECRET' }],
  },
  'openai-chat, two calls': {
    reply: completion('Hello.', {
      tool_calls: [FUNCTION, { ...FUNCTION, id: 'call_2', function: { name: 'look', arguments: '' } }],
    }),
    calls: [CALL, { name: 'look', arguments: {} }],
  },
  'openai-chat stream': {
    frames: [
      chunk({ content: 'Hello.' }),
      delta({ index: 0, ...FUNCTION, function: { name: 'erase_disk', arguments: '' } }),
      delta({ index: 1, id: 'call_2', type: 'function', function: { name: 'look', arguments: '{}' } }),
      ...HALVES.map((text) => delta({ index: 0, function: { arguments: text } })),
      chunk({}, { finish: 'tool_calls' }),
      'data: [DONE]\n\n',
    ],
    calls: [CALL, { name: 'look', arguments: {} }],
  },
  'openai-chat stream, whole calls without an index, without an end': {
    frames: [delta(FUNCTION), delta({ ...FUNCTION, id: '' }), delta({ ...FUNCTION, id: 'call_3' })],
    calls: [CALL, CALL, CALL],
  },
  'openai-responses': {
    reply: { object: 'response', tools: [{ ...FUNCTION, name: 'other' }], output: [{ ...item, arguments: TEXT }] },
  },
  'openai-responses, the tool of a vendor': {
    reply: {
      object: 'response',
      output: [
        { type: 'local_shell_call', call_id: 'c', status: 'completed', action: { command: ['erase_disk', 'SECRET'] } },
        { type: 'mcp_approval_request', id: 'mcpr_1', server_label: 's', name: 'erase_disk', arguments: TEXT },
      ],
    },
    calls: [CALL, { name: 'local_shell_call', arguments: { action: { command: ['erase_disk', 'SECRET'] } } }],
  },
  'openai-responses stream': {
    frames: sse(
      { type: 'response.output_text.delta', output_index: 0, content_index: 0, delta: 'Hello.' },
      { type: 'response.output_item.added', output_index: 1, item: { ...item, arguments: '' } },
      ...HALVES.map((text) => ({ type: 'response.function_call_arguments.delta', output_index: 1, delta: text })),
      { type: 'response.function_call_arguments.done', output_index: 1, arguments: TEXT },
      { type: 'response.output_item.done', output_index: 1, item: { ...item, arguments: TEXT } },
      { type: 'response.completed', response: { object: 'response', output: [{ ...item, arguments: TEXT }] } },
    ),
  },
  'openai-responses stream, broken off': {
    frames: sse(
      { type: 'response.output_item.added', output_index: 1, item: { ...item, arguments: '' } },
      { type: 'response.function_call_arguments.delta', output_index: 1, delta: HALVES[0] },
    ),
    calls: [{ name: 'erase_disk', arguments: HALVES[0] }],
  },
  "openai-responses, Mistral's conversations": {
    path: '/v1/conversations',
    body: { model: 'm', inputs: 'hi' },
    reply: {
      object: 'conversation.response',
      conversation_id: 'conv_1',
      outputs: [
        { type: 'message.output', content: 'Hello.' },
        { type: 'tool.execution', id: 'e1', name: 'web_search', arguments: '{"query":"SECRET"}' },
        { type: 'function.call', id: 'fc_1', tool_call_id: 'call_1', name: 'erase_disk', arguments: TEXT },
      ],
    },
    calls: [CALL, { name: 'web_search', arguments: { query: 'SECRET' } }],
  },
  "openai-responses stream, Mistral's conversations": {
    path: '/v1/conversations',
    body: { model: 'm', inputs: 'hi', stream: true },
    frames: sse(
      { type: 'conversation.response.started', conversation_id: 'conv_1' },
      { type: 'message.output.delta', output_index: 0, id: 'msg_1', content: 'Hello.' },
      { type: 'tool.execution.started', output_index: 1, id: 'e1', name: 'web_search', arguments: '{"query":' },
      { type: 'tool.execution.delta', output_index: 1, id: 'e1', name: 'web_search', arguments: '"SECRET"}' },
      { type: 'tool.execution.done', output_index: 1, id: 'e1', name: 'web_search', info: {} },
      ...HALVES.map((text) => ({
        ...{ type: 'function.call.delta', output_index: 2, id: 'fc_1', name: 'erase_disk', tool_call_id: 'call_1' },
        arguments: text,
      })),
      { type: 'conversation.response.done', usage: {} },
    ),
    calls: [CALL, { name: 'web_search', arguments: { query: 'SECRET' } }],
  },
  "openai-responses stream, Mistral's conversations with two calls side by side": {
    path: '/v1/conversations',
    body: { model: 'm', inputs: 'hi', stream: true },
    frames: sse(
      ...[null, ...HALVES, ''].flatMap((text) =>
        ['fc_1', 'fc_2'].map((id, at) => ({
          ...{ type: 'function.call.delta', output_index: at + 1, id, name: 'erase_disk', tool_call_id: id },
          arguments: text,
        })),
      ),
      { type: 'message.output.delta', output_index: 0, id: 'msg_1', content: 'Hello.' },
      { type: 'conversation.response.done', usage: {} },
    ),
    calls: [CALL, CALL],
  },
  'anthropic-messages': {
    reply: {
      type: 'message',
      role: 'assistant',
      content: [
        { type: 'text', text: 'Hello.' },
        { type: 'tool_use', id: 't', name: 'erase_disk', input: ARGS },
      ],
    },
  },
  'anthropic-messages stream': {
    frames: sse(
      { type: 'message_start', message: { type: 'message', role: 'assistant', content: [] } },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      part(0, { type: 'text_delta', text: 'Hello.' }),
      { type: 'content_block_stop', index: 0 },
      {
        type: 'content_block_start',
        index: 1,
        content_block: { type: 'tool_use', id: 't', name: 'erase_disk', input: {} },
      },
      ...HALVES.map((text) => part(1, { type: 'input_json_delta', partial_json: text })),
      { type: 'content_block_stop', index: 1 },
      { type: 'message_stop' },
    ),
  },
  gemini: { reply: geminiPart({ text: 'Hello.' }, { functionCall: { name: 'erase_disk', args: ARGS } }) },
  'gemini, code': {
    reply: geminiPart({ executableCode: { language: 'PYTHON', code: 'erase_disk(SECRET)' } }),
    calls: [{ name: 'executableCode', arguments: { language: 'PYTHON', code: 'erase_disk(SECRET)' } }],
  },
  'gemini, a tool that its server runs': {
    reply: geminiPart({ toolCall: { id: 's1', toolType: 'URL_CONTEXT', args: { urls: ['SECRET'] } } }),
    calls: [{ name: 'URL_CONTEXT', arguments: { urls: ['SECRET'] } }],
  },
  'gemini stream': {
    frames: data(geminiPart({ text: 'Hello.' }), geminiPart({ functionCall: { name: 'erase_disk', args: ARGS } })),
  },
  'gemini-interactions': {
    reply: { steps: [{ type: 'thought' }, { type: 'function_call', id: 'f1', name: 'erase_disk', arguments: ARGS }] },
  },
  'gemini-interactions stream': {
    frames: data(
      { event_type: 'interaction.created', interaction: { id: 'v1_a', status: 'in_progress' } },
      { event_type: 'step.start', index: 0, step: { type: 'model_output' } },
      { event_type: 'step.delta', index: 0, delta: { type: 'text', text: 'Hello.' } },
      { event_type: 'step.stop', index: 0 },
      ...[0, 1].map((at) => ({
        event_type: 'step.start',
        index: at + 1,
        step:
          at === 0
            ? { type: 'function_call', id: 'f1', name: 'erase_disk', arguments: {} }
            : { type: 'code_execution_call', id: 'c1' },
      })),
      ...HALVES.map((text) => ({
        event_type: 'step.delta',
        index: 1,
        delta: { type: 'arguments_delta', arguments: text },
      })),
      {
        event_type: 'step.delta',
        index: 2,
        delta: { type: 'code_execution_call', arguments: { language: 'python', code: 'SECRET' } },
      },
      { event_type: 'step.stop', index: 1 },
      { event_type: 'step.stop', index: 2 },
      { event_type: 'interaction.completed', interaction: { id: 'v1_a', status: 'requires_action' } },
    ),
    calls: [{ name: 'code_execution_call', arguments: { language: 'python', code: 'SECRET' } }, CALL],
  },
  'gemini-interactions stream of an older revision': {
    frames: data(
      { event_type: 'interaction.start', interaction: { id: 'v1_a', status: 'in_progress' } },
      { event_type: 'content.start', index: 0, content: { type: 'function_call' } },
      {
        event_type: 'content.delta',
        index: 0,
        delta: { type: 'function_call', id: 'f1', name: 'erase_disk', arguments: ARGS },
      },
      { event_type: 'content.stop', index: 0 },
      { event_type: 'interaction.complete', interaction: { id: 'v1_a', status: 'requires_action' } },
    ),
  },
  'bedrock-converse': {
    reply: {
      output: {
        message: { role: 'assistant', content: [{ toolUse: { toolUseId: 't', name: 'erase_disk', input: ARGS } }] },
      },
      stopReason: 'tool_use',
    },
  },
  'bedrock-converse stream': {
    frames: data(
      { messageStart: { role: 'assistant' } },
      { contentBlockDelta: { contentBlockIndex: 0, delta: { text: 'Hello.' } } },
      { contentBlockStart: { contentBlockIndex: 1, start: { toolUse: { toolUseId: 't', name: 'erase_disk' } } } },
      ...HALVES.map((text) => ({ contentBlockDelta: { contentBlockIndex: 1, delta: { toolUse: { input: text } } } })),
      { contentBlockStop: { contentBlockIndex: 1 } },
      { messageStop: { stopReason: 'tool_use' } },
    ),
  },
  'ollama-chat stream': {
    type: 'ndjson',
    frames: lines(
      { message: HELLO, done: false },
      {
        message: {
          role: 'assistant',
          content: '',
          tool_calls: [{ function: { name: 'erase_disk', arguments: ARGS } }],
        },
        done: true,
      },
    ),
  },
  'cohere-chat': {
    reply: { id: 'c', message: { role: 'assistant', tool_calls: [FUNCTION] }, finish_reason: 'TOOL_CALL' },
  },
  'cohere-chat stream': {
    frames: sse(
      { type: 'content-delta', index: 0, delta: { message: { content: { text: 'Hello.' } } } },
      {
        type: 'tool-call-start',
        index: 1,
        delta: { message: { tool_calls: { ...FUNCTION, function: { name: 'erase_disk', arguments: '' } } } },
      },
      ...HALVES.map((text) => ({
        type: 'tool-call-delta',
        index: 1,
        delta: { message: { tool_calls: { function: { arguments: text } } } },
      })),
      { type: 'tool-call-end', index: 1 },
      { type: 'message-end', delta: { finish_reason: 'TOOL_CALL' } },
    ),
  },
  'ai-sdk': {
    reply: {
      text: 'Hello.',
      content: ['tool-call', 'tool-result', 'tool-error'].map((type) => ({ type, ...AI_CALL })),
      toolCalls: [{ type: 'tool-call', ...AI_CALL }],
    },
  },
  'ai-sdk stream': {
    frames: data(
      { type: 'text-delta', id: '0', delta: 'Hello.' },
      { type: 'tool-input-start', toolCallId: 't', toolName: 'erase_disk' },
      ...HALVES.map((text) => ({ type: 'tool-input-delta', toolCallId: 't', inputTextDelta: text })),
      { type: 'tool-input-available', toolCallId: 't', toolName: 'erase_disk', input: ARGS },
      { type: 'tool-output-available', toolCallId: 'before', output: { tool: 'done' } },
      { type: 'finish' },
    ),
  },
  'ai-sdk data stream': {
    frames: [
      '0:"Hello."\n',
      `b:${JSON.stringify({ toolCallId: 't', toolName: 'erase_disk' })}\n`,
      ...HALVES.map((text) => `c:${JSON.stringify({ toolCallId: 't', argsTextDelta: text })}\n`),
      `9:${JSON.stringify({ toolCallId: 't', toolName: 'erase_disk', args: ARGS })}\n`,
      `a:${JSON.stringify({ toolCallId: 't', result: 'done' })}\n`,
    ],
  },
  'ag-ui stream': {
    frames: data(
      { type: 'TEXT_MESSAGE_CHUNK', messageId: 'm', delta: 'Hello.' },
      { type: 'TOOL_CALL_START', toolCallId: 't', toolCallName: 'erase_disk' },
      ...HALVES.map((text) => ({ type: 'TOOL_CALL_ARGS', toolCallId: 't', delta: text })),
      { type: 'TOOL_CALL_END', toolCallId: 't' },
      { type: 'RUN_FINISHED', threadId: 't', runId: 'r' },
    ),
  },
  'ag-ui stream, chunks and a snapshot': {
    frames: data(
      { type: 'TOOL_CALL_CHUNK', toolCallId: 't', toolCallName: 'erase_disk', delta: HALVES[0] },
      { type: 'TOOL_CALL_CHUNK', delta: HALVES[1] },
      { type: 'TOOL_CALL_CHUNK', toolCallId: 'call_1', toolCallName: 'erase_disk', delta: TEXT },
      { type: 'MESSAGES_SNAPSHOT', messages: [{ id: 'm', role: 'assistant', toolCalls: [FUNCTION] }] },
    ),
    calls: [CALL, CALL],
  },
  'ag-ui stream, chunks with events and a sub-agent between them': {
    frames: data(
      { type: 'TOOL_CALL_CHUNK', toolCallId: 't', toolCallName: 'erase_disk', delta: HALVES[0] },
      { type: 'RAW', event: {} },
      { type: 'TOOL_CALL_CHUNK', toolCallId: 'u', toolCallName: 'erase_disk', delta: HALVES[0], subagentRunId: 's' },
      { type: 'TEXT_MESSAGE_CHUNK', messageId: 'm', delta: 'Hello.', subagentRunId: 's2' },
      { type: 'TOOL_CALL_CHUNK', toolCallId: null, delta: HALVES[1] },
      { type: 'TOOL_CALL_CHUNK', delta: HALVES[1], subagentRunId: 's' },
      { type: 'RUN_FINISHED', threadId: 't', runId: 'r' },
    ),
    calls: [CALL, CALL],
  },
  langgraph: {
    reply: {
      messages: [
        { type: 'ai', content: 'Hello.', tool_calls: [{ type: 'tool_call', id: 't', name: 'erase_disk', args: ARGS }] },
      ],
    },
  },
  'langgraph stream': {
    frames: [
      piece({ index: 0, id: 't', name: 'erase_disk', args: '' }),
      ...HALVES.map((args) => piece({ index: 0, id: null, name: null, args, type: 'tool_call_chunk' })),
      {
        agent: {
          messages: [
            { type: 'ai', id: 'm1', tool_calls: [{ type: 'tool_call', id: 't', name: 'erase_disk', args: ARGS }] },
          ],
        },
      },
    ].map((event, at) => `event: ${at === 3 ? 'updates' : 'messages'}\ndata: ${JSON.stringify(event)}\n\n`),
  },
  'langgraph stream, calls that are edited once they are whole': {
    frames: [
      { chunk_position: 'last' },
      { response_metadata: { finish_reason: 'tool_calls' } },
      { response_metadata: { stop_reason: 'tool_use' } },
    ].flatMap((end, id) =>
      data(
        [
          {
            type: 'AIMessageChunk',
            id,
            tool_call_chunks: [{ index: 0, id: `t${id}`, name: 'erase_disk', args: TEXT }],
          },
        ],
        [{ type: 'AIMessageChunk', id, ...end }],
        { agent: { messages: [{ type: 'ai', id, tool_calls: [{ id: `t${id}`, name: 'look', args: ARGS }] }] } },
      ),
    ),
    calls: [CALL, CALL, CALL, ...Array<object>(3).fill({ ...CALL, name: 'look' })],
  },
  'langgraph stream, whole messages that grow': {
    frames: ['', HALVES[0], TEXT].map((args, at) => {
      const message = {
        type: 'ai',
        id: 'm1',
        content: 'Hello.',
        tool_calls: [{ type: 'tool_call', id: 't', name: 'erase_disk', args: at === 2 ? ARGS : { path: args } }],
      }
      return `event: messages/${at === 2 ? 'complete' : 'partial'}\ndata: ${JSON.stringify([message])}\n\n`
    }),
  },
  'a stream without an end, held whole': { frames: [delta({ index: 0, ...FUNCTION })], type: 'json' },
  'mcp, a question of the server': {
    ...MCP,
    frames: sse({
      event: 'message',
      ...rpc(7, 'sampling/createMessage', {
        messages: [{ role: 'assistant', content: { type: 'tool_use', id: 't', name: 'erase_disk', input: ARGS } }],
      }),
    }),
  },
  'ai-sdk UI message': {
    reply: {
      role: 'assistant',
      parts: [
        { type: 'tool-result_erase_disk', toolCallId: 't', state: 'input-available', input: ARGS },
        { type: 'dynamic-tool', toolName: 'erase_disk', toolCallId: 'u', state: 'input-available', input: ARGS },
      ],
    },
    calls: [CALL, { ...CALL, name: 'result_erase_disk' }],
  },
  'a shape of the app': { reply: { answer: 'Hello.', plan: { tool_calls: [{ name: 'erase_disk', args: ARGS }] } } },
  'no call': { reply: completion('I would call the tool erase_disk with SECRET'), calls: [] },
}

const answers = { hook: (): unknown => 'allow' }
const asked: ToolCall[] = []
const logger = memoryLogger()
const OPTIONS: LlamaGuardOptions = {
  guard: markerGuard(),
  logger,
  cacheMax: 0,
  windowMs: 10,
  unknown: 'judge',
  onToolCall(call) {
    asked.push(call)
    return answers.hook() as 'allow'
  },
}

const served: Running[] = []
async function serving(options: LlamaGuardOptions = {}): Promise<(row: Case) => Promise<Reply>> {
  const guard = llamaGuard({ ...OPTIONS, ...options })
  const next: { row: Case } = { row: {} }
  const server = await serve((req, res) =>
    guard(req, res, () => {
      const { reply, frames, type = frames === undefined ? 'json' : 'sse' } = next.row
      res.writeHead(200, { 'content-type': TYPES[type] })
      const writing = async (): Promise<void> => {
        for (const frame of frames ?? [JSON.stringify(reply)]) {
          res.write(frame)
          await sleep(2)
        }
        res.end()
      }
      void writing()
    }),
  )
  served.push(server)
  return (row) => {
    next.row = row
    asked.length = 0
    return send(`${server.url}${row.path ?? '/chat'}`, { body: row.body ?? chat('Hi.') })
  }
}
afterAll(() => Promise.all(served.map((server) => server.close())))

let ask: (row: Case) => Promise<Reply>
beforeAll(async () => {
  ask = await serving()
})

describe.each(Object.entries(CASES))('Of %s', (_name, row) => {
  const { calls = [CALL], frames, reply } = row

  it('every call is asked about, once and whole, and what is allowed leaves as it came', async () => {
    answers.hook = () => 'allow'
    const answer = await ask(row)
    expect(answer.status).toBe(200)
    expect(answer.text).toBe(frames?.join('') ?? JSON.stringify(reply))
    expect(asked.toSorted((one, other) => one.name.localeCompare(other.name))).toEqual(
      calls.map((call) => ({ ...call, stage: 'output' })),
    )
  })

  it('nothing of a call that is blocked leaves', async () => {
    answers.hook = () => Promise.resolve('block')
    const answer = await ask(row)
    if (calls.length === 0) return void expect(answer.status).toBe(200)
    if (frames === undefined) expect(answer.status).toBe(451)
    expect(answer.text).not.toMatch(/erase_disk|SECRET|srv/)
    expect(answer.text).toContain('tool_call')
  })
})

const STREAM = CASES['openai-chat stream']!

describe('The hook onToolCall', () => {
  it('is told to the client and in the event as the category tool_call', async () => {
    answers.hook = () => 'block'
    const answer = await ask(CASES['openai-chat']!)
    expect(answer.json().error).toMatchObject({
      code: 'content_filter',
      stage: 'output',
      categories: [{ code: 'tool_call', name: 'Tool call' }],
    })
    expect(answer.headers['llama-guard']).toBe('input=safe, output=unsafe;cat="tool_call"')
    expect(JSON.stringify(logger.lines)).not.toMatch(/erase_disk|SECRET/)
  })

  it('keeps a call in the stream until it has answered, and lets go what came before', async () => {
    const waiting: ((word: string) => void)[] = []
    answers.hook = () => new Promise((resolve) => waiting.push(resolve))
    const before = { text: '' }
    const guard = llamaGuard({ ...OPTIONS, streaming: 'async' })
    const server = await serve((req, res) =>
      guard(req, res, () => {
        res.writeHead(200, { 'content-type': TYPES.sse })
        for (const frame of STREAM.frames!) res.write(frame)
        res.end()
      }),
    )
    served.push(server)
    const reply = send(`${server.url}/chat`, {
      body: chat('Hi.'),
      onData: (bytes) => void (before.text += bytes.toString()),
    })
    await vi.waitFor(() => expect([waiting.length, before.text]).toEqual([2, STREAM.frames![0]]))
    waiting[0]!('allow')
    waiting[1]!('block')
    expect((await reply).text).not.toMatch(/erase_disk|SECRET/)
    await guard.close()
  })

  it.each([
    ['UNSAFE', 1],
    ['fine', 0],
  ])('may write to the reply that asks it, with %s behind, %i bytes beyond the bound', async (word, beyond) => {
    const line = (content: string, calls?: object[]): string =>
      `${JSON.stringify({ model: 'm', message: { role: 'assistant', content, tool_calls: calls }, done: false })}\n`
    const [call, behind, wordless] = [line('', [{ function: CALL }]), line(word), line('').repeat(10)]
    const long = line('long '.repeat(300))
    const maxReplyBytes = (call + behind + wordless + long).length - beyond
    const guard = llamaGuard({
      ...OPTIONS,
      maxReplyBytes,
      onToolCall(_call, req) {
        for (const each of [wordless, long]) (req as { res?: ServerResponse }).res!.write(each)
        return 'allow'
      },
    })
    const server = await serve((req, res) => {
      Object.assign(req, { res })
      guard(req, res, () => {
        res.writeHead(200, { 'content-type': TYPES.ndjson })
        res.write(line('Hello.'))
        setTimeout(() => res.write(call + behind), 100)
        setTimeout(() => res.end(), 300)
      })
    })
    served.push(server)
    const reply = await send(`${server.url}/api/chat`, { body: chat('Hi.') })
    expect(reply.text.startsWith(line('Hello.'))).toBe(true)
    if (word === 'fine') expect(reply.text).toBe(line('Hello.') + call + behind + wordless + long)
    else expect(reply.text).not.toContain(word)
    await guard.close()
  })

  it.each<[string, () => unknown, string]>([
    [
      'throws',
      () => {
        throw new TypeError('cause of mine')
      },
      'internal_error',
    ],
    ['rejects', () => Promise.reject(new TypeError('cause of mine')), 'internal_error'],
    ['answers with another word', () => true, 'internal_error'],
    ['never answers', () => new Promise(() => undefined), 'guard_timeout'],
  ])('that %s could not judge: 503 with the cause in the log, or open as onError says', async (_how, hook, code) => {
    answers.hook = hook
    const closed = await serving({ timeoutMs: 200 })
    const refused = await closed(CASES['openai-chat']!)
    expect([refused.status, refused.json().error.code]).toEqual([503, code])
    expect(refused.text).not.toContain('cause of mine')
    expect(logger.lines.some(({ message }) => message === 'the option onToolCall threw')).toBe(true)
    const stream = await closed(STREAM)
    expect(stream.text).not.toMatch(/erase_disk|SECRET/)
    const open = await serving({ timeoutMs: 200, onError: 'open' })
    expect((await open(STREAM)).text).toBe(STREAM.frames!.join(''))
  })

  it('in shadow mode is asked, and blocks nothing', async () => {
    answers.hook = () => 'block'
    const shadow = await serving({ mode: 'shadow' })
    const reply = await shadow(CASES['openai-chat']!)
    expect([reply.status, reply.headers['llama-guard']]).toEqual([200, 'input=safe, output=unsafe;cat="tool_call"'])
    expect((await shadow(STREAM)).text).toBe(STREAM.frames!.join(''))
  })

  it.each([
    [rpc(1, 'tools/call', CALL)],
    [{ jsonrpc: '2.0', id: 1, Method: 'tools/call', Params: { Name: 'erase_disk', Arguments: ARGS } }],
  ])('is asked about the tool that a client of the Model Context Protocol calls', async (body) => {
    const row = { path: '/mcp', body, reply: { jsonrpc: '2.0', id: 1, result: { content: [] } } }
    answers.hook = () => 'block'
    const blocked = await ask(row)
    expect([blocked.status, blocked.json().error.data.categories]).toEqual([
      451,
      [{ code: 'tool_call', name: 'Tool call' }],
    ])
    expect(asked).toEqual([{ ...CALL, stage: 'input' }])
    answers.hook = () => 'allow'
    expect((await ask(row)).json()).toEqual(row.reply)
  })

  it('cannot be asked about a name in two cases, or arguments in pieces by path', async () => {
    answers.hook = () => 'allow'
    const body = rpc(1, 'tools/call', { name: 'look', Name: 'erase_disk' })
    expect((await ask({ path: '/mcp', body, reply: {} })).status).toBe(400)
    for (const more of [{ partialArgs: [{ jsonPath: '$.path' }] }, { willContinue: true }])
      expect((await ask({ frames: data(geminiPart({ functionCall: { name: 'erase_disk', ...more } })) })).status).toBe(
        503,
      )
  })

  it('cannot be asked about chunks that go on with a call that had ended', async () => {
    answers.hook = () => 'allow'
    const [begins, goesOn] = HALVES.map((text) => ({
      ...{ type: 'TOOL_CALL_CHUNK', toolCallId: 't', toolCallName: 'erase_disk', delta: text },
    }))
    const reply = await ask({ frames: data(begins!, { type: 'STATE_DELTA', delta: [] }, goesOn!) })
    expect(reply.text).toContain('unreadable_response')
  })

  it('is asked in guardFetch, and its request is the Request', async () => {
    const requests: unknown[] = []
    const guard = guardFetch(() => Response.json(CASES['openai-chat']!.reply), {
      ...OPTIONS,
      onToolCall(call, req) {
        requests.push((req as { request?: Request }).request?.url, call.name)
        return 'block'
      },
    })
    const request = new Request('http://a.test/chat', {
      method: 'POST',
      body: JSON.stringify(chat('Hi.')),
      headers: { 'content-type': 'application/json' },
    })
    expect((await guard(request)).status).toBe(451)
    expect(requests).toEqual(['http://a.test/chat', 'erase_disk'])
  })

  it('needs the stage in which calls are', () => {
    expect(() => llamaGuard({ ...OPTIONS, check: ['input'] })).toThrow(/onToolCall/)
  })
})
