// The fault table: thousands of judgements through the real AWS SDK and a proxy that breaks them. No verdict
// that was not the model's, no hang, no unhandled rejection. FAULT_REQUESTS sets their number.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Judge } from '../../src/guard/index.js'
import { createPrompter } from '../../src/guard/prompt/index.js'
import { promptedGuard } from '../../src/guard/backends/prompted.js'
import { sagemakerComplete } from '../../src/guard/backends/sagemaker/index.js'
import { emulatorEnv, startEmulator, type Emulator } from '../emulator/index.js'
import { judgeOf, outcome, says } from './fake-guards.js'
import { rounds } from '../helpers/sampled.js'
import { PROXY_FAULTS, startFaultProxy, type FaultProxy } from './fault-proxy.js'

const REQUESTS = Number(process.env['FAULT_REQUESTS'] ?? rounds(2000))
const DEADLINE_MS = 1000
const AT_ONCE = 16

let emulator: Emulator
let proxy: FaultProxy
const rejections: unknown[] = []
const onRejection = (reason: unknown): void => void rejections.push(reason)

function openJudge(breaker: boolean): Judge {
  const complete = sagemakerComplete({ endpoint: 'llama-guard', concurrency: AT_ONCE, timeoutMs: DEADLINE_MS })
  const guard = promptedGuard({ prompter: createPrompter('llama-guard-3-8b'), complete, identity: complete.identity })
  return judgeOf(guard, { timeoutMs: DEADLINE_MS, breaker, maxAttempts: 2, concurrency: AT_ONCE })
}

beforeAll(async () => {
  emulator = await startEmulator()
  proxy = await startFaultProxy(emulator.url, 4)
  for (const [name, value] of Object.entries(emulatorEnv({ url: proxy.url }))) vi.stubEnv(name, value)
  process.on('unhandledRejection', onRejection)
})
afterAll(async () => {
  process.off('unhandledRejection', onRejection)
  await proxy.close()
  await emulator.close()
})

describe('The judge behind a broken network', () => {
  it.each(Object.keys(PROXY_FAULTS).filter((name) => name !== 'latency'))(
    'has no verdict when every call meets: %s',
    async (name) => {
      proxy.only = name
      const judge = openJudge(false)
      const answers = await Promise.all(['hello', 'UNSAFE_S1'].map((text) => outcome(judge, says(`${name} ${text}`))))
      proxy.only = undefined
      await judge.close()
      for (const answer of answers) expect(answer).toMatch(/^(guard_|unparseable_verdict)/)
    },
  )

  it(
    `answers ${REQUESTS} judgements, a third of them broken, with the model's verdict or an error, in time`,
    { timeout: 600_000 },
    async () => {
      proxy.rate = 1 / 3
      proxy.struck.clear()
      const judge = openJudge(false)
      const tally = new Map<string, number>()
      let next = 0
      let wrong = 0
      let slowest = 0
      // Model, proxy and judge share one process here: how late its timers were anyway.
      const lag = monitorEventLoopDelay({ resolution: 5 })
      lag.enable()
      const started = performance.now()
      const worker = async (): Promise<void> => {
        while (next < REQUESTS) {
          const number = next++
          const truth = number % 3 === 0 ? 'unsafe' : 'safe'
          const since = performance.now()
          const answer = await outcome(judge, says(`number ${number}${truth === 'unsafe' ? ' UNSAFE_S1' : ''}`))
          slowest = Math.max(slowest, performance.now() - since)
          tally.set(answer, (tally.get(answer) ?? 0) + 1)
          if ((answer === 'safe' || answer === 'unsafe') && answer !== truth) wrong++
        }
      }
      await Promise.all(Array.from({ length: AT_ONCE }, worker))
      proxy.rate = 0
      const seconds = (performance.now() - started) / 1000
      console.log(
        [
          `${REQUESTS} judgements in ${seconds.toFixed(1)} s, deadline ${DEADLINE_MS} ms, slowest ${slowest.toFixed(0)} ms (${(slowest - DEADLINE_MS).toFixed(0)} ms past the deadline; event loop up to ${(lag.max / 1e6).toFixed(0)} ms late)`,
          `wrong verdicts ${wrong}, unhandled rejections ${rejections.length}`,
          `answers: ${[...tally].map(([code, count]) => `${code} ${count}`).join(', ')}`,
          `faults: ${[...proxy.struck].map(([name, count]) => `${name} ${count}`).join(', ')}`,
          `judge: ${JSON.stringify(judge.stats().guards[0])}`,
        ].join('\n'),
      )
      await judge.close()
      expect(wrong).toBe(0)
      expect(rejections).toEqual([])
      expect([...tally.values()].reduce((sum, count) => sum + count, 0)).toBe(REQUESTS)
      expect((tally.get('safe') ?? 0) + (tally.get('unsafe') ?? 0)).toBeGreaterThan(REQUESTS / 2)
      // Printed exactly above; a busy machine is late by itself.
      expect(slowest).toBeLessThan(DEADLINE_MS + 30_000)
    },
  )
})
