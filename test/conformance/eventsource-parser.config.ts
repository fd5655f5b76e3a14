// How the tests of eventsource-parser run here: with a parser that writes down what it is fed.
import { join, resolve } from 'node:path'
import { defineConfig } from 'vitest/config'

const folder = process.env['CONFORMANCE_FOLDER']!
const recorder = resolve('test/conformance/recorder.ts')

export default defineConfig({
  root: folder,
  plugins: [
    {
      name: 'recorder',
      enforce: 'pre',
      resolveId: (source, importer) =>
        source === '../src/parse.ts' && importer?.endsWith('parse.test.ts') === true ? recorder : undefined,
    },
  ],
  resolve: { alias: { 'eventsource-parser': join(folder, 'src/index.ts') } },
  test: { include: ['test/parse.test.ts'], testTimeout: 30_000 },
})
