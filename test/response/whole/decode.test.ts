// Whatever form a reply comes in, it is read or it is refused: there is no coding, charset, type or status
// that gets words past unread.
import type { ServerResponse } from 'node:http'
import * as zlib from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask, guarded, onNode } from '../../helpers/apps.js'
import { chat, chunk, completion, serve, type Reply, type Running } from '../../helpers/http.js'

const gzip = (bytes: Buffer): Buffer => zlib.gzipSync(bytes)
interface Answer {
  readonly status?: number
  readonly headers?: Record<string, string>
  readonly body?: Buffer | string
}

let server: Running
let answer: Answer | ((res: ServerResponse) => void)
const middleware = guarded({ maxReplyBytes: 20_000 })
beforeAll(async () => {
  server = await serve(
    onNode([middleware], (_req, res) => {
      if (typeof answer === 'function') answer(res)
      else
        res.writeHead(answer.status ?? 200, { 'content-type': 'application/json', ...answer.headers }).end(answer.body)
    }),
  )
})
afterAll(() => server.close())

function replyTo(next: typeof answer, method = 'POST'): Promise<Reply> {
  answer = next
  middleware.guard.asked.length = 0
  return ask(`${server.url}/v1/chat/completions`, { body: chat('hi'), method })
}
const judgedReply = (): string[] =>
  middleware.guard.asked.filter((turns) => turns.at(-1)!.role === 'Agent').map((turns) => turns.at(-1)!.text)
const json = (text: string): Buffer => Buffer.from(JSON.stringify(completion(text)))
const codeOf = (reply: Reply): unknown[] => [reply.status, reply.json().error.code]

describe('content codings', () => {
  const CODINGS: Readonly<Record<string, readonly [string, (bytes: Buffer) => Buffer]>> = {
    gzip: ['gzip', gzip],
    'x-gzip, in capitals': ['X-GZip', gzip],
    brotli: ['br', zlib.brotliCompressSync],
    'deflate as zlib': ['deflate', zlib.deflateSync],
    identity: ['identity', (bytes) => bytes],
    'gzip inside of brotli': ['gzip, br', (bytes) => zlib.brotliCompressSync(gzip(bytes))],
    'three of them': ['deflate, gzip, br', (bytes) => zlib.brotliCompressSync(gzip(zlib.deflateSync(bytes)))],
    'two gzip members': ['gzip', (bytes) => Buffer.concat([gzip(bytes.subarray(0, 90)), gzip(bytes.subarray(90))])],
  }

  it.each(Object.entries(CODINGS))(
    'judges what %s hides, and releases the very bytes',
    async (_name, [coding, encode]) => {
      const body = encode(json('fine'))
      const reply = await replyTo({ headers: { 'content-encoding': coding }, body })
      expect([reply.status, reply.headers['content-encoding'], reply.body.equals(body)]).toEqual([200, coding, true])
      expect(judgedReply()).toEqual(['fine'])
      const blocked = await replyTo({ headers: { 'content-encoding': coding }, body: encode(json('UNSAFE')) })
      expect([...codeOf(blocked), blocked.headers['content-encoding']]).toEqual([451, 'content_filter', undefined])
    },
  )

  it.each(Object.entries(CODINGS))('judges an event stream inside of %s', async (_name, [coding, encode]) => {
    const headers = { 'content-type': 'text/event-stream', 'content-encoding': coding }
    const stream = (word: string): Buffer =>
      encode(Buffer.from(`${chunk({ content: 'They ' })}${chunk({ content: word })}data: [DONE]\n\n`))
    expect((await replyTo({ headers, body: stream('UNSAFE') })).status).toBe(451)
    expect((await replyTo({ headers, body: stream('sing') })).body.equals(stream('sing'))).toBe(true)
  })

  it.each([
    ['an unknown coding', 'compress', json('UNSAFE')],
    ['zstd', 'zstd', json('UNSAFE')],
    ['a coding that was not applied', 'gzip', json('UNSAFE')],
    ['another coding than announced', 'br', gzip(json('UNSAFE'))],
    ['half a gzip', 'gzip', gzip(json('UNSAFE')).subarray(0, 60)],
    ['raw deflate', 'deflate', zlib.deflateRawSync(json('UNSAFE'))],
    ['half a brotli', 'br', zlib.brotliCompressSync(json('UNSAFE')).subarray(0, 60)],
    ['too many codings', 'gzip, gzip, gzip, gzip', gzip(gzip(gzip(gzip(json('UNSAFE')))))],
    ['a coding twice announced', 'gzip, gzip', gzip(json('UNSAFE'))],
  ])('refuses %s as unreadable', async (_name, coding, body) => {
    const reply = await replyTo({ headers: { 'content-encoding': coding }, body })
    expect(codeOf(reply)).toEqual([503, 'unreadable_response'])
    expect(reply.text).not.toContain('UNSAFE')
  })

  it.each([
    ['gzip', gzip],
    ['br', zlib.brotliCompressSync],
    ['deflate', zlib.deflateSync],
    ['gzip, gzip', (bytes: Buffer) => gzip(gzip(bytes))],
  ])('cuts a bomb of %s off at maxReplyBytes', async (coding, encode) => {
    const body = encode(Buffer.alloc(10_000_000, 'x'))
    expect(body.length).toBeLessThan(20_000)
    expect(codeOf(await replyTo({ headers: { 'content-encoding': coding }, body }))).toEqual([503, 'reply_too_large'])
  })
})

