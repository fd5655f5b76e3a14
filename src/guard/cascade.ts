// Asks a small guard first, and a large guard when the small one is not sure.
import { LlamaGuardError } from '../errors.js'
import type { Conversation, CreatedGuard, Guard, Verdict } from '../types.js'
import { deadlineOf, type LazyAbortController } from '../utils/lazy-abort-controller.js'
import { identityOf } from './cache/key.js'
import { within } from './deadline.js'
import { AskOptions } from './judge-options.js'
import { anyUnsafeOf, type PanelOptions } from './merge-verdicts.js'
import { asPanel, isPanel, judgesRole, madeOf } from './panel.js'
import { piecesOf } from './pieces.js'
import { checkedVerdict } from './validate.js'

/** The scores from which the small guard's verdict is final. */
export interface CascadeThresholds {
  /** A safe verdict with a score below this is final. 0 to 1. */
  readonly safeBelow: number
  /** An unsafe verdict with a score above this is final. 0 to 1, not less than `safeBelow`. */
  readonly unsafeAbove: number
}

export interface CascadeOptions extends CascadeThresholds {
  /** The small guard. Its verdicts must have scores. */
  readonly first: Guard
  /** The large guard. */
  readonly then: Guard
  /** Milliseconds to wait for the small guard. The wait is never longer than half of the remaining time. */
  readonly firstMs: number
}

/**
 * True when the small guard's verdict is final. The large guard judges when the verdict has no score, is truncated,
 * or has a score that contradicts its word.
 */
export function isSure({ safe, score, truncated }: Verdict, { safeBelow, unsafeAbove }: CascadeThresholds): boolean {
  if (score === undefined || truncated) return false
  return safe ? score < safeBelow : score > unsafeAbove
}

/**
 * Makes one guard of two. `judgedBy` names the guard whose verdict it is. When the small guard fails, the large one
 * is asked. When the large guard fails, the judgement is an error.
 * @throws LlamaGuardError `invalid_option` when the small guard does not promise scores, or the thresholds cross.
 */
export function cascade({ first, then, firstMs, ...thresholds }: CascadeOptions): Guard {
  if (first.scored !== true)
    throw new LlamaGuardError(
      'invalid_option',
      `The first guard of a cascade, ${modelOf(first)}, gives no scores, so it is never sure. Use one that does; a guard ` +
        'of your own says so with `scored: true`.',
    )
  if (thresholds.safeBelow > thresholds.unsafeAbove)
    throw new LlamaGuardError(
      'invalid_option',
      `The option cascade has safeBelow ${thresholds.safeBelow} above unsafeAbove ${thresholds.unsafeAbove}; a verdict ` +
        'between the two would be final both ways. Swap them.',
    )

  const ask = async (
    guard: Guard,
    conversation: Conversation,
    options: PanelOptions,
    accepts: (verdict: Verdict) => boolean = () => true,
  ): Promise<Verdict> => {
    const { stage, blocks } = options
    const pieces = piecesOf(guard, conversation, stage)
    const ours = (piece: Conversation): boolean => judgesRole(guard, piece.at(-1)!.role)
    // The small guard does not judge this role, so the large guard judges the whole conversation.
    if (guard === first && !pieces.every(ours)) throw UNSURE
    const asks = pieces.filter(ours).map((piece) => async (inner: LazyAbortController) => {
      const asked = new AskOptions(inner, { ...(stage && { stage }), ...(blocks && isPanel(guard) && { blocks }) })
      const verdict = checkedVerdict(await guard.judge(piece, asked))
      if (!accepts(verdict)) throw UNSURE
      return verdict
    })
    const verdict = await anyUnsafeOf(asks, {
      signal: AskOptions.signalOf(options),
      blocks: blocks ?? (() => false),
    })
    return { judgedBy: modelOf(guard), ...verdict }
  }

  /** The small guard's final verdict; undefined when the large guard has to judge. */
  const surely = async (conversation: Conversation, options: PanelOptions): Promise<Verdict | undefined> => {
    const judged = conversation.at(-1)
    const unseen = first.vision !== true && conversation.some((turn) => turn.images?.length)
    if (judged === undefined || unseen || !judgesRole(first, judged.role)) return undefined
    const { stage } = options
    const signal = AskOptions.signalOf(options)
    const ms = Math.min(firstMs, (deadlineOf(signal) - performance.now()) / 2)
    try {
      // `blocks` is left out, because it would end the other pieces at the first unsafe one. Every piece must have a
      // final verdict.
      return await within({ ms, signal }, (inner) =>
        ask(first, conversation, new AskOptions(inner, { ...(stage && { stage }) }), (verdict) =>
          isSure(verdict, thresholds),
        ),
      )
    } catch {
      // When the caller's own signal aborted, the large guard reports it.
      return undefined
    }
  }

  const guard: CreatedGuard = {
    model: `${modelOf(first)}>${modelOf(then)}`,
    identity: `cascade:${JSON.stringify([identityOf(first), identityOf(then), thresholds])}`,
    categories: [...(then.categories ?? []), ...onlyIn(first, then)],
    vision: then.vision === true,
    ...(then.judges && { judges: then.judges }),
    scored: then.scored === true,
    judge: async (conversation, options: PanelOptions = {}) =>
      (await surely(conversation, options)) ?? ask(then, conversation, options),
    async close() {
      await Promise.all([first.close?.(), then.close?.()])
    },
  }
  madeOf(guard, [first, then])
  return isPanel(first) || isPanel(then) ? asPanel(guard) : guard
}

const UNSURE = new LlamaGuardError('guard_error', 'The small guard is not sure.')

const modelOf = (guard: Guard): string => guard.model ?? 'custom'

/**
 * The categories of the small guard that the large one lacks. For an id that both have, the large guard's name is
 * used.
 */
function onlyIn(first: Guard, { categories = [] }: Guard): NonNullable<Guard['categories']> {
  return (first.categories ?? []).filter(({ id }) => !categories.some((other) => other.id === id))
}
