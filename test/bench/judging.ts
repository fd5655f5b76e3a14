// What judging costs in this process, measured on plain JavaScript as Node.js runs it in production.
// `npx vite-node test/bench/judging.ts`
import { execFileSync } from 'node:child_process'
import { bundleServers, OUT } from './kit/process.js'

await bundleServers(['judging'])
process.stdout.write(execFileSync(process.execPath, [`${OUT}/judging.mjs`]))
