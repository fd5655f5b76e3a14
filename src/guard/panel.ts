// Several guards as one panel: a text is safe only when every one of them says so.
import type { Category, Conversation, Guard, Verdict } from '../types.js'
import type { LazyAbortController } from '../utils/lazy-abort-controller.js'
import { identityOf } from './cache/key.js'
import { anyUnsafeOf, type PanelOptions } from './merge-verdicts.js'
import { checkedVerdict, piecesOf } from './validate.js'

/**
 * A guard that asks all `guards` at the same time. One "unsafe" that blocks wins at once and the other calls
 * are aborted; a guard that fails makes the panel fail, because a partial panel's "safe" is not the panel's.
 * `judgedBy` names the guard that said unsafe.
 *
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
    judge(conversation: Conversation, { signal, stage, blocks = isUnsafe }: PanelOptions) {
      const vote = async (guard: Guard, piece: Conversation, inner: LazyAbortController): Promise<Verdict> => {
        const options: PanelOptions = {
          signal: inner.signal,
          ...(stage && { stage }),
          ...(isPanel(guard) && { blocks }),
        }
        const verdict = checkedVerdict(await guard.judge(piece, options))
        return { judgedBy: modelOf(guard), ...verdict }
      }
      const asks = guards.flatMap((guard) =>
        piecesOf(guard, conversation).map((piece) => (inner: LazyAbortController) => vote(guard, piece, inner)),
      )
      return anyUnsafeOf(asks, { signal, blocks })
    },
    async close() {
      await Promise.all(guards.map(async (guard) => guard.close?.()))
    },
  }
  panels.add(panel)
  return panel
}

/** True for guards whose verdict depends on what the policy blocks, because they stop asking when one vote blocks. */
export const isPanel = (guard: Guard): boolean => panels.has(guard)

const panels = new WeakSet<Guard>()

const isUnsafe = (verdict: Verdict): boolean => !verdict.safe
const modelOf = (guard: Guard): string => guard.model ?? 'custom'

function unionById(categories: readonly Category[]): Category[] {
  return [...new Map(categories.map((category) => [category.id, category])).values()]
}
