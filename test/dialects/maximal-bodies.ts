// One body for each API with every documented field, part, call and item that its clients send.
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
      logit_bias: { 50256: -100 },
      stop_token_ids: [1, 2, 3, 4, 5, 6, 7, 8, 9],
      tool_choice: { type: 'function', function: { name: 'weather' } },
      function_call: { name: 'old' },
      functions: [{ name: 'old', description: 'Old.', parameters: SCHEMA }],
      tools: [
        { type: 'function', function: { name: 'weather', description: 'Tells.', parameters: SCHEMA, strict: true } },
        { type: 'custom', custom: { name: 'shell', description: 'Runs.', format: { type: 'text' } } },
      ],
      response_format: { type: 'json_schema', json_schema: { name: 'out', description: 'Out.', schema: SCHEMA } },
      prediction: { type: 'content', content: [{ type: 'text', text: 'foreseen' }] },
      stream_options: { include_usage: true },
      modalities: ['text', 'audio'],
      audio: { voice: 'alloy', format: 'wav' },
      reasoning_effort: 'low',
      verbosity: 'low',
      web_search_options: {
        search_context_size: 'low',
        user_location: { type: 'approximate', approximate: { city: 'Rome', country: 'IT' } },
      },
      chat_template: '{{ x }}',
      chat_template_kwargs: { enable_thinking: false, rules: 'r' },
      documents: [{ title: 'D', text: 'A document.' }, 'another'],
      guided_json: SCHEMA,
      guided_choice: ['yes', 'no'],
      guided_regex: '[a-z]+',
      guided_grammar: 'root ::= x',
      tool_prompt: 'Use tools.',
      prompt_cache_key: 'k-1',
      safety_identifier: 's-1',
      provider: { order: ['anthropic'], sort: 'price' },
      plugins: [{ id: 'web', search_prompt: 'Look.' }],
      persona: 'pirate',
      lists: { words: ['a', 'b'], deep: [[{ note: 'n' }]] },
    },
  },
  'AI SDK': {
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
      include: ['reasoning.encrypted_content'],
      prompt: { id: 'pmpt_12', version: '2', variables: { topic: 'boats', pic: { type: 'input_text', text: 'x' } } },
      reasoning: { effort: 'low', summary: 'auto' },
      text: { format: { type: 'json_schema', name: 'out', schema: SCHEMA }, verbosity: 'low' },
      truncation: 'auto',
      tool_choice: { type: 'allowed_tools', mode: 'auto', tools: [{ type: 'function', name: 'weather' }] },
      tools: [
        { type: 'function', name: 'weather', description: 'Tells.', parameters: SCHEMA },
        {
          type: 'file_search',
          vector_store_ids: ['vs_67ccd2bed1ec8190'],
          filters: { type: 'eq', key: 'k', value: 'v' },
        },
        { type: 'mcp', server_label: 'l', server_url: 'https://x.test/', headers: { a: 'b' }, allowed_tools: ['t'] },
        { type: 'custom', name: 'c', format: { type: 'grammar', syntax: 'lark', definition: 'start: x' } },
      ],
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
        {
          type: 'function_call',
          id: 'fc_12',
          call_id: 'call_12',
          name: 'weather',
          arguments: '{"a":1}',
          status: 'completed',
        },
        { type: 'function_call_output', call_id: 'call_12', output: [{ type: 'input_text', text: 'Sunny' }] },
        { type: 'custom_tool_call', call_id: 'call_13', name: 'c', input: 'x' },
        { type: 'custom_tool_call_output', call_id: 'call_13', output: 'y' },
        { type: 'function_call_output', call_id: 'call_14', output: { sky: 'Sunny', days: ['a', { b: 'c' }] } },
        { type: 'web_search_call', id: 'ws_12', status: 'completed', action: { type: 'search', query: 'q' } },
        {
          type: 'computer_call',
          id: 'cu_12',
          call_id: 'call_14',
          action: { type: 'click', button: 'left', x: 1, y: 2 },
        },
        { type: 'computer_call_output', call_id: 'call_14', output: { type: 'computer_screenshot', image_url: PNG } },
        {
          type: 'shell_call_output',
          call_id: 'call_15',
          output: [{ stdout: 'o', stderr: 'e', outcome: { type: 'exit' } }],
        },
        {
          type: 'code_interpreter_call',
          id: 'ci_12',
          code: '1',
          container_id: 'cntr_12',
          outputs: [{ type: 'logs', logs: 'l' }],
        },
        { type: 'mcp_call', id: 'mcp_12', server_label: 'l', name: 'n', arguments: '{}', output: 'o', error: 'e' },
        { type: 'mcp_list_tools', id: 'mcpl_12', server_label: 'l', tools: [{ name: 'n', input_schema: SCHEMA }] },
        {
          type: 'message',
          id: 'msg_12',
          role: 'assistant',
          status: 'completed',
          content: [
            {
              type: 'output_text',
              text: 'Done',
              annotations: [{ type: 'url_citation', url: 'https://x.test/', title: 'T' }],
            },
          ],
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
      stop_sequences: ['###'],
      thinking: { type: 'enabled', budget_tokens: 1024 },
      tool_choice: { type: 'tool', name: 'weather' },
      tools: [
        { name: 'weather', description: 'Tells.', input_schema: SCHEMA, cache_control: { type: 'ephemeral' } },
        { type: 'web_search_20250305', name: 'web_search', allowed_domains: ['x.test'] },
      ],
      mcp_servers: [{ type: 'url', url: 'https://x.test/', name: 'm', authorization_token: 't' }],
      container: 'container_12',
      context_management: { edits: [{ type: 'clear_tool_uses_20250919', exclude_tools: ['x'] }] },
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
            { type: 'server_tool_use', id: 'srvtoolu_12', name: 'web_search', input: { query: 'q' } },
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
      keep_alive: '5m',
      think: 'low',
      options: { temperature: 0, num_ctx: 2048, stop: ['</s>'] },
      template: '{{ .Prompt }}',
      tools: [{ type: 'function', function: { name: 'weather', description: 'Tells.', parameters: SCHEMA } }],
      messages: [
        { role: 'system', content: 'Be kind.' },
        { role: 'user', content: 'See', images: ['iVBORw0KGgo='] },
        {
          role: 'assistant',
          content: '',
          thinking: 'hm',
          tool_calls: [{ function: { name: 'weather', arguments: { city: 'Rome' } } }],
        },
        { role: 'tool', tool_name: 'weather', content: 'Sunny' },
      ],
    },
  },
  embeddings: {
    path: '/v1/embeddings',
    body: {
      model: 'text-embedding-3-small',
      input: ['A boat', 'A city', { type: 'text', text: 'A tree' }],
      dimensions: 256,
      encoding_format: 'float',
      input_type: 'search_query',
      truncate: true,
      user: 'u-1',
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
      n: 1,
      size: '1024x1024',
      quality: 'hd',
      style: 'vivid',
      background: 'transparent',
      output_format: 'png',
      response_format: 'b64_json',
      output_compression: 90,
      partial_images: 1,
      negative_prompt: 'A city',
      stream: false,
      user: 'u-1',
    },
  },
  'AG-UI': {
    path: '/agent',
    body: {
      threadId: '4f1b2c3d-0a1b-4c2d-8e3f-5a6b7c8d9e0f',
      runId: '5f1b2c3d-0a1b-4c2d-8e3f-5a6b7c8d9e0f',
      parentRunId: '6f1b2c3d-0a1b-4c2d-8e3f-5a6b7c8d9e0f',
      protocolVersion: '1.0',
      state: { city: 'Rome', list: ['a'] },
      context: [{ description: 'The page', value: 'A list' }],
      forwardedProps: { theme: 'dark' },
      resume: [{ interruptId: 'int-1', status: 'resolved', payload: { answer: 'yes' }, metadata: { a: 'b' } }],
      tools: [{ name: 'weather', description: 'Tells.', parameters: SCHEMA, metadata: { a: 'b' } }],
      messages: [
        { id: '1', role: 'system', content: 'Be kind.', name: 'root' },
        { id: '2', role: 'developer', content: 'Be brief.' },
        {
          id: '3',
          role: 'user',
          name: 'ann',
          encryptedValue: BLOB,
          subagentRunId: '7f1b2c3d-0a1b-4c2d-8e3f-5a6b7c8d9e0f',
          content: [
            { type: 'text', id: 'p1', text: 'See', metadata: { a: 'b' } },
            { type: 'image', source: { type: 'data', value: 'iVBORw0KGgo=', mimeType: 'image/png' }, metadata: 'm' },
            { type: 'image', source: { type: 'url', value: 'https://x.test/a.png' } },
            { type: 'document', source: { type: 'data', value: 'aGVsbG8=', mimeType: 'text/plain' } },
            { type: 'binary', mimeType: 'text/plain', data: 'aGVsbG8=', filename: 'a.txt' },
          ],
        },
        {
          id: '4',
          role: 'assistant',
          content: 'I look.',
          toolCalls: [
            {
              id: 'call_12',
              type: 'function',
              function: { name: 'weather', arguments: '{"city":"Rome"}' },
              encryptedValue: BLOB,
            },
          ],
        },
        { id: '5', role: 'tool', toolCallId: 'call_12', content: 'Sunny', error: 'e' },
        { id: '6', role: 'reasoning', content: 'hm', encryptedValue: BLOB },
        { id: '7', role: 'activity', activityType: 'plan', content: { steps: ['one'] }, metadata: { a: 'b' } },
      ],
    },
  },
  CopilotKit: {
    path: '/api/copilotkit',
    body: {
      method: 'agent/run',
      params: { agentId: 'default', other: 'o' },
      body: {
        threadId: '4f1b2c3d-0a1b-4c2d-8e3f-5a6b7c8d9e0f',
        runId: '5f1b2c3d-0a1b-4c2d-8e3f-5a6b7c8d9e0f',
        messages: [{ id: '1', role: 'user', content: 'Hi' }],
        tools: [],
        context: [],
      },
    },
  },
  langgraph: {
    path: '/threads/4f1b2c3d-0a1b-4c2d-8e3f-5a6b7c8d9e0f/runs/stream',
    body: {
      assistant_id: 'agent',
      stream_mode: ['messages-tuple', 'values'],
      multitask_strategy: 'interrupt',
      on_disconnect: 'cancel',
      if_not_exists: 'create',
      durability: 'sync',
      webhook: 'https://x.test/',
      interrupt_before: ['node'],
      checkpoint: { checkpoint_id: '5f1b2c3d-0a1b-4c2d-8e3f-5a6b7c8d9e0f', checkpoint_ns: '' },
      config: { tags: ['t'], recursion_limit: 5, configurable: { thread_id: 't', user: 'u' } },
      context: { city: 'Rome' },
      metadata: { tier: 'gold' },
      command: { resume: { answer: 'yes' }, goto: { node: 'n', input: {} }, update: { messages: ['Hi'] } },
      input: {
        question: 'What?',
        messages: [
          { type: 'system', content: 'Be kind.' },
          {
            type: 'human',
            id: '1',
            name: 'ann',
            content: [
              { type: 'text', text: 'See' },
              { type: 'image_url', image_url: { url: PNG } },
            ],
            additional_kwargs: { a: 'b' },
            response_metadata: { a: 'b' },
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
      tools: [
        {
          functionDeclarations: [
            { name: 'weather', description: 'Tells.', parameters: SCHEMA },
            { name: 'time', parametersJsonSchema: SCHEMA, response: SCHEMA },
          ],
        },
        { googleSearch: {}, codeExecution: {}, urlContext: {} },
      ],
      toolConfig: { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['weather'] } },
      safetySettings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_NONE' }],
      generationConfig: {
        stopSequences: ['###'],
        responseMimeType: 'application/json',
        responseSchema: SCHEMA,
        responseModalities: ['TEXT'],
        thinkingConfig: { includeThoughts: true, thinkingBudget: 99 },
        temperature: 0.2,
        maxOutputTokens: 99,
      },
    },
  },
  'cohere-chat': {
    path: '/v2/chat',
    body: {
      model: 'command-a-03-2025',
      stream: false,
      messages: [
        { role: 'system', content: 'Be kind.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'See' },
            { type: 'image_url', image_url: { url: PNG, detail: 'low' } },
          ],
        },
        {
          role: 'assistant',
          tool_plan: 'I look.',
          content: [{ type: 'thinking', thinking: 'hm' }],
          tool_calls: [
            { id: 'call_12', type: 'function', function: { name: 'weather', arguments: '{"city":"Rome"}' } },
          ],
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
      tools: [{ type: 'function', function: { name: 'weather', description: 'Tells.', parameters: SCHEMA } }],
      citation_options: { mode: 'FAST' },
      safety_mode: 'CONTEXTUAL',
      tool_choice: 'REQUIRED',
      response_format: { type: 'json_object', json_schema: SCHEMA },
      stop_sequences: ['###'],
      thinking: { type: 'enabled', token_budget: 99 },
      max_tokens: 99,
      p: 0.9,
      k: 4,
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
      inferenceConfig: { maxTokens: 99, temperature: 0.2, stopSequences: ['###'] },
      toolConfig: {
        tools: [{ toolSpec: { name: 'weather', description: 'Tells.', inputSchema: { json: SCHEMA } } }],
        toolChoice: { tool: { name: 'weather' } },
      },
      guardrailConfig: { guardrailIdentifier: 'gr-1', guardrailVersion: '1', trace: 'enabled' },
      promptVariables: { name: { text: 'Ann' } },
      performanceConfig: { latency: 'optimized' },
      serviceTier: { type: 'priority' },
      requestMetadata: { team: 'search' },
      additionalModelRequestFields: { note: 'n' },
    },
  },
}
