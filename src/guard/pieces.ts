// Cuts a conversation into the pieces its guard can read, finds the turns that are part of no piece, so that the guard
// sees everything a client sends, and asks about all pieces. One verdict that blocks decides at once. Otherwise one
// failure makes the whole a failure. The text is safe only when all verdicts are safe.
import { LlamaGuardError } from '../types/errors.js'
import type { Conversation, Guard, JudgeOptions, Role, Stage, Turn, Verdict } from '../types.js'
import { type AbortSignalLike, LazyAbortController, within } from '../utils/deadline.js'
import { merge } from './verdicts.js'

/** The most pieces of one conversation, whatever `maxChecks` allows, and of one reply. */
export const MOST_PIECES = 256

/**
 * The pieces that a guard is asked about when it judges this conversation alone. They cover the judged turn. At the
 * input they also cover every older turn. At the output the older turns are context only, because they were judged at
 * the input.
 */
export function piecesOf(
  guard: Pick<Guard, 'fit' | 'judges'>,
  conversation: Conversation,
  stage: Stage = 'input',
): readonly Conversation[] {
  const pieces = fit(guard, conversation)
  if (stage === 'output' || pieces[0] === conversation) return pieces
  const all = [...pieces]
  for (const turn of unseenTurns([conversation], pieces)) {
    // The guard does not judge this role, so the turn stays whole. The caller leaves it to another guard.
    all.push(...(guard.judges?.includes(turn.role) === false ? [[turn]] : fit(guard, [turn])))
    if (all.length > MOST_PIECES) throw tooMany(MOST_PIECES)
  }
  return all
}

/**
 * Throws when a guard gives no pieces or a piece without turns: "all pieces are safe" would then hold although
 * nothing was judged.
 */
export function fit(guard: Pick<Guard, 'fit'>, conversation: Conversation): readonly Conversation[] {
  const pieces: unknown = guard.fit?.(conversation) ?? [conversation]
  if (Array.isArray(pieces) && pieces.length > 0 && pieces.every((piece) => Array.isArray(piece) && piece.length > 0))
    return pieces as readonly Conversation[]
  throw new LlamaGuardError(
    'guard_error',
    'The guard cut a conversation into nothing. fit() must return at least one piece, each with at least one turn.',
  )
}

export function tooMany(most: number): LlamaGuardError {
  return new LlamaGuardError(
    'too_many_checks',
    `More than ${most} guard calls would be needed (maxChecks). Send fewer or shorter messages.`,
  )
}

/**
 * The turns that no piece shows, as turns to judge: the texts of each role joined into one turn, and each turn with
 * images that no piece shows. A growing chat only appends to the joined texts. Their pieces are cut from the start,
 * so the earlier pieces stay the same and their verdicts are remembered.
 */
export function unseenTurns(conversations: readonly Conversation[], pieces: readonly Conversation[]): readonly Turn[] {
  const shown = new Set<Turn>()
  const words: Readonly<Record<Role, Set<string>>> = { User: new Set(), Agent: new Set() }
  const urls = new Set<string>()
  for (const piece of pieces) {
    for (const turn of piece) {
      if (shown.has(turn)) continue
      shown.add(turn)
      words[turn.role].add(turn.text)
      for (const { url } of turn.images ?? []) urls.add(url)
    }
  }
  const unseen: Readonly<Record<Role, string[]>> = { User: [], Agent: [] }
  const pictured: Turn[] = []
  for (const turn of contextOf(conversations)) {
    if (shown.has(turn)) continue
    const { role, text } = turn
    const images = (turn.images ?? []).filter(({ url }) => !urls.has(url))
    if (images.length > 0) pictured.push({ role, text, images })
    else if (text.trim() !== '' && !words[role].has(text)) unseen[role].push(text)
  }
  const joined = (['User', 'Agent'] as const).flatMap((role): readonly Turn[] =>
    unseen[role].length === 0 ? [] : [{ role, text: unseen[role].join('\n') }],
  )
  return [...joined, ...pictured]
}

/**
 * Every turn except the judged ones, which the pieces cover. The conversations of one request share their turn
 * objects.
 */
function contextOf(conversations: readonly Conversation[]): ReadonlySet<Turn> {
  const context = new Set(conversations.flatMap((conversation) => conversation.slice(0, -1)))
  for (const conversation of conversations) context.delete(conversation.at(-1)!)
  return context
}

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
