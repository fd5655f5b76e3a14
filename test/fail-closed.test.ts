// Every fault of the endpoint, at every moment of an exchange, under every policy: 503 and no byte of model
// text, unless told otherwise.
// Real HTTP, real AWS SDK. Each fault has an endpoint name of its own on one emulator, so that all of them
// run side by side.
import express from 'express'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Decision, GuardedRequest, VerdictEvent } from '../src/types.js'
import { FAULTS } from './emulator/index.js'
import { emulated, type Emulated } from './helpers/emulated.js'
import { chat, chunk, completion, send, serve, type Reply, type Running } from './helpers/http.js'
import { few } from './helpers/sampled.js'

const POLICIES = { closed: {}, open: { onError: 'open' }, shadow: { mode: 'shadow' } } as const
const MOMENTS = ['input', 'output', 'stream', 'late stream'] as const
type Policy = keyof typeof POLICIES
type Moment = (typeof MOMENTS)[number]

/** The emulator fails whenever this word is in the judged turn. */
const FAULT = 'FAULTY'
const FIRST = chunk({ content: 'A harmless beginning. ' })
const REST = chunk({ content: `WITHHELD ${FAULT} end.` }) + chunk({}, { finish: 'stop' }) + 'data: [DONE]\n\n'
const JSON_REPLY = JSON.stringify(completion(`WITHHELD ${FAULT}`))

interface Exchange {
  readonly reply: Reply
  readonly events: readonly VerdictEvent[]
  readonly handled: boolean
  readonly state: { readonly input?: Decision; readonly output?: Decision } | undefined
}

let wire: Emulated
let server: Running
const events = new Map<string, VerdictEvent[]>()
const requests = new Map<string, GuardedRequest>()
/** Lets a handler write on once its client has the first bytes. */
const began = new Map<string, () => void>()

beforeAll(async () => {
  wire = await emulated({ endpoints: FAULTS.map((_, index) => `fault-${index}`) })
  const app = express()
  FAULTS.forEach(({ behaviour, slow }, index) => {
    const endpoint = `fault-${index}`
    wire.emulator.behave(behaviour, {
      when: (received) => received.endpoint === endpoint && received.asked?.turns.at(-1)?.text.includes(FAULT) === true,
    })
    for (const [policy, options] of Object.entries(POLICIES)) {
      const onVerdict = (event: VerdictEvent): void =>
        void events.set(event.requestId, [...(events.get(event.requestId) ?? []), event])
      app.use(
        `/${policy}/${index}`,
        wire.guard({ endpoint, onVerdict, windowMs: 50, ...(slow && { timeoutMs: 3000 }), ...options }),
      )
    }
  })
  app.post('/:policy/:index/:moment', async (req, res) => {
    const id = String(req.headers['x-request-id'])
    requests.set(id, req as unknown as GuardedRequest)
    if (!req.params.moment.includes('stream')) return void res.type('application/json').send(JSON_REPLY)
    res.writeHead(200, { 'content-type': 'text/event-stream' })
    if (req.params.moment === 'stream') return void res.end(FIRST.replace('A harmless', `WITHHELD ${FAULT}`) + REST)
    const first = new Promise<void>((resolve) => began.set(id, resolve))
    res.write(FIRST)
    await first
    res.end(REST)
  })
  server = await serve(app)
})
afterAll(async () => {
  await server.close()
  await wire.close()
})

async function exchange(policy: Policy, index: number, moment: Moment): Promise<Exchange> {
  const id = `${policy}-${index}-${moment.replace(' ', '-')}`
  const reply = await send(`${server.url}/${policy}/${index}/${moment.replace(' ', '%20')}`, {
    headers: { 'x-request-id': id },
    body: chat(moment === 'input' ? `Please judge this ${FAULT} text.` : 'Hello'),
    onData: () => void began.get(id)?.(),
  })
  return { reply, events: events.get(id) ?? [], handled: requests.has(id), state: requests.get(id)?.llamaGuard }
}

describe.concurrent.each(FAULTS.map(({ name, code }, index) => ({ name, code, index })))(
  'when the guard fails with $name',
  { timeout: 60_000 },
  ({ code, index }) => {
    it.each(['input', 'output', 'stream'] as const)(
      'a failed check of the %s is answered 503, without model text',
      async (moment) => {
        const { reply, events: told, handled } = await exchange('closed', index, moment)
        const stage = moment === 'input' ? 'input' : 'output'
        expect(reply.status).toBe(503)
        expect(reply.json().error).toMatchObject({
          type: 'guard_unavailable',
          code,
          stage,
          message: expect.any(String),
          request_id: expect.any(String),
        })
        expect(Number(reply.headers['retry-after'])).toBeGreaterThanOrEqual(1)
        expect(reply.headers['content-type']).toBe('application/json')
        expect(reply.headers['cache-control']).toBe('no-store')
        expect(reply.headers['llama-guard']).toMatch(
          new RegExp(`^${stage === 'output' ? 'input=safe[^,]*, ' : ''}${stage}=unjudged;code="${code}"$`),
        )
        expect(reply.text).not.toMatch(/WITHHELD|FAULTY|harmless/)
        expect(handled).toBe(moment !== 'input')
        expect(told.at(-1)).toMatchObject({ stage, verdict: 'unjudged', action: 'unavailable', code })
      },
    )

    it('a failed check after the first byte ends the stream with an error, without what was not judged', async () => {
      const { reply, events: told } = await exchange('closed', index, 'late stream')
      expect(reply.status).toBe(200)
      expect(reply.headers['llama-guard']).toMatch(/^input=safe[^,]*, output=safe[^,]*$/)
      expect(reply.text.startsWith(FIRST)).toBe(true)
      expect(reply.text).not.toMatch(/WITHHELD|FAULTY|\[DONE\]/)
      const last = JSON.parse(reply.text.slice(FIRST.length).replace(/^data: /, ''))
      expect(last.error).toMatchObject({ type: 'guard_unavailable', code })
      expect(told.at(-1)).toMatchObject({ stage: 'output', verdict: 'unjudged', action: 'unavailable', code })
    })

    it.each([['open'], ['shadow']] as const)(
      'with %s everything passes as it is, and says that it was not judged',
      async (policy) => {
        await Promise.all(
          few(MOMENTS, 1).map(async (moment) => {
            const { reply, events: told, state } = await exchange(policy, index, moment)
            const stage = moment === 'input' ? 'input' : 'output'
            expect(reply.status).toBe(200)
            const whole =
              moment === 'late stream'
                ? FIRST + REST
                : moment === 'stream'
                  ? FIRST.replace('A harmless', `WITHHELD ${FAULT}`) + REST
                  : JSON_REPLY
            expect(reply.text).toBe(whole)
            // The header of a stream was written when its beginning had been judged safe.
            if (moment !== 'late stream')
              expect(reply.headers['llama-guard']).toContain(`${stage}=unjudged;code="${code}"`)
            expect(told.find((event) => event.stage === stage)).toMatchObject({
              verdict: 'unjudged',
              action: 'allow',
              code,
            })
            expect(state?.[stage]).toMatchObject({ action: 'allow', outcome: { state: 'unjudged', code } })
          }),
        )
      },
    )
  },
)
