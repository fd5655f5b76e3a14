// Bundles what tsc compiled to dist/compiled/ into dist/: ES modules and CommonJS from the same sources, one file an entry and
// shared chunks. A start that reads 10 files instead of 270 takes a third of the time (test/bench/README.md).
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import commonjs from '@rollup/plugin-commonjs'
import nodeResolve from '@rollup/plugin-node-resolve'
import { transform } from 'esbuild'
import { dts } from 'rollup-plugin-dts'

/** The entries of package.json's `exports`, by their path below src. The command line is not for require(). */
const PUBLIC = ['index', 'fetch/index', 'telemetry/prometheus/index', 'telemetry/otel/index', 'testing/index']
const COMMAND_LINE = 'cli/bin'

/** Small libraries that are copied into dist, so that an app does not install the rest of them. All are dev dependencies. */
const COPIED = ['commander', 'csv-parse', 'fastest-levenshtein', 'lru-cache', 'markdown-table']
/** Their tables of tokens are in dist/data. Dev dependencies too. */
const TABLES_OF = ['llama-tokenizer-js', 'llama3-tokenizer-js']
/** Holds a table of others, with their licence in its head, which `withoutComments` strips. */
const TABLE = 'src/guard/reveal/confusables.ts'
const isCopied = (id) => COPIED.some((name) => id === name || id.startsWith(`${name}/`))
const isPackage = (id) => !id.startsWith('.') && !id.startsWith('/')
const external = (id) => isPackage(id) && !isCopied(id)
const input = (names, extension) =>
  Object.fromEntries(names.map((name) => [name, `./dist/compiled/${name}${extension}`]))

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
  input: Object.fromEntries(DATA.map((name) => [basename(name), `./dist/compiled/${name}.js`])),
  output: { dir: 'dist/data', format: 'cjs', entryFileNames: '[name].cjs' },
}

/** `import text from './page.css?raw'` is the text of the file, as in Vite, which runs the tests. */
const raw = {
  name: 'raw',
  resolveId: (source, importer) => (source.endsWith('?raw') ? resolve(importer, '..', source) : null),
  load(id) {
    if (!id.endsWith('?raw')) return null
    const text = readFileSync(id.slice(0, -4).replace('/dist/compiled/', '/src/'), 'utf8')
    return `export default ${JSON.stringify(text)}`
  },
}

/** Comments are for whoever reads src/ or the types: without them the package is a quarter smaller. */
const withoutComments = {
  name: 'without-comments',
  renderChunk: (code) => transform(code, { target: 'node20', legalComments: 'none', charset: 'utf8' }),
}

const scripts = (format, names) => ({
  input: input(names, '.js'),
  external,
  plugins: [sharedData, raw, nodeResolve({ resolveOnly: isCopied }), commonjs(), withoutComments],
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
  external: isPackage,
  plugins: [dts()],
  output: { dir: `dist/${format}`, chunkFileNames: 'chunks/[name].d.ts' },
})

mkdirSync('dist/cjs', { recursive: true })
writeFileSync('dist/cjs/package.json', '{"type":"commonjs"}\n')
const licences = [...[...COPIED, ...TABLES_OF].map(licenceOf), headOf(TABLE)]
writeFileSync('dist/LICENSES.txt', licences.join(`\n${'-'.repeat(80)}\n\n`))

function licenceOf(name) {
  const folder = `node_modules/${name}`
  const { version, license } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'))
  const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each))
  return `${name} ${version} (${license})\n\n${readFileSync(`${folder}/${file}`, 'utf8').trim()}\n`
}

function headOf(file) {
  const [head] = /^(?:\/\/.*\n)+/.exec(readFileSync(file, 'utf8'))
  return head.replace(/^\/\/ ?/gm, '')
}

export default [data, scripts('esm', [...PUBLIC, COMMAND_LINE]), scripts('cjs', PUBLIC), types('esm'), types('cjs')]