describe('charsets', () => {
  it.each([
    'latin1',
    'windows-1252',
    'koi8-r',
    'utf-16',
    'utf-16le',
    'shift_jis',
    'gbk',
    'utf-7',
    'martian',
    "''utf-8",
  ])('refuses %s, which is not UTF-8, whatever the bytes are', async (charset) => {
    for (const type of ['text/plain', 'application/json', 'text/event-stream', 'application/x-ndjson'])
      for (const body of [json('fine'), Buffer.from('UNSAFE', 'utf16le')])
        expect(codeOf(await replyTo({ headers: { 'content-type': `${type}; charset=${charset}` }, body }))).toEqual([
          503,
          'unreadable_response',
        ])
  })

  it.each(['utf-8', 'UTF8', '"utf-8"', 'us-ascii', 'utf-8, text/plain; charset=utf-8'])('reads %s', async (charset) => {
    const headers = { 'content-type': `text/plain; charset=${charset}` }
    expect((await replyTo({ headers, body: 'UNSAFE' })).status).toBe(451)
    expect((await replyTo({ headers, body: 'die größte Frage, 如何' })).status).toBe(200)
    expect(judgedReply()).toEqual(['die größte Frage, 如何'])
  })

  it('reads a byte order mark as what it is', async () => {
    expect((await replyTo({ body: Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), json('UNSAFE')]) })).status).toBe(451)
    await replyTo({ body: Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), json('fine')]) })
    expect(judgedReply()).toEqual(['fine'])
  })

  it.each([
    ['invalid UTF-8', 'text/plain', Buffer.from([0x55, 0x4e, 0xff, 0xfe, 0x53])],
    ['UTF-16 that says nothing of it', 'text/plain', Buffer.from('UNSAFE', 'utf16le')],
    ['UTF-16 JSON that says nothing of it', 'application/json', Buffer.from(json('UNSAFE').toString(), 'utf16le')],
    ['a cut character', 'application/json', Buffer.from([0x22, 0xc3])],
  ])('refuses %s as unreadable', async (_name, type, body) => {
    expect(codeOf(await replyTo({ headers: { 'content-type': type }, body }))).toEqual([503, 'unreadable_response'])
  })
})

