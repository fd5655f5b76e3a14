// What a read leaves on a request: no listener and no trace on the stream, whatever came.
import { describe, expect, it } from 'vitest'
import type { Middleware } from '../../../src/types.js'
import { onNode } from '../../helpers/apps.js'
import { chat, form, handled, handler, json, ours, sendRaw, serving } from '../planted.js'

const EVENTS = ['readable', 'data', 'end', 'close', 'error'] as const
const counts: number[][] = []
const count: Middleware = (req, _res, next) => {
  counts.push(EVENTS.map((name) => req.listenerCount(name)))
  next()
}

describe('A request that was read', () => {
  const server = serving(onNode([count, ours(), count], handler))
  it.each([
    { what: 'a chat', type: json, body: chat },
    { what: 'JSON', type: json, body: '{"a":1}' },
    { what: 'a form', type: form, body: 'a=1' },
    { what: 'prose', type: 'text/plain', body: 'some words '.repeat(20_000) },
  ])('has the listeners that it had, and all of its bytes, when it is $what', async ({ type, body }) => {
    counts.length = 0
    expect(await sendRaw(server(), { type, body })).toBe(200)
    expect(counts[1]).toEqual(counts[0])
    expect(handled[0]!.raw).toBe(body)
  })
})

describe('Bytes that a parser has left', () => {
  const left: Middleware = (req, _res, next) => {
    const chunks: Buffer[] = []
    req.on('data', (chunk: Buffer) => chunks.push(chunk))
    req.on('end', () => next(void Object.assign(req, { body: Buffer.concat(chunks) })))
  }
  const server = serving(onNode([left, ours()], handler))
  it.each([
    ['text in Latin-1', 'text/plain; charset=iso-8859-1', 'caf\u00e9', 200],
    ['JSON in Latin-1', 'application/json; charset=iso-8859-1', '{"a":"caf\u00e9"}', 200],
    ['text that begins like JSON in Latin-1', 'text/plain; charset=iso-8859-1', '{"a":"caf\u00e9"}', 200],
    ['text in UTF-16', 'text/plain; charset=utf-16', 'words', 200],
  ])('are read by their charset when they are %s.', async (_what, type, body, status) => {
    expect(await sendRaw(server(), { type, body: Buffer.from(body, 'latin1') })).toBe(status)
  })
})
