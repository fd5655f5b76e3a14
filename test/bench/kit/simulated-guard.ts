// A guard endpoint that is simulated: it counts the tokens of each prompt with the model's own tokenizer, and answers
// `safe` after the time that a GPU would take.
import llama2 from 'llama-tokenizer-js'
import llama3 from 'llama3-tokenizer-js'
import { promptedGuard } from '../../../src/guard/backends/prompted.js'
import { createPrompter } from '../../../src/guard/prompt/index.js'
import type { Guard, Stage } from '../../../src/types.js'
import { createFleet, type Timing } from '../../emulator/fleet.js'
import type { VirtualTime } from './virtual-time.js'

/** Tokens of `safe` and of the end of the answer. */
const ANSWER_TOKENS = 3
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
export type Routing = Pick<Timing, 'prefix'>

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
  const fleet = createFleet({ ...speed, prefixCache, copies, ...(prefix && { prefix }) }, (ms) => time.sleep(ms))
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

  const complete = async (prompt: string): Promise<{ text: string }> => {
    const tokens = tokensOf(prompt)
    const started = time.now
    const side = counts[stage]
    side.checks += 1
    side.prompt += tokens.length
    side.answer += ANSWER_TOKENS
    side.prompts.push(prompt)
    const body = JSON.stringify({ inputs: prompt })
    const { cached, gpuMs } = await fleet.serve({ body, tokens, answer: ANSWER_TOKENS })
    side.cached += cached
    side.seconds += gpuMs / 1000
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
