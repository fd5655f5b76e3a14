// What a guard is asked with: the signal of one judgement, its stage, and what alone would block.
import type { LazyAbortController, AbortSignalLike } from '../utils/lazy-abort-controller.js'
import type { JudgeOptions, Stage, Verdict } from '../types.js'

/** What a guard is asked with. Its AbortSignal is made when it is looked at: many never do. */
export class AskOptions implements JudgeOptions {
  readonly stage?: Stage
  /** For guards that are made of guards: true when this verdict alone blocks. */
  readonly blocks?: (verdict: Verdict) => boolean
  readonly #stop: LazyAbortController

  constructor(stop: LazyAbortController, { stage, blocks }: Pick<AskOptions, 'stage' | 'blocks'>) {
    this.#stop = stop
    if (stage !== undefined) this.stage = stage
    if (blocks !== undefined) this.blocks = blocks
  }

  get signal(): AbortSignal {
    return this.#stop.signal
  }

  /** The signal in a guard's options, without making an AbortSignal where there is none yet. */
  static signalOf(options: JudgeOptions): AbortSignalLike | undefined {
    return #stop in options ? options.#stop : options.signal
  }
}
