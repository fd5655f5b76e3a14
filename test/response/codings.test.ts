// Replies under transfer codings, which no handler applies: what is written in one is refused, because it is no text.
import { gzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { codingsOf } from '../../src/response/head.js'
import { guarded, onNode, serving } from '../helpers/apps.js'
import { chat } from '../helpers/http.js'
import { post, rawClient } from '../helpers/raw.js'

const JSON_REPLY = JSON.stringify({ choices: [{ message: { content: 'UNSAFE' } }] })

it.each([
  ['text/plain', 'UNSAFE'],
  ['application/json', JSON_REPLY],
  ['text/event-stream', `data: ${JSON_REPLY}\n\n`],
  ['application/x-ndjson', `${JSON_REPLY}\n`],
])('A reply under a transfer coding is refused: %s', async (type, body) => {
  const headers = { 'transfer-encoding': 'gzip, chunked', 'content-type': type }
  const app = onNode([guarded()], (_req, res) => void res.writeHead(200, headers).end(gzipSync(body)))
  await serving(app, async ({ port }) => {
    const client = await rawClient(port)
    client.write(post(chat('hi'), { headers: ['Connection: close'] }))
    await client.closed
    expect(client.text()).toMatch(/^HTTP\/1.1 503 /)
  })
})

it('The codings of a reply are those that change its bytes, in the order in which they were applied.', () => {
  const of = (coding: unknown): readonly string[] => codingsOf({ getHeader: () => coding as string })
  expect(of(undefined)).toEqual([])
  expect(of(' identity, none,')).toEqual([])
  expect(of(['BR', 'gzip'])).toEqual(['br', 'gzip'])
})
