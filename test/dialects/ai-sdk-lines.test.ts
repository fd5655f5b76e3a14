// The two streams of the AI SDK that are plain text to their label: the data stream of version 4, and bare text.
import { describe, expect, it } from 'vitest'
import type { LlamaGuardOptions } from '../../src/index.js'
import { ask, guarded, type Handler, onNode, serving } from '../helpers/apps.js'
import { type Reply, sleep } from '../helpers/http.js'

const parts = [{ type: 'text', text: 'hello' }]
const BODY = { id: 'c', messages: [{ id: 'aB3xY9kLmN2pQ7rS', role: 'user', parts }] }

/** Writes these chunks one after the other, with a pause, behind a guard. */
async function streamed(
  chunks: readonly string[],
  head: Record<string, string>,
  options: LlamaGuardOptions = {},
): Promise<Reply> {
  const handler: Handler = async (_req, res) => {
    res.writeHead(200, { 'content-type': 'text/plain; charset=utf-8', ...head })
    for (const chunk of chunks) {
      res.write(chunk)
      await sleep(50)
    }
    res.end()
  }
  const app = onNode([guarded({ windowMs: 20, ...options })], handler)
  return serving(app, ({ url }) => ask(`${url}/api/chat`, { body: BODY }))
}

const cuts = (text: string, size: number): string[] => text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? []
const LINES = ['0:"Hello "\n', '0:"there, "\n', 'g:"so it is"\n', '0:"fine."\n', 'd:{"finishReason":"stop"}\n']
const DATA = { 'x-vercel-ai-data-stream': 'v1' }

describe('the data stream of version 4', () => {
  it.each([3, 7, 1000])('is released byte for byte when it is allowed, cut every %i characters', async (size) => {
    const reply = await streamed(cuts(LINES.join(''), size), DATA)
    expect([reply.status, reply.text]).toEqual([200, LINES.join('')])
  })

  it.each([
    '0:"UNSAFE"\n',
    '0:"UN"\n0:"SA"\n0:"FE"\n',
    'g:"UNSAFE"\n',
    '2:[{"note":"UNSAFE"}]\n',
    '0:"\\u0055NSAFE"\n',
  ])('is cut before %j, in lines that its client reads', async (bad) => {
    const reply = await streamed([...LINES.slice(0, 2), bad, LINES[3]!], DATA)
    expect(reply.text).not.toMatch(/UNSAFE|SA|0055/)
    expect(reply.text).toContain('0:"Hello "')
    expect(reply.text).toMatch(/8:\[\{"llama_guard"[^\n]*\n.*d:\{"finishReason":"content-filter"/s)
  })

  it('says the words of a refusal in the stream', async () => {
    const reply = await streamed([LINES[0]!, '0:"UNSAFE"\n'], DATA, { onBlock: 'refusal', refusalText: 'No.' })
    expect(reply.text).toContain('0:"No."\n')
  })
})

describe.each(['text/plain', 'text/event-stream'])('a stream of bare text as %s', (type) => {
  const head = { 'content-type': type }

  it('breaks off before an unsafe word, for it has no words for its end', async () => {
    const reply = await streamed(['Hello ', 'there, ', 'UN', 'SAFE', ' rest'], head)
    expect(reply.text).toMatch(/^Hello /)
    expect(reply.text).not.toMatch(/SAFE|rest/)
    expect(reply.complete).toBe(false)
  })

  it('ends with the words of a refusal where there are some', async () => {
    const reply = await streamed(['Hello ', 'there, ', 'UNSAFE'], head, { onBlock: 'refusal', refusalText: 'No.' })
    expect(reply.text.endsWith('\n\nNo.')).toBe(true)
    expect(reply.complete).toBe(true)
  })
})
