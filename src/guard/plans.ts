// What is to be asked about the conversations of one request, before anything is asked: verdicts that are remembered,
// and the pieces of everything else.
import { isLlamaGuardError } from '../errors.js'
import type { Conversation } from '../types.js'
import type { VerdictCache } from './cache/index.js'
import type { Plan } from './checks.js'
import type { StageOptions } from './judge-settings.js'
import type { Member } from './member.js'
import { fit, unseenTurns } from './pieces.js'

/** The remembered judgement of a conversation by this guard, or the key under which it will be remembered. */
export function planOf(conversation: Conversation, options: StageOptions, member: Member, cache: VerdictCache): Plan {
  if (conversation.length === 0 || options.signal?.aborted) return { conversation }
  try {
    const whole = member.keyOf(conversation, options)
    const verdict = cache.known(whole)
    return verdict === undefined
      ? { conversation, whole }
      : { conversation, judgement: { verdict, ms: 0, model: member.model } }
  } catch {
    // The judgement meets the same error again and reports it.
    return { conversation }
  }
}

/**
 * The plans for all conversations of a request, and for every turn that is then part of no piece.
 * @throws LlamaGuardError `too_many_checks` when one conversation alone has too many pieces.
 */
export function plansOf(
  conversations: readonly Conversation[],
  options: StageOptions,
  member: Member,
  cache: VerdictCache,
): readonly Plan[] {
  const seen: Conversation[] = []
  const cut = (conversation: Conversation): Plan => {
    const plan = planOf(conversation, options, member, cache)
    try {
      const pieces = plan.whole === undefined ? [conversation] : fit(member.guard, conversation)
      seen.push(...pieces)
      return plan.whole === undefined ? plan : { ...plan, questions: member.questionsOf(pieces, options, plan) }
    } catch (error) {
      if (isLlamaGuardError(error) && error.code === 'too_many_checks') throw error
      // The judgement meets the same error again and reports it.
      return plan
    }
  }
  const plans = conversations.map(cut)
  return options.stage === 'output' ? plans : [...plans, ...unseenTurns(conversations, seen).map((turn) => cut([turn]))]
}
