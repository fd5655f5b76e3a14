// The pace of stream checks by simulation: what a reader waits for, what the guard reads, and what a JSON request
// beside the streams waits, by the guard, the pace of the model and the number of streams. Nothing is timed: the clock
// is simulated. `npx vite-node test/bench/schedule.ts`; `-- crowd`, `-- slow` and `-- two` for streams that share a
// guard.
import { createPace } from '../../src/guard/pace.js'
import { StreamJudge } from '../../src/response/stream/stream-judge.js'
import type { Decision } from '../../src/types.js'
import { percentile } from './kit/load.js'
import { table } from './kit/table.js'
import { VirtualTime } from './kit/virtual-time.js'

/** Tokens of policy and question, and those after the text, which no cache keeps. */
const HEAD_TOKENS = 1100
const TAIL_TOKENS = 70
const CHARS = 4
const PACES = ['fixed', 'guard'] as const
type Paced = (typeof PACES)[number]

const time = new VirtualTime().install()

/** A guard with so many places for calls, each of which takes so long. More calls wait in line. */
function queueing(serviceMs: number, places: number): { call(): Promise<void>; serviceMs: number } {
  const line: (() => void)[] = []
  let busy = 0
  const guard = {
    serviceMs,
    async call() {
      if (busy === places) await new Promise<void>((free) => line.push(free))
      else busy += 1
      await time.sleep(guard.serviceMs)
      const next = line.shift()
      if (next === undefined) busy -= 1
      else next()
    },
  }
  return guard
}

interface Reading {
  checks: number
  tokens: number
  fresh: number
  first: number
  last: number
  gaps: number[]
}

interface Stream {
  readonly pace: ReturnType<typeof createPace>
  readonly paced: Paced
  readonly call: () => Promise<void>
  readonly tokensPerSecond: number
  readonly chars: number
}

async function read({ pace, paced, call, tokensPerSecond, chars }: Stream): Promise<Reading> {
  const started = time.now
  const said: number[] = []
  const seen: number[] = []
  const reading: Reading = { checks: 0, tokens: 0, fresh: 0, first: 0, last: 0, gaps: [] }
  let judged = 0
  const judge = new StreamJudge({
    settings: { windowChars: 400, windowMs: 1000, streaming: paced === 'fixed' ? 'fixed' : 'window' },
    pace,
    async judge(text) {
      reading.checks += 1
      reading.tokens += HEAD_TOKENS + text.length / CHARS + TAIL_TOKENS
      reading.fresh += Math.max(0, text.length - judged) / CHARS + TAIL_TOKENS
      judged = text.length
      await call()
      return { verdict: { safe: true, categories: [] }, ms: 0, model: 'simulated' }
    },
    decide: () => ({ action: 'allow' }) as Decision,
    onAllowed() {
      while (seen.length < said.length && judge.covers(0, (seen.length + 1) * CHARS)) seen.push(time.now - started)
    },
    onRefused: () => undefined,
  })
  for (let at = 0; at < chars; at += CHARS) {
    said.push(time.now - started)
    judge.add({ choice: 0, channel: 'content', text: 'word' })
    judge.consider()
    await time.sleep(1000 / tokensPerSecond)
  }
  judge.end()
  await judge.settled()
  // The model's last word comes one token before its end.
  const gaps = seen.slice(1).map((at, index) => at - seen[index]!)
  return Object.assign(reading, {
    first: seen[0]! - said[0]!,
    last: seen.at(-1)! - said.at(-1)! - 1000 / tokensPerSecond,
    gaps: gaps.filter((gap) => gap > 0),
  })
}

const round = (value: number): number => Math.round(value)
function rowOf(readings: readonly Reading[]): Record<string, string | number> {
  const gaps = readings.flatMap((reading) => reading.gaps)
  const mean = (of: (reading: Reading) => number): number =>
    round(readings.reduce((sum, reading) => sum + of(reading), 0) / readings.length)
  return {
    'first word ms': round(
      percentile(
        readings.map(({ first }) => first),
        0.5,
      ),
    ),
    'gap p50': round(percentile(gaps, 0.5)),
    'gap p99': round(percentile(gaps, 0.99)),
    'last word ms': round(
      percentile(
        readings.map(({ last }) => last),
        0.5,
      ),
    ),
    'checks a reply': mean(({ checks }) => checks),
    'new tokens, prefix cache': mean(({ fresh }) => fresh),
    without: mean(({ tokens }) => tokens),
  }
}

