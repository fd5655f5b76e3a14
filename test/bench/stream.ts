// What a reader of a stream feels: the same LLM, guarded and unguarded in one process, at the pace of a real
// one.
// `vite-node test/bench/stream.ts`. Every number is beside the unguarded run; leaked characters must be 0 but
// for `async`.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { llamaGuard } from '../../src/llama-guard.js'
import type { LlamaGuardOptions } from '../../src/options/index.js'
import type { Conversation, Guard, Verdict } from '../../src/types.js'
import { chat, send, serve, sleep, type Running } from '../helpers/http.js'
import { chunkOf, prose } from './kit/chat.js'
import { percentile } from './kit/load.js'
import { machine, table } from './kit/table.js'
import { withProtection } from '../../src/options/protection.js'

const FIRST_TOKEN_MS = 400
const TOKENS = 300
const TOKENS_A_SECOND = 30
/** At the same time, for percentiles; they do not share anything but this process. */
const REPLIES = Number(process.env['BENCH_REPLIES'] ?? 12)

interface Setting {
  readonly name: string
  readonly guardMs: number
  readonly options: LlamaGuardOptions
}

const MODES: readonly LlamaGuardOptions[] = [
  { streaming: 'window' },
  { streaming: 'window', parallel: true },
  { streaming: 'full' },
  { streaming: 'full', parallel: true },
  { streaming: 'async' },
  { streaming: 'async', parallel: true },
]
const SETTINGS: readonly Setting[] = [40, 250].flatMap((guardMs) =>
  MODES.map((options) => ({
    name: `${options.streaming}${options.parallel === true ? ' + parallel' : ''}`,
    guardMs,
    options,
  })),
)

interface Reading {
  readonly first: number
  readonly last: number
  readonly gaps: readonly number[]
  readonly leaked: number
}

interface Cost {
  checks: number
  characters: number
  /** The longest text judged safe so far, by request. */
  readonly judged: Map<string, string>
}

/** Tokens of a real reply: four characters on average, a word at a time or less. */
const tokens = prose(TOKENS * 4).match(/[\s\S]{4}/g) ?? []

async function speak(_: IncomingMessage, res: ServerResponse): Promise<void> {
  res.writeHead(200, { 'content-type': 'text/event-stream' })
  const started = performance.now()
  for (const [index, token] of tokens.entries()) {
    const due = started + FIRST_TOKEN_MS + (index * 1000) / TOKENS_A_SECOND
    await sleep(Math.max(0, due - performance.now()))
    res.write(chunkOf(token))
  }
  res.write(chunkOf(undefined, 'stop'))
  res.end('data: [DONE]\n\n')
}

function timedGuard(ms: number, cost: Cost): Guard {
  return {
    model: 'timer',
    async judge(conversation: Conversation): Promise<Verdict> {
      const { role, text } = conversation.at(-1)!
      await sleep(ms)
      if (role === 'Agent') {
        cost.checks++
        cost.characters += text.length
        const asked = conversation[0]!.text
        if (text.length > (cost.judged.get(asked)?.length ?? 0)) cost.judged.set(asked, text)
      }
      return { safe: true, categories: [] }
    },
  }
}

async function read(
  server: Running,
  question: string,
  judged: ReadonlyMap<string, string> | undefined,
): Promise<Reading> {
  const started = performance.now()
  const arrivals: number[] = []
  let seen = ''
  let heard = ''
  let leaked = 0
  await send(`${server.url}/v1/chat/completions`, {
    body: chat(question, { stream: true }),
    onData(data) {
      seen += data.toString('utf8')
      const events = seen.split('\n\n')
      seen = events.pop() ?? ''
      for (const event of events) {
        if (!event.startsWith('data: {')) continue
        const content = (JSON.parse(event.slice(6)) as { choices: { delta: { content?: string } }[] }).choices[0]?.delta
          .content
        if (content === undefined) continue
        heard += content
        arrivals.push(performance.now() - started)
      }
      if (judged !== undefined && !(judged.get(question) ?? '').startsWith(heard))
        leaked = Math.max(leaked, heard.length - (judged.get(question) ?? '').length)
      return undefined
    },
  })
  if (arrivals.length !== tokens.length)
    throw new Error(`a reply of ${arrivals.length} tokens came, ${tokens.length} were sent`)
  const gaps = arrivals.slice(1).map((at, index) => at - arrivals[index]!)
  return { first: arrivals[0]!, last: arrivals.at(-1)!, gaps, leaked }
}

