// The options of one guard call: the signal of the judgement, the stage, and the rule for what blocks alone.
import type { LazyAbortController, AbortSignalLike } from '../utils/lazy-abort-controller.js'
import type { JudgeOptions, Stage, Verdict } from '../types.js'

/** The options of one guard call. The AbortSignal is created on first use, because many guards never read it. */
export class AskOptions implements JudgeOptions {
  readonly stage?: Stage
  /** True when this verdict alone blocks. Only guards that are made of guards get it. */
  readonly blocks?: (verdict: Verdict) => boolean
  readonly #controller: LazyAbortController

  constructor(controller: LazyAbortController, { stage, blocks }: Pick<AskOptions, 'stage' | 'blocks'>) {
    this.#controller = controller
    if (stage !== undefined) this.stage = stage
    if (blocks !== undefined) this.blocks = blocks
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** The signal in a guard's options. It does not create an AbortSignal when there is none yet. */
  static signalOf(options: JudgeOptions): AbortSignalLike | undefined {
    return #controller in options ? options.#controller : options.signal
  }
}
