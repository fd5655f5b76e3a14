// An upstream that fails is told once, and alike in every form: the log, the event, the JSON body and the stream.
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BUILT_IN } from '../../src/dialects/index.js'
import { LlamaGuardError } from '../../src/types/errors.js'
import { llamaGuard } from '../../src/index.js'
import type { VerdictEvent } from '../../src/types.js'
import { ask, onNode, serving, SERVERS } from '../helpers/apps.js'
import { markerGuard, memoryLogger } from '../helpers/guards.js'
import { chat, chunk, completion, serve, sleep, type Running } from '../helpers/http.js'
import { post, rawClient } from '../helpers/raw.js'
import { withProtection } from '../../src/options/protection.js'

const PATH = '/v1/chat/completions'

let upstream: Running
let reply: (req: IncomingMessage, res: ServerResponse) => void
beforeEach(async () => {
  upstream = await serve((req, res) => void req.resume().on('end', () => reply(req, res)))
})
afterEach(() => upstream.close())

function front(options: object = {}) {
  const logger = memoryLogger()
  const events: VerdictEvent[] = []
  const middleware = llamaGuard({
    guard: markerGuard({ delay: 5 }),
    cacheMax: 0,
    upstream: upstream.url,
    logger,
    onVerdict: (event) => events.push(event),
    windowMs: 5,
    ...options,
  })
  const listener: RequestListener = onNode([middleware], () => undefined)
  return { listener, logger, events, middleware }
}

const BREAKS: Readonly<Record<string, (res: ServerResponse) => void>> = {
  'before its head': (res) => void res.destroy(),
  'in the middle of a JSON reply': (res) => {
    res.setHeader('content-type', 'application/json').write(JSON.stringify(completion('half')).slice(0, 40))
    setTimeout(() => res.destroy(), 10)
  },
  'in a stream before its first word': (res) => {
    res.setHeader('content-type', 'text/event-stream').write(': hi\n\n')
    setTimeout(() => res.destroy(), 10)
  },
  'in a stream after judged words': (res) => {
    res.setHeader('content-type', 'text/event-stream').write(chunk({ content: 'A fine start. ' }))
    setTimeout(() => res.destroy(), 100)
  },
}

describe('an upstream that breaks off', () => {
  it.each(Object.keys(BREAKS).flatMap((when) => [false, true].map((parallel) => [when, parallel] as const)))(
    '%s, with parallel %s, is logged once and told once, with one type',
    async (when, parallel) => {
      reply = (_req, res) => BREAKS[when]!(res)
      const { listener, logger, events } = front({ parallel })
      await serving(listener, async ({ url }) => {
        const answer = await ask(url + PATH, { body: chat('hi', { stream: when.includes('stream') }) })
        const told = /"error":(\{.*?\})/.exec(answer.text)?.[1]
        expect(told, answer.text).toBeDefined()
        expect(answer.text.match(/upstream_unavailable/g)).toHaveLength(1)
        expect(answer.text).toMatch(/"type":"server_error"/)
        if (!when.includes('stream')) expect(answer.status).toBe(503)
      })
      await sleep(20)
      expect(events.filter(({ stage }) => stage === 'output').map(({ code }) => code)).toEqual(['upstream_unavailable'])
      expect(logger.lines.filter(({ level }) => level === 'error').map(({ fields }) => fields['code'])).toEqual([
        'upstream_unavailable',
      ])
    },
  )
})

describe.each(BUILT_IN.map((dialect) => [dialect.name, dialect] as const))(
  'a failure in a stream of %s',
  (_name, dialect) => {
    it('has the type it has in a JSON body', () => {
      for (const [code, type] of [
        ['upstream_unavailable', 'server_error'],
        ['guard_timeout', 'guard_unavailable'],
      ] as const) {
        const error = new LlamaGuardError(code)
        const said = dialect.stream().fail(error)
        // An API whose error event has a text alone gets the fixed words of the code.
        expect(said.includes(`"code":"${code}"`) || said.includes(JSON.stringify(error.message)), said).toBe(true)
        if (said.includes('"type":"server_error"') || said.includes('guard_unavailable'))
          expect(said).toContain(`"type":"${type}"`)
      }
    })
  },
)

