// Guard tokens a reply: what a chat and its reply make the guard read, by mode, length of reply and history, with and
// without a prefix cache at the guard. Nothing is timed: the clock, the model and the guard are simulated, so every run
// gives the same numbers. `npx vite-node test/bench/tokens.ts [llama-guard-1 | llama-guard-3-8b]`
import type { ServerResponse } from 'node:http'
import { llamaGuard } from '../../src/llama-guard.js'
import type { LlamaGuardOptions } from '../../src/options/index.js'
import { exchange, type Received } from './kit/in-memory.js'
import { chunkOf } from './kit/chat.js'
import { type Counts, simulatedGuard, type SimulatedModel } from './kit/simulated-guard.js'
import { table } from './kit/table.js'
import { talk } from './kit/talk.js'
import { VirtualTime } from './kit/virtual-time.js'
import { withProtection } from '../../src/options/protection.js'

/** The model writes so many tokens of four characters a second. */
const TOKENS_A_SECOND = 30
const FIRST_TOKEN_MS = 400
const TURN_CHARS = 200
const MODES: Readonly<Record<string, LlamaGuardOptions>> = {
  window: { streaming: 'window' },
  full: { streaming: 'full' },
  parallel: { streaming: 'window', parallel: true },
}
/** `BENCH_REPLIES=300,1000` and `BENCH_MODES=window` choose rows. */
const chosen = (name: string): readonly string[] | undefined => process.env[name]?.split(',')
const REPLIES = chosen('BENCH_REPLIES')?.map(Number) ?? [300, 1000, 10_000, 100_000]
const HISTORIES = [1, 20, 200]

const model = (process.argv[2] ?? 'llama-guard-1') as SimulatedModel
const time = new VirtualTime().install()

interface Run {
  readonly received: Received
  readonly input: Counts
  readonly output: Counts
}

async function speak(res: ServerResponse, reply: string): Promise<void> {
  res.writeHead(200, { 'content-type': 'text/event-stream' })
  await time.sleep(FIRST_TOKEN_MS)
  for (const token of reply.match(/[\s\S]{1,4}/g) ?? []) {
    res.write(chunkOf(token))
    await time.sleep(1000 / TOKENS_A_SECOND)
  }
  res.end(`${chunkOf(undefined, 'stop')}data: [DONE]\n\n`)
}

function bodyOf(turns: number): unknown {
  const messages = Array.from({ length: turns - 1 + (turns % 2 === 0 ? 1 : 0) }, (_, index) => ({
    role: index % 2 === 0 ? 'user' : 'assistant',
    content: talk(TURN_CHARS, index + 2),
  }))
  return { model: 'demo', stream: true, messages: [...messages, { role: 'user', content: talk(TURN_CHARS, 1) }] }
}

/** The words that the client was sent. */
function wordsOf({ arrivals }: Received): string {
  const text = arrivals.map((arrival) => arrival.text).join('')
  return [...text.matchAll(/"delta":\{"content":("(?:[^"\\]|\\.)*")/g)].map(([, word]) => JSON.parse(word!)).join('')
}

async function run(options: LlamaGuardOptions, characters: number, turns: number, prefixCache: boolean): Promise<Run> {
  const guard = simulatedGuard(time, model, { prefixCache })
  const middleware = llamaGuard({
    guard,
    logger: false,
    maxChecks: 256,
    timeoutMs: 600_000,
    maxReplyBytes: 1 << 24,
    ...withProtection({ breaker: false }),
    ...options,
  })
  const reply = talk(characters, 7)
  // The guard has read its policy before, for both sides.
  guard.start()
  await time.run(
    exchange(time, middleware, { messages: [{ role: 'user', content: 'Hello.' }], stream: true }, (res) =>
      speak(res, 'Yes.'),
    ),
  )
  const counts = guard.start()
  const received = await time.run(exchange(time, middleware, bodyOf(turns), (res) => speak(res, reply)))
  if (received.status !== 200 || wordsOf(received) !== reply)
    throw new Error(`The reply was changed (${received.status}).`)
  await time.run(middleware.close())
  return { received, ...counts }
}

const rows: Record<string, string | number>[] = []
for (const [mode, options] of Object.entries(MODES)) {
  if (chosen('BENCH_MODES')?.includes(mode) === false) continue
  for (const characters of REPLIES) {
    for (const turns of HISTORIES) {
      const [cold, warm] = [await run(options, characters, turns, false), await run(options, characters, turns, true)]
      const fresh = warm.output.prompt - warm.output.cached
      rows.push({
        mode,
        'reply kB': characters / 1000,
        turns,
        checks: cold.output.checks,
        'prompt tokens': cold.output.prompt,
        'guard s': cold.output.seconds.toFixed(1),
        'checks, cache': warm.output.checks,
        'prompt tokens, cache': warm.output.prompt,
        'not in cache': fresh,
        'guard s, cache': warm.output.seconds.toFixed(1),
        'input checks': cold.input.checks,
        'input tokens': cold.input.prompt,
      })
      console.error(Object.values(rows.at(-1)!).join(' '))
    }
  }
}
console.log(table(rows))
