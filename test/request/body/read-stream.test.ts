// Our own read of a body on the wire: what stops it, what it leaves behind, and what it refuses before it parses.
import { EventEmitter } from 'node:events'
import http2 from 'node:http2'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import zlib from 'node:zlib'
import express from 'express'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createConversationReader } from '../../../src/request/index.js'
import type { GuardedRequest } from '../../../src/types.js'
import { onNode, within } from '../../helpers/apps.js'
import { serve } from '../../helpers/http.js'
import { rawClient } from '../../helpers/raw.js'
import {
  chat,
  expectSeenOrRefused,
  handled,
  handler,
  json,
  LIMIT,
  ours,
  prompts,
  sendRaw,
  serving,
  WORD,
} from '../planted.js'

const server = serving(onNode([ours()], handler))
afterEach(() => void vi.restoreAllMocks())

describe('A body', () => {
  it.each([
    ['JSON in Latin-1 of a type that is not JSON', 'text/plain; charset=iso-8859-1', chat],
    ['text in a charset of other bytes', 'text/plain; charset=utf-7', '+AHs-"messages":[]+AH0-'],
    ['text in UTF-16', 'text/plain; charset=utf-16', 'anything'],
  ])('of %s is 415 on any path', async (_title, type, body) => {
    expect(await sendRaw(server(), { type, body })).toBe(415)
    const raw = await serve(express().use(express.raw({ type: () => true }), ours(), handler))
    expect(await sendRaw(raw, { type, body })).toBe(415)
    await raw.close()
    expect(handled).toEqual([])
  })

  it('left as text with a byte order mark is judged', async () => {
    const set = await serve(
      express().use(
        (req, _res, next) => {
          req.body = `\uFEFF${chat}`
          next()
        },
        ours(),
        handler,
      ),
    )
    expect(await sendRaw(set, {})).toBe(200)
    expect(prompts()).toContain(WORD)
    await set.close()
  })

  it('left beside an unread stream is judged with the stream', async () => {
    const set = await serve(
      express().use(
        (req, _res, next) => {
          req.body = { messages: [{ role: 'user', content: 'SET_BEFORE' }] }
          next()
        },
        ours(),
        handler,
      ),
    )
    const streamed = JSON.stringify({ messages: [{ role: 'user', content: `${WORD} in the stream` }] })
    for (const [type, body] of [
      [json, streamed],
      ['application/x-ndjson', `${streamed}\n{"a":1}`],
    ] as const) {
      await expectSeenOrRefused(set, { type, body })
      expect(prompts()).toContain('SET_BEFORE')
    }
    expect(await sendRaw(set, { type: 'application/x-www-form-urlencoded', body: 'messages=x' })).toBe(415)
    expect(await sendRaw(set, { type: 'application/x-www-form-urlencoded', body: 'a=1' })).toBe(200)
    await set.close()
  })

  it('of empty gzip members counts with the bytes that were sent', async () => {
    const body = Buffer.concat(Array.from({ length: LIMIT / 16 }, () => zlib.gzipSync('')))
    expect(await sendRaw(server(), { headers: { 'content-encoding': 'gzip' }, body })).toBe(413)
  })

  it('in another encoding than announced is refused before it has ended', async () => {
    const client = await rawClient(server().port)
    client.write(
      'POST /ask HTTP/1.1\r\nhost: x\r\ncontent-encoding: gzip\r\ncontent-length: 1000\r\n\r\nno gzip at all',
    )
    expect(await client.until(/\r\n\r\n/)).toContain('HTTP/1.1 400')
    client.leave()
  })

  it('that is no JSON frees its decoder', async () => {
    const made: zlib.Gunzip[] = []
    const create = zlib.createGunzip
    vi.spyOn(zlib, 'createGunzip').mockImplementation((...options) => {
      made.push(create(...options))
      return made.at(-1)!
    })
    const client = await rawClient(server().port)
    const start = zlib.gzipSync('x'.repeat(5000), { level: 0 }).subarray(0, 4000)
    client.write('POST /ask HTTP/1.1\r\nhost: x\r\ncontent-encoding: gzip\r\ncontent-length: 9000\r\n\r\n')
    client.socket.write(start)
    await within(vi.waitFor(() => expect(made.map(({ destroyed }) => destroyed)).toEqual([true])))
    client.leave()
  })

  it('that is destroyed without an error, as adapters for functions do, is an error and not a hang', async () => {
    const req = new Readable({ read: () => undefined })
    Object.assign(req, { headers: { 'content-length': '9' }, method: 'POST', url: '/ask' })
    const failed = createConversationReader({ maxBodyBytes: LIMIT }).recognise(req as unknown as GuardedRequest)
    setTimeout(() => req.destroy(), 20)
    await expect(within(failed)).rejects.toMatchObject({ code: 'invalid_json' })
  })

  it('on a stream that does not tell when it is complete is complete at its end', async () => {
    const chunks: Buffer[] = [Buffer.from(chat)]
    const req = Object.assign(new EventEmitter(), {
      headers: { 'content-length': `${chat.length}`, 'content-type': json },
      method: 'POST',
      url: '/ask',
      read: () => chunks.shift() ?? null,
      unshift: (chunk: Buffer) => void chunks.unshift(chunk),
    })
    const read = createConversationReader({ maxBodyBytes: LIMIT }).recognise(req as unknown as GuardedRequest)
    setTimeout(() => req.emit('end'), 20)
    expect(await within(read)).toMatchObject({ kind: 'chat' })
    expect(Buffer.concat(chunks).toString()).toBe(chat)
  })

  it('that breaks off over HTTP/2 is an error, not a hang', async () => {
    const reader = createConversationReader({ maxBodyBytes: LIMIT })
    const h2 = http2.createServer().listen(0)
    const failed = new Promise<unknown>((resolve) => {
      h2.on('request', (req) => void reader.recognise(req as unknown as GuardedRequest).then(resolve, resolve))
    })
    const session = http2.connect(`http://localhost:${(h2.address() as AddressInfo).port}`)
    const stream = session.request({ ':method': 'POST', ':path': '/v1/chat/completions' })
    stream.on('error', () => undefined)
    stream.write('{"mess')
    setTimeout(() => stream.close(http2.constants.NGHTTP2_CANCEL), 50)
    expect(await within(failed)).toMatchObject({ code: 'invalid_json' })
    session.destroy()
    h2.close()
  })
})