describe('parallel with an upstream', () => {
  it('logs no internal_error for pipelined requests, whatever becomes of each', async () => {
    reply = (req, res) => {
      const say = String(req.headers['x-say'])
      res.setHeader('content-type', 'application/json')
      setTimeout(() => res.end(JSON.stringify(completion(say))), say === 'slow' ? 300 : 80)
    }
    const guard = markerGuard({ delay: () => 5 + Math.random() * 30 })
    const { listener, logger } = front({ parallel: true, guard })
    const say = (word: string, text = 'hi'): string => post(chat(text), { headers: [`X-Say: ${word}`] })
    await serving(listener, async ({ port }) => {
      for (const [second, status] of [
        [say('fine', 'UNSAFE'), 451],
        [say('UNSAFE'), 451],
        [say('fine', 'BROKEN'), 503],
        [say('fine'), 200],
      ] as const) {
        const client = await rawClient(port)
        client.write(say('slow') + second)
        const text = await client.until(/slow[^]*HTTP[^]*\}\}$/)
        expect([...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map((match) => Number(match[1]))).toEqual([200, status])
        client.leave()
      }
    })
    await sleep(50)
    expect(logger.lines.map(({ fields }) => fields['code'])).not.toContain('internal_error')
  })

  it('logs no internal_error when the input is refused before the upstream answers, or after', async () => {
    for (const [guardMs, upstreamMs] of [
      [5, 60],
      [60, 5],
      [20, 20],
    ] as const) {
      reply = (_req, res) =>
        void setTimeout(
          () => res.setHeader('content-type', 'application/json').end(JSON.stringify(completion('fine'))),
          upstreamMs,
        )
      const { listener, logger } = front({ parallel: true, guard: markerGuard({ delay: guardMs }) })
      await serving(listener, async ({ url }) => {
        const answers = await Promise.all(Array.from({ length: 8 }, () => ask(url + PATH, { body: chat('UNSAFE') })))
        expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 451))
        await sleep(100)
      })
      expect(logger.lines.filter(({ level }) => level === 'error')).toEqual([])
    }
  })
})

describe.each(SERVERS)('with parallel on %s', (_name, mount) => {
  it('the handler does not start when the judgement is shed at once', async () => {
    let started = 0
    const handler = (_req: IncomingMessage, res: ServerResponse): void => {
      started++
      res.setHeader('content-type', 'application/json').end(JSON.stringify(completion('fine')))
    }
    // A queue that is full.
    const full = llamaGuard({
      guard: markerGuard({ delay: 150 }),
      parallel: true,
      concurrency: 1,
      ...withProtection({ queue: 0 }),
      logger: false,
    })
    await serving(mount([full], handler), async ({ url }) => {
      const first = ask(url + PATH, { body: chat('one') })
      await sleep(50)
      expect((await ask(url + PATH, { body: chat('two') })).json().error.code).toBe('guard_overloaded')
      expect(started).toBe(1)
      expect((await first).status).toBe(200)
    })
    // A breaker that is open.
    const broken = llamaGuard({
      guard: markerGuard(),
      parallel: true,
      ...withProtection({ maxAttempts: 1 }),
      logger: false,
    })
    started = 0
    await serving(mount([broken], handler), async ({ url }) => {
      for (let index = 0; index < 6; index++) await broken.judge([{ role: 'User', text: `BROKEN ${index}` }])
      expect((await ask(url + PATH, { body: chat('hi') })).json().error.code).toBe('guard_circuit_open')
      expect(started).toBe(0)
    })
    // Known to be unsafe.
    const known = llamaGuard({ guard: markerGuard(), parallel: true, logger: false })
    await known.judge([{ role: 'User', text: 'UNSAFE' }])
    await serving(mount([known], handler), async ({ url }) => {
      expect((await ask(url + PATH, { body: chat('UNSAFE') })).status).toBe(451)
      expect(started).toBe(0)
    })
  })
})
