// Bodies as real clients send them, and how many conversations the guard is asked about for each.
// The numbers are those of before every string of a request was judged.

const TOOLS = [
  {
    type: 'function',
    function: {
      name: 'get_weather',
      description: 'Tells the weather of a city.',
      parameters: {
        type: 'object',
        properties: { city: { type: 'string' } },
        required: ['city'],
        additionalProperties: false,
      },
      strict: true,
    },
  },
]
const user = (content: unknown, more: object = {}): object => ({ role: 'user', content, ...more })
const system = { role: 'system', content: 'You are a helpful assistant.' }
const PNG = 'data:image/png;base64,iVBORw0KGgo='

export interface OrdinaryBody {
  readonly path: string
  readonly body: object
  readonly calls: number
}

const chat = (calls: number, messages: readonly object[], more: object = {}): OrdinaryBody => ({
  path: '/v1/chat/completions',
  body: { model: 'gpt-4o-mini', messages, ...more },
  calls,
})
const CALLS = [
  user('Weather in Rome?'),
  {
    role: 'assistant',
    content: null,
    refusal: null,
    annotations: [],
    tool_calls: [
      {
        id: 'call_Vd2QpX8mZk1LwR5tYb7NcJ3h',
        type: 'function',
        function: { name: 'get_weather', arguments: '{"city":"Rome"}' },
      },
    ],
  },
  { role: 'tool', tool_call_id: 'call_Vd2QpX8mZk1LwR5tYb7NcJ3h', content: '{"temperature":21}' },
]

