// The end of a guarded request: what stops when, and what is said to whom.
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { LlamaGuardError } from '../src/types/errors.js'
import { Exchange } from '../src/exchange.js'
import { parseOptions } from '../src/options/config.js'
import type { LlamaGuardOptions } from '../src/options/index.js'
import { createServices } from '../src/services/index.js'
import type { Decision, VerdictEvent } from '../src/types.js'
import { markerGuard, memoryLogger } from './helpers/guards.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function exchange(options: LlamaGuardOptions = {}) {
  const req = new IncomingMessage(new Socket())
  const res = new ServerResponse(req)
  const services = createServices(parseOptions({ guard: markerGuard(), logger: memoryLogger(), ...options }, {}))
  return { req, res, made: new Exchange(services, req, res) }
}
const refusal: Decision = {
  action: 'unavailable',
  stage: 'input',
  outcome: { state: 'unjudged', code: 'guard_timeout' },
  categories: [],
  error: new LlamaGuardError('guard_timeout'),
  model: 'marker',
  ms: 1,
}

describe('the signal of a refused request', () => {
  it('is aborted at once when the response is over', () => {
    const { res, made } = exchange()
    res.destroy()
    made.abort()
    expect(made.signal.aborted).toBe(true)
  })

  it('waits for the refusal to leave, and leaves no timer behind it', () => {
    for (const event of ['finish', 'close']) {
      const { res, made } = exchange()
      made.abort()
      expect(made.signal.aborted).toBe(false)
      res.emit(event)
      expect(made.signal.aborted).toBe(true)
      expect(vi.getTimerCount()).toBe(0)
      expect(res.listenerCount('finish') + res.listenerCount('close')).toBe(0)
    }
  })

  it('is aborted after a second although the client does not read', () => {
    const { made } = exchange()
    made.abort()
    vi.advanceTimersByTime(999)
    expect(made.signal.aborted).toBe(false)
    vi.advanceTimersByTime(2)
    expect(made.signal.aborted).toBe(true)
  })
})

describe('a refusal', () => {
  it('is not written to a response that has been destroyed', () => {
    const { res, made } = exchange()
    const refuse = vi.fn()
    res.destroy()
    made.refuse(refusal, { refuse })
    expect(refuse).not.toHaveBeenCalled()
  })
})

describe('an upstream that fails', () => {
  it.each(['closed', 'open'] as const)('is never let through, with onError %s', (onError) => {
    const events: VerdictEvent[] = []
    const { made } = exchange({ onError, onVerdict: (event) => void events.push(event) })
    const fail = vi.fn()
    made.upstreamFailed(new Error('down'), { refuse: vi.fn(), fail })
    expect(fail).toHaveBeenCalledWith(expect.objectContaining({ action: 'unavailable' }))
    expect(events).toMatchObject([{ action: 'unavailable', code: 'upstream_unavailable' }])
  })

  it('after a refusal says nothing', () => {
    const { made } = exchange()
    const fail = vi.fn()
    made.refuse(refusal, { refuse: vi.fn() })
    made.upstreamFailed(new Error('down'), { refuse: vi.fn(), fail })
    expect(fail).not.toHaveBeenCalled()
  })
})

describe('what a middleware holds', () => {
  it('blocks by the policy alone, also in shadow mode: that shadow lets everything pass comes later', () => {
    const config = parseOptions({ guard: markerGuard(), mode: 'shadow' }, {})
    const services = createServices(config)
    expect(services.blocks(config)({ safe: false, categories: ['O3'] }, 'input')).toBe(true)
    expect(services.blocks(config)({ safe: true, categories: [] }, 'input')).toBe(false)
  })
})
