// Streams that are neither events nor lines: bare text and JSON arrays, for dialects that speak them.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openaiChat } from '../../../src/dialects/openai-chat.js'
import type { Dialect, Framing } from '../../../src/dialects/dialect.js'
import type { Frame, Framer } from '../../../src/response/stream/framing.js'
import { jsonArrayFramer } from '../../../src/response/stream/json-array-framer.js'
import { textFramer } from '../../../src/response/stream/text-framer.js'
import { ask, guarded, onNode, serving } from '../../helpers/apps.js'
import { chat, send, sleep, type Reply } from '../../helpers/http.js'

const json = (content: string): string => JSON.stringify({ choices: [{ index: 0, delta: { content } }] })

async function streamed(framing: Framing, type: string, pieces: readonly string[], pauseMs = 0): Promise<Reply> {
  const dialect: Dialect = { ...openaiChat, name: `test-${framing}`, framing }
  const middleware = guarded({ check: ['output'], dialects: [dialect] as never, windowMs: 10 })
  return serving(
    onNode([middleware], async (_req, res) => {
      res.writeHead(200, { 'content-type': type })
      for (const piece of pieces) {
        res.write(piece)
        if (pauseMs > 0) await sleep(pauseMs)
      }
      res.end()
    }),
    ({ url }) => ask(`${url}/v1/chat/completions`, { body: chat('hi', { stream: true }) }),
  )
}

function cut(framer: Framer, bytes: Buffer, positions: readonly number[]): Frame[] {
  const ends = [...new Set(positions.map((position) => position % (bytes.length + 1)))].sort((a, b) => a - b)
  return [
    ...[...ends, bytes.length].flatMap((end, at) => framer.push(bytes.subarray(at === 0 ? 0 : ends[at - 1], end))),
    ...framer.finish(),
  ]
}
const raws = (frames: readonly Frame[]): Buffer => Buffer.concat(frames.map(({ raw }) => raw))
const datas = (frames: readonly Frame[]): string[] => frames.flatMap(({ event }) => event.data ?? [])

describe('A JSON array', () => {
  const elements = fc.array(
    fc.oneof(
      fc.json(),
      fc.jsonValue().map((value) => JSON.stringify(value, null, 2)),
    ),
    { maxLength: 6 },
  )
  const array = fc
    .tuple(fc.constantFrom('', ' ', '\uFEFF', '\r\n'), elements, fc.constantFrom(',', '\n,', ',\r\n', ' , '))
    .map(([before, list, comma]) => ({ list, text: `${before}[${list.join(comma)}]\n` }))

  it('gives back every byte and every element, however it is cut', () => {
    fc.assert(
      fc.property(array, fc.array(fc.nat()), ({ list, text }, positions) => {
        const frames = cut(jsonArrayFramer(), Buffer.from(text), positions)
        expect(raws(frames).toString()).toBe(text)
        expect(datas(frames).map((data) => JSON.parse(data) as unknown)).toEqual(
          list.map((each) => JSON.parse(each) as unknown),
        )
      }),
    )
  })

  it('gives back every byte of anything else', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string({ unit: fc.constantFrom('[', ']', '{', '}', ',', '"', '\\', 'data: ', '\n', 'x', '1') }),
        ),
        fc.array(fc.nat()),
        (text, positions) => {
          expect(raws(cut(jsonArrayFramer(), Buffer.from(text), positions)).toString()).toBe(text)
        },
      ),
    )
  })

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
    const reply = await streamed('json-array', 'application/json', [body])
    expect(reply.status >= 451 || reply.text.includes('llama_guard')).toBe(true)
    expect(reply.text).not.toMatch(/SAFE|u0053/)
  })
})

describe('Bare text', () => {
  it('gives back every byte and every character, however it is cut', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.array(fc.nat()), (text, positions) => {
        const bytes = Buffer.from(text)
        const frames = cut(textFramer(), bytes, positions)
        expect(raws(frames)).toEqual(bytes)
        expect(datas(frames).join('')).toBe(text)
      }),
    )
  })

  it('flows in its very bytes, blanks, numbers and marks of ends included', async () => {
    const pieces = ['\uFEFFThe ', ' ', '42', '\n', '[DONE]', ' "quoted"', '\n{"a":1}\n', 'end']
    const reply = await streamed('text', 'text/plain; charset=utf-8', pieces, 15)
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
    const reply = await streamed('text', 'text/plain', pieces, 5)
    expect(reply.status === 451 || reply.text.includes('llama_guard')).toBe(true)
    expect(reply.text).not.toMatch(/SAFE/)
  })

  it('flows as the data stream of the AI SDK', async () => {
    const pieces = ['f:{"messageId":"m"}\n', '0:"He"\n', '0:"llo"\n', 'd:{"finishReason":"stop"}\n']
    expect((await streamed('data-stream', 'text/plain', pieces, 5)).text).toBe(pieces.join(''))
  })
})
