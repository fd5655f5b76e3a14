// Memory of many streams that are open and partly held at the same time, beyond what a bare proxy needs for
// them, and whether it grows; and what a held stream costs beside its own bytes.
// `vite-node test/bench/memory.ts [streams]`. Heap and buffers are read after a collection; RSS is what the
// system gave.
import { chatBody, type Form, replyEvents } from './kit/chat.js'
import { leanClient, post } from './kit/lean-http.js'
import { bundleServers, start, type Server, type Usage } from './kit/process.js'
import { machine, table } from './kit/table.js'

const STREAMS = Number(process.argv.slice(2).find((argument) => /^\d+$/.test(argument)) ?? 1000)
const GUARD_MS = 250
/**
 * A token of one stream. Two thousand streams a second apart are two thousand events a second, as much as one
 * process is given.
 */
const PACE_MS = 1000
const SAMPLES = 5
const SAMPLE_MS = 4000

interface Sample {
  readonly live: number
  readonly rss: number
}

const live = ({ heap, external }: Usage): number => heap + external

/** Memory per stream over time, in bytes above the idle server. */
async function fill(server: Server, streams: number, count = SAMPLES): Promise<readonly Sample[]> {
  const idle = await server.usage(true)
  const askers = []
  for (let index = 0; index < streams; index++) {
    const asker = await leanClient(server.port)
    asker
      .ask(post('/v1/chat/completions', chatBody({ turns: 1, stream: true, mark: `stream ${index}` })))
      .catch(() => undefined)
    askers.push(asker)
  }
  const samples: Sample[] = []
  for (let sample = 0; sample < count; sample++) {
    await new Promise((resolve) => setTimeout(resolve, SAMPLE_MS))
    const now = await server.usage(true)
    samples.push({ live: (live(now) - live(idle)) / streams, rss: (now.rss - idle.rss) / streams })
  }
  for (const asker of askers) asker.close()
  return samples
}

/** Streams that go silent behind so many bytes and stay open. */
const HELD = 150
const HELD_BYTES = [16_000, 65_000, 250_000]
/** All events in one packet, or one each so many milliseconds. */
const PACKETS = { 'one packet': 0, 'a packet an event': 4 }

/** What each stream holds, and the memory of all of them. */
async function held(server: Server, llm: Server, wire: number, form: Form, paceMs: number) {
  const words = Math.ceil((wire * 1000) / Buffer.byteLength(replyEvents(1000, form).join('')))
  const events = replyEvents(words, form)
  await llm.set({ stream: true, open: true, form, paceMs, bytes: words })
  const askers = []
  for (let index = 0; index < HELD; index++) {
    const asker = await leanClient(server.port)
    const mark = `${form} ${wire} ${paceMs} ${index} ${performance.now()}`
    asker.ask(post('/v1/chat/completions', chatBody({ turns: 1, stream: true, mark }))).catch(() => undefined)
    askers.push(asker)
  }
  await new Promise((resolve) => setTimeout(resolve, 2000 + events.length * Math.max(paceMs, 1) * 2))
  // The memory of buffers is given back behind the collection.
  for (let time = 0; time < 2; time++) {
    await server.usage(true)
    await new Promise((resolve) => setTimeout(resolve, 300))
  }
  const memory = live(await server.usage(true))
  for (const asker of askers) asker.close()
  await new Promise((resolve) => setTimeout(resolve, 500))
  return { bytes: Buffer.byteLength(events.join('')), memory }
}

/** Memory beyond that of streams that hold one event, as a multiple of the bytes. */
async function heldRows(llm: Server, script = 'ours') {
  const options = JSON.stringify({ concurrency: 4096, cacheMax: 0 })
  const env = { LLM_URL: `http://127.0.0.1:${llm.port}`, GUARD: 'object', GUARD_OPTIONS: options }
  const rows = []
  for (const form of ['chat', 'responses'] as const)
    for (const [packets, paceMs] of Object.entries(PACKETS)) {
      const server = await start(form, script, { ...env, GUARD_MS: '60000', GUARD_STAGE: 'output' })
      await held(server, llm, 65_000, form, 0)
      const row: Record<string, string> = { events: form, packets }
      for (const wire of HELD_BYTES) {
        const before = await held(server, llm, 1, form, 0)
        const full = await held(server, llm, wire, form, paceMs)
        const after = await held(server, llm, 1, form, 0)
        const grown = full.memory - (before.memory + after.memory) / 2
        row[`x its bytes at ${wire / 1000} kB`] = (grown / HELD / (full.bytes - before.bytes)).toFixed(2)
      }
      rows.push(row)
      await server.close()
    }
  return rows
}

async function main(): Promise<void> {
  await bundleServers(['llm', 'proxy', 'ours'])
  const llm = await start('llm', 'llm')
  await llm.set({ stream: true, paceMs: PACE_MS, bytes: 1000 })
  const env = { LLM_URL: `http://127.0.0.1:${llm.port}`, GUARD: 'object' }
  // Without the verdict cache, which has a bound of its own and would be counted as streams until it is full.
  const fast = JSON.stringify({ concurrency: 4096, cacheMax: 0 })
  const contenders: readonly (readonly [string, string, Record<string, string>])[] = [
    ['bare proxy', 'proxy', {}],
    ['window', 'ours', { GUARD_MS: String(GUARD_MS), GUARD_OPTIONS: fast }],
    // Nothing is ever judged while it is measured: every byte of every stream is held.
    ['window, all of it held', 'ours', { GUARD_MS: '60000', GUARD_STAGE: 'output', GUARD_OPTIONS: fast }],
  ]
  console.log(`${machine()}; ${STREAMS} streams, a token each every ${PACE_MS} ms, guard of ${GUARD_MS} ms.\n`)
  const rows = []
  let base: readonly Sample[] | undefined
  for (const [name, script, extra] of contenders) {
    const server = await start(name, script, { ...env, ...extra })
    // Once with a few, so that code and caches are not counted as streams.
    await fill(server, 50, 1)
    const samples = await fill(server, STREAMS)
    await server.close()
    base ??= samples
    const kilobytes = (bytes: number): string => (bytes / 1000).toFixed(1)
    rows.push({
      server: name,
      ...Object.fromEntries(
        samples.map((sample, index) => [`kB/stream at ${((index + 1) * SAMPLE_MS) / 1000} s`, kilobytes(sample.live)]),
      ),
      'beyond the proxy': kilobytes(
        Math.max(...samples.map((sample) => sample.live)) - Math.max(...base.map((sample) => sample.live)),
      ),
      'RSS kB/stream': kilobytes(samples.at(-1)!.rss),
    })
  }
  console.log(table(rows))
  console.log(`\n${HELD} streams of which nothing is judged, beyond as many that hold one event:\n`)
  console.log(table(await heldRows(llm)))
  await llm.close()
}

await main()
