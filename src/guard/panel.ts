// Guards that are made of guards: a panel, in which a text is safe only when every guard says so, and a cascade, which
// asks a small guard first and a large guard when the small one is not sure.
import { guardError, guardRejected, invalidOption } from '../types/errors.js'
import type { Category, CategoryAction, Conversation, CreatedGuard, Guard, Stage, Verdict } from '../types.js'
import { AskOptions, deadlineOf, reasonOf, within } from '../utils/deadline.js'
import { checkedVerdict } from './answer/verdict.js'
import { identityOf } from './cache/index.js'
import { anyUnsafeOf, type Ask, askGuard, isPanel, judgesRole, madeOf, type PanelOptions, piecesOf } from './pieces.js'

/**
 * Makes a guard that asks all `guards` at the same time. One "unsafe" that blocks decides at once, and the other
 * calls are aborted. When one guard fails, the panel fails, because its other guards may have missed what that guard
 * would find. `judgedBy` names the guard that said unsafe.
 *
 * @throws LlamaGuardError `invalid_option` when `guards` is empty.
 * @example
 * llamaGuard({ guard: anyUnsafe([llamaGuard4, customGuard]) })
 */
export function anyUnsafe(guards: readonly Guard[]): Guard {
  if (guards.length === 0)
    throw invalidOption('anyUnsafe() got no guards: a panel of none would find everything safe. Pass at least one.')
  const panel: Guard = {
    model: guards.map(modelOf).join('+'),
    identity: `any-unsafe:${JSON.stringify(guards.map(identityOf))}`,
    categories: unionById(guards.flatMap((guard) => guard.categories ?? [])),
    // One guard that sees images is enough to judge an image. The other guards judge the text beside it.
    vision: guards.some(({ vision, judges }) => vision === true && judges === undefined),
    ...(guards.every(({ judges }) => judges !== undefined) && {
      judges: [...new Set(guards.flatMap(({ judges }) => judges ?? []))],
    }),
    scored: guards.every(({ scored }) => scored === true),
    async judge(conversation: Conversation, options: PanelOptions = {}) {
      const { stage, blocks = isUnsafe } = options
      const role = conversation.at(-1)?.role
      const asked = guards.filter((guard) => role !== undefined && judgesRole(guard, role))
      if (asked.length === 0)
        throw guardRejected(`No guard of the panel judges turns of ${role ?? 'nobody'}. Put one beside them that does.`)
      const asks = asked.flatMap((guard) =>
        asksOf(guard, piecesOf(guard, conversation, stage), { stage, blocks }).map(
          (ask): Ask =>
            async (signal) =>
              withNames(guard, await ask(signal)),
        ),
      )
      return anyUnsafeOf(asks, { signal: AskOptions.signalOf(options), blocks })
    },
    async close() {
      await Promise.all(guards.map(async (guard) => guard.close?.()))
    },
  }
  madeOf(panel, guards, true)
  return panel
}

/** The verdict, and who named each of its categories. */
function withNames(guard: Guard, verdict: Verdict): Verdict {
  const judgedBy = verdict.judgedBy ?? modelOf(guard)
  const ids = [...verdict.categories, ...(verdict.unknown ?? [])]
  const namedBy = ids.length > 0 && { namedBy: Object.fromEntries(ids.map((id) => [id, judgedBy])) }
  return { ...namedBy, ...verdict, judgedBy }
}

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
    throw invalidOption(
      `The first guard of a cascade, ${modelOf(first)}, gives no scores, so it is never sure. Use one that does; a guard ` +
        'of your own says so with `scored: true`.',
    )
  if (thresholds.safeBelow > thresholds.unsafeAbove)
    throw invalidOption(
      `The option cascade has safeBelow ${thresholds.safeBelow} above unsafeAbove ${thresholds.unsafeAbove}; a verdict ` +
        'between the two would be final both ways. Swap them.',
    )

  const largeGuard = async (conversation: Conversation, options: PanelOptions): Promise<Verdict> => {
    const { stage, blocks } = options
    const asks = asksOf(then, piecesOf(then, conversation, stage), { stage, blocks })
    const verdict = await anyUnsafeOf(asks, { signal: AskOptions.signalOf(options), blocks: blocks ?? (() => false) })
    return { judgedBy: modelOf(then), ...verdict }
  }

  /** The small guard's final verdict; undefined when the large guard has to judge. */
  const smallGuard = async (conversation: Conversation, options: PanelOptions): Promise<Verdict | undefined> => {
    const { stage } = options
    const unseen = first.vision !== true && conversation.some((turn) => turn.images?.length)
    if (conversation.length === 0 || unseen) return undefined
    const signal = AskOptions.signalOf(options)
    const ms = Math.min(firstMs, (deadlineOf(signal) - performance.now()) / 2)
    try {
      const pieces = piecesOf(first, conversation, stage)
      if (!pieces.every((piece) => judgesRole(first, piece.at(-1)!.role))) return undefined
      const asks = asksOf(first, pieces, { stage }).map((ask): Ask => async (inner) => {
        const verdict = await ask(inner)
        if (!isSure(verdict, thresholds)) throw UNSURE
        return verdict
      })
      // Nothing blocks alone, because every piece must have a final verdict.
      const verdict = await within({ ms, signal }, (inner) => anyUnsafeOf(asks, { signal: inner, blocks: () => false }))
      return { judgedBy: modelOf(first), ...verdict }
    } catch {
      // Nobody waits for the large guard then, and it may ask its model all the same.
      if (signal?.aborted === true) throw reasonOf(signal)
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
      (await smallGuard(conversation, options)) ?? largeGuard(conversation, options),
    async close() {
      await Promise.all([first.close?.(), then.close?.()])
    },
  }
  madeOf(guard, [first, then], isPanel(first) || isPanel(then))
  return guard
}

const UNSURE = guardError('The small guard is not sure.')

/** The questions to one part: a piece each, of those that end with a turn which the part judges. */
function asksOf(
  guard: Guard,
  pieces: readonly Conversation[],
  { stage, blocks }: { readonly stage: Stage | undefined; readonly blocks?: PanelOptions['blocks'] | undefined },
): readonly Ask[] {
  const rule = isPanel(guard) ? blocks : undefined
  return pieces
    .filter((piece) => judgesRole(guard, piece.at(-1)!.role))
    .map(
      (piece) => async (signal) =>
        checkedVerdict(await askGuard(guard, piece, new AskOptions(signal, { stage, blocks: rule }))),
    )
}

const isUnsafe = (verdict: Verdict): boolean => !verdict.safe
const modelOf = (guard: Guard): string => guard.model ?? 'custom'

/** When guards share a category id, the entry with the strictest action is kept. */
function unionById(categories: readonly Category[]): Category[] {
  const union = new Map<string, Category>()
  for (const category of categories) {
    const known = union.get(category.id)
    if (known === undefined || strictness(category) > strictness(known)) union.set(category.id, category)
  }
  return [...union.values()]
}

const STRICTNESS: readonly CategoryAction[] = ['ignore', 'flag', 'block']
const strictness = ({ action = 'block' }: Category): number => STRICTNESS.indexOf(action)

/**
 * The categories of the small guard that the large one lacks. For an id that both have, the large guard's name is
 * used.
 */
function onlyIn(first: Guard, { categories = [] }: Guard): NonNullable<Guard['categories']> {
  return (first.categories ?? []).filter(({ id }) => !categories.some((other) => other.id === id))
}
