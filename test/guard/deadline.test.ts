// Waiting that is cut short leaves nothing behind: no work begun in vain, no timer, no listener.
import { describe, expect, it, vi } from 'vitest'
import { LlamaGuardError } from '../../src/types/errors.js'
import { createSingleFlight } from '../../src/guard/cache/index.js'
import { type AbortSignalLike, LazyAbortController, orAbort, within } from '../../src/utils/deadline.js'
import { hedged } from '../../src/guard/resilience/index.js'
import { never, sleep } from './fake-guards.js'

const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length

/** A signal that counts its listeners. */
function countingSignal(): AbortSignalLike & { readonly listeners: Set<() => void> } {
  const listeners = new Set<() => void>()
  return {
    listeners,
    aborted: false,
    reason: undefined,
    addEventListener: (_, listener) => void listeners.add(listener),
    removeEventListener: (_, listener) => void listeners.delete(listener),
  }
}

describe('Waiting within bounds', () => {
  it('does not begin work whose signal has been aborted', async () => {
    const stop = new LazyAbortController()
    stop.abort()
    const work = vi.fn(() => Promise.resolve('done'))
    await expect(orAbort(stop, work)).rejects.toMatchObject({ code: 'guard_unavailable' })
    await expect(within({ signal: stop }, work)).rejects.toMatchObject({ code: 'guard_unavailable' })
    expect(work).not.toHaveBeenCalled()
  })

  it.each([
    ['is done', () => Promise.resolve('done')],
    ['has failed', () => Promise.reject(new Error('failed'))],
  ])('leaves no timer and no listener when the work %s', async (_, work) => {
    const signal = countingSignal()
    const before = timers()
    await within<unknown>({ ms: 60_000, signal }, work).catch(() => undefined)
    expect(timers()).toBeLessThanOrEqual(before)
    expect(signal.listeners.size).toBe(0)
  })
})

describe('A hedge', () => {
  const options = { mayHedge: () => true, onHedge: () => undefined }

  it('sends no second call once the first has been called off', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const signal = new LazyAbortController()
    let calls = 0
    const answer = hedged({ ...options, afterMs: 20, signal }, () => (calls++, never()))
    const rejected = expect(answer).rejects.toMatchObject({ code: 'guard_unavailable' })
    await vi.advanceTimersByTimeAsync(5)
    signal.abort()
    await rejected
    await vi.advanceTimersByTimeAsync(40)
    vi.useRealTimers()
    expect(calls).toBe(1)
  })

  it('leaves no timer behind a first call that answers in time, or fails', async () => {
    const before = timers()
    const signal = new LazyAbortController()
    await hedged({ ...options, afterMs: 60_000, signal }, () => Promise.resolve('fast'))
    await hedged({ ...options, afterMs: 60_000, signal }, () => Promise.reject(new Error('down'))).catch(
      () => undefined,
    )
    expect(timers()).toBeLessThanOrEqual(before)
  })
})

describe('One call for all who ask the same', () => {
  it('leaves no timer when it has landed', async () => {
    const before = timers()
    const flights = createSingleFlight<string>(60_000)
    const start = () => sleep(5).then(() => 'landed')
    const answers = [1, 2, 3].map(() => flights.run('a', new AbortController().signal, start).answer)
    expect(await Promise.all(answers)).toEqual(['landed', 'landed', 'landed'])
    expect(timers()).toBeLessThanOrEqual(before)
    expect(flights.size).toBe(0)
  })

  it('that is called off is joined by nobody, not even in the moment of its abort', async () => {
    const flights = createSingleFlight<string>(60_000)
    const caller = new AbortController()
    let second: Promise<string> | undefined
    const first = flights.run('a', caller.signal, (stop) => {
      stop.addEventListener('abort', () => {
        second = flights.run('a', new AbortController().signal, () => Promise.resolve('anew')).answer
      })
      return orAbort(stop, never)
    })
    const rejected = expect(first.answer).rejects.toBeInstanceOf(LlamaGuardError)
    caller.abort()
    await rejected
    expect(await second).toBe('anew')
    // The end of the first has not taken the second's place away.
    const third = flights.run('a', new AbortController().signal, () => sleep(1).then(() => 'third'))
    expect(third.joined).toBe(false)
    expect(flights.run('a', new AbortController().signal, () => Promise.resolve('no')).joined).toBe(true)
  })
})
