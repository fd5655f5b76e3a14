// The pace of stream checks on the wire, beside the simulation of schedule.ts: streams and JSON requests through the
// middleware, the real AWS SDK, and a guard that answers so many calls at once and lets the others wait.
// `npx vite-node test/bench/crowd.ts [-- crowd slow two]`; about 12 minutes, most of them waiting.
import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { chatBody } from './kit/chat.js'
import { leanClient, post } from './kit/lean-http.js'
import { percentile } from './kit/load.js'
import { bundleServers, start, type Server } from './kit/process.js'
import { machine, table } from './kit/table.js'

const PACES = ['fixed', 'guard'] as const
type Paced = (typeof PACES)[number]

/** Milliseconds after the model wrote it, for the first word and for the last one after the model's end; and gaps. */
interface Reading {
  readonly first: number
  readonly last: number
  readonly gaps: readonly number[]
}

const agent = new Agent({ keepAlive: true, maxSockets: Infinity })
let marks = 0
const bodyOf = (stream: boolean): string => chatBody({ turns: 1, stream, mark: `number ${marks++}` })

function read(port: number): Promise<Reading> {
  return new Promise((resolve, reject) => {
    const arrivals: number[] = []
    const written: number[] = []
    const headers = { 'content-type': 'application/json' }
    const req = request({ port, path: '/v1/chat/completions', method: 'POST', agent, headers }, (res) => {
      let text = ''
      res.setEncoding('latin1')
      res.on('data', (data: string) => {
        const now = Date.now()
        const events = (text + data).split('\n\n')
        text = events.pop() ?? ''
        for (const event of events) {
          const created = /"created":(\d+)/.exec(event)?.[1]
          if (created === undefined) continue
          written.push(Number(created))
          if (event.includes('"content"')) arrivals.push(now)
        }
      })
      res.on('end', () => {
        if (res.statusCode !== 200 || arrivals.length < 300)
          return reject(new Error(`status ${res.statusCode}, ${arrivals.length} words`))
        resolve({
          first: arrivals[0]! - written[0]!,
          last: arrivals.at(-1)! - written.at(-1)!,
          // Words that come together are one release.
          gaps: arrivals
            .slice(1)
            .map((at, index) => at - arrivals[index]!)
            .filter((gap) => gap > 2),
        })
      })
    })
    req.on('error', reject)
    req.end(bodyOf(true))
  })
}

/** Streams that follow each other in `streams` places for a while, and JSON requests beside them. */
async function together(
  { port }: Server,
  { streams, ms, began = 0 }: { streams: number; ms: number; began?: number },
): Promise<{ readings: Reading[]; json: number[] }> {
  const until = performance.now() + ms
  const from = performance.now() + began
  const readings: Reading[] = []
  const json: number[] = []
  const place = async (index: number): Promise<void> => {
    await sleep((index * 5000) / streams)
    while (performance.now() < until) {
      const begins = performance.now()
      const reading = await read(port)
      if (begins >= from) readings.push(reading)
    }
  }
  const one = async (): Promise<void> => {
    const asker = await leanClient(port)
    const started = performance.now()
    const { status } = await asker.ask(post('/v1/chat/completions', bodyOf(false)))
    asker.close()
    if (status !== 200) throw new Error(`status ${status}`)
    if (started >= from) json.push(performance.now() - started)
  }
  const ask = async (): Promise<void> => {
    const asked: Promise<void>[] = []
    for (let at = 0; performance.now() < until; at++) {
      asked.push(one())
      await sleep(200 + 100 * Math.sin(at * 12.9898))
    }
    await Promise.all(asked)
  }
  await Promise.all([ask(), ...Array.from({ length: streams }, (_, index) => place(index))])
  return { readings, json }
}

const round = (value: number): number => Math.round(value)
function rowOf({ readings, json }: Awaited<ReturnType<typeof together>>): Record<string, number> {
  const gaps = readings.flatMap((reading) => reading.gaps)
  const of = (pick: (reading: Reading) => number): number => round(percentile(readings.map(pick), 0.5))
  return {
    'JSON p50': round(percentile(json, 0.5)),
    'JSON p99': round(percentile(json, 0.99)),
    'first word ms': of(({ first }) => first),
    'gap p50': round(percentile(gaps, 0.5)),
    'gap p99': round(percentile(gaps, 0.99)),
    'last word ms': of(({ last }) => last),
  }
}

await bundleServers(['guard', 'crowd'])
const guard = await start('guard', 'guard')
const env = {
  // Nobody is there: the app plays the model itself.
  LLM_URL: 'http://127.0.0.1:9',
  AWS_REGION: 'eu-west-1',
  // AWS's documentation examples: they open nothing anywhere.
  AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME: `http://127.0.0.1:${guard.port}`,
}

/** Fresh processes of the app, which have not met this guard. */
async function apps<T>(paced: Paced, count: number, use: (servers: readonly Server[]) => Promise<T>): Promise<T> {
  const servers = await Promise.all(Array.from({ length: count }, () => start('app', 'crowd', { ...env, PACE: paced })))
  const result = await use(servers)
  await Promise.all(servers.map((server) => server.close()))
  return result
}

type Rows = Record<string, string | number>[]

async function crowd(): Promise<Rows> {
  const rows: Rows = []
  for (const [delayMs, places, streams] of [
    [150, 8, 1],
    [150, 8, 20],
    [150, 8, 200],
    [300, 64, 200],
  ] as const)
    for (const paced of PACES) {
      await guard.set({ delayMs, places })
      const seen = await apps(paced, 1, ([app]) => together(app!, { streams, ms: 45_000, began: 10_000 }))
      rows.push({ guard: `${delayMs} ms, ${places} at once`, streams, pace: paced, ...rowOf(seen) })
    }
  return rows
}

async function slow(): Promise<Rows> {
  return apps('guard', 1, async ([app]) => {
    const rows: Rows = []
    for (const [minute, delayMs, ms] of [
      ['before', 150, 60_000],
      ['slow', 600, 60_000],
      ['first 10 s after', 150, 10_000],
      ['after', 150, 60_000],
    ] as const) {
      await guard.set({ delayMs, places: 8 })
      rows.push({ streams: 20, minute, ...rowOf(await together(app!, { streams: 20, ms })) })
    }
    return rows
  })
}

async function two(): Promise<Rows> {
  const rows: Rows = []
  for (const paced of PACES) {
    await guard.set({ delayMs: 150, places: 16 })
    const seen = await apps(paced, 2, async ([one, other]) => {
      const first = together(one!, { streams: 20, ms: 90_000, began: 60_000 })
      await sleep(30_000)
      return Promise.all([first, together(other!, { streams: 20, ms: 60_000, began: 30_000 })])
    })
    for (const [index, each] of seen.entries())
      rows.push({ guard: '150 ms, 16 at once', pace: paced, process: index + 1, ...rowOf(each) })
  }
  return rows
}

const PARTS = { crowd, slow, two }
console.log(`${machine()}. Times in milliseconds; a JSON request is two calls of the guard at once.\n`)
for (const [name, part] of Object.entries(PARTS))
  if (process.argv.includes(name) || process.argv.every((word) => !(word in PARTS)))
    console.log(`${table(await part())}\n`)
await guard.close()
process.exit(0)
