// Bundles what tsc compiled to dist/compiled/ into dist/: ES modules and CommonJS from the same sources, one file an entry and
// shared chunks. A start that reads 10 files instead of 270 takes a third of the time (test/bench/README.md).
import { mkdirSync, writeFileSync } from 'node:fs'
import { dts } from 'rollup-plugin-dts'

/** The entries of package.json's `exports`, by their path below src. The command line is not for require(). */
const PUBLIC = ['index', 'telemetry/prometheus/index', 'telemetry/otel/index', 'testing/index']
const COMMAND_LINE = 'cli/bin'

const external = (id) => !id.startsWith('.') && !id.startsWith('/')
const input = (names, extension) => Object.fromEntries(names.map((name) => [name, `dist/compiled/${name}${extension}`]))

const scripts = (format, names) => ({
  input: input(names, '.js'),
  external,
  output: {
    dir: `dist/${format}`,
    format,
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name].js',
    hoistTransitiveImports: false,
  },
})

const types = (format) => ({
  input: input(PUBLIC, '.d.ts'),
  external,
  plugins: [dts()],
  output: { dir: `dist/${format}`, chunkFileNames: 'chunks/[name].d.ts' },
})

mkdirSync('dist/cjs', { recursive: true })
writeFileSync('dist/cjs/package.json', '{"type":"commonjs"}\n')

export default [scripts('esm', [...PUBLIC, COMMAND_LINE]), scripts('cjs', PUBLIC), types('esm'), types('cjs')]
