// What the hook onVerdict is told of a decision, and what becomes of a hook that fails.
import { describe, expect, it } from 'vitest'
import { ask, guarded, onNode, serving } from '../helpers/apps.js'
import { markerGuard, memoryLogger } from '../helpers/guards.js'
import { chat, completion, sleep } from '../helpers/http.js'
import type { LlamaGuardOptions } from '../../src/options/index.js'
import type { VerdictEvent } from '../../src/types.js'
import { withProtection } from '../../src/options/protection.js'

async function told(options: LlamaGuardOptions): Promise<{ status: number; events: VerdictEvent[] }> {
  const events: VerdictEvent[] = []
  const middleware = guarded({ onVerdict: (event) => void events.push(event), ...options })
  const { status } = await serving(
    onNode([middleware], (_req, res) => void res.end(JSON.stringify(completion('fine')))),
    ({ url }) => ask(`${url}/v1/chat/completions`, { body: chat('hi') }),
  )
  await sleep(5)
  return { status, events }
}

describe('onVerdict', () => {
  it('is told the model of the guard, also of a stage that nobody judges', async () => {
    const { events } = await told({ check: ['output'] })
    expect(events.map(({ stage, verdict, model }) => [stage, verdict, model])).toEqual([
      ['input', 'skipped', 'marker'],
      ['output', 'safe', 'marker'],
    ])
  })

  it('is told the model that has judged where that is not the first', async () => {
    const broken = { ...markerGuard({ marker: /nothing/ }), model: 'first' }
    broken.judge = () => Promise.reject(new Error('down'))
    const { status, events } = await told({
      guard: broken,
      guards: [{ fallback: markerGuard() }],
      ...withProtection({ maxAttempts: 1 }),
    })
    expect(status).toBe(200)
    expect(events.map(({ model }) => model)).toEqual(['marker', 'marker'])
  })

  it.each<[string, () => unknown, string]>([
    [
      'throws an error',
      () => {
        throw new TypeError('UNSAFE words')
      },
      'TypeError',
    ],
    [
      'throws a text',
      () => {
        // A hook may throw anything.
        throw 'UNSAFE words' as unknown as Error
      },
      'string',
    ],
    ['rejects with an object without methods', () => Promise.reject(Object.create(null) as Error), 'object'],
    ['rejects', () => Promise.reject(new RangeError('UNSAFE words')), 'RangeError'],
  ])('that %s changes no answer, and is logged', async (_what, onVerdict, error) => {
    const logger = memoryLogger()
    const { status } = await told({ onVerdict: onVerdict as never, logger, check: ['input'] })
    expect(status).toBe(200)
    const lines = logger.lines.filter(({ message }) => message === 'the option onVerdict threw')
    expect(lines.map(({ level, fields }) => [level, (fields['error'] as { name: string }).name])).toEqual([
      ['error', error],
      ['error', error],
    ])
  })
})
