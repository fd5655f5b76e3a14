// A conversation is judged in pieces: this file cuts it into those that its guard can read, with the turns in no other
// piece, asks about all of them and merges the verdicts. One verdict that blocks decides at once. Otherwise one failure
// makes the whole a failure, and the text is safe only when all verdicts are.
import { guardError, LlamaGuardError, rememberForeign } from '../types/errors.js'
import type { Conversation, Guard, JudgeOptions, Role, Stage, Turn, Verdict } from '../types.js'
import { type AbortSignalLike, LazyAbortController, within } from '../utils/deadline.js'
import { MOST_PIECES } from './prompt/fit.js'

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
  const pieces: unknown = cut(guard, conversation) ?? [conversation]
  if (Array.isArray(pieces) && pieces.length > 0 && pieces.every((piece) => Array.isArray(piece) && piece.length > 0))
    return pieces as readonly Conversation[]
  throw guardError(
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
  for (const piece of pieces)
    for (const turn of piece) {
      if (shown.has(turn)) continue
      shown.add(turn)
      words[turn.role].add(turn.text)
      for (const { url } of turn.images ?? []) urls.add(url)
    }
  const unseen: Readonly<Record<Role, string[]>> = { User: [], Agent: [] }
  const pictured: Turn[] = []
  const judged = new Set(conversations.map((conversation) => conversation.at(-1)!))
  // The conversations of one request share their turns.
  for (const turn of new Set(conversations.flat())) {
    if (shown.has(turn) || judged.has(turn)) continue
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

/** The guards that a guard is made of, and whether votes of a panel are among them. Each cuts in its own way. */
const made = new WeakMap<Guard, { readonly parts: readonly Guard[]; readonly votes: boolean }>()

export const madeOf = (guard: Guard, parts: readonly Guard[], votes: boolean): void =>
  void made.set(madeHere(guard), { parts, votes })

/** The guards that a guard is made of, in the order they were given. Empty for a single guard. */
export const partsOf = (guard: Guard): readonly Guard[] => made.get(guard)?.parts ?? []

/** True for guards whose verdict depends on what the policy blocks, because they stop asking when one vote blocks. */
export const isPanel = (guard: Guard): boolean => made.get(guard)?.votes === true

/** True when the guard judges turns of this role. */
export const judgesRole = ({ judges }: Guard, role: Role): boolean => judges === undefined || judges.includes(role)

/** The number of calls to each part that one judgement of this conversation takes. */
export function checksOf(guard: Guard, conversation: Conversation, stage: Stage): number {
  const parts = partsOf(guard).filter((part) => judgesRole(part, conversation.at(-1)!.role))
  if (parts.length === 0) return 1
  return Math.max(
    ...parts.map((part) =>
      piecesOf(part, conversation, stage).reduce((sum, piece) => sum + checksOf(part, piece, stage), 0),
    ),
  )
}

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

/**
 * The guards that this package makes, told from objects of the operator's. Both are handed the chat. Errors of the
 * former never quote it, so the log may have their words, which say what to do.
 */
const ours = new WeakSet<object>()

/** For a guard that this package makes, and all of whose errors it words or has from other guards. */
export function madeHere<G extends Guard>(guard: G): G {
  ours.add(guard)
  return guard
}

/** Asks a guard. An error of an object of the operator's is remembered as one. */
export function askGuard(guard: Guard, conversation: Conversation, options: JudgeOptions): Promise<Verdict> {
  return ours.has(guard) ? guard.judge(conversation, options) : askForeign(guard, conversation, options)
}

async function askForeign(guard: Guard, conversation: Conversation, options: JudgeOptions): Promise<Verdict> {
  try {
    return await guard.judge(conversation, options)
  } catch (error) {
    // What we abort it with is an error of ours, which it may hand back.
    if (error !== options.signal?.reason) rememberForeign(error)
    throw error
  }
}

/** The same for `fit`. */
function cut(guard: Pick<Guard, 'fit'>, conversation: Conversation): unknown {
  try {
    return guard.fit?.(conversation)
  } catch (error) {
    if (!ours.has(guard)) rememberForeign(error)
    throw error
  }
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
