// Pictures and sound beside the words of a reply, in the forms that APIs document, under the option `images`.
import { describe, expect, it } from 'vitest'
import { guarded, onNode, serving } from '../helpers/apps.js'
import { chat, chunk, completion, send } from '../helpers/http.js'

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
const URL = `data:image/png;base64,${PNG}`
const data = (event: object): string => `data: ${JSON.stringify(event)}\n\n`
const picture = { type: 'image_url', image_url: { url: URL } }
const inline = (words: string): object => ({
  candidates: [
    { content: { role: 'model', parts: [{ text: words }, { inlineData: { mimeType: 'image/png', data: PNG } }] } },
  ],
})
const part = (type: string, more: object): string => data({ type, ...more })

/** Path, request, and a reply with these words and a picture. A string is a stream. */
const REPLIES: Readonly<Record<string, readonly [string, object, (words: string) => object | string]>> = {
  OpenRouter: ['/v1/chat/completions', chat('hi'), (words) => completion(words, { images: [picture] })],
  "OpenRouter's stream": [
    '/v1/chat/completions',
    chat('hi', { stream: true }),
    (words) => chunk({ content: words }) + chunk({ images: [picture] }) + 'data: [DONE]\n\n',
  ],
  'spoken words of OpenAI': [
    '/v1/chat/completions',
    chat('hi'),
    (words) => completion(null, { audio: { id: 'audio_1', data: 'AAAA', expires_at: 1729018505, transcript: words } }),
  ],
  Gemini: ['/v1beta/models/m:generateContent', { contents: [{ role: 'user', parts: [{ text: 'hi' }] }] }, inline],
  "Gemini's stream": [
    '/v1beta/models/m:streamGenerateContent?alt=sse',
    { contents: [{ role: 'user', parts: [{ text: 'hi' }] }] },
    (words) => data(inline(words)),
  ],
  'a picture that Responses makes': [
    '/v1/responses',
    { model: 'm', input: 'hi' },
    (words) => ({
      id: 'resp_1',
      object: 'response',
      output: [
        { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: words, annotations: [] }] },
        { type: 'image_generation_call', id: 'ig_1', status: 'completed', result: 'AAAA' },
      ],
    }),
  ],
  'a file part of the AI SDK': [
    '/api/chat',
    { id: 'c', messages: [{ id: '1', role: 'user', parts: [{ type: 'text', text: 'hi' }] }] },
    (words) =>
      part('start', { messageId: 'm' }) +
      part('text-start', { id: 't' }) +
      part('text-delta', { id: 't', delta: words }) +
      part('text-end', { id: 't' }) +
      part('file', { url: URL, mediaType: 'image/png' }) +
      part('finish', {}),
  ],
  "a tool's result of Anthropic": [
    '/v1/messages',
    { model: 'm', max_tokens: 9, messages: [{ role: 'user', content: 'hi' }] },
    (words) => ({
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      content: [
        { type: 'text', text: words },
        {
          type: 'mcp_tool_result',
          tool_use_id: 'mcptoolu_1',
          is_error: false,
          content: [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG } }],
        },
      ],
      stop_reason: 'end_turn',
    }),
  ],
}

describe.each(Object.entries(REPLIES))('%s', (_name, [path, body, reply]) => {
  const ask = async (images: 'refuse' | 'ignore', words: string): Promise<[number, boolean]> => {
    const sent = reply(words)
    const bytes = typeof sent === 'string' ? sent : JSON.stringify(sent)
    const type = typeof sent === 'string' ? 'text/event-stream' : 'application/json'
    const server = onNode([guarded({ check: ['output'], images })], (_req, res) => {
      res.writeHead(200, { 'content-type': type }).end(bytes)
    })
    const got = await serving(server, ({ url }) => send(url + path, { body }))
    return [got.status, got.text === bytes]
  }

  it('has a picture beside its words that no guard reads', async () => {
    expect((await ask('refuse', 'Some words'))[1]).toBe(false)
    expect(await ask('ignore', 'Some words')).toEqual([200, true])
    expect((await ask('ignore', 'UNSAFE'))[1]).toBe(false)
  })
})
