// Cuts a conversation into the pieces its guard can read, and finds the turns that are part of no piece, so that the
// guard sees everything a client sends.
import { LlamaGuardError } from '../errors.js'
import type { Conversation, Guard, Role, Stage, Turn } from '../types.js'

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
