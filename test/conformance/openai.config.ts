// How the openai client's generated tests run here: with vitest, because its own jest needs thirty packages more.
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

const folder = process.env['CONFORMANCE_FOLDER']!

export default defineConfig({
  root: folder,
  resolve: {
    alias: [
      { find: /^openai$/, replacement: join(folder, 'src/index.ts') },
      { find: /^openai\/(.*)$/, replacement: join(folder, 'src/$1') },
    ],
  },
  test: {
    globals: true,
    include: ['tests/api-resources/**/*.test.ts'],
    // It asks no server.
    exclude: ['**/webhooks.test.ts'],
    reporters: ['json'],
    testTimeout: 30_000,
    maxWorkers: 2,
  },
})
