// Words spelt in JSON escapes within a string of a reply or a request: whoever parses the string reads the words.
import { expect, it } from 'vitest'
import { withEscapesRead } from '../../src/utils/json.js'
import { cpuMs } from '../helpers/cpu.js'
import { ask, guarded, onNode, serving } from '../helpers/apps.js'
import { markerGuard } from '../helpers/guards.js'
import { chat } from '../helpers/http.js'

const escaped = (text: string): string =>
  Array.from(text, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')
const WORDS = 'planted words'
const ARGUMENTS = `{"q":"${escaped(WORDS)}"}`
const call = { index: 0, id: 'call_1', type: 'function', function: { name: 'f', arguments: ARGUMENTS } }
const reply = (holder: string, value: object): string =>
  JSON.stringify({ id: 'chatcmpl-1', choices: [{ index: 0, [holder]: value, finish_reason: 'stop' }] })

it.each([
  ['a reply', 'application/json', reply('message', { content: null, tool_calls: [call] })],
  ['a stream', 'text/event-stream', `data: ${reply('delta', { tool_calls: [call] })}\n\ndata: [DONE]\n\n`],
  [
    'a stream, cut within an escape',
    'text/event-stream',
    Array.from(ARGUMENTS)
      .map((sign) => `data: ${reply('delta', { tool_calls: [{ index: 0, function: { arguments: sign } }] })}\n\n`)
      .join(''),
  ],
])('Words in the arguments of a call of %s are judged as they are parsed.', async (_what, type, body) => {
  const middleware = guarded({ guard: markerGuard({ marker: /planted words/ }), check: ['output'] })
  await serving(
    onNode([middleware], (_req, res) => res.writeHead(200, { 'content-type': type }).end(body)),
    async ({ url }) => {
      const got = await ask(`${url}/v1/chat/completions`, { body: chat('hi', { stream: true }) })
      expect([got.status, got.text.includes('u0070')]).toEqual([451, false])
    },
  )
})

it.each([
  [
    'the arguments of a call',
    {
      messages: [
        { role: 'user', content: 'hi' },
        { role: 'assistant', tool_calls: [call] },
      ],
    },
  ],
  ['a field of its own', { messages: [{ role: 'user', content: 'hi' }], data: ARGUMENTS }],
  ['a template', { messages: [{ role: 'user', content: 'hi' }], chat_template: ARGUMENTS }],
])('Words in %s of a request are judged as they are parsed.', async (_what, body) => {
  const middleware = guarded({ guard: markerGuard({ marker: /planted words/ }), check: ['input'] })
  await serving(
    onNode([middleware], (_req, res) => res.end('{}')),
    async ({ url }) => expect((await ask(`${url}/v1/chat/completions`, { body })).status).toBe(451),
  )
})

it('A text without escapes is judged as it is, and one of backslashes in linear time.', () => {
  expect(withEscapesRead('C:\\users and \\n')).toBe('C:\\users and \\n')
  expect(withEscapesRead('K\\u00f6ln \\ud83d\\ude00')).toBe('K\\u00f6ln \\ud83d\\ude00\nKöln 😀')
  expect(cpuMs(() => withEscapesRead('\\'.repeat(1_000_000)))).toBeLessThan(1000)
})
