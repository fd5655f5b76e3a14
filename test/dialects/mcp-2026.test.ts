// The revision of July 2026 of the Model Context Protocol: no session, a stream of notifications as the answer to a
// call, and pictures beside the text of an answer under the option `images`.
import type { ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import { guarded, onNode, serving, within } from '../helpers/apps.js'
import { send } from '../helpers/http.js'

const META = { _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' } }
const rpc = (method: string, params: object): object => ({
  jsonrpc: '2.0',
  id: 1,
  method,
  params: { ...params, ...META },
})
const line = (message: object): string => `${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`
const NOTED = { 'io.modelcontextprotocol/subscriptionId': 1 }
const noted = (method: string, params: object = {}): string =>
  line({ method: `notifications/${method}`, params: { _meta: NOTED, ...params } })
const LISTEN = rpc('subscriptions/listen', { notifications: { toolsListChanged: true } })
const ACKNOWLEDGED = noted('subscriptions/acknowledged', { notifications: { toolsListChanged: true } })

describe.each(['application/json', 'application/x-ndjson', 'text/event-stream'])(
  'subscriptions/listen as %s',
  (type) => {
    const framed = (text: string): string => (type === 'text/event-stream' ? `data: ${text}\n` : text)

    it('tells of each change as it comes, and of no unsafe one', async () => {
      let res: ServerResponse | undefined
      const middleware = guarded({ check: ['output'] })
      const server = onNode([middleware], (_req, response) => {
        res = response.writeHead(200, { 'content-type': type })
        res.write(framed(ACKNOWLEDGED))
      })
      await serving(server, async ({ url }) => {
        const headers = { 'content-type': 'application/json' }
        const reply = await within(fetch(`${url}/mcp`, { method: 'POST', headers, body: JSON.stringify(LISTEN) }))
        const reader = reply.body!.getReader()
        const next = async (): Promise<string> => Buffer.from((await within(reader.read())).value ?? []).toString()
        expect(await next()).toBe(framed(ACKNOWLEDGED))
        res!.write(framed(noted('tools/list_changed')))
        expect(await next()).toBe(framed(noted('tools/list_changed')))
        expect(middleware.guard.texts()).toEqual([])
        res!.write(framed(noted('resources/updated', { uri: 'note://UNSAFE' })))
        const last = await next()
        expect([last.includes('note://UNSAFE'), last.includes('content_filter')]).toEqual([false, true])
      })
    })
  },
)

const answer = (...content: object[]): object => ({
  jsonrpc: '2.0',
  id: 1,
  result: { resultType: 'complete', ttlMs: 1, cacheScope: 'private', ...META, content },
})
const PICTURE = { type: 'image', data: 'iVBORw0KGgo=', mimeType: 'image/png' }
const SOUND = { type: 'audio', data: 'UklGRg==', mimeType: 'audio/wav' }
const FILE = { type: 'resource', resource: { uri: 'note://1', mimeType: 'image/png', blob: 'iVBORw0KGgo=' } }
const text = (words: string): object => ({ type: 'text', text: words })

describe.each(['application/json', 'text/event-stream'])('An answer as %s', (type) => {
  const ask = async (images: 'refuse' | 'ignore', reply: object): Promise<[number, string, readonly string[]]> => {
    const middleware = guarded({ check: ['output'], images })
    const body = type === 'application/json' ? JSON.stringify(reply) : `data: ${JSON.stringify(reply)}\n\n`
    const server = onNode([middleware], (_req, res) => void res.writeHead(200, { 'content-type': type }).end(body))
    const call = rpc('tools/call', { name: 'f', arguments: {} })
    const got = await serving(server, ({ url }) => send(`${url}/mcp`, { body: call }))
    return [got.status, got.text === body ? 'as it came' : got.text, middleware.guard.texts()]
  }

  it('has nothing judged but its words', async () => {
    expect(await ask('refuse', answer(text('Some words')))).toEqual([200, 'as it came', ['Some words']])
  })

  it.each([PICTURE, SOUND, FILE])('has $type beside its text under the option `images`', async (media) => {
    const [status, body] = await ask('refuse', answer(text('Some words'), media))
    expect([status, body.includes('unreadable_response')]).toEqual([503, true])
    const [passed, came, judged] = await ask('ignore', answer(text('Some words'), media))
    expect([passed, came, judged.join()]).toEqual([200, 'as it came', expect.stringContaining('Some words')])
    const [blocked, unsafe] = await ask('ignore', answer(text('UNSAFE'), media))
    expect([blocked, unsafe.includes('UNSAFE')]).toEqual([451, false])
  })
})