/** One stream after the other, on a guard of their own. */
async function alone(): Promise<Record<string, string | number>[]> {
  const rows = []
  for (const guardMs of [50, 150, 300])
    for (const tokensPerSecond of [20, 50, 100])
      for (const paced of PACES) {
        const pace = createPace()
        const readings: Reading[] = []
        for (const chars of [400, 1200, 4000])
          readings.push(await read({ pace, paced, call: () => time.sleep(guardMs), tokensPerSecond, chars }))
        rows.push({ 'guard ms': guardMs, 'tokens/s': tokensPerSecond, pace: paced, ...rowOf(readings) })
      }
  return rows
}

/** Streams that follow each other in `streams` places for a while, and JSON requests beside them. */
async function together(
  paces: readonly ReturnType<typeof createPace>[],
  {
    paced,
    streams,
    guard,
    ms,
    began = 0,
  }: { paced: Paced; streams: number; guard: ReturnType<typeof queueing>; ms: number; began?: number },
): Promise<{ readings: Reading[]; json: number[] }> {
  const until = time.now + ms
  const from = time.now + began
  const readings: Reading[] = []
  const json: number[] = []
  const place = async (index: number): Promise<void> => {
    await time.sleep((index * 5000) / streams)
    while (time.now < until) {
      const begins = time.now
      const reading = await read({
        pace: paces[index % paces.length]!,
        paced,
        call: guard.call,
        tokensPerSecond: 33,
        chars: 1200,
      })
      if (begins >= from) readings.push(reading)
    }
  }
  const ask = async (): Promise<void> => {
    for (let at = 0; time.now < until; at++) {
      const started = time.now
      // Question and answer, side by side with `parallel`.
      void Promise.all([guard.call(), guard.call()]).then(() => void (started >= from && json.push(time.now - started)))
      await time.sleep(200 + 100 * Math.sin(at * 12.9898))
    }
  }
  await Promise.all([ask(), ...Array.from({ length: streams }, (_, index) => place(index))])
  return { readings, json }
}

async function crowd(): Promise<Record<string, string | number>[]> {
  const rows = []
  for (const [serviceMs, places] of [
    [50, 1],
    [150, 8],
    [300, 16],
    [300, 64],
  ] as const)
    for (const streams of [1, 20, 200])
      for (const paced of PACES) {
        const guard = queueing(serviceMs, places)
        const { readings, json } = await together([createPace()], {
          paced,
          streams,
          guard,
          ms: streams === 200 ? 90_000 : 600_000,
          began: 15_000,
        })
        rows.push({
          guard: `${serviceMs} ms, ${places} at once`,
          streams,
          pace: paced,
          'JSON p50': round(percentile(json, 0.5)),
          'JSON p99': round(percentile(json, 0.99)),
          ...rowOf(readings),
        })
      }
  return rows
}

/** A minute in which the guard is four times as slow, and the minute after it. */
async function slow(): Promise<Record<string, string | number>[]> {
  const rows = []
  for (const streams of [1, 20]) {
    const pace = createPace()
    const guard = queueing(150, 8)
    for (const [minute, serviceMs] of [
      ['before', 150],
      ['slow', 600],
      ['first 10 s after', 150],
      ['after', 150],
    ] as const) {
      guard.serviceMs = serviceMs
      const ms = minute === 'first 10 s after' ? 10_000 : 60_000
      const { readings, json } = await together([pace], { paced: 'guard', streams, guard, ms })
      rows.push({
        streams,
        minute,
        'turn in ms': round(pace.turn(1000) - performance.now()),
        'JSON p99': round(percentile(json, 0.99)),
        ...rowOf(readings),
      })
    }
  }
  return rows
}

/** Two processes share a guard. The second one starts a minute after the first. */
async function two(): Promise<Record<string, string | number>[]> {
  const rows = []
  for (const places of [8, 16])
    for (const paced of PACES) {
      const guard = queueing(150, places)
      const paces = [createPace(), createPace()]
      const first = together([paces[0]!], { paced, streams: 20, guard, ms: 180_000, began: 120_000 })
      await time.sleep(60_000)
      const second = together([paces[1]!], { paced, streams: 20, guard, ms: 120_000, began: 60_000 })
      for (const [index, { readings, json }] of (await Promise.all([first, second])).entries())
        rows.push({
          guard: `150 ms, ${places} at once`,
          pace: paced,
          process: index + 1,
          'JSON p99': round(percentile(json, 0.99)),
          ...rowOf(readings),
        })
    }
  return rows
}

const PARTS = { alone, crowd, slow, two }
for (const [name, part] of Object.entries(PARTS))
  if (process.argv.includes(name) || (name === 'alone' && process.argv.every((word) => !(word in PARTS))))
    console.log(`${table(await time.run(part()))}\n`)
