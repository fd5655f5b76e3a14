// How the tests run. `npm test` is the fast run: every kind of test, with samples of the large tables. `--mode long`,
// which `npm run test:long` sets, is the whole: all rows, all rounds, and the files named below.
import { defineConfig } from 'vitest/config'

/** Programs, pages, documents and native code: they compile and start more than they test. */
const LONG_ONLY = [
  '**/cli/{deployment-examples,gateway/process}.test.ts',
  '**/docs/blocks.test.ts',
  '**/examples.test.ts',
  '**/examples/**',
  '**/guard/backends/llama-cpp/**',
  '**/train/**',
]

export default defineConfig(({ mode }) => ({
  test: {
    dir: 'test',
    // Vitest empties style sheets unless it is told not to.
    css: true,
    exclude: mode === 'long' ? [] : LONG_ONLY,
    env: { TEST_SEED: process.env['TEST_SEED'] ?? String(Date.now() % 1e6), TEST_LONG: mode === 'long' ? '1' : '0' },
    globalSetup: ['test/helpers/build.ts'],
    setupFiles: ['test/helpers/each-file.ts'],
    // The files of one process share the modules of src/: loading them for each file took most of the time. Tests wait
    // more than they compute, so four processes on two cores.
    poolOptions: { forks: { isolate: false, minForks: 4, maxForks: 4 } },
    // A limit tells a test that hangs from one that waits. A busy machine is no reason to fail.
    // Concurrent tests wait for guards that never answer.
    maxConcurrency: 20,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // The gate's machine may be busy. What fails always still fails.
    retry: process.env['CI'] === undefined ? 0 : 2,
    expect: { poll: { timeout: 30_000 } },
  },
}))
