// Soak: mixed load with faults through the judge for minutes; prints whether heap, sockets and listeners stay flat.
// node --expose-gc node_modules/vite-node/vite-node.mjs test/bench/soak.ts   (SOAK_SECONDS=300 by default)
import { getEventListeners } from 'node:events'
import { createPrompter } from '../../src/guard/prompt/index.js'
import { promptedGuard } from '../../src/guard/backends/prompted.js'
import { sagemakerComplete } from '../../src/guard/backends/sagemaker/index.js'
import { emulatorEnv, startEmulator } from '../emulator/index.js'
import { judgeOf, guardThat, says, sleep } from '../guard/fake-guards.js'
import { startFaultProxy } from './fault-proxy.js'
import { random } from '../helpers/random.js'

const SECONDS = Number(process.env['SOAK_SECONDS'] ?? 300)
const SAMPLES = 20
const AT_ONCE = 32
const DEADLINE_MS = 1000

interface Sample {
  readonly second: number
  readonly heapMb: number
  readonly sockets: number
  readonly listeners: number
  readonly resources: number
}

const warnings: string[] = []
const rejections: unknown[] = []
process.on('warning', (warning) => void warnings.push(warning.name))
process.on('unhandledRejection', (reason) => void rejections.push(reason))

const emulator = await startEmulator()
const proxy = await startFaultProxy(emulator.url, 7)
Object.assign(process.env, emulatorEnv({ url: proxy.url }))
const complete = sagemakerComplete({ endpoint: 'llama-guard', concurrency: AT_ONCE, timeoutMs: DEADLINE_MS })
const guard = promptedGuard({ prompter: createPrompter('llama-guard-3-8b'), complete, identity: complete.identity })
const fallback = guardThat(() => sleep(2).then(() => ({ safe: false, categories: ['S1'] })), {
  model: 'fallback',
  identity: 'fallback',
})
const shadow = {
  guard: guardThat(() => ({ safe: true, categories: [] }), { model: 'shadow', identity: 'shadow' }),
  rate: 0.05,
}
const judge = judgeOf(guard, {
  timeoutMs: DEADLINE_MS,
  fallback: [fallback],
  shadow,
  hedgeAfterMs: 150,
  concurrency: AT_ONCE,
  cacheMax: 2000,
  cacheTtlMs: 5000,
})

const chance = random(11)
const tally = new Map<string, number>()
/** Lives as long as a server does: what it still holds at the end would be a leak. */
const longLived = new AbortController()
let wrong = 0
let slowest = 0
let number = 0

async function judgeOne(): Promise<void> {
  // A third repeats what was asked lately; a few are long enough for several pieces; a few callers leave.
  const id = chance() < 1 / 3 ? Math.max(0, number - Math.floor(chance() * 500)) : number++
  const unsafe = id % 5 === 0
  const text = `${'many words '.repeat(id % 50 === 7 ? 3000 : id % 20)}number ${id}${unsafe ? ' UNSAFE_S1' : ''}`
  const leaver = new AbortController()
  const leaves = chance() < 0.05
  if (leaves) setTimeout(() => leaver.abort(), chance() * 50)
  const judgement = await judge.judge(says(text), {
    stage: chance() < 0.5 ? 'input' : 'output',
    signal: leaves ? leaver.signal : longLived.signal,
  })
  const answer = 'error' in judgement ? judgement.error.code : judgement.verdict.safe ? 'safe' : 'unsafe'
  tally.set(answer, (tally.get(answer) ?? 0) + 1)
  slowest = Math.max(slowest, judgement.ms)
  if (answer === 'safe' && unsafe) wrong++
  if (answer === 'unsafe' && !unsafe && judgement.model !== 'fallback') wrong++
}

async function sample(second: number): Promise<Sample> {
  // The emulator's diary and the fake guards' are the test's own memory.
  emulator.reset()
  fallback.calls.length = 0
  shadow.guard.calls.length = 0
  await sleep(300)
  globalThis.gc?.()
  return {
    second: Math.round(second),
    heapMb: process.memoryUsage().heapUsed / 2 ** 20,
    sockets: proxy.sockets,
    listeners: getEventListeners(longLived.signal, 'abort').length,
    resources: process.getActiveResourcesInfo().filter((name) => name !== 'TTYWrap' && name !== 'PipeWrap').length,
  }
}

/** Least squares, per minute. */
function slope(samples: readonly Sample[], of: (sample: Sample) => number): number {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
  const x = samples.map(({ second }) => second / 60)
  const y = samples.map(of)
  const [mx, my] = [mean(x), mean(y)]
  const spread = x.reduce((sum, value) => sum + (value - mx) ** 2, 0)
  return spread === 0 ? 0 : x.reduce((sum, value, index) => sum + (value - mx) * ((y[index] ?? 0) - my), 0) / spread
}

const started = performance.now()
const elapsed = (): number => (performance.now() - started) / 1000
const samples: Sample[] = []
for (let round = 1; round <= SAMPLES; round++) {
  const until = (SECONDS * round) / SAMPLES
  // Calm, a tenth broken, everything down for a while: what a service meets in a week.
  proxy.rate = round % 4 === 0 ? 0 : 0.1
  proxy.only = round % 10 === 5 ? '503' : undefined
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (elapsed() < until) await judgeOne()
    }),
  )
  const now = await sample(elapsed())
  samples.push(now)
  console.log(
    `${now.second} s: heap ${now.heapMb.toFixed(1)} MB, sockets ${now.sockets}, listeners ${now.listeners}, resources ${now.resources}`,
  )
}
const settled = samples.slice(SAMPLES / 2)
console.log(
  `${[...tally.values()].reduce((sum, count) => sum + count, 0)} judgements in ${elapsed().toFixed(0)} s: ${[...tally].map(([code, count]) => `${code} ${count}`).join(', ')}`,
)
console.log(
  `wrong verdicts ${wrong}, unhandled rejections ${rejections.length}, listener warnings ${warnings.filter((name) => name.startsWith('MaxListeners')).length}, slowest ${slowest.toFixed(0)} ms of ${DEADLINE_MS}`,
)
console.log(
  `slope over the second half, per minute: heap ${slope(settled, ({ heapMb }) => heapMb).toFixed(2)} MB, sockets ${slope(settled, ({ sockets }) => sockets).toFixed(2)}, resources ${slope(settled, ({ resources }) => resources).toFixed(2)}`,
)
console.log(`judge: ${JSON.stringify(judge.stats())}`)
await judge.close()
await proxy.close()
await emulator.close()
await sleep(1000)
const left = process.getActiveResourcesInfo().filter((name) => name.startsWith('TCP'))
console.log(`after closing: ${left.length} sockets`)
if (wrong > 0 || rejections.length > 0 || (samples.at(-1)?.listeners ?? 0) > 0) process.exitCode = 1
