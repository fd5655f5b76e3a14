// Bundles what tsc compiled to dist/compiled/ into dist/: ES modules and CommonJS from the same sources, one file an entry and
// shared chunks. A start that reads 10 files instead of 270 takes a third of the time (test/bench/README.md).
import { mkdirSync, writeFileSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { dts } from 'rollup-plugin-dts'

/** The entries of package.json's `exports`, by their path below src. The command line is not for require(). */
const PUBLIC = ['index', 'fetch/index', 'telemetry/prometheus/index', 'telemetry/otel/index', 'testing/index']
const COMMAND_LINE = 'cli/bin'

const external = (id) => !id.startsWith('.') && !id.startsWith('/')
const input = (names, extension) => Object.fromEntries(names.map((name) => [name, `dist/compiled/${name}${extension}`]))

/** Large strings. Both formats import the same file, because an ES module may import CommonJS. */
const DATA = ['guard/backends/local/weights', 'guard/prompt/tokens/llama-2-table', 'guard/prompt/tokens/llama-3-table']
const dataFile = (name) => resolve('dist/data', `${basename(name)}.cjs`)
const sharedData = {
  name: 'shared-data',
  resolveId(source) {
    const name = DATA.find((each) => source.endsWith(`/${basename(each)}.js`))
    return name && { id: dataFile(name), external: true }
  },
}
const data = {
  input: Object.fromEntries(DATA.map((name) => [basename(name), `dist/compiled/${name}.js`])),
  output: { dir: 'dist/data', format: 'cjs', entryFileNames: '[name].cjs' },
}

const scripts = (format, names) => ({
  input: input(names, '.js'),
  external,
  plugins: [sharedData],
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

export default [data, scripts('esm', [...PUBLIC, COMMAND_LINE]), scripts('cjs', PUBLIC), types('esm'), types('cjs')]
