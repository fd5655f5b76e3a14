// Runs before each test file. All files of a process share the modules of src/, which load once. What lies in test/
// is loaded anew for each file, because a helper may have hooks, servers and counters that belong to one file.
import fc from 'fast-check'
import { afterAll, vi } from 'vitest'
import { rounds, SEED } from './sampled.js'

/** They count what a process has done, so they get modules of src/ that have done nothing. */
const FRESH = /telemetry\/prometheus/

fc.configureGlobal({ seed: SEED, numRuns: rounds(100) })

interface Worker {
  readonly filepath: string
  readonly moduleCache: Map<string, unknown>
}
const { filepath, moduleCache } = (globalThis as unknown as { __vitest_worker__: Worker }).__vitest_worker__
const root = `${process.cwd()}/`
if (FRESH.test(filepath))
  (globalThis as { [key: symbol]: unknown })[Symbol.for('express-llama-guard.live-guards')] = undefined
for (const name of [...moduleCache.keys()]) {
  const path = name.slice(root.length)
  const isOwn = path.startsWith('test/') && !path.startsWith('test/mutation/') && name !== import.meta.filename
  if (isOwn || (path.startsWith('src/') && FRESH.test(filepath))) moduleCache.delete(name)
}

/** A busy machine is slow, and a second, which Vitest would wait, is soon over. */
const wait = vi.waitFor
if (wait.name !== 'patient')
  vi.waitFor = function patient(assertion, options) {
    const given = typeof options === 'number' ? { timeout: options } : options
    return wait(assertion, { timeout: 30_000, interval: 10, ...given })
  }

afterAll(() => {
  vi.useRealTimers()
  vi.unstubAllEnvs()
  vi.unstubAllGlobals()
})
