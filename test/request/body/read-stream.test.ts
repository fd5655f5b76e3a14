// Our own read of a body on the wire: what stops it, what it leaves behind, and what it refuses before it parses.
import { EventEmitter } from 'node:events'
import http2 from 'node:http2'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import express from 'express'
import { describe, expect, it } from 'vitest'
import { createConversationReader } from '../../../src/request/index.js'
import type { GuardedRequest } from '../../../src/types.js'
import { onNode, within } from '../../helpers/apps.js'
import { serve } from '../../helpers/http.js'
import { chat, expectSeen, handled, handler, json, LIMIT, ours, prompts, sendRaw, serving, WORD } from '../planted.js'

describe('A body', () => {
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

  it('that breaks off over HTTP/2 is no hang', async () => {
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
    expect(await within(failed)).toBeDefined()
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
    ['lists', `[${many(() => '[]', 200_001)}]`],
    ['objects', `[${many(() => '{}', 200_001)}]`],
    ['names in many objects', `[${many((i) => `{"${i % 10}":1}`, 100_001)}]`],
  ])('for its %s is 400 in a chat, and elsewhere not ours to say', async (_title, body) => {
    expect(await sendRaw(big(), { type: json, body: `${chat.slice(0, -1)},"x":${body}}` })).toBe(400)
    expect(handled).toEqual([])
    expect(await sendRaw(big(), { type: json, body })).toBe(200)
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
})

const judging = serving(onNode([ours({ paths: ['/ask'], maxBodyBytes: 512 * 1024 })], handler))
it('A form that names one field 100,000 times is judged, and holds nobody up.', async () => {
  const form = { type: 'application/x-www-form-urlencoded', body: `${'a=1&'.repeat(100_000)}a=${WORD}` }
  await expectSeen(judging(), form)
})
