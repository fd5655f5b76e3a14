// The step schedule of stream checks by simulation: what a reader waits for and what the guard reads, by the time of a
// guard call, the pace of the model and the rule for the next step. Nothing is timed: the clock is simulated.
// `npx vite-node test/bench/schedule.ts`
import { nextStep, type NextStep } from '../../src/response/stream/step.js'
import { StreamJudge } from '../../src/response/stream/stream-judge.js'
import type { Decision } from '../../src/types.js'
import { percentile } from './kit/load.js'
import { A10G } from './kit/simulated-guard.js'
import { table } from './kit/table.js'
import { VirtualTime } from './kit/virtual-time.js'

/** Tokens of policy and question, and those after the text, which no cache keeps. */
const HEAD_TOKENS = 1100
const TAIL_TOKENS = 70
const ANSWER_TOKENS = 3
const CHARS = 4

const RULES: Readonly<Record<string, NextStep>> = {
  'constant: 32, doubling': (step) => (step === undefined ? 32 : step * 2),
  'constant: windowChars': () => 400,
  'one guard time, doubling': nextStep,
  'two guard times, doubling': (step, came) => (step === undefined ? Math.max(32, 2 * came) : step * 2),
  'one guard time, by half': (step, came) => (step === undefined ? Math.max(32, came) : step * 1.5),
}
const GUARDS: Readonly<Record<string, (fresh: number, all: number) => number>> = {
  '40 ms': () => 40,
  'prefix cache': (fresh) => gpuMs(fresh + TAIL_TOKENS),
  'no prefix cache': (_, all) => gpuMs(HEAD_TOKENS + all + TAIL_TOKENS),
}
const gpuMs = (tokens: number): number => A10G.baseMs + tokens * A10G.msPerPromptToken + ANSWER_TOKENS * A10G.msPerToken

const time = new VirtualTime().install()

interface Reading {
  readonly checks: number
  /** Prompt tokens of all checks, and those that no prefix cache keeps. */
  readonly tokens: number
  readonly fresh: number
  readonly first: number
  readonly gaps: readonly number[]
  readonly last: number
}

async function read(rule: NextStep, guard: string, tokensPerSecond: number, length: number): Promise<Reading> {
  const started = time.now
  const said: number[] = []
  const seen: number[] = []
  let [checks, tokens, fresh, judged] = [0, 0, 0, 0]
  const judge = new StreamJudge({
    settings: { windowChars: 400, windowMs: 1000 },
    nextStep: rule,
    async judge(text) {
      const [all, added] = [text.length / CHARS, Math.max(0, text.length - judged) / CHARS]
      judged = text.length
      checks += 1
      tokens += HEAD_TOKENS + all + TAIL_TOKENS
      fresh += added + TAIL_TOKENS
      await time.sleep(GUARDS[guard]!(added, all))
      return { verdict: { safe: true, categories: [] }, ms: 0, model: 'simulated' }
    },
    decide: () => ({ action: 'allow' }) as Decision,
    onAllowed() {
      while (seen.length < said.length && judge.covers(0, (seen.length + 1) * CHARS)) seen.push(time.now - started)
    },
    onRefused: () => undefined,
  })
  const speak = async (): Promise<void> => {
    for (let at = 0; at < length; at += CHARS) {
      said.push(time.now - started)
      judge.add({ choice: 0, channel: 'content', text: 'word' })
      judge.consider()
      await time.sleep(1000 / tokensPerSecond)
    }
    judge.end()
    await judge.settled()
  }
  await time.run(speak())
  const gaps = seen.slice(1).map((at, index) => at - seen[index]!)
  return {
    checks,
    tokens,
    fresh,
    first: seen[0]!,
    gaps: gaps.filter((gap) => gap > 0),
    last: seen.at(-1)! - said.at(-1)!,
  }
}

const rows: Record<string, string | number>[] = []
for (const guard of Object.keys(GUARDS))
  for (const pace of [30, 120, 600])
    for (const [rule, next] of Object.entries(RULES)) {
      const replies = [300, 1000, 4000]
      const all: Reading[] = []
      for (const length of replies) all.push(await read(next, guard, pace, length))
      const gaps = all.flatMap((reading) => reading.gaps)
      const sum = (of: (reading: Reading) => number): number =>
        Math.round(all.reduce((total, one) => total + of(one), 0))
      rows.push({
        guard,
        'tokens/s': pace,
        rule,
        'first word ms': Math.round(all[0]!.first),
        'gap p50': Math.round(percentile(gaps, 0.5)),
        'gap p99': Math.round(percentile(gaps, 0.99)),
        'last word ms': Math.round(Math.max(...all.map(({ last }) => last))),
        checks: all.map(({ checks }) => checks).join(' '),
        'prompt tokens': sum(({ tokens }) => tokens),
        'not in cache': sum(({ fresh }) => fresh),
      })
    }
console.log(table(rows))
