// What a process pays before its first request: the import of the package beside that of Express, and how long a guard
// on SageMaker keeps the event loop from other work while it loads the AWS SDK.
// `npm run build && npx vite-node test/bench/cold-start.ts`. Reads `dist`, and builds it where it is missing.
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { median } from './kit/load.js'
import { machine, table } from './kit/table.js'

const ROUNDS = 15
const ESM = `file://${process.cwd()}/dist/esm/index.js`
const CJS = `${process.cwd()}/dist/cjs/index.js`

/** Programs that print milliseconds: wall, and CPU of the process. Each gets a process of its own. */
const timed = (load: string): string =>
  `const a = performance.now(), c = process.cpuUsage(); ${load}; const u = process.cpuUsage(c); console.log(performance.now() - a, (u.user + u.system) / 1000)`
const IMPORTS: Readonly<Record<string, string>> = {
  'express, import': timed(`await import('express')`),
  'this package, import': timed(`await import('${ESM}')`),
  'both, import': timed(`await import('express'); await import('${ESM}')`),
  'express, require': timed(`require('express')`),
  'this package, require': timed(`require('${CJS}')`),
  'both, require': timed(`require('express'); require('${CJS}')`),
}

/** Prints the longest time between two turns of the event loop while the guard gets ready, and how long that takes. */
const READY = (load: string): string => `
const { llamaGuard } = ${load}
let last = performance.now(), longest = 0
const beat = setInterval(() => { const now = performance.now(); longest = Math.max(longest, now - last); last = now }, 1)
await new Promise((resolve) => setTimeout(resolve, 20))
longest = 0
const started = performance.now()
const guard = llamaGuard({ endpoint: 'e', logger: false })
const built = performance.now() - started
await new Promise((resolve) => setTimeout(resolve, 500))
clearInterval(beat)
console.log(longest, built)
await guard.close()`

function run(program: string): readonly number[] {
  const type = program.includes('require(') ? 'commonjs' : 'module'
  const printed = execFileSync(process.execPath, [`--input-type=${type}`, '-e', program], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] ?? '', AWS_REGION: 'eu-west-1', NODE_NO_WARNINGS: '1' },
  })
  return printed.trim().split(' ').map(Number)
}

/** The middle of several runs, of each number that a program prints. */
function medians(runs: readonly (readonly number[])[]): readonly string[] {
  return runs[0]!.map((_, index) => median(runs.map((values) => values[index]!)).toFixed(0))
}

if (!existsSync('dist/esm/index.js')) execFileSync('npm', ['run', 'build'], { stdio: ['ignore', 'ignore', 'inherit'] })
console.log(`${machine()}; the median of ${ROUNDS} processes, in turn, files in the system's cache.\n`)
const seen = new Map(Object.keys(IMPORTS).map((name) => [name, [] as (readonly number[])[]]))
const ready: (readonly number[])[] = []
for (let round = -1; round < ROUNDS; round++) {
  for (const [name, program] of Object.entries(IMPORTS)) {
    const values = run(program)
    if (round >= 0) seen.get(name)!.push(values)
  }
  if (round >= 0) ready.push(run(READY(`await import('${ESM}')`)))
}
const rows = [...seen].map(([name, runs]) => {
  const [wall, cpu] = medians(runs)
  return { load: name, ms: wall!, 'CPU ms': cpu! }
})
console.log(table(rows))
const [longest, built] = medians(ready)
console.log(
  `\nllamaGuard() for SageMaker returns after ${built} ms. The AWS SDK then loads and keeps the event loop for ${longest} ms at most.\n`,
)
