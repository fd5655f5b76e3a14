// The guard of every backend that runs a prompted model: it renders the prompt, completes it and parses the verdict.
// It also learns how many tokens the endpoint accepts, because many endpoints serve a model with less context than
// the model has.
import { hash } from 'node:crypto'
import { isLlamaGuardError, LlamaGuardError } from '../../types/errors.js'
import type { Conversation, CreatedGuard, Guard, Stage, Verdict } from '../../types.js'
import { type AbortSignalLike, AskOptions, reasonOf } from '../../utils/deadline.js'
import type { Complete, Completion, Server } from '../answer/completion.js'
import { merge, piecesOf } from '../pieces.js'
import { withCheck } from '../ready.js'
import type { Prompter } from '../prompt/index.js'

export type { Complete, Completion } from '../answer/completion.js'

export interface PromptedOptions {
  readonly prompter: Prompter
  readonly complete: Complete & Partial<Server>
  /** The name of the server in the verdict cache: endpoint or URL, and model. This file adds policy and template. */
  readonly identity: string
  /** True to ask for token log probabilities, which give the verdict a score. Default: false. */
  readonly logprobs?: boolean
  /** How images are written into the prompt, see {@link ImageForm}. */
  readonly images?: 'token' | 'markdown'
}

/** With fewer tokens policy and conversation never fit together, whatever the endpoint says. */
const LEAST_TOKENS = 512
/** The most calls for one piece at an endpoint that refuses it as too long. */
const MOST_CALLS = 32

type Prompts = (conversation: Conversation, stage: Stage) => readonly string[]

const known = new WeakMap<Guard, Prompts>()

/** Tells the exact prompts of a judgement, one for each piece. Undefined for a guard that reads no prompt. */
export const promptsOf = (guard: Guard): Prompts | undefined => known.get(guard)

interface Asked {
  readonly signal: AbortSignalLike | undefined
  readonly stage: Stage | undefined
  /** The number of calls that may still be made. */
  callsLeft: number
}

export function promptedGuard({ prompter, complete, identity, logprobs = false, images }: PromptedOptions): Guard {
  const form = images && { images }
  const render = (conversation: Conversation): string => prompter.render(conversation, form)
  /** The number of tokens the endpoint was seen to accept. It only ever gets smaller. */
  let learnt = prompter.contextTokens

  /**
   * Judges all pieces, one after the other, without an early end: a later piece may name a category that weighs more.
   */
  async function judgeAll(pieces: readonly Conversation[], context: number, asked: Asked): Promise<Verdict> {
    const { signal } = asked
    const verdicts: Verdict[] = []
    let failure: { readonly error: unknown } | undefined
    for (const piece of pieces)
      try {
        if (signal?.aborted) throw reasonOf(signal)
        verdicts.push(await judgePiece(piece, context, asked))
      } catch (error) {
        failure ??= { error }
        // This piece cannot be cut any smaller, and the endpoint still refuses it. The other pieces would fail in the
        // same way.
        if (tooLong(error)) break
      }
    if (!failure) return merge(verdicts)
    const unsafe = verdicts.filter((verdict) => !verdict.safe)
    if (unsafe.length === 0) throw failure.error
    // A piece that was not judged may be worse than those that were. The verdict therefore loses its scores, so that
    // no threshold or category rule can make it lenient.
    const { score: _, categoryScores: __, ...rest } = merge(unsafe)
    return { ...rest, truncated: true }
  }

  /** A function of its own, because a variable of judgePiece would keep the prompt in memory while it waits. */
  const ask = (conversation: Conversation, signal: AbortSignalLike | undefined): Promise<Completion> =>
    complete(render(conversation), { logprobs, signal })

  async function judgePiece(conversation: Conversation, context: number, asked: Asked): Promise<Verdict> {
    // The piece was cut for a larger budget before another judgement learnt that the endpoint accepts less.
    const known = context > learnt ? smaller(conversation, learnt, asked.stage) : undefined
    if (known) return judgeAll(known, learnt, asked)
    if (asked.callsLeft-- <= 0) throw new LlamaGuardError('guard_input_too_long')
    const budget = Math.min(context, learnt)
    try {
      const verdict = prompter.parse(await ask(conversation, asked.signal), conversation.at(-1)?.role ?? 'User')
      learnt = Math.min(learnt, budget)
      return verdict
    } catch (error) {
      if (!tooLong(error)) throw error
      // The budget is halved until it changes the pieces. It is remembered once a piece of that size was judged.
      for (let half = budget; half > LEAST_TOKENS;) {
        half = Math.max(LEAST_TOKENS, Math.floor(half / 2))
        const pieces = smaller(conversation, half, asked.stage)
        if (pieces) return judgeAll(pieces, half, asked)
      }
      throw error
    }
  }

  /** The pieces under a smaller budget; undefined when the budget changes nothing or nothing fits it. */
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

  const guard: CreatedGuard = {
    model: prompter.model,
    identity: JSON.stringify([identity, prompter.model, templateHash(render)]),
    categories: prompter.categories,
    vision: prompter.vision,
    scored: logprobs,
    fit: (conversation) => prompter.fit(conversation, learnt),
    judge: (conversation, options = {}) =>
      judgePiece(conversation, prompter.contextTokens, {
        signal: AskOptions.signalOf(options),
        stage: options.stage,
        callsLeft: MOST_CALLS,
      }),
    ...(complete.close && { close: () => complete.close?.() }),
  }
  known.set(guard, (conversation, stage) => piecesOf(guard, conversation, stage).map(render))
  return withCheck(guard, complete.check)
}

const tooLong = (error: unknown): boolean => isLlamaGuardError(error) && error.code === 'guard_input_too_long'

/** A change of task, categories or instruction changes every prompt, so the hash of one identifies all of them. */
function templateHash(render: (conversation: Conversation) => string): string {
  return hash('sha256', render([{ role: 'User', text: 'a' }]))
}
