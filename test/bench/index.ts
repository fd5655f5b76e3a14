// All benchmarks, one after the other, each in a process of its own: what one leaves behind must not slow the next.
// What they print replaces the blocks of README.md beside this file, so that no number there is typed.
// `npm run bench [-- --full] [--only=NAME,...] [--node=PATH]... [--smoke]`. `--node` measures on that Node.js as
// well. `--smoke` measures next to nothing and writes nothing: it shows that the benchmarks work. Every script also
// runs alone.
import { execFileSync, spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { setBlock } from './kit/blocks.js'

const REPORT = new URL('README.md', import.meta.url)

interface Benchmark {
  readonly name: string
  /** Its result differs from one Node.js to the next. */
  readonly everyNode?: boolean
  /** What makes it short enough for a smoke run. Without it a smoke run leaves it out. */
  readonly smoke?: { readonly env: Readonly<Record<string, string>>; readonly flags?: readonly string[] }
}

const BENCHMARKS: readonly Benchmark[] = [
  {
    name: 'throughput',
    everyNode: true,
    smoke: { env: { BENCH_ROUNDS: '1', BENCH_MS: '100' }, flags: ['--scenario=1,3'] },
  },
  { name: 'cold-start', everyNode: true },
  { name: 'stream' },
  { name: 'memory' },
  { name: 'telemetry', smoke: { env: { BENCH_CALLS: '1000' } } },
  { name: 'tokens' },
  { name: 'schedule' },
  { name: 'fleet' },
  { name: 'estimate' },
  { name: 'judging' },
  { name: 'cost' },
]

const flags = process.argv.slice(2)
const valuesOf = (flag: string): readonly string[] =>
  flags.filter((given) => given.startsWith(`${flag}=`)).map((given) => given.slice(flag.length + 1))
const smoke = flags.includes('--smoke')
const only = valuesOf('--only')[0]?.split(',')
const nodes = [process.execPath, ...valuesOf('--node')]
const wanted = BENCHMARKS.filter((one) => (smoke ? one.smoke !== undefined : only?.includes(one.name) !== false))
if (wanted.length === 0) throw new Error(`No such benchmark. Known: ${BENCHMARKS.map(({ name }) => name).join(', ')}`)

for (const benchmark of wanted) {
  const { name, everyNode = false } = benchmark
  const printed: string[] = []
  for (const node of everyNode ? nodes : nodes.slice(0, 1)) {
    console.log(`\n## ${name}\n`)
    printed.push(await run(node, benchmark))
  }
  // After each, so that a run that ends early keeps what it has measured.
  if (!smoke)
    writeFileSync(REPORT, setBlock(readFileSync(REPORT, 'utf8'), name, `${origin(name)}\n\n${printed.join('\n')}`))
}

/** Runs a script, shows what it prints, and gives it back. */
async function run(node: string, { name, smoke: short }: Benchmark): Promise<string> {
  const rest = [...flags.filter((flag) => flag === '--full'), ...((smoke && short?.flags) || [])]
  const script = ['node_modules/vite-node/vite-node.mjs', `test/bench/${name}.ts`, ...rest]
  const env = { ...process.env, ...(smoke && short?.env) }
  const child = spawn(node, script, { stdio: ['ignore', 'pipe', 'inherit'], env })
  let printed = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text
    process.stdout.write(text)
  })
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  if (code !== 0) throw new Error(`${name} ended with code ${code}`)
  return printed
}

/** Which command made a block, and from which sources. */
function origin(name: string): string {
  const git = (...args: string[]): string => execFileSync('git', args, { encoding: 'utf8' }).trim()
  const changed = git('status', '--porcelain', '--', 'src') === '' ? '' : ', with changes that are not committed'
  const full = flags.includes('--full') ? ' --full' : ''
  return `\`npm run bench -- --only=${name}${full}\` at ${git('rev-parse', '--short', 'HEAD')}${changed}:`
}
