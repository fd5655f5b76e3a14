// Asks a guard how it wants a conversation cut, and does not take "into nothing" for an answer.
import { LlamaGuardError } from '../errors.js'
import type { Conversation, Guard } from '../types.js'

/** Never empty: no pieces, or a piece without turns, would be "all safe" without anybody having looked. */
export function piecesOf(guard: Guard, conversation: Conversation): readonly Conversation[] {
  const pieces: unknown = guard.fit?.(conversation) ?? [conversation]
  if (Array.isArray(pieces) && pieces.length > 0 && pieces.every((piece) => Array.isArray(piece) && piece.length > 0))
    return pieces as readonly Conversation[]
  throw new LlamaGuardError(
    'guard_error',
    'The guard cut a conversation into nothing. fit() must return at least one piece, each with at least one turn.',
  )
}
