// Lines that Python ends elsewhere than at CR and LF, as httpx's `iter_lines` does: what such a client reads is judged.
import { describe, expect, it } from 'vitest'
import { ask, guarded, onNode, serving } from '../../helpers/apps.js'
import { markerGuard } from '../../helpers/guards.js'
import { chat } from '../../helpers/http.js'

const ENDS = ['\v', '\f', '\x1c', '\x1d', '\x1e', '\x85', '\u2028', '\u2029']
const CHUNK = (content: string): string => JSON.stringify({ choices: [{ index: 0, delta: { content } }] })
const OLLAMA = (content: string): string => JSON.stringify({ model: 'llama3', message: { role: 'assistant', content } })
const FORMS: readonly (readonly [string, string, string, (letters: string[], end: string) => string])[] = [
  [
    'events',
    '/v1/chat/completions',
    'text/event-stream',
    (letters, end) => letters.map((letter) => `data: ${CHUNK(letter)}`).join(end) + '\n\n',
  ],
  [
    'events with blank lines',
    '/v1/chat/completions',
    'text/event-stream',
    (letters, end) => letters.map((letter) => `data: ${CHUNK(letter)}${end}`).join(end) + '\n\n',
  ],
  [
    'a comment',
    '/v1/chat/completions',
    'text/event-stream',
    (letters, end) =>
      `: ping${end}${letters.map((letter) => `data: ${CHUNK(letter)}`).join(end)}\n\ndata: ${CHUNK('.')}\n\n`,
  ],
  [
    'an unknown field',
    '/v1/chat/completions',
    'text/event-stream',
    (letters, end) =>
      `x: y${end}${letters.map((letter) => `data: ${CHUNK(letter)}`).join(end)}\n\ndata: ${CHUNK('.')}\n\n`,
  ],
  [
    'an event name',
    '/v1/chat/completions',
    'text/event-stream',
    (letters, end) =>
      `event: message${end}${letters.map((letter) => `data: ${CHUNK(letter)}`).join(end)}\n\ndata: ${CHUNK('.')}\n\n`,
  ],
  [
    'an id',
    '/v1/chat/completions',
    'text/event-stream',
    (letters, end) =>
      `id: 1${end}${letters.map((letter) => `data: ${CHUNK(letter)}`).join(end)}\n\ndata: ${CHUNK('.')}\n\n`,
  ],
  ['JSON lines', '/api/chat', 'application/x-ndjson', (letters, end) => letters.map(OLLAMA).join(end) + '\n'],
]

describe.each(FORMS)('Python ends of lines within %s', (_name, path, type, write) => {
  it.each(ENDS.map((end) => [JSON.stringify(end), end]))('%s hide no words', async (_shown, end) => {
    const middleware = guarded({ guard: markerGuard({ marker: /planted words/ }), check: ['output'] })
    await serving(
      onNode([middleware], (_req, res) =>
        res.writeHead(200, { 'content-type': type }).end(write('planted words'.split(''), end)),
      ),
      async ({ url }) => {
        const got = await ask(url + path, { body: chat('hi', { stream: true, model: 'llama3' }) })
        expect(got.status).toBe(451)
      },
    )
  })
})

it('Such a character within the words of an event changes nothing of what is judged and sent.', async () => {
  const middleware = guarded({ check: ['output'] })
  const body = `data: ${CHUNK('one\u2028two\u0085three')}\n\ndata: [DONE]\n\n`
  await serving(
    onNode([middleware], (_req, res) => res.writeHead(200, { 'content-type': 'text/event-stream' }).end(body)),
    async ({ url }) => {
      const got = await ask(`${url}/v1/chat/completions`, { body: chat('hi', { stream: true }) })
      expect(got.text).toBe(body)
      expect(middleware.guard.texts()).toEqual(['one\u2028two\u0085three'])
    },
  )
})
