// All benchmarks, one after the other, each in a process of its own: what one leaves behind must not slow the next.
// `npm run bench [-- --full]`. Every script also runs alone.
import { spawn } from 'node:child_process'

for (const script of ['throughput', 'stream', 'memory', 'telemetry']) {
  console.log(`\n## ${script}\n`)
  const child = spawn(
    process.execPath,
    ['node_modules/vite-node/vite-node.mjs', `test/bench/${script}.ts`, ...process.argv.slice(2)],
    { stdio: 'inherit' },
  )
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve))
  if (code !== 0) throw new Error(`${script} ended with code ${code}`)
}
