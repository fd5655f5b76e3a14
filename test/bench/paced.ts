// CPU of streams at the pace of real models, beside a bare proxy that hands on the same streams at the same time.
// `vite-node test/bench/paced.ts`: user and system time of each process over one span, so that a busy machine is busy
// for all of them alike. The guard is a function, so its client is left out.
import { chatBody, replyChunks } from './kit/chat.js'
import { leanClient, post } from './kit/lean-http.js'
import { median } from './kit/load.js'
import { bundleServers, start, type Server, type Usage } from './kit/process.js'
import { machine, table } from './kit/table.js'

const STREAMS = Number(process.env['BENCH_STREAMS'] ?? 100)
const PACE_MS = 30
const BYTES = Number(process.env['BENCH_BYTES'] ?? 4000)
const EVENTS = replyChunks(BYTES).length
/** Node.js compiles for about ten seconds. */
const WARM_MS = 15_000
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 5)
const ROUND_MS = 10_000

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const CONTENDERS: readonly (readonly [string, object])[] = [
  ['input alone', { check: ['input'] }],
  ['llamaGuard()', {}],
  ['without reveal', { reveal: false }],
]
let marks = 0
let over = false

/** Asks for one stream after the other. They begin at different times. */
async function talk(server: Server, at: number): Promise<void> {
  await sleep((at * EVENTS * PACE_MS) / STREAMS)
  const asker = await leanClient(server.port)
  while (!over)
    await asker
      .ask(post('/v1/chat/completions', chatBody({ turns: 1, stream: true, mark: `number ${marks++}` })))
      .catch(() => undefined)
  asker.close()
}

async function main(): Promise<void> {
  await bundleServers(['llm', 'proxy', 'ours'])
  const llm = await start('llm', 'llm')
  await llm.set({ stream: true, paceMs: PACE_MS, bytes: BYTES })
  const env = { LLM_URL: `http://127.0.0.1:${llm.port}`, GUARD: 'object' }
  const profile = process.env['BENCH_PROFILE'] ? ['--cpu-prof', `--cpu-prof-dir=${process.env['BENCH_PROFILE']}`] : []
  const servers = [await start('bare proxy', 'proxy', env)]
  for (const [name, options] of CONTENDERS)
    servers.push(
      await start(name, 'ours', { ...env, GUARD_MS: '150', GUARD_OPTIONS: JSON.stringify(options) }, profile),
    )
  for (const server of servers) for (let at = 0; at < STREAMS; at++) void talk(server, at)
  await sleep(EVENTS * PACE_MS + WARM_MS)

  const read = (): Promise<readonly Usage[]> => Promise.all([llm, ...servers].map((server) => server.usage()))
  const costs = servers.map((): number[] => [])
  for (let round = 0; round < ROUNDS; round++) {
    const before = await read()
    await sleep(ROUND_MS)
    const after = await read()
    const events = (after[0]!.events! - before[0]!.events!) / servers.length
    for (const [at, list] of costs.entries()) list.push((after[at + 1]!.cpu - before[at + 1]!.cpu) / events)
  }
  over = true
  console.log(
    `${machine()}; ${STREAMS} streams of ${EVENTS} events, one every ${PACE_MS} ms; the median of ${ROUNDS} spans of ${ROUND_MS / 1000} s, after ${WARM_MS / 1000} s of work.\n`,
  )
  console.log(
    table(
      servers.map(({ name }, at) => ({
        server: name,
        'CPU us/event': median(costs[at]!).toFixed(1),
        'x bare proxy': median(costs[at]!.map((cost, round) => cost / costs[0]![round]!)).toFixed(2),
      })),
    ),
  )
  await Promise.all([llm, ...servers].map((server) => server.close()))
  process.exit()
}

await main()
