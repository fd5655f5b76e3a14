// The same app behind llamaGuard(). With GUARD=object the guard is a function, so that what is left is the
// middleware's own cost.
import type { RequestHandler } from 'express'
import { llamaGuard } from '../../../src/llama-guard.js'
import type { Guard } from '../../../src/types.js'
import { chatApp, handOn, listen } from './app.js'
import { withProtection } from '../../../src/options/protection.js'

const delayMs = Number(process.env['GUARD_MS'] ?? 0)
const outputOnly = process.env['GUARD_STAGE'] === 'output'
const SAFE = { safe: true, categories: [] }
/** Checks in flight. They are answered by one timer, because those of a real guard wake the process as its client. */
const asked = new Set<{ readonly due: number; readonly answer: () => void }>()
const TICK_MS = 30
if (delayMs > 0)
  setInterval(() => {
    const now = performance.now() + TICK_MS / 2
    for (const each of asked) if (each.due <= now && asked.delete(each)) each.answer()
  }, TICK_MS)
const object: Guard = {
  model: 'none',
  judge: (_, options) =>
    delayMs === 0 || (outputOnly && options.stage === 'input')
      ? Promise.resolve(SAFE)
      : new Promise((resolve) => {
          const one = { due: performance.now() + delayMs, answer: () => resolve(SAFE) }
          asked.add(one)
          // Only where it would keep what it was asked for a minute: a signal that is read costs as much as a check.
          if (delayMs > 10_000) options.signal?.addEventListener('abort', () => void asked.delete(one))
        }),
}
const guard = llamaGuard({
  guard: process.env['GUARD'] === 'object' ? object : 'sagemaker',
  endpoint: 'llama-guard',
  logger: false,
  // Thousands of connections are the benchmark's wish, and refusing them is not what it measures.
  ...withProtection({ queue: 100_000, breaker: false }),
  timeoutMs: 60_000,
  ...(JSON.parse(process.env['GUARD_OPTIONS'] ?? '{}') as object),
})
listen(chatApp(guard as RequestHandler).post('/v1/chat/completions', handOn))