describe('JSON that costs more than its length says', () => {
  const many = (unit: (index: number) => string, count: number): string =>
    Array.from({ length: count }, (_, i) => unit(i)).join()
  const big = serving(onNode([ours({ maxBodyBytes: 2 * 1024 * 1024 })], handler))

  it.each([
    ['lists in lists', `${'['.repeat(257)}${']'.repeat(257)}`],
    ['objects in objects', `${'{"a":'.repeat(257)}1${'}'.repeat(257)}`],
    ['lists', `[${many(() => '[]', 100_001)}]`],
    ['objects', `[${many(() => '{}', 100_001)}]`],
    ['names', `{${many((i) => `"${i}" : 1`, 20_001)}}`],
    ['names in many objects', `[${many((i) => `{"${i}":1}`, 20_001)}]`],
  ])('for its %s is 400, also in a JSON text', async (_title, body) => {
    expect(await sendRaw(big(), { type: json, body })).toBe(400)
    expect(await sendRaw(big(), { type: json, body: JSON.stringify({ text: body }) })).toBe(400)
    expect(handled).toEqual([])
  })

  it.each([
    ['lists in lists', `${'['.repeat(250)}${']'.repeat(250)}`],
    ['points', `[${many((i) => `[${i},${i}]`, 75_000)}]`],
    ['records', `[${many((i) => `{"id":${i},"name":"n"}`, 30_000)}]`],
    ['brackets in texts', `["${'[{'.repeat(1000)}\\"${'[{'.repeat(60_000)}\\\\"]`],
    ['a dictionary', `{${many((i) => `"${i}":1`, 10_000)}}`],
  ])('is not said of many %s', async (_title, body) => {
    expect(await sendRaw(big(), { type: json, body })).toBe(200)
    expect(handled).toHaveLength(1)
  })

  it('is said of a form with more fields than anybody sends', async () => {
    for (const body of ['a&'.repeat(10_001), ';'.repeat(10_001)])
      expect(await sendRaw(big(), { type: 'application/x-www-form-urlencoded', body })).toBe(400)
  })
})
