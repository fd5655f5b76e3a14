// What the option `context` says of a request: on its log lines, events, audit row and spans, and nowhere in what a
// client gets.
import { describe, expect, it, vi } from 'vitest'
import { llamaGuard, type LlamaGuardOptions, type RequestEvent, type VerdictEvent } from '../src/index.js'
import type { GuardedRequest } from '../src/types.js'
import { markerGuard, memoryLogger } from './helpers/guards.js'
import { chat, completion, send, serve, type Reply } from './helpers/http.js'

const FIELDS = { tenant: 'acme', user: 7 }

async function asked(options: LlamaGuardOptions, text = 'hi', headers: Record<string, string> = {}): Promise<Reply> {
  const guard = llamaGuard({ guard: markerGuard(), logger: memoryLogger(), ...options }, {})
  const server = await serve((req, res) => guard(req, res, () => res.end(JSON.stringify(completion('fine')))))
  try {
    return await send(`${server.url}/v1/chat/completions`, { body: chat(text), headers })
  } finally {
    await server.close()
    await guard.close()
  }
}

describe('The fields of context(req)', () => {
  it('stand on log lines, on events with their request, and in the audit, and a client gets none', async () => {
    const logger = memoryLogger()
    const events: [VerdictEvent, GuardedRequest][] = []
    const rows: RequestEvent[] = []
    const reply = await asked({
      logger,
      context: () => FIELDS,
      onVerdict: (event, req) => void events.push([event, req]),
      audit: { write: (row) => void rows.push(row) },
      expose: 'full',
    })
    await vi.waitFor(() => expect(rows).toHaveLength(1))
    expect(logger.lines.map(({ fields }) => fields['context'])).toEqual([FIELDS, FIELDS])
    expect(events.map(([{ context }, { url }]) => [context, url])).toEqual([
      [FIELDS, '/v1/chat/completions'],
      [FIELDS, '/v1/chat/completions'],
    ])
    expect(rows[0]).toMatchObject({ context: FIELDS, stages: [{ context: FIELDS }, { context: FIELDS }] })
    expect(JSON.stringify(reply.headers) + reply.text).not.toContain('acme')
  })

  it.each([
    [
      'throws',
      () => {
        throw new RangeError('no session')
      },
      'RangeError',
    ],
    ['returns a promise', async () => FIELDS, 'TypeError'],
    ['returns no object', () => 'acme', 'TypeError'],
    ['returns a bigint', () => ({ tenant: 5n }), 'TypeError'],
    ['returns an object in a field', () => ({ tenant: { id: 5 } }), 'TypeError'],
  ])('refuse a request when the function %s, and tell the operator', async (_what, context, name) => {
    const logger = memoryLogger()
    const reply = await asked({ logger, context: context as never })
    expect([reply.status, reply.json().error.code]).toEqual([503, 'internal_error'])
    expect(reply.text).not.toContain('session')
    expect(logger.lines[0]).toMatchObject({ message: 'the option context threw', fields: { error: { name } } })
  })

  it('may be missing', async () => {
    const reply = await asked({ context: () => ({ tenant: undefined, user: null, paid: true }) as never })
    expect(reply.status).toBe(200)
  })
})
