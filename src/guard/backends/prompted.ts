// The guard of every backend that runs a Llama Guard model: render the prompt, complete it, parse the verdict.
// It also learns how much the endpoint really takes: many serve a model with less context than the model has.
import { createHash } from 'node:crypto'
import { isLlamaGuardError, LlamaGuardError } from '../../errors.js'
import type { Conversation, Guard, Stage, Verdict } from '../../types.js'
import type { AbortSignalLike } from '../../utils/lazy-abort-controller.js'
import type { Complete, Completion } from '../answer/completion.js'
import { reasonOf } from '../deadline.js'
import { AskOptions } from '../judge-options.js'
import { merge } from '../merge-verdicts.js'
import { piecesOf } from '../pieces.js'
import type { Prompter } from '../prompt/index.js'

export type { Complete, Completion } from '../answer/completion.js'

export interface PromptedOptions {
  readonly prompter: Pick<Prompter, 'model' | 'categories' | 'vision' | 'contextTokens' | 'render' | 'fit' | 'parse'>
  readonly complete: Complete & { close?(): void | Promise<void> }
  /** Sets the server apart in the verdict cache: endpoint or URL, and model. Policy and template are added here. */
  readonly identity: string
  /** Ask for token log probabilities, for a score. Default: false. */
  readonly logprobs?: boolean
  /** How images stand in the prompt, see the prompter. */
  readonly images?: 'token' | 'markdown'
}

/** Below this no policy and conversation fit together, whatever the endpoint says. */
const LEAST_TOKENS = 512
/** The most calls that one piece may become at an endpoint which refuses it as too long. */
const MOST_CALLS = 32

interface Asked {
  readonly signal: AbortSignalLike | undefined
  readonly stage: Stage | undefined
  /** Calls that may still be made. */
  callsLeft: number
}

export function promptedGuard({ prompter, complete, identity, logprobs = false, images }: PromptedOptions): Guard {
  const form = images && { images }
  const render = (conversation: Conversation): string => prompter.render(conversation, form)
  /** Tokens the endpoint was seen to take. Only ever gets smaller. */
  let learnt = prompter.contextTokens

  /** Judges all, one after the other. No early end: a later piece may name a category that weighs more. */
  async function judgeAll(pieces: readonly Conversation[], context: number, asked: Asked): Promise<Verdict> {
    const { signal } = asked
    const verdicts: Verdict[] = []
    let failure: { readonly error: unknown } | undefined
    for (const piece of pieces) {
      try {
        if (signal?.aborted) throw reasonOf(signal)
        verdicts.push(await judgePiece(piece, context, asked))
      } catch (error) {
        failure ??= { error }
        // As small as it gets and still too long: the other pieces would only fail the same way.
        if (tooLong(error)) break
      }
    }
    if (!failure) return merge(verdicts)
    const unsafe = verdicts.filter((verdict) => !verdict.safe)
    if (unsafe.length === 0) throw failure.error
    // What was not judged may be worse than what was: no leniency by score or category may rest on this verdict.
    const { score: _, categoryScores: __, ...rest } = merge(unsafe)
    return { ...rest, truncated: true }
  }

  /** Not in judgePiece, which would keep the prompt for as long as it waits. */
  const ask = (conversation: Conversation, signal: AbortSignalLike | undefined): Promise<Completion> =>
    complete(render(conversation), { logprobs, signal })

  async function judgePiece(conversation: Conversation, context: number, asked: Asked): Promise<Verdict> {
    // Cut for a larger budget, before another judgement learnt that the endpoint takes less.
    const known = context > learnt ? smaller(conversation, learnt, asked.stage) : undefined
    if (known) return judgeAll(known, learnt, asked)
    if (asked.callsLeft-- <= 0) throw new LlamaGuardError('guard_input_too_long')
    const budget = Math.min(context, learnt)
    try {
      const verdict = prompter.parse(await ask(conversation, asked.signal))
      learnt = Math.min(learnt, budget)
      return verdict
    } catch (error) {
      if (!tooLong(error)) throw error
      // Halved until it makes a difference, and believed once a piece of that size was judged.
      for (let half = budget; half > LEAST_TOKENS;) {
        half = Math.max(LEAST_TOKENS, Math.floor(half / 2))
        const pieces = smaller(conversation, half, asked.stage)
        if (pieces) return judgeAll(pieces, half, asked)
      }
      throw error
    }
  }

  /** The pieces under a smaller budget, or undefined when it changes nothing or nothing fits it. */
  function smaller(
    conversation: Conversation,
    context: number,
    stage: Stage | undefined,
  ): readonly Conversation[] | undefined {
    try {
      const pieces = piecesOf({ fit: (each) => prompter.fit(each, context) }, conversation, stage)
      const [first] = pieces
      return first && pieces.length <= MOST_CALLS && (pieces.length > 1 || render(first) !== render(conversation))
        ? pieces
        : undefined
    } catch {
      return undefined
    }
  }

  return {
    model: prompter.model,
    identity: JSON.stringify([identity, prompter.model, templateHash(render)]),
    categories: prompter.categories,
    vision: prompter.vision,
    scored: logprobs,
    fit: (conversation) => prompter.fit(conversation, learnt),
    judge: (conversation, options) =>
      judgePiece(conversation, prompter.contextTokens, {
        signal: AskOptions.signalOf(options),
        stage: options.stage,
        callsLeft: MOST_CALLS,
      }),
    ...(complete.close && { close: () => complete.close?.() }),
  }
}

const tooLong = (error: unknown): boolean => isLlamaGuardError(error) && error.code === 'guard_input_too_long'

/** Any change of task, categories or instruction changes the prompts, so two prompts stand for all of them. */
function templateHash(render: (conversation: Conversation) => string): string {
  const user = { role: 'User', text: 'a' } as const
  return createHash('sha256')
    .update(JSON.stringify([render([user]), render([user, { role: 'Agent', text: 'b' }])]))
    .digest('hex')
}
