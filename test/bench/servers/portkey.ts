// Portkey's gateway with a webhook guardrail on input and output, where it is installed (`npm i --no-save
// @portkey-ai/gateway`).
// Its own server script is started as it ships; the load asks it through a header that holds the
// configuration.
import { createServer, type AddressInfo } from 'node:net'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { report } from '../kit/report.js'

const found =
  process.env['BENCH_PORTKEY'] ?? createRequire(import.meta.url).resolve('@portkey-ai/gateway/build/start-server.js')
const free = createServer().listen(0, '127.0.0.1')
const port = await new Promise<number>((resolve) =>
  free.once('listening', () => resolve((free.address() as AddressInfo).port)),
)
await new Promise((resolve) => free.close(resolve))
process.argv.push(`--port=${port}`, '--headless')
// Its start-up animation and banner are no results.
console.log = () => undefined
process.stdout.write = () => true
await import(pathToFileURL(found).href)
await new Promise((resolve) => setTimeout(resolve, 1000))
report(port)
