// A body that a middleware has set beside a stream that nobody has read, and a request that has gone before it is read.
import { once } from 'node:events'
import { Readable } from 'node:stream'
import express from 'express'
import { expect, it } from 'vitest'
import { createConversationReader } from '../../../src/request/index.js'
import type { GuardedRequest } from '../../../src/types.js'
import { within } from '../../helpers/apps.js'
import { chat, form, forget, handler, json, LIMIT, ours, prompts, sendRaw, serving } from '../planted.js'

const UPLOAD = 'multipart/form-data; boundary=x'
const part = (text: string): string => `--x\r\ncontent-disposition: form-data; name="a"\r\n\r\n${text}\r\n--x--\r\n`
const server = serving(
  express().use(
    (req, _res, next) => {
      req.body = { messages: [{ role: 'user', content: 'SET_BEFORE' }] }
      next()
    },
    ours(),
    handler,
  ),
)

it('A chat beside an unread form is judged with it, also where the form hides a chat.', async () => {
  expect(await sendRaw(server(), { type: form, body: 'a=BESIDE' })).toBe(200)
  expect(prompts()).toContain('SET_BEFORE')
  expect(prompts()).toContain('BESIDE')
  forget()
  expect(await sendRaw(server(), { type: form, body: `a=${encodeURIComponent(chat)}` })).toBe(200)
  expect(prompts()).toContain('PLANTED')
})

it.each([
  ['a chat', json, chat.replace('PLANTED', 'BESIDE')],
  ['lines', 'application/x-ndjson', `${chat.replace('PLANTED', 'BESIDE')}\n{"a":1}`],
  ['an upload', UPLOAD, part('BESIDE')],
  ['data', 'application/octet-stream', 'BESIDE'],
  ['a text', 'text/plain', 'BESIDE'],
])('A chat beside %s that nobody has read is judged with it, because the handler may read either.', async (...row) => {
  const [, type, body] = row
  expect(await sendRaw(server(), { type, body })).toBe(200)
  expect(prompts()).toContain('SET_BEFORE')
  expect(prompts()).toContain('BESIDE')
})

it('A request that has gone before it is read is an error and not a hang.', async () => {
  const req = new Readable({ read: () => undefined })
  Object.assign(req, { headers: { 'content-length': '9' }, method: 'POST', url: '/ask' })
  req.destroy()
  await once(req, 'close')
  const read = createConversationReader({ maxBodyBytes: LIMIT }).recognise(req as unknown as GuardedRequest)
  await expect(within(read)).rejects.toMatchObject({ code: 'invalid_json' })
})
