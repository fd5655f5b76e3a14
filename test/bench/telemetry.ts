// What the channels cost while nobody listens, and while somebody does: one check around a guard that answers at once.
// `npx vite-node test/bench/telemetry.ts`.
import { subscribe } from 'node:diagnostics_channel'
import { CHANNELS, checkChannel } from '../../src/telemetry/channels.js'
import { tracedCheck } from '../../src/telemetry/request-telemetry.js'
import type { Judgement } from '../../src/types.js'

const CALLS = Number(process.env['BENCH_CALLS'] ?? 400_000)
const judgement: Judgement = { verdict: { safe: true, categories: [] }, ms: 1, model: 'bench' }
const ask = (): Promise<Judgement> => Promise.resolve(judgement)
const about = () => ({
  request: {},
  requestId: 'r',
  stage: 'input' as const,
  dialect: 'openai-chat',
  backend: 'custom',
  model: 'bench',
  conversations: 1,
  chars: 10,
})

/** Microseconds a call, the best of five. */
async function time(call: () => Promise<unknown>): Promise<number> {
  let best = Infinity
  for (let round = 0; round < 5; round++) {
    const started = performance.now()
    for (let index = 0; index < CALLS; index++) await call()
    best = Math.min(best, ((performance.now() - started) * 1000) / CALLS)
  }
  return best
}

const bare = await time(ask)
const idle = await time(() => tracedCheck(about, ask))
subscribe(CHANNELS.verdict, () => undefined)
checkChannel.subscribe({ asyncEnd: () => undefined } as never)
const heard = await time(() => tracedCheck(about, ask))
console.log(
  `a check alone ${bare.toFixed(3)} us, with an idle channel ${idle.toFixed(3)} us, heard ${heard.toFixed(3)} us`,
)
