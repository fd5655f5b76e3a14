// The channels: what a subscriber hears of a check and a stage, and that nothing of what was said is in it.
import { AsyncLocalStorage } from 'node:async_hooks'
import { tracingChannel } from 'node:diagnostics_channel'
import { inspect } from 'node:util'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { CHANNELS } from '../../src/telemetry/channels.js'
import type { LlamaGuardOptions } from '../../src/options/index.js'
import { saying } from '../helpers/apps.js'
import { guardedServer } from '../helpers/closing.js'
import { listen, type Heard } from '../helpers/channels.js'
import { markerGuard } from '../helpers/guards.js'
import { chat, chunk, send } from '../helpers/http.js'
import { withProtection } from '../../src/options/protection.js'

let heard: Heard | undefined
afterEach(() => heard?.stop())

async function guarded(options: LlamaGuardOptions = {}): Promise<string> {
  const { url } = await guardedServer(options, (req, res) => {
    if (req.headers.accept === 'text/event-stream')
      res
        .writeHead(200, { 'content-type': 'text/event-stream' })
        .end(chunk({ content: 'PLANTED ' }) + chunk({ content: 'reply' }) + 'data: [DONE]\n\n')
    else saying('PLANTED reply')(req, res)
  })
  return `${url}/v1/chat/completions`
}

describe('A subscriber', () => {
  it('hears of each check and each stage, of one request by one object', async () => {
    heard = listen()
    const verdict = { attempts: 2, tokens: { input: 90, output: 3 }, score: 0.25 }
    const url = await guarded({ guard: markerGuard({ verdict }) })
    await send(url, { body: chat('hello'), headers: { 'x-request-id': 'same' } })
    await send(url, { body: chat('UNSAFE'), headers: { 'x-request-id': 'same' } })
    await vi.waitFor(() => expect(heard!.requests).toHaveLength(2))
    expect(heard.checks).toMatchObject([
      { requestId: 'same', stage: 'input', backend: 'custom', model: 'marker', conversations: 1, chars: 5 },
      { stage: 'output', chars: 13, result: { verdict: 'safe', attempts: 2, tokens: { input: 90, output: 3 } } },
      { stage: 'input', result: { verdict: 'unsafe', categories: ['O3'], score: 0.25, cached: false } },
    ])
    expect(heard.verdicts).toMatchObject([
      { stage: 'input', verdict: 'safe', mode: 'enforce', stream: false, parallel: false, backend: 'custom' },
      { stage: 'output', verdict: 'safe', tokens: { input: 90, output: 3 } },
      { stage: 'input', verdict: 'unsafe', action: 'block' },
    ])
    const [first, , second] = heard.checks
    expect(heard.verdicts[1]!.request).toBe(first!.request)
    expect(heard.requests[0]!.request).toBe(first!.request)
    expect(second!.request).not.toBe(first!.request)
  })

  it('finds the context of the request in the middle of a check', async () => {
    const storage = new AsyncLocalStorage<string>()
    const seen: unknown[] = []
    const tracing = tracingChannel(CHANNELS.check)
    tracing.start.bindStore(storage as never, () => 'in a check')
    const listener = { end: () => undefined }
    tracing.subscribe(listener as never)
    const inner = markerGuard()
    const guard = {
      ...inner,
      judge: (...args: Parameters<typeof inner.judge>) => (seen.push(storage.getStore()), inner.judge(...args)),
    }
    await send(await guarded({ guard, cacheMax: 0 }), { body: chat('hello') })
    tracing.unsubscribe(listener as never)
    tracing.start.unbindStore(storage as never)
    expect(seen).toEqual(['in a check', 'in a check'])
  })

  it('never finds a word that was said, whatever went wrong', async () => {
    heard = listen()
    const objects: string[] = []
    const guard = {
      model: 'talkative',
      judge: (turns: readonly { text: string }[]) =>
        turns.at(-1)!.text.includes('fail')
          ? Promise.reject(new Error(`I saw ${turns.at(-1)!.text}`))
          : Promise.resolve({ safe: true, categories: [] }),
    }
    const url = await guarded({
      guard,
      ...withProtection({ breaker: false }),
      images: 'ignore',
      guards: [{ shadow: guard, rate: 1 }],
    })
    await send(url, { body: chat('PLANTED question') })
    await send(url, { body: chat('PLANTED fail') })
    await send(url, { body: chat('PLANTED', { stream: true }), headers: { accept: 'text/event-stream' } })
    await send(url, { body: '{"messages": "PLANTED' })
    await send(url, { body: { messages: [{ role: 'user', content: 'x', PLANTED: { PLANTED: 'PLANTED' } }] } })
    await send(`${url}/PLANTED?PLANTED`, { body: { PLANTED: 'PLANTED' } })
    await vi.waitFor(() => expect(heard!.requests).toHaveLength(6))
    await vi.waitFor(() => expect(heard!.shadow.length).toBeGreaterThan(3))
    objects.push(
      inspect([heard.checks, heard.verdicts, heard.notJudged, heard.requests, heard.shadow], {
        depth: 20,
        showHidden: true,
      }),
    )
    expect(heard.checks.some(({ result }) => result?.code === 'guard_error')).toBe(true)
    expect([...heard.all, ...objects].filter((text) => /PLANTED|I saw/.test(text))).toEqual([])
  })
})
