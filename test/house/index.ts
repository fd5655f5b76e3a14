// `npm run house`: how large the house is and how far a request walks in it. Prints lines, rooms, circles, long files,
// and the files that the second warm request enters, as V8's precise coverage counts them.
import { build } from 'esbuild'
import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { circles, importsOf, roomsOf } from './rooms.js'

const ROOT = resolve(import.meta.dirname, '../..')
/** Inside node_modules, so that the compiled files find their packages and git does not see them. */
const OUT = join(ROOT, 'node_modules/.cache/house')
/** Tables of facts and weights: data, not ideas. */
const TABLE = /(?:weights|-table|taxonomies)\.ts$/
const MOST_LINES = 300

const tracked = execFileSync('git', ['ls-files', 'src'], { cwd: ROOT, encoding: 'utf8' }).trim().split('\n')
const lines = (file: string): number => readFileSync(join(ROOT, file), 'utf8').split('\n').length - 1
const total = (files: readonly string[]): number => files.reduce((sum, file) => sum + lines(file), 0)
const isTool = (file: string): boolean => /^src\/(?:cli|dashboard)\//.test(file)

const code = tracked.filter((file) => /\.(?:ts|css|html|js)$/.test(file))
const sources = code.filter((file) => file.endsWith('.ts'))
const imports = importsOf(sources, ROOT)
const { rooms, arrows } = roomsOf(imports)
const found = circles(imports)
const long = sources.filter((file) => !TABLE.test(file) && lines(file) > MOST_LINES)

rmSync(OUT, { recursive: true, force: true })
await build({
  entryPoints: [...sources.map((file) => join(ROOT, file)), join(import.meta.dirname, 'walk.ts')],
  outdir: OUT,
  outbase: ROOT,
  format: 'esm',
  target: 'node20',
})
writeFileSync(join(OUT, 'package.json'), '{"type":"module"}')
const walk = execFileSync(process.execPath, [join(OUT, 'test/house/walk.js')], {
  encoding: 'utf8',
  env: { ...process.env, NODE_NO_WARNINGS: '1' },
})
const entered = JSON.parse(walk) as Record<'json' | 'stream', string[]>

const print = (label: string, value: number, goal?: number): void =>
  console.log(`${label.padEnd(44)}${String(value).padStart(7)}${goal === undefined ? '' : `   goal ${goal}`}`)

print('lines an app loads (all but cli, dashboard)', total(code.filter((file) => !isTool(file))), 20_000)
print('lines of src', total(code), 27_000)
print('files of src', code.length)
print('rooms', rooms.length)
print('arrows between rooms', arrows.length, 100)
print('circles of files', found.length, 0)
print(`files over ${MOST_LINES} lines`, long.length, 0)
print('files that one JSON request enters', entered.json.length, 50)
print('files that one stream enters', entered.stream.length, 60)
for (const circle of found) console.log(`circle: ${circle.join(' ')}`)
for (const file of long) console.log(`long: ${lines(file)} ${file}`)
if (process.argv.includes('--files'))
  for (const [kind, files] of Object.entries(entered))
    console.log(`\n${kind}:\n${files.map((file) => `  ${file}`).join('\n')}`)
