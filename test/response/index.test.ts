// Who holds a reply, chosen when its head is committed.
import { describe, expect, it } from 'vitest'
import { LlamaGuardError } from '../../src/types/errors.js'
import { guardResponse } from '../../src/response/index.js'
import { ask, guarded, onNode, serving } from '../helpers/apps.js'
import { chat, chunk, sleep } from '../helpers/http.js'
import { fakeContext, fakeResponse } from './fake-response.js'

const PATH = '/v1/chat/completions'

describe('A reply whose source breaks off', () => {
  it.each([
    ['before its head', 0],
    ['after it was handed back to its handler', 1],
  ])('%s is no whole reply', async (_name, writes) => {
    await serving(
      (_req, res) => {
        const context = { ...fakeContext(fakeResponse(), { skips: 'stage-off' }), res }
        const held = guardResponse(context)
        if (writes > 0) res.write('half')
        setTimeout(() => held.fail(context.decideError('output', new LlamaGuardError('upstream_unavailable'))), 20)
      },
      async ({ url }) => {
        const reply = await ask(url + PATH)
        expect([reply.complete, reply.status]).toEqual(writes > 0 ? [false, 200] : [true, 503])
      },
    )
  })
})

describe('A stream', () => {
  it('keeps no promise of a length that a block would break', async () => {
    const body = chunk({ content: 'fine ' }) + chunk({ content: 'UNSAFE' })
    const middleware = guarded({ check: ['output'] })
    const listener = onNode([middleware], async (_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream', 'content-length': Buffer.byteLength(body) })
      res.write(chunk({ content: 'fine ' }))
      await sleep(30)
      res.end(chunk({ content: 'UNSAFE' }))
    })
    const reply = await serving(listener, ({ url }) => ask(url + PATH, { body: chat('hi') }))
    expect([reply.status, reply.complete, reply.headers['content-length']]).toEqual([200, true, undefined])
    expect(reply.text).toMatch(/llama_guard.*\n\ndata: \[DONE\]\n\n$/)
  })

  it.each(['identity', 'none', 'Identity'])('flows with content-encoding %s', async (coding) => {
    const middleware = guarded({ check: ['output'] })
    let next = (): void => undefined
    const listener = onNode([middleware], async (_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': coding })
      const arrived = new Promise<void>((resolve) => (next = resolve))
      res.write(chunk({ content: 'fine' }))
      await arrived
      res.end('data: [DONE]\n\n')
    })
    const reply = await serving(listener, ({ url }) => ask(url + PATH, { body: chat('hi'), onData: () => void next() }))
    expect(reply.text).toBe(`${chunk({ content: 'fine' })}data: [DONE]\n\n`)
  })

  it('of JSON lines that is cut short ends in JSON lines', async () => {
    const line = (content: string): string => `${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n`
    const middleware = guarded({ check: ['output'] })
    const listener = onNode([middleware], async (_req, res) => {
      res.writeHead(200, { 'content-type': 'application/x-ndjson' })
      res.write(line('fine '))
      await sleep(30)
      res.end(line('UNSAFE'))
    })
    const reply = await serving(listener, ({ url }) => ask(url + PATH, { body: chat('hi') }))
    const values = reply.text
      .trim()
      .split('\n')
      .map((each) => JSON.parse(each) as { llama_guard?: object })
    expect(values.map((value) => value.llama_guard !== undefined)).toEqual([false, true])
  })
})
