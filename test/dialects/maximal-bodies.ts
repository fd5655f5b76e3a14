// One body for each API with every kind of field, part, call and item that the engine reads in a way of its own.
// test/dialects/every-string.test.ts plants words in each of their places.

const SCHEMA = {
  type: 'object',
  properties: { city: { type: 'string', description: 'A city.', enum: ['Rome', 'Oslo'] } },
  required: ['city'],
}
const PNG = 'data:image/png;base64,iVBORw0KGgo='
const BLOB = 'EqMBCkYIBRgCKkBh7mCa0uX9bVn3Qw1rTg5Yz8PoLk2JdHs6FcXeNiMv4RtUyWq0ZaBxSgKp'
const SETTINGS = {
  model: 'gpt-4o-2024-08-06',
  stream: false,
  temperature: 0.2,
  top_p: 1,
  seed: 7,
  user: 'u-1',
  metadata: { tier: 'gold' },
  service_tier: 'auto',
}

export interface MaximalBody {
  readonly path: string
  readonly body: Record<string, unknown>
}

export const MAXIMAL: Readonly<Record<string, MaximalBody>> = {
  'openai-chat': {
    path: '/v1/chat/completions',
    body: {
      ...SETTINGS,
      messages: [
        { role: 'system', content: 'Be kind.', name: 'root' },
        { role: 'developer', content: [{ type: 'text', text: 'Be brief.' }] },
        {
          role: 'user',
          name: 'ann',
          content: [
            { type: 'text', text: 'See this. ', cache_control: { type: 'ephemeral', ttl: '5m' } },
            { type: 'image_url', image_url: { url: PNG, detail: 'low' } },
            { type: 'file', file: { filename: 'a.txt', file_data: 'data:text/plain;base64,aGVsbG8=' } },
            { type: 'text', text: 'And that.' },
          ],
        },
        {
          role: 'assistant',
          content: null,
          refusal: 'no',
          reasoning_content: 'hm',
          audio: { id: 'audio_68af0c5a4c2c' },
          tool_calls: [
            { id: 'call_12', type: 'function', function: { name: 'weather', arguments: '{"city":"Rome"}' } },
            { id: 'call_13', type: 'custom', custom: { name: 'shell', input: 'ls' } },
          ],
          function_call: { name: 'old', arguments: '{}' },
          reasoning_details: [{ type: 'reasoning.encrypted', data: BLOB, id: 'rs_12', format: 'x', index: 0 }],
        },
        { role: 'tool', tool_call_id: 'call_12', content: [{ type: 'text', text: 'Sunny' }] },
        { role: 'function', name: 'old', content: 'Done' },
      ],
      stop: ['###'],
      stop_token_ids: [1, 2, 3, 4, 5, 6, 7, 8, 9],
      tools: [
        { type: 'function', function: { name: 'weather', description: 'Tells.', parameters: SCHEMA, strict: true } },
        { type: 'custom', custom: { name: 'shell', description: 'Runs.', format: { type: 'text' } } },
      ],
      response_format: { type: 'json_schema', json_schema: { name: 'out', description: 'Out.', schema: SCHEMA } },
      prediction: { type: 'content', content: [{ type: 'text', text: 'foreseen' }] },
      chat_template_kwargs: { enable_thinking: false, rules: 'r' },
      documents: [{ title: 'D', text: 'A document.' }, 'another'],
      guided_json: SCHEMA,
      plugins: [{ id: 'web', search_prompt: 'Look.' }],
      persona: 'pirate',
      lists: { words: ['a', 'b'], deep: [[{ note: 'n' }]] },
    },
  },
  'ai-sdk': {
    path: '/api/chat',
    body: {
      id: 'W5ZkBPmvLKxpYH7E',
      trigger: 'submit-message',
      messages: [
        {
          id: 'rX2kPq9LmT4vBz7Y',
          role: 'user',
          createdAt: '2025-01-01T00:00:00.000Z',
          metadata: { a: 'b' },
          content: 'Hi',
          parts: [
            { type: 'text', text: 'Hi' },
            { type: 'file', mediaType: 'image/png', filename: 'a.png', url: PNG },
            { type: 'data-weather', id: 'd1', data: { city: 'Rome' } },
          ],
          experimental_attachments: [{ name: 'a.txt', contentType: 'text/plain', url: 'data:text/plain,hello' }],
        },
        {
          id: 'bQ8sNw3HcJ6fDk1R',
          role: 'assistant',
          parts: [
            { type: 'step-start' },
            { type: 'reasoning', text: 'hm', state: 'done', providerMetadata: { anthropic: { signature: BLOB } } },
            {
              type: 'tool-weather',
              toolCallId: 'call_12',
              state: 'output-available',
              input: { city: 'R' },
              output: 'S',
            },
            { type: 'dynamic-tool', toolName: 'x', toolCallId: 'call_13', state: 'output-error', errorText: 'e' },
            { type: 'source-url', sourceId: '1', url: 'https://x.test/', title: 'T' },
            {
              type: 'tool-invocation',
              toolInvocation: { toolName: 'y', args: { q: 'r' }, state: 'result', result: 's' },
            },
          ],
        },
        { id: 'zL5vTg2XyM9pCw4K', role: 'user', content: 'Go on' },
      ],
    },
  },
  'openai-completions': {
    path: '/v1/completions',
    body: { ...SETTINGS, prompt: ['Once', 'Twice'], suffix: 'end', echo: true, best_of: 2, logit_bias: { 1: 2 } },
  },
  'openai-responses': {
    path: '/v1/responses',
    body: {
      ...SETTINGS,
      instructions: 'Be kind.',
      previous_response_id: 'resp_67ccd2bed1ec8190b14f964abc0542670bb6a6b452d3795b',
      conversation: { id: 'conv_67ccd2bed1ec8190b14f964abc054267' },
      prompt: { id: 'pmpt_12', version: '2', variables: { topic: 'boats', pic: { type: 'input_text', text: 'x' } } },
      text: { format: { type: 'json_schema', name: 'out', schema: SCHEMA } },
      input: [
        { role: 'developer', content: 'Be brief.' },
        {
          type: 'message',
          role: 'user',
          content: [
            { type: 'input_text', text: 'Look' },
            { type: 'input_image', image_url: PNG, detail: 'auto' },
            { type: 'input_file', filename: 'a.txt', file_data: 'data:text/plain;base64,aGVsbG8=' },
          ],
        },
        { type: 'reasoning', id: 'rs_12', summary: [{ type: 'summary_text', text: 'hm' }], encrypted_content: BLOB },
        { type: 'function_call', id: 'fc_12', call_id: 'call_12', name: 'weather', arguments: '{"a":1}' },
        { type: 'function_call_output', call_id: 'call_12', output: [{ type: 'input_text', text: 'Sunny' }] },
        { type: 'custom_tool_call_output', call_id: 'call_13', output: 'y' },
        { type: 'function_call_output', call_id: 'call_14', output: { sky: 'Sunny', days: ['a', { b: 'c' }] } },
        { type: 'computer_call_output', call_id: 'call_14', output: { type: 'computer_screenshot', image_url: PNG } },
        {
          type: 'shell_call_output',
          call_id: 'call_15',
          output: [{ stdout: 'o', stderr: 'e', outcome: { type: 'exit' } }],
        },
        { type: 'item_reference', id: 'msg_13' },
      ],
    },
  },
  'anthropic-messages': {
    path: '/v1/messages',
    body: {
      model: 'claude-sonnet-4-20250514',
      max_tokens: 99,
      metadata: { user_id: 'u-1' },
      system: [{ type: 'text', text: 'Be kind.', cache_control: { type: 'ephemeral' } }],
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'See', citations: [{ type: 'char_location', cited_text: 'c', document_title: 'd' }] },
            { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' } },
            { type: 'image', source: { type: 'url', url: 'https://x.test/a.png' } },
            {
              type: 'document',
              title: 'T',
              context: 'C',
              source: { type: 'text', media_type: 'text/plain', data: 'words' },
              citations: { enabled: true },
            },
            { type: 'document', source: { type: 'content', content: [{ type: 'text', text: 'w' }] } },
            { type: 'search_result', source: 'https://x.test/', title: 'S', content: [{ type: 'text', text: 'r' }] },
          ],
        },
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 'hm', signature: BLOB },
            { type: 'redacted_thinking', data: BLOB },
            { type: 'text', text: 'I look.' },
            { type: 'tool_use', id: 'toolu_12', name: 'weather', input: { city: 'Rome' } },
            {
              type: 'web_search_tool_result',
              tool_use_id: 'srvtoolu_12',
              content: [{ type: 'web_search_result', url: 'https://x.test/', title: 'T', encrypted_content: BLOB }],
            },
          ],
        },
        {
          role: 'user',
          content: [
            {
              type: 'tool_result',
              tool_use_id: 'toolu_12',
              is_error: false,
              content: [
                { type: 'text', text: 'Sun' },
                { type: 'text', text: 'ny' },
                { type: 'image', source: { type: 'url', url: 'https://x.test/b.png' } },
              ],
            },
          ],
        },
      ],
    },
  },
  'ollama-chat': {
    path: '/api/chat',
    body: {
      model: 'llama3.2:3b-instruct-q4_K_M',
      stream: false,
      format: SCHEMA,
      options: { temperature: 0, num_ctx: 2048, stop: ['</s>'] },
      template: '{{ .Prompt }}',
      messages: [
        { role: 'user', content: 'See', images: ['iVBORw0KGgo='] },
        {
          role: 'assistant',
          content: '',
          thinking: 'hm',
          tool_calls: [{ function: { name: 'weather', arguments: { city: 'Rome' } } }],
        },
      ],
    },
  },
  embeddings: {
    path: '/v1/embeddings',
    body: {
      input: ['A boat', 'A city', { type: 'text', text: 'A tree' }],
      input_type: 'search_query',
      instruction: 'Look.',
    },
  },
  images: {
    path: '/v1/images/edits',
    body: {
      model: 'gpt-image-1',
      prompt: 'A boat',
      images: [{ image_url: PNG }],
      mask: { image_url: PNG },
      style: 'vivid',
      negative_prompt: 'A city',
    },
  },
  'ag-ui': {
    path: '/agent',
    body: {
      threadId: '4f1b2c3d-0a1b-4c2d-8e3f-5a6b7c8d9e0f',
      runId: '5f1b2c3d-0a1b-4c2d-8e3f-5a6b7c8d9e0f',
      state: { city: 'Rome', list: ['a'] },
      context: [{ description: 'The page', value: 'A list' }],
      messages: [
        {
          id: '3',
          role: 'user',
          name: 'ann',
          encryptedValue: BLOB,
          subagentRunId: '7f1b2c3d-0a1b-4c2d-8e3f-5a6b7c8d9e0f',
          content: [
            { type: 'image', source: { type: 'data', value: 'iVBORw0KGgo=', mimeType: 'image/png' }, metadata: 'm' },
            { type: 'image', source: { type: 'url', value: 'https://x.test/a.png' } },
            { type: 'document', source: { type: 'data', value: 'aGVsbG8=', mimeType: 'text/plain' } },
            { type: 'binary', mimeType: 'text/plain', data: 'aGVsbG8=', filename: 'a.txt' },
          ],
        },
        { id: '4', role: 'assistant', toolCalls: [{ id: 'call_12', type: 'function', encryptedValue: BLOB }] },
        { id: '5', role: 'tool', toolCallId: 'call_12', content: 'Sunny', error: 'e' },
        { id: '7', role: 'activity', activityType: 'plan', content: { steps: ['one'] }, metadata: { a: 'b' } },
      ],
    },
  },
  'ag-ui, of CopilotKit': {
    path: '/api/copilotkit',
    body: {
      method: 'agent/run',
      params: { agentId: 'default', other: 'o' },
      body: {
        threadId: '4f1b2c3d-0a1b-4c2d-8e3f-5a6b7c8d9e0f',
        runId: '5f1b2c3d-0a1b-4c2d-8e3f-5a6b7c8d9e0f',
        messages: [{ id: '1', role: 'user', content: 'Hi' }],
      },
    },
  },
  langgraph: {
    path: '/threads/4f1b2c3d-0a1b-4c2d-8e3f-5a6b7c8d9e0f/runs/stream',
    body: {
      assistant_id: 'agent',
      checkpoint: { checkpoint_id: '5f1b2c3d-0a1b-4c2d-8e3f-5a6b7c8d9e0f', checkpoint_ns: '' },
      config: { tags: ['t'], recursion_limit: 5, configurable: { thread_id: 't', user: 'u' } },
      command: { resume: { answer: 'yes' }, goto: { node: 'n', input: {} }, update: { messages: ['Hi'] } },
      input: {
        question: 'What?',
        messages: [
          {
            type: 'human',
            id: '1',
            name: 'ann',
            content: [{ type: 'text', text: 'See' }],
            additional_kwargs: { a: 'b' },
          },
          {
            type: 'ai',
            content: 'I look.',
            tool_calls: [{ id: 'call_12', name: 'weather', args: { city: 'Rome' }, type: 'tool_call' }],
            invalid_tool_calls: [{ id: 'call_13', name: 'w', args: '{', error: 'e' }],
          },
          { type: 'tool', tool_call_id: 'call_12', content: 'Sunny', artifact: { a: 'b' } },
          ['user', 'And?'],
          'Go on',
          { role: 'user', content: 'Yes' },
          { type: 'remove', id: 'm1' },
        ],
      },
    },
  },
  mcp: {
    path: '/mcp',
    body: {
      jsonrpc: '2.0',
      id: 7,
      method: 'tools/call',
      params: {
        _meta: { progressToken: 'f3a1c2b4-0a1b-4c2d-8e3f-5a6b7c8d9e0f', other: 'o' },
        name: 'search',
        arguments: { query: 'boats', list: ['a', { b: 'c' }] },
        task: { ttl: 60000 },
        cursor: 'eyJ',
        context: { arguments: { other: 'x' } },
        protocolVersion: '2025-11-25',
        clientInfo: { name: 'desk', icons: [{ src: 'i' }] },
        capabilities: { roots: { listChanged: true }, experimental: { x: {} } },
        requestId: 'f3a1c2b4-0a1b-4c2d-8e3f-5a6b7c8d9e0f',
        tools: [{ name: 't', description: 'd', inputSchema: SCHEMA, annotations: { title: 'T' } }],
        messages: [
          { role: 'user', content: { type: 'text', text: 'Hi', annotations: { audience: ['user'] } } },
          {
            role: 'user',
            content: [{ type: 'image', data: 'iVBORw0KGgo=', mimeType: 'image/png', _meta: { a: 'b' } }],
          },
          { role: 'assistant', content: [{ type: 'tool_use', id: 'call_12', name: 't', input: { a: 'b' } }] },
          {
            role: 'user',
            content: [
              {
                type: 'tool_result',
                toolUseId: 'call_12',
                content: [{ type: 'text', text: 'r' }],
                structuredContent: { a: 'b' },
              },
              { type: 'resource', resource: { uri: 'note://2', mimeType: 'text/plain', text: 'n' } },
              { type: 'resource', resource: { uri: 'note://3', mimeType: 'text/plain', blob: 'aGVsbG8=' } },
            ],
          },
        ],
      },
    },
  },
  'mcp, what a client answers': {
    path: '/mcp',
    body: {
      jsonrpc: '2.0',
      id: 'f3a1c2b4-0a1b-4c2d-8e3f-5a6b7c8d9e0f',
      result: {
        _meta: { a: 'b' },
        action: 'accept',
        content: { name: 'Ann', list: ['a'] },
        roots: [{ uri: 'file:///a', name: 'n' }],
      },
      error: { code: -32000, message: 'm', data: { a: 'b' } },
    },
  },
  gemini: {
    path: '/v1beta/models/gemini-2.5-flash:generateContent',
    body: {
      systemInstruction: { role: 'user', parts: [{ text: 'Be kind.' }] },
      contents: [
        {
          role: 'user',
          parts: [
            { text: 'See this. ' },
            { inlineData: { mimeType: 'image/png', data: 'iVBORw0KGgo=' } },
            { inline_data: { mime_type: 'text/plain', data: 'aGVsbG8=' } },
            { text: 'And that.' },
          ],
        },
        {
          role: 'model',
          parts: [
            { text: 'hm', thought: true, thoughtSignature: BLOB },
            { text: 'I look.' },
            { functionCall: { id: 'call_12', name: 'weather', args: { city: 'Rome' } }, thoughtSignature: BLOB },
            { executableCode: { language: 'PYTHON', code: 'print(1)' } },
            { codeExecutionResult: { outcome: 'OUTCOME_OK', output: '1' } },
          ],
        },
        {
          role: 'user',
          parts: [
            { functionResponse: { id: 'call_12', name: 'weather', response: { output: 'Sunny', list: ['a'] } } },
            { function_response: { name: 'weather', response: {}, parts: [{ text: 'more' }] } },
          ],
        },
        { parts: { text: 'Go on' } },
      ],
      generationConfig: { stopSequences: ['###'], responseSchema: SCHEMA },
    },
  },
  'cohere-chat': {
    path: '/v2/chat',
    body: {
      model: 'command-a-03-2025',
      stream: false,
      messages: [
        {
          role: 'assistant',
          tool_plan: 'I look.',
          content: [{ type: 'thinking', thinking: 'hm' }],
        },
        {
          role: 'tool',
          tool_call_id: 'call_12',
          content: [
            { type: 'document', document: { id: '1', data: { text: 'Sunny', title: 'T' } } },
            { type: 'document', document: { data: 'Warm' } },
          ],
        },
        {
          role: 'assistant',
          content: 'Sunny',
          citations: [{ start: 0, end: 5, text: 'Sunny', sources: [{ type: 'tool' }] }],
        },
        { role: 'user', content: 'Go on' },
      ],
      documents: ['A document.', { id: 'd1', data: { text: 'Another.' } }],
    },
  },
  'bedrock-converse': {
    path: '/model/us.anthropic.claude-sonnet-4-20250514-v1%3A0/converse',
    body: {
      system: [{ text: 'Be kind.' }, { cachePoint: { type: 'default' } }, { guardContent: { text: { text: 'g' } } }],
      messages: [
        {
          role: 'user',
          content: [
            { text: 'See' },
            { image: { format: 'png', source: { bytes: 'iVBORw0KGgo=' } } },
            { document: { format: 'txt', name: 'notes', source: { bytes: 'aGVsbG8=' }, context: 'C' } },
            { document: { format: 'md', name: 'more', source: { text: 'words' }, citations: { enabled: true } } },
            { document: { name: 'chunks', source: { content: [{ text: 'w' }] } } },
            { guardContent: { text: { text: 'guarded', qualifiers: ['query'] } } },
            { searchResult: { source: 'https://x.test/', title: 'S', content: [{ text: 'r' }] } },
          ],
        },
        {
          role: 'assistant',
          content: [
            { reasoningContent: { reasoningText: { text: 'hm', signature: BLOB } } },
            { reasoningContent: { redactedContent: BLOB } },
            { text: 'I look.' },
            {
              citationsContent: {
                content: [{ text: 'c' }],
                citations: [{ title: 'T', sourceContent: [{ text: 's' }] }],
              },
            },
            { toolUse: { toolUseId: 'tooluse_12', name: 'weather', input: { city: 'Rome' } } },
          ],
        },
        {
          role: 'user',
          content: [
            {
              toolResult: {
                toolUseId: 'tooluse_12',
                status: 'success',
                content: [{ text: 'Sunny' }, { json: { degrees: 'warm' } }],
              },
            },
            { cachePoint: { type: 'default', ttl: '5m' } },
          ],
        },
      ],
      promptVariables: { name: { text: 'Ann' } },
      additionalModelRequestFields: { note: 'n' },
    },
  },
}
