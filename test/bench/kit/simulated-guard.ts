// A guard endpoint that is simulated: it counts the tokens of each prompt with the model's own tokenizer, and answers
// `safe` after the time that a GPU would take.
import llama2 from 'llama-tokenizer-js'
import llama3 from 'llama3-tokenizer-js'
import { promptedGuard } from '../../../src/guard/backends/prompted.js'
import { createPrompter } from '../../../src/guard/prompt/index.js'
import type { Guard, Stage } from '../../../src/types.js'
import type { VirtualTime } from './virtual-time.js'

/** Tokens of `safe` and of the end of the answer. */
const ANSWER_TOKENS = 3
/** vLLM keeps prompts in blocks of this many tokens. */
const BLOCK = 16

/** An A10G that runs 8 billion weights in 16 bits: 2 operations a weight at 28 TFLOPS, and 16 GB at 600 GB/s. */
export const A10G = { msPerPromptToken: 0.57, msPerToken: 27, baseMs: 10 }

export interface Counts {
  checks: number
  prompt: number
  cached: number
  answer: number
  /** Seconds of the GPU. */
  seconds: number
  /** The prompts, in order, and the milliseconds that each took. */
  readonly prompts: string[]
  readonly times: number[]
}

export const noCounts = (): Counts => ({
  checks: 0,
  prompt: 0,
  cached: 0,
  answer: 0,
  seconds: 0,
  prompts: [],
  times: [],
})

export interface SimulatedGuard extends Guard {
  /** Counts from now on, by the side that is judged. */
  start(): Readonly<Record<Stage, Counts>>
}

/** How an endpoint of several copies chooses the copy of a request. */
export interface Routing {
  /** Requests whose bodies begin with the same `length` bytes go to one copy, while fewer than `threshold` are there. */
  readonly prefix?: { readonly length: number; readonly threshold: number }
}

/** One GPU with a prefix cache of its own. */
interface Copy {
  readonly known: Set<string>
  reading: Promise<unknown>
  open: number
}

export type SimulatedModel = 'llama-guard-1' | 'llama-guard-3-8b'

export function simulatedGuard(
  time: VirtualTime,
  model: SimulatedModel,
  {
    prefixCache,
    speed = A10G,
    copies = 1,
    prefix,
  }: { prefixCache: boolean; speed?: typeof A10G; copies?: number } & Routing,
): SimulatedGuard {
  const fleet = Array.from({ length: copies }, (): Copy => ({ known: new Set(), reading: Promise.resolve(), open: 0 }))
  let counts = { input: noCounts(), output: noCounts() }
  let stage: Stage = 'input'
  const encode = (text: string): readonly number[] =>
    model === 'llama-guard-1' ? llama2.encode(text, false, false) : llama3.encode(text, { bos: false, eos: false })
  const remembered = new Map<string, readonly number[]>()
  // Neither tokenizer has a token that reaches over the blank after a full stop, so sentences are encoded one by one.
  const tokensOf = (prompt: string): number[] =>
    ` ${prompt}`.split(/(?<=\w\.)(?= \w)/).flatMap((sentence) => {
      const tokens = remembered.get(sentence) ?? encode(sentence)
      remembered.set(sentence, tokens)
      return tokens
    })

  const leastOpen = (): Copy => fleet.reduce((best, copy) => (copy.open < best.open ? copy : best))
  const copyFor = (prompt: string): Copy => {
    if (prefix === undefined) return leastOpen()
    const body = Buffer.from(JSON.stringify({ inputs: prompt })).subarray(0, prefix.length)
    const own = fleet[fingerprint(body.toString('latin1')) % copies]!
    return own.open < prefix.threshold ? own : leastOpen()
  }

  const cachedOf = (tokens: readonly number[], known: Set<string>): number => {
    let [chain, cached, hit] = ['', 0, true]
    for (let at = 0; at + BLOCK <= tokens.length; at += BLOCK) {
      chain = `${fingerprint(chain)}:${tokens.slice(at, at + BLOCK).join()}`
      hit &&= known.has(chain)
      if (hit) cached += BLOCK
      known.add(chain)
    }
    // The last token is always computed, because the answer begins with it.
    return prefixCache ? Math.min(cached, tokens.length - 1) : 0
  }

  const complete = async (prompt: string): Promise<{ text: string }> => {
    const tokens = tokensOf(prompt)
    const copy = copyFor(prompt)
    const started = time.now
    const cached = cachedOf(tokens, copy.known)
    const readMs = (tokens.length - cached) * speed.msPerPromptToken
    const answerMs = ANSWER_TOKENS * speed.msPerToken
    const side = counts[stage]
    side.checks += 1
    side.prompt += tokens.length
    side.cached += cached
    side.answer += ANSWER_TOKENS
    side.seconds += (readMs + answerMs) / 1000
    side.prompts.push(prompt)
    copy.open++
    await time.sleep(speed.baseMs)
    // One GPU reads one prompt after another, and makes the tokens of answers at the same time.
    const read = copy.reading.then(() => time.sleep(readMs))
    copy.reading = read
    await read
    await time.sleep(answerMs)
    copy.open--
    side.times.push(time.now - started)
    return { text: 'safe' }
  }

  const guard = promptedGuard({ prompter: createPrompter(model), complete, identity: 'simulated' })
  const { judge } = guard
  return Object.assign(guard, {
    judge(...[conversation, options]: Parameters<Guard['judge']>) {
      stage = options.stage ?? 'input'
      return judge(conversation, options)
    },
    start() {
      counts = { input: noCounts(), output: noCounts() }
      return counts
    },
  })
}

/** A short name for a chain of blocks. */
function fingerprint(text: string): number {
  let hash = 2166136261
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 16777619)
  return hash >>> 0
}
