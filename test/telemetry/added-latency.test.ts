// What the guard adds to a request, as its event and the metrics tell it. Waits are told apart by guards that are
// slow; no test asks how fast anything is.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { LlamaGuardOptions } from '../../src/options/index.js'
import type { RequestOptions } from '../../src/options/index.js'
import type { AddedLatency, GuardedRequest } from '../../src/types.js'
import { saying, type Handler } from '../helpers/apps.js'
import { guardedServer } from '../helpers/closing.js'
import { listen, type Heard } from '../helpers/channels.js'
import { markerGuard } from '../helpers/guards.js'
import { chat, chunk, send, sleep } from '../helpers/http.js'

const WAIT = 80
/** Node.js counts a timer from the beginning of a turn of its event loop, so it fires early on a busy machine. */
const WAITED = WAIT / 2

let heard: Heard
beforeEach(() => void (heard = listen()))
afterEach(() => heard.stop())

const streamed: Handler = async (_req, res) => {
  res.writeHead(200, { 'content-type': 'text/event-stream' })
  res.write(chunk({ content: 'one ' }))
  await sleep(3 * WAIT)
  res.end(chunk({ content: 'two' }) + 'data: [DONE]\n\n')
}

async function added(
  options: LlamaGuardOptions,
  { text = 'hi', stream = false }: { text?: string; stream?: boolean } = {},
  handler = stream ? streamed : saying(),
): Promise<AddedLatency> {
  const { url } = await guardedServer({ guard: markerGuard({ delay: WAIT }), cacheMax: 0, ...options }, handler)
  await send(`${url}/v1/chat/completions`, { body: chat(text, { stream }) }).catch(() => undefined)
  await vi.waitFor(() => expect(heard.requests).toHaveLength(1))
  return heard.requests[0]!.added
}

describe('The event of a request says what the guard added:', () => {
  it('the wait for each verdict, and the same to the first and the last byte of a whole reply', async () => {
    const { input, firstByte, lastByte } = await added({})
    expect(input).toBeGreaterThanOrEqual(WAITED)
    expect(firstByte).toBeGreaterThanOrEqual(WAITED)
    expect(lastByte).toBeGreaterThanOrEqual(WAITED)
    expect(input! + lastByte!).toBeLessThanOrEqual(heard.requests[0]!.ms + 1)
  })

  it('of a stream only what the first and the last words waited, not how long the model took', async () => {
    const { input, firstByte, lastByte } = await added({}, { stream: true })
    expect(firstByte).toBeGreaterThanOrEqual(WAITED)
    expect(lastByte).toBeGreaterThanOrEqual(WAITED)
    // The input's wait, the model's time and the last words' wait follow each other, however slow the machine is.
    expect(input! + 2 * WAIT + lastByte!).toBeLessThanOrEqual(heard.requests[0]!.ms)
  })

  it('with `parallel` no wait before the handler, and the rest of that wait at the reply', async () => {
    const { input, firstByte, lastByte } = await added({ parallel: true, check: ['input'] })
    expect(input).toBeUndefined()
    expect(firstByte).toBeGreaterThan(0)
    expect(lastByte).toBeGreaterThan(0)
  })

  it('no last byte for a reply that was refused, and no byte at all for one that nobody held', async () => {
    expect(Object.keys(await added({}, {}, saying('UNSAFE')))).toEqual(['input'])
    heard.requests.length = 0
    expect(Object.keys(await added({ check: ['input'] }))).toEqual(['input'])
    heard.requests.length = 0
    expect(Object.keys(await added({}, { text: 'UNSAFE' }))).toEqual(['input'])
  })

  it('nothing for a request that passes', async () => {
    expect(await added({ skip: () => true })).toEqual({})
    heard.requests.length = 0
    expect(await added({ mode: { shadow: 0 } })).toEqual({})
  })
})

describe('The sample of shadow mode', () => {
  async function judged(
    options: LlamaGuardOptions,
    count: number,
    headers: Record<string, string> = {},
  ): Promise<number> {
    const { url } = await guardedServer(options, saying('UNSAFE reply'))
    for (let number = 0; number < count; number++) {
      const reply = await send(`${url}/v1/chat/completions`, { body: chat('UNSAFE'), headers })
      expect(reply.status).toBe(200)
    }
    await vi.waitFor(() => expect(heard.requests).toHaveLength(count))
    return heard.requests.filter((event) => event.judged).length
  }

  it('leaves out both stages of a request or neither', async () => {
    const inSample = await judged({ mode: { shadow: 0.5 } }, 60)
    expect(inSample).toBeGreaterThan(0)
    expect(inSample).toBeLessThan(60)
    for (const { stages } of heard.requests) expect(new Set(stages.map(({ verdict }) => verdict)).size).toBe(1)
  })

  it('may differ from request to request', async () => {
    const override = (req: GuardedRequest): RequestOptions => ({
      mode: { shadow: req.headers['x-tenant'] === 'trial' ? 1 : 0 },
    })
    expect(await judged({ mode: 'shadow', override }, 3)).toBe(0)
    heard.requests.length = 0
    expect(await judged({ mode: 'shadow', override }, 3, { 'x-tenant': 'trial' })).toBe(3)
  })
})
