// An endpoint of several copies, each with a prefix cache of its own: what many streams at once make the copies read, and
// how long their checks take, when SageMaker picks the copy with the fewest requests (LEAST_OUTSTANDING_REQUESTS) and
// when it picks by the beginning of the body (PREFIX_AWARE). Clock, models and copies are simulated, so every run gives
// the same numbers. `npx vite-node test/bench/fleet.ts [llama-guard-1 | llama-guard-3-8b]`
import type { ServerResponse } from 'node:http'
import { llamaGuard } from '../../src/llama-guard.js'
import { withProtection } from '../../src/options/protection.js'
import { exchange } from './kit/in-memory.js'
import { chunkOf } from './kit/chat.js'
import { type Routing, simulatedGuard, type SimulatedModel } from './kit/simulated-guard.js'
import { table } from './kit/table.js'
import { talk } from './kit/talk.js'
import { VirtualTime } from './kit/virtual-time.js'

/** The model writes so many tokens of four characters a second. */
const TOKENS_A_SECOND = 30
const REPLY_CHARS = Number(process.env['BENCH_REPLY'] ?? 4000)
const TURNS = 7
/** Streams at once for each copy, and milliseconds between the beginnings of two on one copy. */
const STREAMS_A_COPY = 3
const APART_MS = 1700
/** Requests that a copy may have before one of another prefix is sent elsewhere. */
const THRESHOLD = 8
const LENGTHS: readonly number[] = [1024, 2048, 4096, 8192]

const model = (process.argv[2] ?? 'llama-guard-3-8b') as SimulatedModel
const time = new VirtualTime().install()

async function speak(res: ServerResponse, reply: string): Promise<void> {
  res.writeHead(200, { 'content-type': 'text/event-stream' })
  for (const token of reply.match(/[\s\S]{1,4}/g) ?? []) {
    res.write(chunkOf(token))
    await time.sleep(1000 / TOKENS_A_SECOND)
  }
  res.end(`${chunkOf(undefined, 'stop')}data: [DONE]\n\n`)
}

/** A chat of one user: no two have a turn in common. */
const bodyOf = (user: number): unknown => ({
  model: 'demo',
  stream: true,
  messages: Array.from({ length: TURNS }, (_, index) => ({
    role: index % 2 === 0 ? 'user' : 'assistant',
    content: `${user}. ${talk(200, user * 100 + index)}`,
  })),
})

async function run(copies: number, routing: Routing) {
  const guard = simulatedGuard(time, model, { prefixCache: true, copies, ...routing })
  const middleware = llamaGuard({
    guard,
    logger: false,
    maxChecks: 256,
    timeoutMs: 600_000,
    ...withProtection({ breaker: false }),
  })
  const counts = guard.start()
  const streams = Array.from({ length: copies * STREAMS_A_COPY }, async (_, user) => {
    await time.sleep((user * APART_MS) / copies)
    return exchange(time, middleware, bodyOf(user), (res) => speak(res, talk(REPLY_CHARS, user * 100 + 50)))
  })
  const received = await time.run(Promise.all(streams))
  if (received.some(({ status }) => status !== 200)) throw new Error('A stream was refused.')
  await time.run(middleware.close())
  return { counts, streams: streams.length }
}

const percentile = (times: readonly number[], share: number): number =>
  Math.round([...times].sort((a, b) => a - b)[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0)

const rows: Record<string, string | number>[] = []
for (const copies of [1, 2, 8]) {
  const ways: readonly [string, Routing][] = [
    ['least outstanding', {}],
    ...(copies === 1
      ? []
      : LENGTHS.map((length): [string, Routing] => [
          `prefix of ${length} bytes`,
          { prefix: { length, threshold: THRESHOLD } },
        ])),
  ]
  for (const [routing, options] of ways) {
    const { counts, streams } = await run(copies, options)
    const { input, output } = counts
    const times = [...input.times, ...output.times]
    rows.push({
      copies,
      routing,
      streams,
      checks: input.checks + output.checks,
      'tokens a stream': Math.round((input.prompt + output.prompt) / streams),
      'new tokens a stream': Math.round((input.prompt - input.cached + output.prompt - output.cached) / streams),
      'check p50 ms': percentile(times, 0.5),
      'check p99 ms': percentile(times, 0.99),
    })
    console.error(Object.values(rows.at(-1)!).join(' '))
  }
}
console.log(`${model}; ${STREAMS_A_COPY} streams a copy of ${REPLY_CHARS} characters after ${TURNS} turns.\n`)
console.log(table(rows))
