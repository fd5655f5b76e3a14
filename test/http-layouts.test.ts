// The forms HTTP itself comes in: 1.0, closing and chunked connections, Expect, and HTTP/2 through Node's compat API.

import type { ServerResponse } from 'node:http'
import type { ServerHttp2Stream } from 'node:http2'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { guarded, onNode, serving, within, type Handler } from './helpers/apps.js'
import { chat, chunk, completion, sleep } from './helpers/http.js'
import { type Http2Reply, type Http2Running, serveHttp2 } from './helpers/http2.js'
import { post, rawClient } from './helpers/raw.js'

const PATH = '/v1/chat/completions'
const json = (word: string): string => JSON.stringify(completion(word))
const STREAM = { 'content-type': 'text/event-stream' }

/** What the model says is what the header asks for; `stream` is said in two words, with time between. */
const handler: Handler = async (req, res) => {
  const word = String(req.headers['x-say'])
  if (req.headers['x-stream'] === undefined) {
    res.setHeader('content-type', 'application/json')
    res.end(json(word))
    return
  }
  res.writeHead(200, STREAM)
  res.write(chunk({ content: 'fine ' }))
  await sleep(60)
  res.write(chunk({ content: word }))
  res.end('data: [DONE]\n\n')
}

describe.each([
  ['an HTTP/1.0 client', '1.0', []],
  ['an HTTP/1.0 client that keeps its connection', '1.0', ['Connection: keep-alive']],
  ['a client that closes', '1.1', ['Connection: close']],
  ['a client that keeps its connection', '1.1', []],
] as const)('%s', (_name, version, headers) => {
  const raw = (request: { body?: object; say: string; stream?: boolean }, ending: RegExp): Promise<string> =>
    serving(onNode([guarded({ windowMs: 5 })], handler), async ({ port }) => {
      const client = await rawClient(port)
      client.write(
        post(request.body ?? chat('hi'), {
          version,
          headers: [...headers, `X-Say: ${request.say}`, ...(request.stream ? ['X-Stream: 1'] : [])],
        }),
      )
      const text = await client.until(ending)
      // Anything that still follows would be a second answer.
      await Promise.race([client.closed, sleep(40)])
      expect(client.text()).toBe(text)
      expect(text.match(/HTTP\/1\.1 /g)).toHaveLength(1)
      client.leave()
      return text
    })

  it('gets allowed replies whole', async () => {
    expect(await raw({ say: 'word' }, /\}\}$/)).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
  })

  it('gets a 451 for its words and for the words of the model', async () => {
    expect(await raw({ say: 'word', body: chat('UNSAFE') }, /\}\}$/)).toMatch(/^HTTP\/1\.1 451 /)
    const output = await raw({ say: 'UNSAFE' }, /\}\}$/)
    expect(output).toMatch(/^HTTP\/1\.1 451 /)
    expect(output).not.toContain('UNSAFE')
  })

  it('gets streams whole, and cut ones with their end', async () => {
    const end = version === '1.0' ? /\[DONE\]\n\n$/ : /\r\n0\r\n\r\n$/
    const whole = await raw({ say: 'word', stream: true }, end)
    expect(whole).toContain('word')
    expect(/transfer-encoding/i.test(whole)).toBe(version === '1.1')
    const cut = await raw({ say: 'UNSAFE', stream: true }, end)
    expect(cut).toMatch(/fine .*content_filter.*data: \[DONE\]/s)
    expect(cut).not.toContain('UNSAFE')
  })
})

describe('a request', () => {
  const answered = (request: readonly string[], pause = 0): Promise<string> =>
    serving(onNode([guarded()], handler), async ({ port }) => {
      const client = await rawClient(port)
      for (const part of request) {
        client.write(part)
        await sleep(pause)
      }
      const text = await client.until(/\}\}$/)
      client.leave()
      return text
    })
  const chunked = (body: object): string[] => [
    `POST ${PATH} HTTP/1.1\r\nHost: x\r\nX-Say: word\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`,
    ...JSON.stringify(body)
      .match(/.{1,17}/gs)!
      .map((part) => `${Buffer.byteLength(part).toString(16)}\r\n${part}\r\n`),
    '0\r\n\r\n',
  ]

  it('in chunks is judged like any other', async () => {
    expect(await answered(chunked(chat('hello')), 2)).toMatch(/^HTTP\/1\.1 200 /)
    expect(await answered(chunked(chat('it is UNSAFE')), 2)).toMatch(/^HTTP\/1\.1 451 /)
  })

  it('that expects 100-continue gets it, and then its verdict', async () => {
    for (const [said, status] of [
      ['hello', 200],
      ['UNSAFE', 451],
    ] as const) {
      await serving(onNode([guarded()], handler), async ({ port }) => {
        const client = await rawClient(port)
        const [head, body] = post(chat(said), { headers: ['Expect: 100-continue', 'X-Say: word'] }).split(
          '\r\n\r\n',
        ) as [string, string]
        client.write(`${head}\r\n\r\n`)
        await client.until(/^HTTP\/1\.1 100 Continue\r\n\r\n$/)
        client.write(body)
        expect(await client.until(/\}\}$/)).toContain(`HTTP/1.1 ${status} `)
        client.leave()
      })
    }
  })
})