/** Replies start spread over a second, as users do. */
async function readAll(
  server: Running,
  name: string,
  judged?: ReadonlyMap<string, string>,
): Promise<readonly Reading[]> {
  return Promise.all(
    Array.from({ length: REPLIES }, async (_, index) => {
      await sleep((index * 1000) / REPLIES)
      return read(server, `${name}, question ${index}`, judged)
    }),
  )
}

async function main(): Promise<void> {
  console.log(
    `${machine()}; LLM: ${FIRST_TOKEN_MS} ms to the first of ${TOKENS} tokens, ${TOKENS_A_SECOND} a second; ${REPLIES} replies a row.`,
  )
  console.log('Added times are over the unguarded median, milliseconds and (guard times).\n')
  const bare = await serve((req, res) => void speak(req, res))
  // A quarter of the settings at a time: enough company to finish in a minute, not enough to be slowed by it.
  const rows: Record<string, string | number>[] = []
  for (let from = 0; from < SETTINGS.length; from += 3) {
    const [unguarded, ...measured] = await Promise.all([
      readAll(bare, `unguarded ${from}`),
      ...SETTINGS.slice(from, from + 3).map(measure),
    ])
    const base = {
      first: percentile(
        unguarded.map(({ first }) => first),
        0.5,
      ),
      last: percentile(
        unguarded.map(({ last }) => last),
        0.5,
      ),
    }
    if (from === 0) rows.push({ streaming: 'unguarded', ...gapsOf(unguarded) })
    for (const { setting, readings, cost } of measured) rows.push(rowOf(setting, readings, cost, base))
  }
  await bare.close()
  console.log(table(rows))
}

async function measure(setting: Setting): Promise<{ setting: Setting; readings: readonly Reading[]; cost: Cost }> {
  const cost: Cost = { checks: 0, characters: 0, judged: new Map() }
  const guard = llamaGuard({
    guard: timedGuard(setting.guardMs, cost),
    logger: false,
    cacheMax: 0,
    ...withProtection({ breaker: false }),
    ...setting.options,
  })
  const server = await serve((req, res) => guard(req, res, () => void speak(req, res)))
  const readings = await readAll(server, `${setting.name} ${setting.guardMs}`, cost.judged)
  await server.close()
  await guard.close()
  return { setting, readings, cost }
}

function gapsOf(readings: readonly Reading[]): Record<string, string> {
  const gaps = readings.flatMap((reading) => reading.gaps)
  return { 'gap p50': percentile(gaps, 0.5).toFixed(0), 'gap p99': percentile(gaps, 0.99).toFixed(0) }
}

function rowOf(
  { name, guardMs }: Setting,
  readings: readonly Reading[],
  { checks, characters }: Cost,
  base: { first: number; last: number },
): Record<string, string | number> {
  const added = (values: readonly number[], unguarded: number, share: number): string => {
    const ms = percentile(values, share) - unguarded
    return `${ms.toFixed(0)} (${(ms / guardMs).toFixed(2)})`
  }
  const firsts = readings.map(({ first }) => first)
  const lasts = readings.map(({ last }) => last)
  return {
    streaming: name,
    'guard ms': guardMs,
    'first token p50': added(firsts, base.first, 0.5),
    'first token p99': added(firsts, base.first, 0.99),
    'last token p50': added(lasts, base.last, 0.5),
    'last token p99': added(lasts, base.last, 0.99),
    ...gapsOf(readings),
    'checks/reply': (checks / readings.length).toFixed(1),
    'chars/reply to guard': Math.round(characters / readings.length),
    'leaked chars': Math.max(...readings.map(({ leaked }) => leaked)),
  }
}

await main()
