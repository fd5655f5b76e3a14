// Streams that are neither events nor lines: bare text and JSON arrays, for dialects that speak them.
import { describe, expect, it } from 'vitest'
import { openaiChat } from '../../../src/dialects/openai-chat.js'
import type { Dialect, Framing } from '../../../src/dialects/dialect.js'
import { guarded, onNode, serving } from '../../helpers/apps.js'
import { chat, send, type Reply } from '../../helpers/http.js'
import { streamed, writing } from './streamed.js'

const json = (content: string): string => JSON.stringify({ choices: [{ index: 0, delta: { content } }] })

async function told(framing: Framing, type: string, pieces: readonly string[], pauseMs = 0): Promise<Reply> {
  const dialect: Dialect = { ...openaiChat, name: `test-${framing}`, framing }
  return (await streamed(writing(type, pieces, pauseMs), { dialects: [dialect] as never, windowMs: 10 })).reply
}

describe('A JSON array', () => {
  it('flows element by element while it is judged, and is stopped at the unsafe one', async () => {
    const dialect: Dialect = { ...openaiChat, name: 'test-array', framing: 'json-array' }
    const middleware = guarded({ check: ['output'], dialects: [dialect] as never, windowMs: 10 })
    let next = (): void => undefined
    await serving(
      onNode([middleware], async (_req, res) => {
        res.writeHead(200, { 'content-type': 'application/json' })
        for (const piece of [`[${json('one ')}`, `,${json('two ')}`]) {
          const arrived = new Promise<void>((resolve) => (next = resolve))
          res.write(piece)
          await arrived
        }
        res.end(`,${json('UNSAFE')}]`)
      }),
      async ({ url }) => {
        const reply = await send(`${url}/v1/chat/completions`, { body: chat('hi'), onData: () => void next() })
        expect(reply.text).toContain(`[${json('one ')},${json('two ')}`)
        expect(reply.text).toContain('llama_guard')
        expect(reply.text).not.toContain('UNSAFE')
      },
    )
  })

  it.each<[string, string]>([
    ['a whole reply', JSON.stringify({ choices: [{ message: { content: 'UNSAFE' } }] })],
    ['elements without an end', `[${json('x')},${json('UNSAFE').slice(0, -1)}`],
    ['elements and text behind them', `[${json('UN')}] UNSAFE`],
    ['events in brackets', `[\ndata: ${json('UN')}\n\ndata: ${json('SAFE')}\n\n]`],
    ['events within an element', `[{\ndata: ${json('UN')}\ndata: ${json('SAFE')}\n`],
    ['JSON lines', `${json('UN')}\n${json('SAFE')}\n`],
    ['strings', '["UN", "SAFE"]'],
    ['escaped strings', '["\\u0055N", "\\u0053AFE"]'],
  ])('is judged when it is %s', async (_name, body) => {
    const reply = await told('json-array', 'application/json', [body])
    expect(reply.status >= 451 || reply.text.includes('llama_guard')).toBe(true)
    expect(reply.text).not.toMatch(/SAFE|u0053/)
  })
})

describe('Bare text', () => {
  it('flows in its very bytes, blanks, numbers and marks of ends included', async () => {
    const pieces = ['\uFEFFThe ', ' ', '42', '\n', '[DONE]', ' "quoted"', '\n{"a":1}\n', 'end']
    const reply = await told('text', 'text/plain; charset=utf-8', pieces, 15)
    expect([reply.status, reply.text]).toEqual([200, pieces.join('')])
    expect(reply.chunks.length).toBeGreaterThan(2)
  })

  it.each<[string, readonly string[]]>([
    ['in pieces', ['They are ', 'UN', 'SAFE']],
    ['with blanks between', ['UNSAFE', ' ', 'x']],
    ['as events', [`data: ${json('UN')}\n\n`, `data: ${json('SAFE')}\n\n`]],
    ['as lines', [`${json('UN')}\n`, `${json('SAFE')}\n`]],
    ['as lines without the last end', [`${json('UN')}\n`, json('SAFE')]],
    ['as a data stream', ['0:"UN"\n', '0:"SAFE"\n']],
    ['cut within a line', ['0:"U', 'N"\n0:"SA', 'FE"\n']],
  ])('is judged %s', async (_name, pieces) => {
    const reply = await told('text', 'text/plain', pieces, 5)
    expect(reply.status === 451 || !reply.complete || reply.text.includes('llama_guard')).toBe(true)
    expect(reply.text).not.toMatch(/SAFE/)
  })
})
