// Bundles src/ once for all test files that start programs. The checkout's own dist may be missing or old, and no test
// may change it.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build, type Plugin } from 'esbuild'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder of the ES modules. */
    build: string
  }
}

/** The entries of .ci/rollup.config.js. */
const ENTRIES = 'index fetch/index telemetry/prometheus/index telemetry/otel/index testing/index cli/bin'.split(' ')

/** `?raw` is the text of a file, as in Vite and in .ci/rollup.config.js. */
export const raw: Plugin = {
  name: 'raw',
  setup(builder) {
    builder.onResolve({ filter: /\?raw$/ }, ({ path, resolveDir }) => ({
      path: join(resolveDir, path.slice(0, -'?raw'.length)),
      namespace: 'raw',
    }))
    builder.onLoad({ filter: /./, namespace: 'raw' }, ({ path }) => ({
      contents: readFileSync(path, 'utf8'),
      loader: 'text',
    }))
  },
}

export default async function setup(project: TestProject): Promise<() => void> {
  console.log(`TEST_SEED=${project.config.env['TEST_SEED']}`)
  const folder = mkdtempSync(join(tmpdir(), 'express-llama-guard-build-'))
  await build({
    entryPoints: ENTRIES.map((name) => `src/${name}.ts`),
    outbase: 'src',
    outdir: folder,
    bundle: true,
    splitting: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    plugins: [raw],
  })
  project.provide('build', folder)
  return () => rmSync(folder, { recursive: true, force: true })
}
