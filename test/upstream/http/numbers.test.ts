// Numbers that JavaScript cannot hold, in a body that goes up.
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import express from 'express'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask, guarded } from '../../helpers/apps.js'
import { type Reply, type Running, serve } from '../../helpers/http.js'

const PATH = '/v1/messages'
/** The history of an agent whose tool takes the id of a channel as a number. */
const said = (words: string, more = ''): string =>
  `{"model":"m", "max_tokens":9,"messages":[{"role":"user","content":"pin it"},{"role":"assistant","content":` +
  `[{"type":"tool_use","id":"toolu_1","name":"pin","input":{"channel":1187654321098765432,"share":0.12345678901234567891}}]},` +
  `{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":"${words}"}]}]${more}}`

describe('Of a body with numbers beyond 2 to the power of 53', () => {
  let got: string[] = []
  const servers: Running[] = []
  const urls = { plain: '', parsed: '' }
  beforeAll(async () => {
    const model = await serve((req, res) => {
      void buffer(req).then((bytes) => {
        got.push(bytes.toString())
        res.setHeader('content-type', 'application/json')
        res.end('{"type":"message","role":"assistant","content":[{"type":"text","text":"fine"}]}')
      })
    })
    const guard = guarded({ upstream: `${model.url}/v1` })
    const plain = await serve(express().use('/v1', guard))
    const parsed = await serve(express().use(express.json()).use('/v1', guard))
    servers.push(model, plain, parsed)
    Object.assign(urls, { plain: plain.url, parsed: parsed.url })
  })
  afterAll(() => Promise.all(servers.map((server) => server.close())))
  const sent = (body: string | Buffer, headers: Record<string, string> = {}, url = urls.plain): Promise<Reply> => {
    got = []
    return ask(url + PATH, { body, headers: { 'content-type': 'application/json', ...headers } })
  }

  it('the model gets the digits that were sent, compressed or not', async () => {
    expect([(await sent(said('done'))).status, got]).toEqual([200, [said('done')]])
    const zipped = await sent(gzipSync(said('done')), { 'content-encoding': 'gzip' })
    expect([zipped.status, got]).toEqual([200, [said('done')]])
    expect([(await sent(`\uFEFF${said('done')}\n`)).status, got]).toEqual([200, [said('done')]])
  })

  it('the words are judged, and a key that is named twice is refused', async () => {
    expect([(await sent(said('UNSAFE'))).status, got]).toEqual([451, []])
    expect([(await sent(said('done', ',"messages":[]'))).status, got]).toEqual([400, []])
  })

  it('the model gets what a parser before the guard has made of it', async () => {
    expect([(await sent(said('done'), {}, urls.parsed)).status, got]).toEqual([
      200,
      [JSON.stringify(JSON.parse(said('done')))],
    ])
  })
})