describe('HTTP/2 on the compat API', () => {
  let http2: Http2Running
  let parallel = false
  const middlewares = { false: guarded({ windowMs: 5 }), true: guarded({ windowMs: 5, parallel: true }) }
  beforeAll(async () => {
    http2 = await serveHttp2((req, res) => middlewares[`${parallel}`](req, res, () => void handler(req, res)))
  })
  afterAll(() => http2.close())
  const exchange = (body: object, headers: Record<string, string>): Promise<Http2Reply> => http2.ask({ body, headers })

  it.each([false, true])('allows and refuses whole replies and streams, with parallel %s', async (beside) => {
    parallel = beside
    const allowed = await exchange(chat('hi'), { 'x-say': 'word' })
    expect(allowed).toMatchObject({
      status: 200,
      text: json('word'),
      code: 0,
      headers: { 'llama-guard': 'input=safe, output=safe' },
    })
    const stream = await exchange(chat('hi'), { 'x-say': 'word', 'x-stream': '1' })
    expect(stream).toMatchObject({
      status: 200,
      text: `${chunk({ content: 'fine ' })}${chunk({ content: 'word' })}data: [DONE]\n\n`,
      code: 0,
    })
    for (const [said, word, stage] of [
      ['UNSAFE', 'word', 'input'],
      ['hi', 'UNSAFE', 'output'],
    ] as const) {
      const refused = await exchange(chat(said), { 'x-say': word })
      expect(refused).toMatchObject({
        status: 451,
        code: 0,
        headers: { 'content-length': String(refused.text.length), 'content-type': 'application/json' },
      })
      expect(JSON.parse(refused.text).error.stage).toBe(stage)
    }
    const cut = await exchange(chat('hi'), { 'x-say': 'UNSAFE', 'x-stream': '1' })
    expect([cut.status, cut.code]).toEqual([200, 0])
    expect(cut.text).toMatch(/fine .*content_filter.*data: \[DONE\]\n\n$/s)
    expect(cut.text).not.toContain('UNSAFE')
  })

  it('stops when the stream is reset', async () => {
    parallel = false
    const stream = http2.session.request({
      ':path': PATH,
      ':method': 'POST',
      'content-type': 'application/json',
      'x-say': 'word',
      'x-stream': '1',
    })
    stream.on('error', () => undefined)
    stream.end(JSON.stringify(chat('hi')))
    await within(new Promise<void>((resolve) => stream.once('data', () => resolve())))
    stream.close(8)
    await sleep(100)
    expect((await exchange(chat('hi'), { 'x-say': 'word' })).status).toBe(200)
  })

  it.each([
    ['UNSAFE', 2],
    ['word', 0],
  ])('breaks bare text that goes on with %s with code %i', async (word, code) => {
    const server = await serveHttp2((req, res) =>
      guarded({ windowMs: 5 })(req, res, () => {
        res.setHeader('content-type', 'text/plain')
        res.write('It is fine. ')
        setTimeout(() => res.end(word), 60)
      }),
    )
    const reply = await server.ask({ body: chat('hi') })
    server.close()
    expect([reply.text, reply.code]).toEqual([`It is fine. ${code === 0 ? word : ''}`, code])
  })

  it('lets a handler reset its stream before the first byte', async () => {
    const server = await serveHttp2((req, res) =>
      guarded()(req, res, () => (res as ServerResponse & { stream: ServerHttp2Stream }).stream.close(8)),
    )
    const reply = await server.ask({ body: chat('hi') })
    server.close()
    expect([reply.text, reply.code]).toEqual(['', 8])
  })
})