export const ORDINARY: Readonly<Record<string, OrdinaryBody>> = {
  'the openai package: one message': chat(1, [user('Hi')]),
  'the openai package: settings': chat(1, [user('Hi')], {
    temperature: 0.7,
    max_tokens: 256,
    max_completion_tokens: 256,
    top_p: 1,
    n: 1,
    stop: ['\n\n', 'Observation:', '</s>'],
    presence_penalty: 0,
    frequency_penalty: 0,
    logit_bias: { 50256: -100 },
    logprobs: true,
    top_logprobs: 5,
    user: 'user-1234',
    seed: 42,
    stream: true,
    stream_options: { include_usage: true },
    service_tier: 'auto',
    store: true,
    metadata: { session: 'a1', env: 'prod' },
    parallel_tool_calls: false,
    reasoning_effort: 'medium',
    verbosity: 'low',
    modalities: ['text'],
    response_format: { type: 'json_object' },
    prompt_cache_key: 'tenant-7',
    safety_identifier: '8f14e45fceea167a5a36dedd4bea2543',
  }),
  'the openai package: a conversation': chat(2, [
    system,
    user('Hi'),
    { role: 'assistant', content: 'Hello.' },
    user('Go on'),
  ]),
  'the openai package: tools': chat(2, [system, user('Weather?')], { tools: TOOLS, tool_choice: 'auto' }),
  'the openai package: a tool result': chat(3, [system, ...CALLS], { tools: TOOLS }),
  'the openai package: parts and a picture': chat(1, [
    user([
      { type: 'text', text: 'What is this?' },
      { type: 'image_url', image_url: { url: PNG, detail: 'auto' } },
    ]),
  ]),
  'the openai package: a schema for the reply': chat(2, [user('Hi')], {
    response_format: {
      type: 'json_schema',
      json_schema: { name: 'answer', strict: true, schema: { type: 'object', properties: { a: { type: 'string' } } } },
    },
  }),
  'vLLM: settings of its own': chat(1, [user('Hi')], {
    model: 'Qwen/Qwen3-8B',
    chat_template_kwargs: { enable_thinking: false },
    top_k: 20,
    min_p: 0,
    repetition_penalty: 1.05,
    skip_special_tokens: true,
    stop_token_ids: [151643, 151645],
    truncate_prompt_tokens: 4096,
  }),
  'OpenRouter: a route': chat(1, [user('Hi')], {
    model: 'nousresearch/hermes-3-llama-3.1-405b:free',
    models: ['anthropic/claude-3.5-sonnet', 'openai/gpt-4o'],
    provider: { order: ['anthropic', 'openai'], allow_fallbacks: true, sort: 'throughput' },
    route: 'fallback',
    transforms: ['middle-out'],
    usage: { include: true },
  }),
  'the AI SDK: useChat': {
    path: '/api/chat',
    body: {
      id: 'tVt4NdW9OaR3mLzq',
      messages: [
        { id: 'msg-1', role: 'user', metadata: { createdAt: 1 }, parts: [{ type: 'text', text: 'Hi' }] },
        {
          id: '9XkQm2ZrT7bWc4Yp',
          role: 'assistant',
          parts: [{ type: 'step-start' }, { type: 'text', text: 'Hello.', state: 'done' }],
        },
        { id: 'Lw8VtR2nQz5KpX1c', role: 'user', parts: [{ type: 'text', text: 'Go on' }] },
      ],
      trigger: 'submit-message',
    },
    calls: 1,
  },
  'Responses: a text': {
    path: '/v1/responses',
    body: { model: 'gpt-5', input: 'Hi', stream: true, store: false, include: ['reasoning.encrypted_content'] },
    calls: 1,
  },
  'Responses: a conversation that goes on': {
    path: '/v1/responses',
    body: {
      model: 'gpt-5',
      instructions: 'Be kind.',
      previous_response_id: 'resp_67ccd3a9da748190baa7f1570fe91ac604becb25c45c1d41',
      conversation: 'conv_689667905b048191b4740501625afd940c7533ace33a2dab',
      reasoning: { effort: 'medium', summary: 'auto' },
      text: { format: { type: 'text' }, verbosity: 'medium' },
      truncation: 'auto',
      input: [
        { role: 'user', content: [{ type: 'input_text', text: 'Hi' }] },
        {
          type: 'reasoning',
          id: 'rs_67ccd2bf17f0819081ff3bb2cf6508e60bb6a6b452d3795b',
          summary: [],
          encrypted_content: 'gAAAAABo' + 'Zk3vQ9xT2mLpW7rYc1Nb5Hs8'.repeat(20),
        },
        {
          type: 'message',
          id: 'msg_67ccd2bed1ec8190b14f964abc0542670bb6a6b452d3795b',
          role: 'assistant',
          status: 'completed',
          content: [{ type: 'output_text', text: 'Hello.', annotations: [], logprobs: [] }],
        },
        { role: 'user', content: 'Go on' },
      ],
    },
    calls: 2,
  },
  'Responses: a breakpoint of the cache': {
    path: '/v1/responses',
    body: {
      model: 'gpt-5',
      input: [user([{ type: 'input_text', text: 'Hi', prompt_cache_breakpoint: { mode: 'explicit' } }])],
    },
    calls: 1,
  },
  "Mistral's conversations": {
    path: '/v1/conversations',
    body: { agent_id: 'ag_1', inputs: 'Hi', completion_args: { temperature: 0.3, tool_choice: 'auto' } },
    calls: 1,
  },
  'OpenRouter: a session and its trace': chat(1, [user('Hi')], {
    session_id: 'chat.7',
    trace: { trace_id: 't.1' },
    preset: 'terse',
  }),
  'SGLang: the id of a request': chat(1, [user('Hi')], { rid: 'r.1', separate_reasoning: true }),
  'images: the form of the reply': {
    path: '/v1/images/generations',
    body: { model: 'm', prompt: 'A boat', response_format: 'b64_json' },
    calls: 1,
  },
  'Anthropic: fallbacks': {
    path: '/v1/messages',
    body: {
      model: 'm',
      max_tokens: 9,
      fallbacks: [{ model: 'claude-sonnet-4-5' }],
      fallback_credit_token: 'fct.1',
      diagnostics: { previous_message_id: 'msg_01' },
      messages: [user([{ type: 'text', text: 'Hi', cache_control: { type: 'ephemeral' } }])],
    },
    calls: 1,
  },
  'Anthropic: thinking and a tool': {
    path: '/v1/messages',
    body: {
      model: 'claude-sonnet-4-20250514',
      max_tokens: 1024,
      system: [{ type: 'text', text: 'Be kind.', cache_control: { type: 'ephemeral' } }],
      thinking: { type: 'enabled', budget_tokens: 1024 },
      metadata: { user_id: 'u-7' },
      tools: [{ name: 'get_weather', description: 'Tells.', input_schema: { type: 'object', properties: {} } }],
      tool_choice: { type: 'auto' },
      messages: [
        user([{ type: 'text', text: 'Weather?', cache_control: { type: 'ephemeral' } }]),
        {
          role: 'assistant',
          content: [
            {
              type: 'thinking',
              thinking: 'I should look.',
              signature: 'EqMB' + 'Zk3vQ9xT2mLpW7rYc1Nb5Hs8'.repeat(9) + '=',
            },
            { type: 'tool_use', id: 'toolu_01A09q90qw90lq917835lq9', name: 'get_weather', input: { city: 'Rome' } },
          ],
        },
        user([{ type: 'tool_result', tool_use_id: 'toolu_01A09q90qw90lq917835lq9', content: 'Sunny' }]),
      ],
    },
    calls: 3,
  },
  'Ollama: options': {
    path: '/api/chat',
    body: {
      model: 'llama3.2',
      messages: [system, user('Hi')],
      options: { temperature: 0, num_ctx: 4096, stop: ['</s>'] },
      keep_alive: '5m',
      think: false,
      format: 'json',
      stream: false,
    },
    calls: 2,
  },
  'MCP: the call of a tool': {
    path: '/mcp',
    body: {
      jsonrpc: '2.0',
      id: 2,
      method: 'tools/call',
      params: { name: 'search', arguments: { query: 'boats' }, _meta: { progressToken: 2 } },
    },
    calls: 1,
  },
  'MCP: a client that names itself': {
    path: '/mcp',
    body: {
      jsonrpc: '2.0',
      id: 0,
      method: 'initialize',
      params: {
        protocolVersion: '2025-11-25',
        capabilities: { sampling: {}, elicitation: { form: {} }, roots: { listChanged: true } },
        clientInfo: { name: 'desk', version: '1.0.0' },
      },
    },
    calls: 1,
  },
  'MCP: a list of tools, without a session': {
    path: '/mcp',
    body: {
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/list',
      params: {
        _meta: {
          'io.modelcontextprotocol/protocolVersion': '2026-07-28',
          'io.modelcontextprotocol/clientCapabilities': {},
        },
      },
    },
    calls: 0,
  },
  "Ollama's generation": {
    path: '/api/generate',
    body: { model: 'llama3.2', prompt: 'Hi', raw: true, options: { seed: 1 }, keep_alive: '5m', context: [1, 2] },
    calls: 1,
  },
  'MCP: a notification': { path: '/mcp', body: { jsonrpc: '2.0', method: 'notifications/initialized' }, calls: 0 },
}
