// The guards one after the other, until one of them has judged.
import { LlamaGuardError, toLlamaGuardError } from '../errors.js'
import type { Conversation, Verdict } from '../types.js'
import type { LazyAbortController } from '../utils/lazy-abort-controller.js'
import type { Checks, Plan } from './checks.js'
import type { StageOptions } from './judge-settings.js'
import type { Member } from './member.js'
import { piecesOf } from './pieces.js'

/** A guard that cannot read this many characters is configured wrongly. */
const SHORT_CHARS = 256

/**
 * `plan` holds the questions of the first guard, where they are known.
 * @throws LlamaGuardError The first guard's error, when none could judge.
 */
export async function askInTurn(
  members: readonly Member[],
  plan: Plan,
  options: StageOptions,
  checks: Checks,
  signal: LazyAbortController,
): Promise<{ readonly verdict: Verdict; readonly model: string }> {
  const { conversation } = plan
  let failure: LlamaGuardError | undefined
  for (const [index, member] of members.entries()) {
    const first = index === 0
    try {
      const questions =
        (first ? plan.questions : undefined) ??
        member.questionsOf(
          piecesOf(member.guard, conversation, options.stage),
          options,
          first ? plan : { conversation },
        )
      checks.count(member.guard, questions, options.stage)
      const verdict = await member.ask(questions, options, signal)
      return { verdict: first ? verdict : { ...verdict, judgedBy: member.model }, model: member.model }
    } catch (error) {
      failure ??= blameText(toLlamaGuardError(error, 'guard_error'), conversation)
      // A client's fault does not depend on the guard, so the next guard is not asked. The exception is a text that is
      // too long: another guard may read longer texts.
      if (signal.aborted || (failure.clientFault && failure.code !== 'guard_input_too_long')) break
    }
  }
  throw failure ?? new LlamaGuardError('internal_error', 'There is no guard to ask.')
}

/**
 * A long text that does not fit is the client's fault, so `onError` must not let it pass. A short text that does not
 * fit is the guard's fault.
 */
function blameText(error: LlamaGuardError, conversation: Conversation): LlamaGuardError {
  if (error.code !== 'guard_input_too_long' || error.clientFault) return error
  const chars = conversation.reduce((sum, { text, images }) => sum + (images?.length ? Infinity : text.length), 0)
  return chars <= SHORT_CHARS
    ? error
    : new LlamaGuardError(error.code, error.message, { cause: error, clientFault: true })
}