describe('types and shapes', () => {
  const escaped = 'UNSAFE'.replace(/./g, (letter) => `\\u00${letter.charCodeAt(0).toString(16)}`)

  it.each([
    ['image/png', 'pixels'],
    ['application/pdf', 'UNSAFE'],
    ['audio/mpeg', 'UNSAFE'],
    ['multipart/mixed; boundary=x', 'UNSAFE'],
    ['application/vnd.amazon.eventstream', 'UNSAFE'],
  ])('refuses %s as unreadable', async (type, body) => {
    expect(codeOf(await replyTo({ headers: { 'content-type': type }, body }))).toEqual([503, 'unreadable_response'])
  })

  it.each<[string, Answer]>([
    ['plain text', { headers: { 'content-type': 'text/plain' }, body: 'It is UNSAFE.' }],
    ['HTML', { headers: { 'content-type': 'text/html; charset=utf-8' }, body: '<p>UNSAFE</p>' }],
    ['XML', { headers: { 'content-type': 'application/xml' }, body: '<a>UNSAFE</a>' }],
    ['no content-type at all', { headers: { 'content-type': '' }, body: 'UNSAFE' }],
    ['JSON of an unknown shape', { body: '{"answer":{"text":["UNSAFE"]}}' }],
    ['JSON keys', { body: '{"UNSAFE":1}' }],
    ['a bare JSON string', { body: '"UNSAFE"' }],
    ['a JSON array', { body: '["a",{"b":"UNSAFE"}]' }],
    ['unknown JSON with escapes', { body: `{"answer":"${escaped}"}` }],
    ['known JSON with escapes', { body: json('WORD').toString().replace('WORD', escaped) }],
    [
      'JSON as text/plain, with escapes',
      { headers: { 'content-type': 'text/plain' }, body: `{"answer":"${escaped}"}` },
    ],
    [
      'JSON lines as text, with escapes',
      { headers: { 'content-type': 'text/plain' }, body: `{"a":"x"}\n{"a":"${escaped}"}\n` },
    ],
    ['a problem+json', { headers: { 'content-type': 'application/problem+json' }, body: '{"detail":"UNSAFE"}' }],
    [
      'events without the content-type of events',
      {
        headers: { 'content-type': 'text/plain' },
        body: `${chunk({ content: 'UN' })}${chunk({ content: 'SAFE' })}data: [DONE]\n\n`,
      },
    ],
    ['events called JSON', { body: `${chunk({ content: 'UN' })}${chunk({ content: 'SAFE' })}` }],
    [
      'events after a comment',
      {
        headers: { 'content-type': 'text/plain' },
        body: `: hi\n\n${chunk({ content: 'UN' })}${chunk({ content: 'SAFE' })}`,
      },
    ],
    ['a 201', { status: 201, body: json('UNSAFE') }],
    ['a 203 text', { status: 203, headers: { 'content-type': 'text/plain' }, body: 'UNSAFE' }],
    ['a 205 with a body', { status: 205, headers: { 'content-type': 'text/plain' }, body: 'UNSAFE' }],
    ['a reply sent as 400', { status: 400, body: json('UNSAFE') }],
    ['a reply sent as 500', { status: 500, body: json('UNSAFE') }],
    ['a reply sent as a redirect', { status: 302, headers: { location: '/x' }, body: json('UNSAFE') }],
  ])('blocks words in %s', async (_name, next) => {
    const reply = await replyTo(next)
    expect(codeOf(reply)).toEqual([451, 'content_filter'])
    expect(reply.text).not.toMatch(/UNSAFE|u0055/)
  })

  it.each<[string, Answer]>([
    ['broken JSON', { body: '{"choices":[{"message":{"content":"UNSAFE"' }],
    ['JSON and more', { body: '{"a":1} UNSAFE' }],
    ['binary data called text', { headers: { 'content-type': 'text/plain' }, body: Buffer.from('UNSAFE\u0000') }],
    ['a part of a reply', { status: 206, headers: { 'content-range': 'bytes 0-9/99' }, body: '"UNSAFE"' }],
    [
      'a part of a stream',
      { status: 206, headers: { 'content-type': 'text/event-stream' }, body: chunk({ content: 'UNSAFE' }) },
    ],
  ])('refuses %s as unreadable', async (_name, next) => {
    const reply = await replyTo(next)
    expect(codeOf(reply)).toEqual([503, 'unreadable_response'])
    expect(reply.text).not.toContain('UNSAFE')
  })

  it('reads text with events among its lines both ways, and nothing but events one way', async () => {
    const headers = { 'content-type': 'text/plain' }
    const events = `${chunk({ content: 'They ' })}${chunk({ content: 'sing' })}`
    await replyTo({ headers, body: `Here is a stream:\n\n${events}` })
    expect(judgedReply()).toEqual([`Here is a stream:\n\n${events}\nThey sing`])
    await replyTo({ headers, body: events })
    expect(judgedReply().join().split('\n')).toContain('They sing')
    await replyTo({ headers, body: '{"broken": \nno JSON' })
    expect(judgedReply()).toEqual(['{"broken": \nno JSON'])
  })

  it('refuses more than maxReplyBytes, in one piece or in many', async () => {
    expect(codeOf(await replyTo({ body: json('x'.repeat(30_000)) }))).toEqual([503, 'reply_too_large'])
    const written = await replyTo((res) => {
      res.writeHead(200, { 'content-type': 'text/plain' })
      for (let count = 0; count < 100; count++) res.write('x'.repeat(1000))
      res.end('end')
    })
    expect(codeOf(written)).toEqual([503, 'reply_too_large'])
  })

  it.each<[string, Answer, string?]>([
    ['an empty 200', { body: '' }],
    ['an empty 200 with a length', { headers: { 'content-length': '0' } }],
    ['204', { status: 204, headers: {} }],
    ['205', { status: 205, headers: { 'content-length': '0' } }],
    ['304', { status: 304, headers: { etag: '"x"' } }],
    [
      'a redirect',
      {
        status: 303,
        headers: { location: '/elsewhere', 'content-type': 'text/html' },
        body: '<a href="/elsewhere">there</a>',
      },
    ],
    ['the answer to HEAD', { headers: { 'content-length': '5' }, body: 'hello' }, 'HEAD'],
    ['an empty list', { body: '[]' }],
    ['a number', { body: '42' }],
    ['a reply without words', { body: json('') }],
  ])('lets %s pass', async (_name, next, method) => {
    const reply = await replyTo(next, method)
    expect([reply.status, reply.complete]).toEqual([next.status ?? 200, true])
    expect(reply.text).toBe(method === 'HEAD' ? '' : (next.body ?? '').toString())
    for (const [name, value] of Object.entries(next.headers ?? {})) expect(reply.headers[name]).toBe(value)
  })
})

