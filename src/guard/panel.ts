// Several guards as one panel: a text is safe only when every guard says so.
import { LlamaGuardError } from '../errors.js'
import type { Category, CategoryAction, Conversation, Guard, Role, Stage, Verdict } from '../types.js'
import type { LazyAbortController } from '../utils/lazy-abort-controller.js'
import { identityOf } from './cache/key.js'
import { anyUnsafeOf, type PanelOptions } from './merge-verdicts.js'
import { piecesOf } from './pieces.js'
import { checkedVerdict } from './validate.js'

/**
 * Makes a guard that asks all `guards` at the same time. One "unsafe" that blocks decides at once, and the other
 * calls are aborted. When one guard fails, the panel fails, because its other guards may have missed what that guard
 * would find. `judgedBy` names the guard that said unsafe.
 *
 * @throws TypeError when `guards` is empty.
 * @example
 * llamaGuard({ guard: anyUnsafe([llamaGuard4, customGuard]) })
 */
export function anyUnsafe(guards: readonly Guard[]): Guard {
  if (guards.length === 0)
    throw new TypeError('anyUnsafe() got no guards: a panel of none would find everything safe. Pass at least one.')
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
    async judge(conversation: Conversation, { signal, stage, blocks = isUnsafe }: PanelOptions = {}) {
      const vote = async (guard: Guard, piece: Conversation, inner: LazyAbortController): Promise<Verdict> => {
        const options: PanelOptions = {
          signal: inner.signal,
          ...(stage && { stage }),
          ...(isPanel(guard) && { blocks }),
        }
        const verdict = checkedVerdict(await guard.judge(piece, options))
        const judgedBy = verdict.judgedBy ?? modelOf(guard)
        const ids = [...verdict.categories, ...(verdict.unknown ?? [])]
        const namedBy = ids.length > 0 && { namedBy: Object.fromEntries(ids.map((id) => [id, judgedBy])) }
        return { ...namedBy, ...verdict, judgedBy }
      }
      const role = conversation.at(-1)?.role
      const asked = guards.filter((guard) => role !== undefined && judgesRole(guard, role))
      if (asked.length === 0)
        throw new LlamaGuardError(
          'guard_rejected',
          `No guard of the panel judges turns of ${role ?? 'nobody'}. Put one beside them that does.`,
        )
      const asks = asked.flatMap((guard) =>
        piecesOf(guard, conversation, stage)
          .filter((piece) => judgesRole(guard, piece.at(-1)!.role))
          .map((piece) => (inner: LazyAbortController) => vote(guard, piece, inner)),
      )
      return anyUnsafeOf(asks, { signal, blocks })
    },
    async close() {
      await Promise.all(guards.map(async (guard) => guard.close?.()))
    },
  }
  return asPanel(madeOf(panel, guards))
}

/** True when the guard judges turns of this role. */
export const judgesRole = ({ judges }: Guard, role: Role): boolean => judges === undefined || judges.includes(role)

/** Marks a guard that is made of guards. */
export function asPanel(guard: Guard): Guard {
  panels.add(guard)
  return guard
}

/** Records the guards that a guard is made of. Each of them cuts a conversation in its own way. */
export function madeOf(guard: Guard, parts: readonly Guard[]): Guard {
  members.set(guard, parts)
  return guard
}

/** The guards that a guard is made of, in the order they were given. Empty for a single guard. */
export const partsOf = (guard: Guard): readonly Guard[] => members.get(guard) ?? []

/** The number of calls to each member that one judgement of this conversation takes. */
export function checksOf(guard: Guard, conversation: Conversation, stage: Stage): number {
  const parts = members.get(guard)?.filter((part) => judgesRole(part, conversation.at(-1)!.role))
  if (parts === undefined || parts.length === 0) return 1
  return Math.max(
    ...parts.map((part) =>
      piecesOf(part, conversation, stage).reduce((sum, piece) => sum + checksOf(part, piece, stage), 0),
    ),
  )
}

/** True for guards whose verdict depends on what the policy blocks, because they stop asking when one vote blocks. */
export const isPanel = (guard: Guard): boolean => panels.has(guard)

const panels = new WeakSet<Guard>()
const members = new WeakMap<Guard, readonly Guard[]>()

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
