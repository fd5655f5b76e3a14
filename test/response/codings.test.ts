// Replies under content and transfer codings: what is written is judged as those read it who undo the codings, or it
// is refused.
import { gzipSync, brotliCompressSync, deflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { codingsOf } from '../../src/response/head.js'
import { guarded, onNode, serving } from '../helpers/apps.js'
import { chat } from '../helpers/http.js'
import { post, rawClient } from '../helpers/raw.js'

const CODERS: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  gzip: gzipSync,
  'x-gzip': gzipSync,
  deflate: deflateSync,
  br: brotliCompressSync,
}
const BODIES: Readonly<Record<string, (word: string) => string>> = {
  'text/plain': (word) => word,
  'application/json': (word) => JSON.stringify({ choices: [{ message: { content: word } }] }),
  'text/event-stream': (word) => `data: ${JSON.stringify({ choices: [{ delta: { content: word } }] })}\n\n`,
  'application/x-ndjson': (word) => `{"message":{"content":"${word}"}}\n`,
}
const CASES = Object.entries(CODERS).flatMap(([coding, coder]) =>
  [coding, `${coding}, chunked`, coding.toUpperCase()].flatMap((header) =>
    Object.entries(BODIES).map(
      ([type, body]) => [header, type, (word: string) => coder(Buffer.from(body(word)))] as const,
    ),
  ),
)

/** The reply as it stands on the wire: a client that does not know the coding would not show it. */
async function wire(headers: Record<string, string>, body: Buffer): Promise<string> {
  const app = onNode([guarded()], (_req, res) => void res.writeHead(200, headers).end(body))
  return await serving(app, async ({ port }) => {
    const client = await rawClient(port)
    client.write(post(chat('hi'), { headers: ['Connection: close'] }))
    await client.closed
    return client.text()
  })
}

describe('A reply under a transfer coding', () => {
  it.each(CASES)('is judged without it: %s as %s', async (header, type, body) => {
    const headers = { 'transfer-encoding': header, 'content-type': type }
    expect(await wire(headers, body('UNSAFE'))).toMatch(/^HTTP\/1.1 451 /)
    const fine = await wire(headers, body('fine'))
    expect([fine.slice(0, 15), fine.includes(body('fine').toString('latin1'))]).toEqual(['HTTP/1.1 200 OK', true])
  })

  it.each(Object.entries(BODIES))('is refused when it is not written in it: %s', async (type, body) => {
    const headers = { 'transfer-encoding': 'gzip', 'content-type': type }
    expect(await wire(headers, Buffer.from(body('fine')))).toMatch(/^HTTP\/1.1 503 /)
  })

  it('and a content coding is judged without both', async () => {
    const headers = { 'content-encoding': 'br', 'transfer-encoding': 'gzip, chunked', 'content-type': 'text/plain' }
    expect(await wire(headers, gzipSync(brotliCompressSync('UNSAFE')))).toMatch(/^HTTP\/1.1 451 /)
    expect(await wire(headers, gzipSync(brotliCompressSync('fine')))).toMatch(/^HTTP\/1.1 200 /)
  })
})

it('The codings of a reply are those that change its bytes, in the order in which they were applied.', () => {
  const of = (content: unknown, transfer: unknown): readonly string[] =>
    codingsOf({ getHeader: (name) => (name === 'content-encoding' ? content : transfer) as string })
  expect(of(undefined, undefined)).toEqual([])
  expect(of('identity', 'chunked')).toEqual([])
  expect(of(' none,', 'Identity, CHUNKED')).toEqual([])
  expect(of(['BR', 'gzip'], 'deflate, chunked')).toEqual(['br', 'gzip', 'deflate'])
})