describe('a head that changes its mind', () => {
  it('keeps the status that was committed before words were written', async () => {
    const reply = await replyTo((res) => {
      res.setHeader('content-type', 'text/plain')
      res.write('It is UNSAFE')
      res.statusCode = 500
      res.end()
    })
    expect(codeOf(reply)).toEqual([451, 'content_filter'])
    const allowed = await replyTo((res) => {
      res.setHeader('content-type', 'text/plain')
      res.write('It is fine')
      res.statusCode = 500
      res.end()
    })
    expect([allowed.status, allowed.text]).toEqual([200, 'It is fine'])
  })

  it('keeps the status of a stream, too', async () => {
    const reply = await replyTo((res) => {
      res.setHeader('content-type', 'text/event-stream')
      res.write(chunk({ content: 'fine' }))
      res.statusCode = 500
      res.end('data: [DONE]\n\n')
    })
    expect([reply.status, reply.text]).toEqual([200, `${chunk({ content: 'fine' })}data: [DONE]\n\n`])
  })

  it('reads a status that was given as text as Node does', async () => {
    const text =
      (status: string) =>
      (res: ServerResponse): void => {
        res.statusCode = status as unknown as number
        res.setHeader('content-type', 'application/json')
        res.end('"words"')
      }
    expect((await replyTo(text('201'))).status).toBe(201)
    expect(codeOf(await replyTo(text('206')))).toEqual([503, 'unreadable_response'])
  })

  it('throws at a handler with an invalid status, as Node does', async () => {
    let thrown: unknown
    const reply = await replyTo((res) => {
      try {
        res.statusCode = 99
        res.end('x')
      } catch (error) {
        thrown = error
        res.statusCode = 500
        res.end('sorry')
      }
    })
    expect(thrown).toMatchObject({ name: 'RangeError', code: 'ERR_HTTP_INVALID_STATUS_CODE' })
    expect([reply.status, reply.text]).toEqual([500, 'sorry'])
  })

  it('breaks the connection when Node refuses the reply at the end, and hangs nobody', async () => {
    await expect(
      replyTo((res) => {
        res.writeHead(200, { 'content-length': '99', 'content-type': 'text/plain' })
        // Asked for behind the head, it is not looked at before the reply leaves.
        res.strictContentLength = true
        res.end('fine')
      }),
    ).rejects.toThrow(/socket hang up|ECONNRESET/)
  })
})
