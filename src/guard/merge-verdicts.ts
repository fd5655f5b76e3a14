// Merges several verdicts on one text: its pieces or the votes of a panel. One verdict that blocks decides at once.
// Otherwise one failure makes the whole a failure. The text is safe only when all verdicts are safe.
import type { JudgeOptions, Verdict } from '../types.js'
import { within } from './deadline.js'
import { LazyAbortController, type AbortSignalLike } from '../utils/lazy-abort-controller.js'

/** Asks one guard one question. */
export type Ask = (signal: LazyAbortController) => Promise<Verdict>

export interface AnyUnsafeOptions {
  readonly signal?: AbortSignalLike | undefined
  /**
   * True when this verdict alone blocks, so that the other calls are aborted. It is stricter than "unsafe": the
   * policy may let an unsafe verdict pass (a flagged category, a score under the threshold), and another piece may
   * still block.
   */
  readonly blocks: (verdict: Verdict) => boolean
  /** True when one failure settles the matter, so that the other calls are aborted. Default: false. */
  readonly failFast?: boolean | undefined
  /** The most questions in flight at once, so that a very long text does not fill the queue. Default: 8. */
  readonly atOnce?: number
}

/** The options of a guard that is made of guards. */
export interface PanelOptions extends JudgeOptions {
  /** See {@link AnyUnsafeOptions.blocks}. Default: any "unsafe". */
  readonly blocks?: (verdict: Verdict) => boolean
}

/** Asks all questions. Rejects with the first error when no verdict blocks. */
export async function anyUnsafeOf(
  asks: readonly Ask[],
  { signal, blocks, failFast = false, atOnce = 8 }: AnyUnsafeOptions,
): Promise<Verdict> {
  const [only, ...others] = asks
  if (only !== undefined && others.length === 0 && signal instanceof LazyAbortController) return only(signal)
  return within({ signal }, async (inner) => {
    const waiting = [...asks]
    const verdicts: Verdict[] = []
    let failure: { readonly error: unknown } | undefined
    await new Promise<void>((decided) => {
      const work = async (): Promise<void> => {
        for (let ask = waiting.shift(); ask !== undefined && !inner.aborted; ask = waiting.shift()) {
          const question = ask
          try {
            const verdict = await question(inner)
            verdicts.push(verdict)
            if (blocks(verdict)) decided()
          } catch (error) {
            failure ??= { error }
            if (failFast) decided()
          }
        }
      }
      const workers = Array.from({ length: Math.min(atOnce, asks.length) }, work)
      void Promise.all(workers).then(() => decided())
    })
    if (failure && !verdicts.some(blocks)) throw failure.error
    return merge(verdicts)
  })
}

/** The strictest verdict of all: the union of the categories, the highest scores, the sums of attempts and tokens. */
export function merge(verdicts: readonly Verdict[]): Verdict {
  const [first] = verdicts
  if (first === undefined) throw new RangeError('no verdicts to merge')
  if (verdicts.length === 1) return first
  const unsafe = verdicts.filter((verdict) => !verdict.safe)
  const unknown = union(unsafe.map((verdict) => verdict.unknown ?? []))
  const judgedBy = (unsafe[0] ?? first).judgedBy
  const attempts = sum(verdicts.map((verdict) => verdict.attempts))
  const tokens = {
    input: sum(verdicts.map((verdict) => verdict.tokens?.input)),
    output: sum(verdicts.map((verdict) => verdict.tokens?.output)),
  }
  return {
    safe: unsafe.length === 0,
    categories: union(unsafe.map((verdict) => verdict.categories)),
    ...(unknown.length > 0 && { unknown }),
    ...(unsafe.some((verdict) => verdict.truncated) && { truncated: true }),
    // When some verdicts have a score, a verdict without one counts as 0 or 1 by its word. Otherwise the low score of
    // a safe piece would stand for an unsafe piece.
    ...(verdicts.some((verdict) => verdict.score !== undefined) && { score: Math.max(...verdicts.map(scoreOrWord)) }),
    ...mergeScores(verdicts),
    ...(judgedBy !== undefined && { judgedBy }),
    ...mergeNames(unsafe),
    ...(attempts !== undefined && { attempts }),
    ...((tokens.input !== undefined || tokens.output !== undefined) && { tokens }),
    ...(verdicts.every((verdict) => verdict.cached) && { cached: true }),
  }
}

function mergeScores(verdicts: readonly Verdict[]): Pick<Verdict, 'categoryScores'> {
  const merged = new Map<string, number>()
  const keep = (id: string, score: number): void => void merged.set(id, Math.max(score, merged.get(id) ?? 0))
  for (const { categoryScores = {} } of verdicts)
    for (const [id, score] of Object.entries(categoryScores)) keep(id, score)
  // A category that was named without a score of its own keeps the score of its verdict. Otherwise the low score that
  // a safe piece gave the category would stand for it.
  for (const verdict of verdicts)
    for (const id of verdict.safe ? [] : verdict.categories)
      if (merged.has(id) && verdict.categoryScores?.[id] === undefined) keep(id, scoreOrWord(verdict))
  return merged.size > 0 ? { categoryScores: Object.fromEntries(merged) } : {}
}

/** The first guard that named a category is kept. */
function mergeNames(unsafe: readonly Verdict[]): Pick<Verdict, 'namedBy'> {
  const merged = Object.assign({}, ...unsafe.map(({ namedBy }) => namedBy).reverse()) as Record<string, string>
  return Object.keys(merged).length > 0 ? { namedBy: merged } : {}
}

const scoreOrWord = ({ score, safe }: Verdict): number => score ?? (safe ? 0 : 1)

const union = (lists: readonly (readonly string[])[]): string[] => [...new Set(lists.flat())]

function sum(counts: readonly (number | undefined)[]): number | undefined {
  const known = counts.filter((count) => count !== undefined)
  return known.length === 0 ? undefined : known.reduce((total, count) => total + count, 0)
}
