// How the tests run: `vitest run --config test/vitest.config.ts`, which `npm test` does.
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    dir: 'test',
    // Vitest empties style sheets unless it is told not to.
    css: true,
    // A limit tells a test that hangs from one that waits. A busy machine is no reason to fail.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
